"""A better pair (z, y) for the lower bound where nothing is strongly convex: steps of Condat and Vu from the point.

    u = prox_{t chi}(z - t (grad f(z) + K'y)),   y <- prox_{s g*}(y + s K (2 u - z)),   z <- u

with t (L / 2 + s ||K||^2) < 1.

There the bound at x itself is loose by the distance R times the residual of x, which is the square root of how far
Psi(x) is from its minimum. z needs no feasibility and y no proof, so any pair will do (Condat 2013; Vu 2013).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from solverkit.kinds.composite.problem import Composite

STEPS = 3000
WORK = 3e8
"""Numbers of data, x and y that are touched, at most."""


def pairs(
    problem: Composite, x: np.ndarray, y: np.ndarray, norm: float, most: int = STEPS
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(z, y) after every tenth of the steps; none where L is not known or the steps would be few.

    y : of length 0 where h is absent; norm : ||K||; most : steps
    """
    bend = problem.smooth.lipschitz
    data = getattr(problem.smooth, "A", None)
    touched = (0 if data is None else getattr(data, "nnz", np.size(data))) + 10 * (problem.n + len(y))
    steps = int(min(WORK / touched, most))
    if bend is None or problem.simple.geometry != "euclidean" or steps < 100 or bend + norm == 0:
        return
    ratio = 1.0 if norm == 0 else max(float(np.linalg.norm(y)), 1e-3) / max(float(np.linalg.norm(x)), 1e-3)
    s = ratio / max(norm, 1e-300) if norm > 0 else 0.0
    t = 0.99 / (bend / 2 + s * norm**2)
    z = x
    for k in range(1, steps + 1):
        slope = problem.smooth_gradient(z) + (problem.adjoint(y) if norm > 0 else 0.0)
        u = problem.simple_step(slope, z, 1 / t)
        y = problem.dual_prox(y + s * problem.forward(2 * u - z), s) if norm > 0 else y
        z = u
        if k % (steps // 10) == 0:
            yield z, y
