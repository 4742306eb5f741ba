"""A square root of the Gram matrix, R'R = S, from the samples where S itself has lost too many digits.

Forming S squares the condition of the samples: where the correlation matrix is nearly singular, variances that are left
of a variable are rounding in S, and are still there in X. The QR factorization of X / sqrt(n) keeps them (Golub and Van
Loan, section 5.3), and is as indifferent to the units of columns as Cholesky's. Least squares on the columns of R is
least squares on the samples, at d rows in place of n.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cholesky, qr

from solverkit.kinds.dag.problem import Dag

SINGULAR = 1e-10
"""Reciprocal condition of the correlation matrix below which the samples are asked."""

DEPENDENT = 1e-14
"""Singular values of scaled columns that count as none, relative to the largest."""


def exact_root(problem: Dag) -> np.ndarray | None:
    """(min(n, d), d) from the samples; None where S is good enough, or all there is."""
    if problem.samples is None:
        return None
    size = np.sqrt(np.diag(problem.gram))
    values = np.linalg.eigvalsh(problem.gram / np.outer(size, size))
    if values[0] > SINGULAR * values[-1]:
        return None
    return np.asarray(qr(problem.samples / np.sqrt(problem.n), mode="r", check_finite=False)[0][: problem.d])


def root(problem: Dag) -> np.ndarray:
    """The same, or Cholesky's factor of S. LinAlgError where S is singular and there are no samples."""
    exact = exact_root(problem)
    return np.asarray(cholesky(problem.gram, check_finite=False)) if exact is None else exact


def left_over(R: np.ndarray, j: int, parents: np.ndarray) -> float:
    """The residual variance of variable j on `parents`, by least squares on the columns of R."""
    if not len(parents):
        return float(R[:, j] @ R[:, j])
    A = R[:, parents]
    A = A / np.sqrt(np.maximum((A**2).sum(axis=0), np.finfo(float).tiny))
    residual = R[:, j] - A @ np.linalg.lstsq(A, R[:, j], rcond=DEPENDENT)[0]
    return float(residual @ residual)
