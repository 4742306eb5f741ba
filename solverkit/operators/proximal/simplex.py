"""The projection onto the simplex { u >= 0, sum u = total }.

    u = max(v - theta, 0),    theta = max_k  (v_(1) + ... + v_(k) - total) / k,     v_(1) >= v_(2) >= ...

The sum of the k largest entries of u is at most the total, whatever k, so theta is at least each of those numbers, and
the k that counts the positive entries attains it (Held, Wolfe, Crowder 1974, in the form without a search). v enters
relative to its largest entry: the projection does not change under v + c, and a large v would lose the total.

| arrays | how | cost of one vector |
|---|---|---|
| a batch, or any tensor | sort | n log n |
| one NumPy vector | Michelot (1986), begun with the entries above max(v) - total | n, expected |
| inside of compiled loops | `compiled.simplex` | n, expected |
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.operators.proximal.arrays import floating, namespace
from solverkit.operators.proximal.base import Projection
from solverkit.operators.quadratic import array_digest

ROUNDS = 30  # of Michelot's shrinking; entries that grow like powers would need n of them


def threshold(v: Any, total: Any) -> Any:
    """theta with sum max(v - theta, 0) = total, (..., 1), for v (..., n) whose largest entry is 0; total > 0."""
    xp = namespace(v)
    if xp is np and v.ndim == 1 and np.ndim(total) == 0:
        return _michelot(v, float(total))
    ordered = np.sort(v, axis=-1)[..., ::-1] if xp is np else xp.sort(v.detach(), dim=-1, descending=True).values
    count = xp.arange(1, v.shape[-1] + 1, dtype=v.dtype, **({} if xp is np else {"device": v.device}))
    target = total.detach() if hasattr(total, "detach") else total
    theta = xp.amax((xp.cumsum(ordered, axis=-1) - target) / count, axis=-1, keepdims=True)
    # one Newton step: it mends the rounding of a long cumulative sum, and its derivative is the derivative of theta
    kept = v > theta
    number = xp.clip(kept.sum(axis=-1, keepdims=True, dtype=v.dtype), 1.0, None)
    return theta + (xp.where(kept, v - theta, 0.0).sum(axis=-1, keepdims=True) - total) / number


def _michelot(v: np.ndarray, total: float) -> Any:
    kept = v[v >= -total]
    if len(kept) == 0:
        return v.max()  # NaN
    for _ in range(ROUNDS):
        theta = (kept.sum() - total) / len(kept)
        smaller = kept[kept > theta]
        if len(smaller) in (0, len(kept)):
            return theta
        kept = smaller
    ordered = np.sort(kept)[::-1]
    return np.max((np.cumsum(ordered) - total) / np.arange(1, len(ordered) + 1, dtype=v.dtype))


class Simplex(Projection):
    """u >= 0, sum u = total, with a finite total >= 0; n >= 1."""

    def __init__(self, total: float = 1.0) -> None:
        self.total = float(total)
        if not (self.total >= 0 and np.isfinite(self.total)):
            raise ValueError(f"a simplex needs a finite total >= 0, not {total}")

    def project(self, v: Any) -> Any:
        xp, v = namespace(v), floating(v)
        if v.shape[-1] == 0:
            raise ValueError("a simplex needs vectors of length 1 or more, not 0")
        if self.total == 0:
            return xp.zeros_like(v)
        if v.shape[-1] == 1:
            return xp.full_like(v, self.total) + 0.0 * v
        top = xp.amax(v if xp is np else v.detach(), axis=-1, keepdims=True)
        offset = v - top
        return xp.clip(offset - threshold(offset, self.total), 0.0, None)

    def violation(self, v: Any) -> Any:
        xp, v = namespace(v), floating(v)
        below = xp.clip(-xp.amin(v, axis=-1), 0.0, None)
        return xp.maximum(below, xp.abs(v.sum(axis=-1) - self.total))

    def conjugate(self, v: Any) -> Any:
        """total * max v."""
        return self.total * namespace(v).amax(floating(v), axis=-1)

    def digest(self) -> str:
        return f"simplex {array_digest(np.array([self.total]))}"
