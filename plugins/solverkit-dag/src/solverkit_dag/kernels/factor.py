"""The factor of an order, and what follows from it at once: the score, the weights, the total weights of walks.

    S_{pi,pi} = L L',   L_kk^2 = Var(x_k | those before it),   sum_k L_kk^2 / 2 = the least-squares score of pi

| here | paper (arXiv 2305.17277) | meaning |
|---|---|---|
| order | pi | (d,) position k holds the variable order[k] |
| upper | L' | (d, d) upper triangular: row k is column k of L, so that rotations act on whole rows |
| inverse | L^{-1} | (d, d) lower triangular |
| W | W | (d, d) the least-squares weights of the order, in the variables' own numbering |
| walks | grad h | (I - |W|)^{-T}: entry (i, j) is the total weight of the walks from j to i |

Regressing each variable on all before it gives the unit lower triangular U = diag(L) L^{-1}, and W_{pi,pi} = (I - U)'.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtri

from solverkit.errors import UsageError
from solverkit.kernels import njit
from solverkit_dag.kernels.flags import PLAIN


def factor(gram: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(upper, inverse) of an order. O(d^3 / 2). UsageError where S is not positive definite in this order."""
    lower, info = dpotrf(gram[np.ix_(order, order)], lower=1, clean=1)
    if info != 0:
        raise UsageError(
            f"the Gram matrix is not positive definite: variable {order[max(info - 1, 0)]} is a combination of the "
            f"{max(info - 1, 0)} before it in an order. Drop constant, duplicate or collinear columns, or set ridge"
        )
    inverse, info = dtrtri(lower, lower=1)
    if info != 0:
        raise UsageError(f"the factor of the Gram matrix is singular at position {info - 1}: set ridge")
    return np.ascontiguousarray(lower.T), np.ascontiguousarray(inverse)


def least_squares(upper: np.ndarray) -> float:
    """The score: half the sum of the conditional variances."""
    return 0.5 * float(np.square(np.diagonal(upper)).sum())


@njit(**PLAIN)
def weights(order, upper, inverse):
    """W[pi_j, pi_i] = -L_ii (L^{-1})_ij, j < i. O(d^2)."""
    d = order.size
    W = np.zeros((d, d))
    for i in range(d):
        for j in range(i):
            W[order[j], order[i]] = -upper[i, i] * inverse[i, j]
    return W


@njit(**PLAIN)
def walks(order, W):
    """(I - |W|)^{-T} of a W whose edges go forward in the order. O(d^3 / 6).

    With Z = (I - |W|)^{-1}: row i of Z is e_i + sum over edges i -> k of |W_ik| times row k, last position first.
    """
    d = order.size
    Z = np.zeros((d, d))  # in positions: Z[i, t] is the weight of the walks from i to t
    for i in range(d - 1, -1, -1):
        Z[i, i] = 1.0
        for k in range(i + 1, d):
            weight = abs(W[order[i], order[k]])
            if weight > 0.0:
                for t in range(k, d):
                    Z[i, t] += weight * Z[k, t]
    total = np.zeros((d, d))
    for i in range(d):
        for t in range(i, d):
            total[order[t], order[i]] = Z[i, t]
    return total
