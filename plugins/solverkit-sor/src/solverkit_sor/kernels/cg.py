"""Conjugate gradients, plain or with the diagonal as preconditioner (Hestenes and Stiefel 1952; Saad 2003, alg. 9.1).

Problem: A x = b, A symmetric positive definite. Iteration, with M = I or D:

    a_k = r'z / p'Ap;   x += a_k p;   r -= a_k A p;   z = M^{-1} r;   b_k = r'z (new) / r'z (old);   p = z + b_k p

| here | paper | meaning |
|---|---|---|
| inverse | M^{-1} | (n,) 1/a_ii, or None for M = I: numba compiles a loop of its own for each |
| alphas, betas | alpha_k, beta_k | kept for the Lanczos matrix of M^{-1} A, see `smallest_ritz` |

Three passes an iteration; each fuses all that it can reach: (p), (A p and p'Ap), (x, r and r'r).
"""

from __future__ import annotations

import numpy as np

from solverkit.kernels import njit
from solverkit_sor.kernels.csr import BROKEN, CAPPED, CONVERGED, DIVERGED, residual
from solverkit_sor.kernels.flags import ROWS, VECTORS

RESTARTS = 3  # times that the recurrence may be replaced by the true residual before it counts as stagnation


@njit(**ROWS)
def multiply(indptr, indices, data, p, q):
    """q = A p; returns p'q."""
    total = 0.0
    for i in range(q.size):
        value = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            value += data[k] * p[indices[k]]
        q[i] = value
        total += value * p[i]
    return total


@njit(**VECTORS)
def _move(alpha, inverse, p, q, x, r):
    """x += alpha p, r -= alpha q; returns (r'r, r'z)."""
    square, weighted = 0.0, 0.0
    for i in range(r.size):
        x[i] += alpha * p[i]
        value = r[i] - alpha * q[i]
        r[i] = value
        square += value * value
        if inverse is not None:
            weighted += value * value * inverse[i]
    return square, weighted if inverse is not None else square


@njit(**VECTORS)
def _direction(beta, inverse, r, p):
    """p = z + beta p."""
    for i in range(p.size):
        p[i] = (r[i] if inverse is None else r[i] * inverse[i]) + beta * p[i]


@njit(**VECTORS)
def _weighted(inverse, r):
    """r'M^{-1}r."""
    total = 0.0
    for i in range(r.size):
        total += r[i] * r[i] if inverse is None else r[i] * r[i] * inverse[i]
    return total


@njit(**ROWS)
def cg(indptr, indices, data, inverse, b, x, target, cap, alphas, betas):
    """CG from `x` (overwritten by the answer) until |b - A x| <= target, or `cap` iterations.

    The recurrence's residual is compared with the true one where it says converged; where they differ CG starts anew
    from there. `alphas`, `betas` are filled with the coefficients of the first run as far as they reach.
    Returns (iterations, |b - A x|, how it ended, coefficients kept). O(nnz + 6 n) an iteration.
    """
    n = x.size
    r, p, q = np.empty(n), np.zeros(n), np.empty(n)
    done, kept, runs = 0, 0, 0
    while True:
        square = residual(indptr, indices, data, b, x, r)
        norm = np.sqrt(square)
        if norm <= target:
            return done, norm, CONVERGED, kept
        if not np.isfinite(norm):
            return done, norm, DIVERGED, kept
        if done >= cap:
            return done, norm, CAPPED, kept
        if runs > RESTARTS:
            return done, norm, BROKEN, kept
        runs += 1
        rho, beta = _weighted(inverse, r), 0.0
        while done < cap:
            _direction(beta, inverse, r, p)
            curvature = multiply(indptr, indices, data, p, q)
            if not curvature > 0.0:
                norm = np.sqrt(residual(indptr, indices, data, b, x, r))
                return done, norm, BROKEN if np.isfinite(curvature) else DIVERGED, kept
            alpha = rho / curvature
            square, following = _move(alpha, inverse, p, q, x, r)
            done += 1
            beta = following / rho
            rho = following
            if runs == 1 and kept < alphas.size:
                alphas[kept], betas[kept] = alpha, beta
                kept += 1
            if np.sqrt(square) <= target or not np.isfinite(square):
                break


def smallest_ritz(alphas: np.ndarray, betas: np.ndarray, kept: int) -> float:
    """Smallest eigenvalue of the Lanczos matrix of CG: an upper bound on lambda_min(M^{-1} A), sharp once CG converged.

    T_kk = 1/a_k + b_{k-1}/a_{k-1},  T_k,k+1 = sqrt(b_k)/a_k  (Saad 2003, section 6.7.3). NaN without coefficients.
    """
    from scipy.linalg import eigvalsh_tridiagonal

    if kept < 1:
        return float("nan")
    a, b = alphas[:kept], betas[:kept]
    diagonal = 1.0 / a
    diagonal[1:] += b[:-1] / a[:-1]
    return float(eigvalsh_tridiagonal(diagonal, np.sqrt(b[:-1]) / a[:-1], select="i", select_range=(0, 0))[0])
