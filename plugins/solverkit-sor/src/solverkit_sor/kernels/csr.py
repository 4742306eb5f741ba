"""SOR on a sparse matrix in its natural order (Young 1971).

Problem: A x = b, A = D + L + U with a nonzero diagonal, 0 < w < 2. One sweep:

    (D/w + L) x_{k+1} = b - s_k,     s_k = ((1 - 1/w) D + U) x_k
    r_k = b - A x_k = s_{k-1} - s_k

The second line makes the residual free: s_k is half of the work of the next sweep, so that sweep k + 1 knows |r_k|
at the cost of one more vector and no second look at A. The sweep writes a second array, so that x_k is still there
when its residual turns out small enough.

| here | paper | meaning |
|---|---|---|
| w | omega | relaxation |
| s | s_k | (n,) the part of A x that a sweep does not replace |
| weight | 1/R | (n,) from the scaled residual to that of A x = b |

`sor` works on a `Splitting` (unit diagonal); `sor_sweep` and `ssor_sweep` on CSR as the user has it.
"""

from __future__ import annotations

import numpy as np

from solverkit.kernels import njit
from solverkit_sor.kernels.flags import ROWS, VECTORS

CONVERGED, CAPPED, BROKEN, DIVERGED = 0, 1, 2, 3
"""How a kernel ended: |r| <= target; cap reached; breakdown (A is not positive definite, or rounding is all that is
left); NaN, or a residual `GROWTH` times the first one."""

GROWTH = 1e12


@njit(**ROWS)
def residual(indptr, indices, data, b, x, r):
    """r = b - A x in place; returns r'r. O(nnz)."""
    total = 0.0
    for i in range(r.size):
        value = b[i]
        for k in range(indptr[i], indptr[i + 1]):
            value -= data[k] * x[indices[k]]
        r[i] = value
        total += value * value
    return total


@njit(**VECTORS)
def square(v):
    """v'v."""
    total = 0.0
    for i in range(v.size):
        total += v[i] * v[i]
    return total


@njit(**ROWS)
def sor_sweep(indptr, indices, data, diagonal, inverse, b, x, w):
    """x_i += w (b_i - sum_j a_ij x_j) / a_ii for i = 0, 1, ..., newest values used; in place, O(nnz).

    `diagonal` (n,) uint32: position of a_ii in `data`; `inverse` (n,): 1 / a_ii.
    """
    previous = 0.0
    for i in range(x.size):
        at, first = diagonal[i], indptr[i]
        value = b[i]
        for k in range(at + np.uint32(1), indptr[i + 1]):
            value -= data[k] * x[indices[k]]
        scale = w * inverse[i]
        rest = (1.0 - w) * x[i]
        if at > first:
            last = at - np.uint32(1)
            for k in range(first, last):
                value -= data[k] * x[indices[k]]
            j = indices[last]
            rest += scale * value
            # The value of the row before is taken from its register: its way through memory would be the bottleneck.
            if j == np.uint32(i - 1):
                previous = rest - (scale * data[last]) * previous
            else:
                previous = rest - (scale * data[last]) * x[j]
        else:
            previous = rest + scale * value
        x[i] = previous


@njit(**ROWS)
def ssor_sweep(indptr, indices, data, diagonal, inverse, b, x, w):
    """A sweep of `sor_sweep` in each direction: forward, then i = n - 1, ..., 0. In place, 2 O(nnz)."""
    sor_sweep(indptr, indices, data, diagonal, inverse, b, x, w)
    previous = 0.0
    n = x.size
    for i in range(n - 1, -1, -1):
        at, end = diagonal[i], indptr[i + 1]
        value = b[i]
        for k in range(indptr[i], at):
            value -= data[k] * x[indices[k]]
        scale = w * inverse[i]
        rest = (1.0 - w) * x[i]
        following = at + np.uint32(1)
        if end > following:
            for k in range(following + np.uint32(1), end):
                value -= data[k] * x[indices[k]]
            j = indices[following]
            rest += scale * value
            if j == np.uint32(i + 1):
                previous = rest - (scale * data[following]) * previous
            else:
                previous = rest - (scale * data[following]) * x[j]
        else:
            previous = rest + scale * value
        x[i] = previous


@njit(**ROWS)
def _sweep(lp, li, lx, up, ui, ux, w, weight, b, x, y, s):
    """y = next iterate after x, s = s_k in place of s_{k-1}; returns |r_k|^2. Unit diagonal."""
    total = 0.0
    kept = 1.0 - 1.0 / w
    previous = 0.0
    for i in range(x.size):
        part = kept * x[i]
        for k in range(up[i], up[i + 1]):
            part += ux[k] * x[ui[k]]
        r = weight[i] * (s[i] - part)
        total += r * r
        s[i] = part
        first, end = lp[i], lp[i + 1]
        value = b[i] - part
        if end > first:
            last = end - np.uint32(1)
            for k in range(first, last):
                value -= lx[k] * y[li[k]]
            j = li[last]
            if j == np.uint32(i - 1):
                previous = w * value - (w * lx[last]) * previous
            else:
                previous = w * value - (w * lx[last]) * y[j]
        else:
            previous = w * value
        y[i] = previous
    return total


@njit(**ROWS)
def sor(lp, li, lx, up, ui, ux, w, weight, b, x, start, target, cap):
    """SOR on I + L + U until |r_k| <= target, or `cap` sweeps.

    `b` (n,) scaled by R, `x` (n,) scaled first iterate, overwritten by the answer; `start` is |r_0|.
    Returns (sweeps k, |r_k|, how it ended). One sweep more than k is made, to know |r_k|.
    """
    if start <= target:
        return 0, start, CONVERGED
    n = x.size
    s, y = np.zeros(n), np.empty(n)
    norm = start
    old, new = x, y
    _sweep(lp, li, lx, up, ui, ux, w, weight, b, old, new, s)
    ended = CAPPED
    k = 1
    while True:
        old, new = new, old
        norm = np.sqrt(_sweep(lp, li, lx, up, ui, ux, w, weight, b, old, new, s))
        if norm <= target:
            ended = CONVERGED
            break
        if not norm <= GROWTH * start:
            ended = DIVERGED
            break
        if k >= cap:
            break
        k += 1
    if k % 2:  # x_k lies in y
        x[:] = y
    return k, norm, ended
