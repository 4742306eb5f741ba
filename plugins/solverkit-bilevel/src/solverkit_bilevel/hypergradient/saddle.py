"""A way down from where grad Phi vanishes and Phi is not at a minimum: a direction of negative curvature.

    Phi'' v ~ (g(x + h v) - g(x - h v)) / 2h      on the coordinates away from their bounds

`steps` Lanczos steps with full reorthogonalization, two hypergradients each. Exact where there are no more free
coordinates than steps; elsewhere a curvature that is large and negative is seen, a slight one may be missed.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh_tridiagonal

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.sets import Box, Free
from solverkit_bilevel.hypergradient.descent import Descent, Walk

DIFFERENCE = 1e-3  # h, times 1 + |x|
ACCURACY = 1e-8  # of each hypergradient: over h, a tenth of NEGATIVE
NEGATIVE = 5e-5  # of the largest curvature: half of what the certificate lets pass
LENGTHS = 20  # trials along the direction, each half of the one before


def escape(problem: Bilevel, descent: Descent, walk: Walk, steps: int) -> bool:
    """Move `walk` down along the most negative curvature; False, and `walk` as it was, where there is none or X is
    neither free nor a box."""
    direction = _downward(problem, descent, walk, steps)
    if direction is None:
        return False
    length = 1 + float(np.abs(walk.z[: problem.n]).max())
    for _ in range(LENGTHS):
        for sign in (1.0, -1.0):
            if descent.jump(problem, walk, sign * length * direction):
                return True
        length *= 0.5
    return False


def _downward(problem: Bilevel, descent: Descent, walk: Walk, steps: int) -> np.ndarray | None:
    """The direction, its largest entry 1 and downhill where the slope says so; None where no curvature is negative."""
    n, region = problem.n, descent.region
    x = walk.z[:n]
    h = DIFFERENCE * (1 + float(np.abs(x).max(initial=0.0)))
    if isinstance(region, Box):
        free = (x - region.lower > 10 * h) & (region.upper - x > 10 * h)
    elif isinstance(region, Free):
        free = np.ones(n, dtype=bool)
    else:
        return None
    if not free.any():
        return None

    def bent(v: np.ndarray) -> np.ndarray:
        size = h / float(np.abs(v).max())
        ahead, behind = (descent.gradient_at(problem, walk, x + sign * size * v, ACCURACY) for sign in (1, -1))
        return np.where(free, (ahead - behind) / (2 * size), 0.0)

    basis = [_first(free)]
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(min(steps, int(free.sum()))):
        r = bent(basis[-1])
        if not np.isfinite(r).all():
            return None
        diagonal.append(float(r @ basis[-1]))
        for _ in range(2):
            for v in basis:
                r = r - float(r @ v) * v
        norm = float(np.linalg.norm(r))
        if norm <= 1e-8 * max(np.abs([*diagonal, *beside])):
            break
        beside.append(norm)
        basis.append(r / norm)
    size = len(diagonal)
    values, vectors = eigh_tridiagonal(np.array(diagonal), np.array(beside[: size - 1]))
    if not values[0] < -NEGATIVE * float(np.abs(values).max()):
        return None
    direction = np.asarray(np.array(basis[:size]).T @ vectors[:, 0])
    direction = direction / np.abs(direction).max()
    return -direction if float(direction @ walk.gradient) > 0 else direction


def _first(free: np.ndarray) -> np.ndarray:
    """A fixed start of no particular symmetry."""
    v = np.where(free, np.cos(1.0 + 2.0 * np.arange(len(free))), 0.0)
    return v / np.linalg.norm(v)
