"""The way back to the constraints from a point that was moved."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lstsq
from scipy.sparse import issparse

from solverkit.kinds.nonlinear.local import Local

CORRECTIONS = 8
MET = 1e-3  # of the tolerance: to what rows are met
CLOSELY, PATIENT = 1e-4, 120  # of that, and corrections up to there: along b^4 = 0 they converge slowly


def restored(local: Local, x: np.ndarray, tol: float) -> Local | None:
    """The nearest feasible point, roughly, by Gauss-Newton steps of least length; None where it is not found."""
    return _corrected(local, x, MET * tol, CORRECTIONS)


def restored_closely(local: Local, x: np.ndarray, tol: float) -> Local | None:
    """The same, with rows met closely: where a gradient vanishes on the row itself a tolerance hides a long way."""
    return _corrected(local, x, CLOSELY * MET * tol, PATIENT)


def _corrected(local: Local, x: np.ndarray, within: float, corrections: int) -> Local | None:
    problem = local.problem
    for _ in range(corrections):
        x = np.clip(x, problem.lowest, problem.highest)
        there = Local(problem, x, local.seed)
        if not (np.isfinite(there.rows).all() and np.isfinite(there.norms).all()):
            return None
        if there.violation[0] <= within:
            return there
        short = np.clip(there.rows, problem.lower, problem.upper) - there.rows
        broken = np.flatnonzero(short != 0)
        jacobian = there.jacobian[broken]
        matrix = jacobian.toarray() if issparse(jacobian) else np.asarray(jacobian)
        x = x + lstsq(matrix, short[broken], cond=1e-10, lapack_driver="gelsy")[0]
    return None


def beyond(there: Local, y: np.ndarray) -> float:
    """What f falls by for the violation of rows that a restored point has left, to first order."""
    return float(np.abs(y) @ np.abs(there.rows - np.clip(there.rows, there.problem.lower, there.problem.upper)))
