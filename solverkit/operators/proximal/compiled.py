"""Projections of one vector in place, for loops that numba compiles; needs the package `numba`.

| kernel | set | cost |
|---|---|---|
| simplex_threshold | theta of { u >= 0, sum u = total }, u = max(v - theta, 0) | O(n) expected, O(n^2) at worst |
| simplex, l1_ball | the projections that use it | the same |
| box, soft_threshold | clip; sign(v) max(|v| - cut, 0) | O(n) |

The threshold is found as by Condat (Fast projection onto the simplex and the l1 ball, 2016, Algorithm 1): one pass
keeps a set of entries that may be positive, with the threshold that the set has; each entry above it joins and moves
it. Then entries at or below the threshold leave until none does. The kept entries live in `work`, which the caller
allocates once. v enters relative to its largest entry, as in `proximal.simplex`.
"""

from __future__ import annotations

import numpy as np

from solverkit.errors import MissingPackage

try:
    from solverkit.kernels import njit
except ImportError as error:
    raise MissingPackage("compiled projections need numba: pip install 'solverkit[compiled]'") from error

__all__ = ["box", "l1_ball", "simplex", "simplex_threshold", "soft_threshold"]


@njit(cache=True)
def simplex_threshold(v: np.ndarray, total: float, work: np.ndarray) -> float:
    """theta, relative to max(v), with sum max(v - max(v) - theta, 0) = total > 0; v and work (n,), n >= 1."""
    n = v.shape[0]
    top = v[0]
    for i in range(1, n):
        top = max(top, v[i])
    kept, parked = 1, n  # work[:kept] are in the set, work[parked:] wait for a second look
    work[0] = v[0] - top
    theta = work[0] - total
    for i in range(1, n):
        entry = v[i] - top
        if entry > theta:
            raised = theta + (entry - theta) / (kept + 1)
            if raised <= entry - total:  # the entry alone has a higher threshold than all together
                raised = entry - total
                for j in range(kept - 1, -1, -1):  # last first: the two places may overlap
                    parked -= 1
                    work[parked] = work[j]
                kept = 0
            work[kept] = entry
            kept += 1
            theta = raised
    for i in range(parked, n):
        entry = work[i]
        if entry > theta:
            work[kept] = entry
            kept += 1
            theta += (entry - theta) / kept
    return _shrunk(work, kept, total)


@njit(cache=True)
def _shrunk(work: np.ndarray, kept: int, total: float) -> float:
    """The threshold of work[:kept], from which entries at or below it drop out."""
    while True:
        sums = 0.0
        for i in range(kept):
            sums += work[i]
        theta = (sums - total) / kept
        left = 0
        for i in range(kept):
            if work[i] > theta:
                work[left] = work[i]
                left += 1
        if left == kept or left == 0:
            return theta
        kept = left


@njit(cache=True)
def simplex(v: np.ndarray, total: float, out: np.ndarray, work: np.ndarray) -> None:
    """The nearest point of { u >= 0, sum u = total }; total >= 0, all arrays (n,), `out` may be v. NaN gives NaN."""
    n = v.shape[0]
    if total == 0.0:
        for i in range(n):
            out[i] = 0.0
        return
    top = v[0]
    for i in range(n):
        if np.isnan(v[i]):
            top = v[i]
            break
        top = max(top, v[i])
    if np.isnan(top):
        for i in range(n):
            out[i] = np.nan
        return
    theta = simplex_threshold(v, total, work)
    for i in range(n):
        out[i] = max((v[i] - top) - theta, 0.0)


@njit(cache=True)
def l1_ball(v: np.ndarray, radius: float, out: np.ndarray, work: np.ndarray) -> None:
    """The nearest point of { ||u||_1 <= radius }; radius >= 0, all arrays (n,), `out` may be v."""
    n = v.shape[0]
    size = 0.0
    for i in range(n):
        size += abs(v[i])
    if size <= radius:
        for i in range(n):
            out[i] = v[i]
        return
    magnitudes = np.abs(v)
    signs = np.sign(v)
    simplex(magnitudes, radius, out, work)
    for i in range(n):
        out[i] *= signs[i]


@njit(cache=True)
def box(v: np.ndarray, lower: np.ndarray, upper: np.ndarray, out: np.ndarray) -> None:
    """clip(v, lower, upper), all (n,); `out` may be v."""
    for i in range(v.shape[0]):
        out[i] = min(max(v[i], lower[i]), upper[i]) if v[i] == v[i] else v[i]


@njit(cache=True)
def soft_threshold(v: np.ndarray, cut: float, out: np.ndarray) -> None:
    """sign(v) max(|v| - cut, 0), cut >= 0; `out` may be v."""
    for i in range(v.shape[0]):
        entry = v[i]
        if entry > cut:
            out[i] = entry - cut
        elif entry < -cut:
            out[i] = entry + cut
        else:
            out[i] = 0.0 * entry
