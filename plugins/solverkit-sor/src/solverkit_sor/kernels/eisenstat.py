"""CG preconditioned by SSOR, in Eisenstat's form: two triangular solves an iteration and no product with A
(Eisenstat 1981; Saad 2003, section 10.2).

Problem: A x = b, A symmetric positive definite, scaled to unit diagonal (`splitting`): A = I + L + L'. SSOR's matrix is
M = E E' / (w (2 - w)) with E = I + w L, and w A = E + E' - (2 - w) I. Plain CG runs on A^ = E^{-1} (w A) E^{-T}:

    t = E^{-T} p,   u = E^{-1} (p - (2 - w) t),   A^ p = t + u,   x += a t,   r^ -= a (t + u)

The iterates are those of SSOR-preconditioned CG. Two passes an iteration, since p'A^p is known after the first one:

    p'A^p = w t'A t = t'(2 p - (2 - w) t)         backward pass: p, t and p'A^p
                                                  forward pass: u, x, r^ and r^'r^

| here | paper | meaning |
|---|---|---|
| gap | 2 - w | weight of the diagonal that E + E' has too much |
| hat | r^ | E^{-1} w r; |r^| is the norm that CG sees |
| weight | 1/R | (n,) from the scaled residual to that of the user's system |

The test is on |r| of the user's system. r = E r^ / w costs a pass over L, so it is computed only when |r^| predicts
that the target is near (or has fallen by `STRIDE`, since the ratio |r| / |r^| drifts as r becomes smooth).
"""

from __future__ import annotations

import numpy as np

from solverkit.kernels import njit
from solverkit_sor.kernels.csr import BROKEN, CAPPED, CONVERGED, DIVERGED
from solverkit_sor.kernels.flags import ROWS

NEAR = 4.0  # the true residual is computed where the predicted one is within this factor of the target
STRIDE = 0.01  # ... or where |r^| has fallen to this part of its value at the last test


@njit(**ROWS)
def _backward(up, ui, ux, w, beta, hat, p, t):
    """p = r^ + beta p and t = E^{-T} p in one pass; returns p'A^p."""
    gap = 2.0 - w
    curvature, previous = 0.0, 0.0
    for i in range(p.size - 1, -1, -1):
        direction = hat[i] + beta * p[i]
        p[i] = direction
        first, end = up[i], up[i + 1]
        value = direction
        if end > first:
            far = 0.0
            # Rows of a 5-point stencil have two entries here; a loop over the one that is left costs a third more.
            second = first + np.uint32(1)
            if end - second == np.uint32(1):
                far = ux[second] * t[ui[second]]
            else:
                for k in range(second, end):
                    far += ux[k] * t[ui[k]]
            value -= w * far
            j = ui[first]
            # The value of the row before is taken from its register: its way through memory would be the bottleneck.
            if j == np.uint32(i + 1):
                value -= (w * ux[first]) * previous
            else:
                value -= w * ux[first] * t[j]
        previous = value
        t[i] = value
        curvature += value * (2.0 * direction - gap * value)
    return curvature


@njit(**ROWS)
def _forward(lp, li, lx, w, alpha, p, t, u, x, hat):
    """u = E^{-1} (p - (2 - w) t), x += alpha t, r^ -= alpha (t + u) in one pass; returns r^'r^."""
    gap = 2.0 - w
    square, previous = 0.0, 0.0
    for i in range(p.size):
        step = t[i]
        first, end = lp[i], lp[i + 1]
        value = p[i] - gap * step
        if end > first:
            last = end - np.uint32(1)
            far = 0.0
            if last - first == np.uint32(1):
                far = lx[first] * u[li[first]]
            else:
                for k in range(first, last):
                    far += lx[k] * u[li[k]]
            value -= w * far
            j = li[last]
            if j == np.uint32(i - 1):
                value -= (w * lx[last]) * previous
            else:
                value -= w * lx[last] * u[j]
        previous = value
        u[i] = value
        x[i] += alpha * step
        rest = hat[i] - alpha * (step + value)
        hat[i] = rest
        square += rest * rest
    return square


@njit(**ROWS)
def to_hat(lp, li, lx, w, r, hat):
    """r^ = w E^{-1} r (they may be the same array); returns r^'r^."""
    square = 0.0
    for i in range(r.size):
        value = r[i]
        for k in range(lp[i], lp[i + 1]):
            value -= lx[k] * hat[li[k]]
        value *= w
        hat[i] = value
        square += value * value
    return square


@njit(**ROWS)
def true_norm(lp, li, lx, w, weight, hat):
    """|R^{-1} E r^ / w|: the residual of the user's system."""
    square = 0.0
    for i in range(hat.size):
        value = 0.0
        for k in range(lp[i], lp[i + 1]):
            value += lx[k] * hat[li[k]]
        value = weight[i] * (value + hat[i] / w)
        square += value * value
    return np.sqrt(square)


@njit(**ROWS)
def ssor_cg(lp, li, lx, up, ui, ux, w, weight, r, x, start, target, cap):
    """Eisenstat's SSOR-CG until |r| <= target, or `cap` iterations.

    `r` (n,) scaled first residual R (b - A x_0), overwritten; `x` (n,) scaled correction, zero at first, overwritten;
    `start` is |b - A x_0|. Returns (iterations, |r| by the recurrence, how it ended). O(nnz + 7 n) an iteration.
    """
    if start <= target:
        return 0, start, CONVERGED
    n = r.size
    p, t, u = np.zeros(n), np.empty(n), np.empty(n)
    hat = r
    # to_hat solves E y = w r: with w in front of L this is y_i = w (r_i - sum l_ij y_j) for E = I + w L.
    square = to_hat(lp, li, lx, w, r, hat)
    rho, beta = square, 0.0
    tested, ratio = np.sqrt(square), start / np.sqrt(square)
    norm = start
    for k in range(1, cap + 1):
        curvature = _backward(up, ui, ux, w, beta, hat, p, t)
        if not curvature > 0.0:
            norm = true_norm(lp, li, lx, w, weight, hat)
            return k - 1, norm, BROKEN if np.isfinite(curvature) else DIVERGED
        square = _forward(lp, li, lx, w, rho / curvature, p, t, u, x, hat)
        beta = square / rho
        rho = square
        size = np.sqrt(square)
        if not np.isfinite(size):
            return k, size, DIVERGED
        norm = ratio * size
        if norm <= NEAR * target or size <= STRIDE * tested:
            norm = true_norm(lp, li, lx, w, weight, hat)
            if norm <= target:
                return k, norm, CONVERGED
            tested, ratio = size, norm / size
    norm = true_norm(lp, li, lx, w, weight, hat)
    return cap, norm, CAPPED
