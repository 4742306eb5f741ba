"""Descent that derivatives do not show: moves along degenerate directions, brought back to the constraints.

Along a direction without curvature a stationary point may still be none (x^3 at 0, a saddle of higher order). From
x + t d, a few Gauss-Newton steps of least length go back to the constraints; f may then not have fallen by more than

    (f(x) - f(x')) / ||x' - x||_inf  <=  100 tol S,

the descent that the stationarity term would tolerate, with its usual widening (`certificate.py`).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import issparse

from solverkit.kinds.nonlinear.local import Local

STEPS = (1e-1, 1e-2, 1e-3)  # times 1 + ||x||_inf
CORRECTIONS = 8


def probe(local: Local, directions: np.ndarray, tol: float) -> tuple[float, int]:
    """(the fastest fall of f per distance, moves that told something)."""
    problem, worst, told = local.problem, 0.0, 0
    size = 1 + float(np.abs(local.x).max(initial=0.0))
    noise = 1e-13 * (abs(local.value) + local.scale * size)
    for d in directions:
        length = float(np.abs(d).max(initial=0.0))
        for step in STEPS if length > 0 else ():
            for sign in (1.0, -1.0):
                there = _restored(local, local.x + sign * step * size / length * d, tol)
                if there is None or not np.isfinite(there.value):
                    continue
                distance = float(np.abs(there.x - local.x).max())
                if distance <= 1e-2 * step * size:
                    continue
                told += 1
                worst = max(worst, (local.value - there.value - noise) / distance)
    return (worst, told) if problem.n else (0.0, 0)


def _restored(local: Local, x: np.ndarray, tol: float) -> Local | None:
    """The nearest feasible point, roughly; None where it is not found."""
    problem = local.problem
    for _ in range(CORRECTIONS):
        x = np.clip(x, problem.lowest, problem.highest)
        there = Local(problem, x, local.seed)
        if not (np.isfinite(there.rows).all() and np.isfinite(there.norms).all()):
            return None
        if there.violation[0] <= 1e-3 * tol:
            return there
        short = np.clip(there.rows, problem.lower, problem.upper) - there.rows
        broken = np.flatnonzero(short != 0)
        jacobian = there.jacobian[broken]
        matrix = jacobian.toarray() if issparse(jacobian) else np.asarray(jacobian)
        x = x + np.linalg.lstsq(matrix, short[broken], rcond=1e-10)[0]
    return None
