"""First orders: by variance, and top-down.

top-down (Chen, Drton and Wang 2019): of the variables left, next comes the one of least variance given those placed,
which for noise of equal variances is a source of what is left. It is a Cholesky factorization with the least pivot.
"""

from __future__ import annotations

import numpy as np

from solverkit.kernels import njit
from solverkit_dag.kernels.flags import VECTORS
from solverkit_dag.precedence import Precedence


def by_variance(gram: np.ndarray, precedence: Precedence) -> np.ndarray:
    """Increasing variance, as far as `precedence` allows."""
    return precedence.arrange(np.diag(gram))


def top_down(gram: np.ndarray, precedence: Precedence) -> np.ndarray:
    """Least conditional variance next, among the variables that may come next. O(d^3 / 3)."""
    order: np.ndarray = _top_down(np.ascontiguousarray(gram), precedence.before)
    return order


@njit(**VECTORS)
def _top_down(S, before):
    d = S.shape[0]
    order, left, upper = np.empty(d, np.int64), np.diag(S).copy(), np.empty((d, d))
    waiting, placed = np.zeros(d, np.int64), np.zeros(d, np.bool_)
    for j in range(d):
        for i in range(d):
            waiting[j] += before[i, j]
    for k in range(d):
        v = -1
        for j in range(d):
            if not placed[j] and waiting[j] == 0 and (v < 0 or left[j] < left[v]):
                v = j
        order[k], placed[v] = v, True
        row, root = upper[k], np.sqrt(max(left[v], 1e-300))
        row[:] = S[v]
        for t in range(k):
            share, other = upper[t, v], upper[t]
            for j in range(d):
                row[j] -= share * other[j]
        for j in range(d):
            row[j] /= root
            left[j] -= row[j] * row[j]
            waiting[j] -= before[v, j]
    return order
