"""Measures of cycles that continuous methods drive to zero, and the way from their answers to a graph.

exponential   h = tr exp(W * W) - d                    (Zheng et al. 2018)
log-det       h = d log s - log det(sI - W * W)        (Bello, Aragam and Ravikumar 2022)
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm, lu_factor, lu_solve

from solverkit.kinds.dag.acyclic import topological_order


def exponential(W: np.ndarray) -> tuple[float, np.ndarray]:
    """(h, gradient): exp(W * W)' * 2 W. O(d^3)."""
    E = expm(W * W)
    return float(np.trace(E)) - len(W), E.T * W * 2


def log_det(W: np.ndarray, s: float) -> tuple[float, np.ndarray, np.ndarray] | None:
    """(h, gradient, (sI - W * W)^{-1}): 2 W * (sI - W * W)^{-T}; None where sI - W * W is no M-matrix (h is infinite
    there): its inverse has an entry below -1e-6. O(d^3)."""
    d = len(W)
    factor = lu_factor(s * np.eye(d) - W * W, check_finite=False)
    inverse = lu_solve(factor, np.eye(d), check_finite=False)
    if not (inverse >= -1e-6).all():
        return None
    value = d * np.log(s) - float(np.log(np.abs(np.diag(factor[0]))).sum())
    return value, 2 * W * inverse.T, inverse


def to_dag(W: np.ndarray, threshold: float, keep: np.ndarray | None = None) -> np.ndarray:
    """W without entries below `threshold`, then without its least entries on cycles until there are none.

    keep : (d, d) bool, edges that stay; they have no cycle. O(d^2) a cycle.
    """
    keep = np.zeros(W.shape, dtype=bool) if keep is None else keep
    left = np.where((np.abs(W) >= threshold) | keep, W, 0.0)
    np.fill_diagonal(left, 0.0)
    sizes = np.abs(left[(left != 0) & ~keep])
    if topological_order((left != 0) | keep) is not None:
        return left
    low, high, ranked = 0, len(sizes), np.sort(sizes)  # bisection: how many of the least edges have to go
    while low < high:
        middle = (low + high) // 2
        trial = (np.abs(left) > ranked[middle]) & (left != 0) | keep
        low, high = (low, middle) if topological_order(trial) is not None else (middle + 1, high)
    return np.where((np.abs(left) > ranked[low]) | keep, left, 0.0)
