"""Descent that derivatives do not show: moves along degenerate directions, brought back to the constraints.

Along a direction without curvature a stationary point may still be none (x^3 at 0, a saddle of higher order). From
x + t d, a few Gauss-Newton steps of least length go back to the constraints, and one Newton step on the Lagrangian
takes the directions that do have curvature to their minimum (Peano's (y - x^2)(y - 3 x^2) is a minimum along every
line, and falls along y = 2 x^2). There f may not have fallen by more than

    (f(x) - f(x')) / ||x' - x||_inf  <=  100 tol S,

the descent that the stationarity term would tolerate, with its usual widening (`certificate.py`).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import issparse

from solverkit.kinds.nonlinear.curvature import Curvature
from solverkit.kinds.nonlinear.local import Local

STEPS = (1e-1, 1e-2, 1e-3)  # times 1 + ||x||_inf
CORRECTIONS = 8


def probe(local: Local, y: np.ndarray, bend: Curvature, tol: float) -> tuple[float, int]:
    """(the fastest fall of f per distance, moves that told something); y are multipliers of the rows."""
    worst, told = 0.0, 0
    size = 1 + float(np.abs(local.x).max(initial=0.0))
    noise = 1e-13 * (abs(local.value) + local.scale * size)
    for d in _signed(bend.degenerate):
        for step in STEPS:
            moved = _restored(local, local.x + step * size * d, tol)
            for there in (moved, _relaxed(moved, y, bend, tol)):
                if there is None or not np.isfinite(there.value):
                    continue
                distance = float(np.abs(there.x - local.x).max())
                if distance <= 1e-2 * step * size:
                    continue
                told += 1
                worst = max(worst, (local.value - there.value - noise) / distance)
    return worst, told


def _signed(directions: np.ndarray | None) -> list[np.ndarray]:
    """Both senses of each, of length one."""
    if directions is None:
        return []
    lengths = np.abs(directions).max(axis=1, initial=0.0)
    unit = directions[lengths > 0] / lengths[lengths > 0][:, None]
    return [sign * d for d in unit for sign in (1.0, -1.0)]


def _relaxed(there: Local | None, y: np.ndarray, bend: Curvature, tol: float) -> Local | None:
    """The point after a Newton step in the directions of positive curvature."""
    if there is None or bend.stiff is None or bend.stiff.shape[1] == 0:
        return None
    slope = there.gradient + (there.jacobian.T @ y if len(y) else 0.0)
    step = bend.stiff @ (bend.stiff.T @ slope)
    return _restored(there, there.x - step, tol) if np.isfinite(step).all() else None


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
