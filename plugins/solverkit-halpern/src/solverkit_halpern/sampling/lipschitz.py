"""L and L_Q of an operator that does not say: from a few differences at a point, with every evaluation counted.

    d <- F(u + h d) - F(u), normalized        a power iteration on the linearization, as the projections see it
    L    the largest ratio of changes seen
    L_Q  the root mean square of the ratios of single components along the same moves

Neither is a bound: methods that rest on them watch their merit and halve the step where it grows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.extragradient.merit import ratio, tangent

MOVES = 5
SAMPLES = 8  # single components for each move
LENGTH = 1e-3  # of a move, relative to 1 + |u_i|


@dataclass(frozen=True)
class Constants:
    """What was seen."""

    lipschitz: float  # L
    mean: float  # L_Q


def probe(problem: Inclusion, u: np.ndarray, rng: np.random.Generator, draw: np.ndarray) -> Constants:
    """1 + MOVES evaluations of F and 2 MOVES SAMPLES components; `draw`: (MOVES, SAMPLES) indices of components."""
    here, size = problem.operator(u), 1 + float(np.linalg.norm(u))
    direction = tangent(problem, rng.standard_normal(len(u)))
    lipschitz, squares = 0.0, []
    for samples in draw:
        norm = float(np.linalg.norm(direction))
        if not 0 < norm < np.inf:
            break
        move = LENGTH * size / norm * direction
        change = problem.operator(u + move) - here
        lipschitz = max(lipschitz, ratio(problem, change, move))
        for sample in samples:
            one = np.array([sample])
            squares.append(ratio(problem, problem.components(u + move, one) - problem.components(u, one), move) ** 2)
        # alternating with -change would do for skew F; the change itself serves both, since only its norm is asked
        direction = tangent(problem, change)
    mean = float(np.sqrt(np.mean(squares))) if squares else lipschitz
    return Constants(lipschitz, max(mean, lipschitz))
