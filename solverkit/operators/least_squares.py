"""Least squares with exact equations and signs, and a test of positive definiteness; dense when small, else sparse.

    minimize ||M u + c||_2      subject to  C u = 0,   u_i >= 0 for i in a given set

1. Without signs: for small data the null space of C and a rank-revealing solve; for large data the system

       [ -I    M       0      ] [s]   [-c]
       [ M'    delta   C'     ] [u] = [ 0],      delta = 1e-10, columns of [M; C] of length one
       [ 0     C      -delta  ] [v]   [ 0]

   whose sparse LU exists for any rank.
2. Where a sign comes out wrong: a linear program for the largest residual, min { t : |M u + c| <= t, C u = 0, u >= 0 },
   whose optimal value is linear, not quadratic, in the residual, so that the interior-point accuracy is enough; then
   step 1 again on its support, kept where it is better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigvalsh, lstsq
from scipy.sparse import block_array, csc_array, csr_array, diags_array, eye_array, vstack
from scipy.sparse.linalg import splu

from solverkit.operators.qp import largest, row_norms, solve_qp

SMALL = 400  # rows plus columns up to which dense algebra is used
RANK = 1e-12  # singular values below this fraction of the largest are zero
DELTA = 1e-10
SIGN = 1e-9  # a sign may be wrong by this fraction of the largest entry before step 2 is taken


@dataclass(frozen=True)
class Signed:
    """u with its signs right to the last bit, and what it leaves: residual M u + c, broken C u."""

    u: np.ndarray
    residual: np.ndarray
    broken: float  # max |C u| with rows of C of length one


def signed_least_squares(M: csr_array, c: np.ndarray, C: csr_array, nonnegative: np.ndarray) -> Signed:
    """The best u found; `nonnegative` is a boolean mask over its entries. Never raises for singular data."""
    M, C = csr_array(M), csr_array(C)
    length = np.sqrt(row_norms(csr_array(M.T)) ** 2 + row_norms(csr_array(C.T)) ** 2)
    scale = 1 / np.where(length > RANK * length.max(initial=0.0), length, 1.0)
    norms = row_norms(C)
    C = csr_array(diags_array(1 / np.where(norms > 0, norms, 1.0)) @ C)
    scaled_m, scaled_c = csr_array(M @ diags_array(scale)), csr_array(C @ diags_array(scale))
    u = _equality(scaled_m, c, scaled_c)
    if np.any(u[nonnegative] < -SIGN * max(float(np.abs(u).max(initial=0.0)), float(np.abs(c).max(initial=0.0)))):
        u = _with_signs(scaled_m, c, scaled_c, nonnegative)
    return _finished(u * scale, M, c, C, nonnegative)


def _finished(u, M, c, C, nonnegative) -> Signed:
    u = np.where(nonnegative, np.maximum(u, 0.0), u)
    return Signed(u, M @ u + c, float(np.abs(C @ u).max(initial=0.0)))


def _equality(M: csr_array, c: np.ndarray, C: csr_array) -> np.ndarray:
    rows, columns = M.shape
    if columns == 0:
        return np.zeros(0)
    if rows + columns + C.shape[0] <= SMALL:
        return _dense(M.toarray(), c, C.toarray())
    return _sparse(M, c, C)


def _dense(M: np.ndarray, c: np.ndarray, C: np.ndarray) -> np.ndarray:
    if C.shape[0] == 0:
        return -lstsq(M, c, cond=RANK, check_finite=False)[0]
    basis = null_space(C)
    return -basis @ lstsq(M @ basis, c, cond=RANK, check_finite=False)[0] if basis.shape[1] else np.zeros(M.shape[1])


def null_space(C: np.ndarray, cut: float = RANK) -> np.ndarray:
    """Orthonormal basis of { u : C u = 0 }, (columns, dimension)."""
    if C.shape[0] == 0:
        return np.eye(C.shape[1])
    _, values, right = np.linalg.svd(C, full_matrices=True)
    return right[int(np.sum(values > cut * max(values.max(initial=0.0), 1e-300))) :].T


def _sparse(M: csr_array, c: np.ndarray, C: csr_array) -> np.ndarray:
    rows, columns = M.shape
    extra = C.shape[0]
    matrix = block_array(
        [
            [-eye_array(rows), M, csr_array((rows, extra))],
            [M.T, DELTA * eye_array(columns), C.T],
            [csr_array((extra, rows)), C, -DELTA * eye_array(extra)],
        ]
    )
    right = np.concatenate([-c, np.zeros(columns + extra)])
    return solve_symmetric(csc_array(matrix), right)[rows : rows + columns]


def solve_symmetric(matrix: csc_array, right: np.ndarray) -> np.ndarray:
    """Sparse LU and two steps of refinement; NaN where the matrix is singular."""
    try:  # COLAMD: with one dense row a minimum degree ordering takes 50 times longer
        factor = splu(matrix, permc_spec="COLAMD", diag_pivot_thresh=1e-3)
    except RuntimeError:
        return np.full(len(right), np.nan)
    solution = factor.solve(right)
    for _ in range(2):
        solution = solution + factor.solve(right - matrix @ solution)
    return solution


def _with_signs(M: csr_array, c: np.ndarray, C: csr_array, nonnegative: np.ndarray) -> np.ndarray:
    rows, columns = M.shape
    size = max(float(np.abs(c).max(initial=0.0)), 1e-300)
    target = c / size
    one = csr_array(np.ones((rows, 1)))
    signs = csr_array(eye_array(columns, format="csr")[np.flatnonzero(nonnegative)])
    blocks = vstack(
        [
            block_array([[M, one]]),
            block_array([[M, -one]]),
            block_array([[C, csr_array((C.shape[0], 1))]]),
            block_array([[signs, csr_array((signs.shape[0], 1))]]),
        ]
    )
    none, zero = np.full(rows, np.inf), np.zeros(C.shape[0])
    lower = np.concatenate([-target, -none, zero, np.zeros(signs.shape[0])])
    upper = np.concatenate([none, -target, zero, np.full(signs.shape[0], np.inf)])
    # a whisper of curvature keeps multipliers that are not unique from running away
    quiet = csr_array(diags_array(np.append(np.full(columns, DELTA), 0.0)))
    found = solve_qp(quiet, np.append(np.zeros(columns), 1.0), csr_array(blocks), lower, upper)
    best = _signed(found.v[:columns] * size, nonnegative)
    best = np.where(np.isfinite(best), best, 0.0)
    support = ~nonnegative | (best > 1e-7 * max(float(np.abs(best).max(initial=0.0)), 1e-300))
    polished = np.zeros(columns)
    polished[support] = _equality(csr_array(M[:, support]), c, csr_array(C[:, support]))
    polished = _signed(polished, nonnegative)
    return polished if _left(M, c, C, polished) <= _left(M, c, C, best) else best


def _signed(u: np.ndarray, nonnegative: np.ndarray) -> np.ndarray:
    return np.where(nonnegative, np.maximum(u, 0.0), u)


def _left(M: csr_array, c: np.ndarray, C: csr_array, u: np.ndarray) -> float:
    left = max(float(np.abs(M @ u + c).max(initial=0.0)), float(np.abs(C @ u).max(initial=0.0)))
    return left if np.isfinite(left) else np.inf


def positive_definiteness(H: csr_array) -> float:
    """The sign of the smallest eigenvalue of a symmetric H relative to its largest entry.

    Small H: lambda_min / max |h_ij|, exactly. Large H: 1 (definite by Gershgorin's disks or by the pivots of H - 1e-10
    max|h_ij|), 0 (semidefinite: the pivots of H + 1e-10 max|h_ij| are positive), or -1.
    """
    size = largest(H)
    if H.shape[0] == 0 or not np.isfinite(size):
        return 1.0 if H.shape[0] == 0 else float("nan")
    if size == 0:
        return 0.0
    if H.shape[0] <= SMALL:
        return float(eigvalsh(((H + H.T) / 2).toarray())[0]) / size
    H = csr_array(H / size)
    diagonal = H.diagonal()
    slack = diagonal - (np.asarray(abs(H).sum(axis=1)).ravel() - np.abs(diagonal))
    if slack.min() > 1e-10:
        return 1.0
    if slack.min() >= -1e-14:
        return 0.0 if not _positive_pivots(H, -1e-10) else 1.0
    if not _positive_pivots(H, 1e-10):
        return -1.0
    return 1.0 if _positive_pivots(H, -1e-10) else 0.0


def _positive_pivots(H: csr_array, shift: float) -> bool:
    """H + shift I is positive definite: LU without row exchanges has positive pivots (they are those of L D L')."""
    try:
        factor = splu(
            csc_array(H + shift * eye_array(H.shape[0])),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
    except RuntimeError:
        return False
    return bool(np.array_equal(factor.perm_r, factor.perm_c) and factor.U.diagonal().min() > 0)
