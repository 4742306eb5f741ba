"""CG preconditioned by SSOR in its textbook form (Axelsson 1994, section 7.4): what `eisenstat` is measured against.

    M = E E' / (w (2 - w)),  E = I + w L;     z = M^{-1} r by a forward and a backward solve, and a product A p

On a `Splitting` (unit diagonal). What it has more than `eisenstat` is the product and four passes over vectors.
"""

from __future__ import annotations

import numpy as np

from solverkit.kernels import njit
from solverkit_sor.kernels.csr import BROKEN, CAPPED, CONVERGED, DIVERGED
from solverkit_sor.kernels.flags import ROWS


@njit(**ROWS)
def _precondition(lp, li, lx, up, ui, ux, w, r, z):
    """z = M^{-1} r; returns r'z."""
    n = r.size
    for i in range(n):
        value = 0.0
        for k in range(lp[i], lp[i + 1]):
            value += lx[k] * z[li[k]]
        z[i] = r[i] - w * value
    total = 0.0
    scale = w * (2.0 - w)
    # z holds y = E^{-1} r below row i and E^{-T} y from row i on.
    for i in range(n - 1, -1, -1):
        value = 0.0
        for k in range(up[i], up[i + 1]):
            value += ux[k] * z[ui[k]]
        z[i] -= w * value
        total += r[i] * z[i]
    for i in range(n):
        z[i] *= scale
    return scale * total


@njit(**ROWS)
def _product(lp, li, lx, up, ui, ux, beta, z, p, q):
    """p = z + beta p, q = (I + L + U) p; returns p'q."""
    for i in range(p.size):
        p[i] = z[i] + beta * p[i]
    total = 0.0
    for i in range(p.size):
        value = p[i]
        for k in range(lp[i], lp[i + 1]):
            value += lx[k] * p[li[k]]
        for k in range(up[i], up[i + 1]):
            value += ux[k] * p[ui[k]]
        q[i] = value
        total += value * p[i]
    return total


@njit(**ROWS)
def ssor_pcg(lp, li, lx, up, ui, ux, w, weight, r, x, start, target, cap):
    """As `eisenstat.ssor_cg`, argument by argument; |r| is computed in every iteration."""
    if start <= target:
        return 0, start, CONVERGED
    n = r.size
    z, p, q = np.empty(n), np.zeros(n), np.empty(n)
    rho, beta, norm = 0.0, 0.0, start
    for k in range(1, cap + 1):
        following = _precondition(lp, li, lx, up, ui, ux, w, r, z)
        beta = following / rho if k > 1 else 0.0
        rho = following
        curvature = _product(lp, li, lx, up, ui, ux, beta, z, p, q)
        if not curvature > 0.0:
            return k - 1, norm, BROKEN if np.isfinite(curvature) else DIVERGED
        alpha = rho / curvature
        square = 0.0
        for i in range(n):
            x[i] += alpha * p[i]
            r[i] -= alpha * q[i]
            square += (weight[i] * r[i]) ** 2
        norm = np.sqrt(square)
        if norm <= target:
            return k, norm, CONVERGED
        if not np.isfinite(norm):
            return k, norm, DIVERGED
    return cap, norm, CAPPED
