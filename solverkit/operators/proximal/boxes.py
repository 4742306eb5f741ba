"""Projections coordinate by coordinate.

| map | set | projection |
|---|---|---|
| Free, Zero | R^n, that is h = 0 | identity |
| Box | lower <= v <= upper | clip |
| NonNegative | v >= 0 | clip |
| LInfBall | max |v - center| <= radius | clip |
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.operators.proximal.arrays import Constant, floating, namespace, slack, where_broken
from solverkit.operators.proximal.base import Projection
from solverkit.operators.quadratic import array_digest


class Free(Projection):
    """All of R^n: h = 0."""

    def project(self, v: Any) -> Any:
        v = floating(v)
        return v.copy() if namespace(v) is np else v.clone()

    def prox_each(self, v: Any, steps: Any) -> Any:
        return self.project(v)

    def violation(self, v: Any) -> Any:
        return (floating(v) * 0.0).sum(axis=-1)  # NaN stays NaN

    def value(self, v: Any) -> Any:
        return namespace(v).zeros_like(floating(v)[..., :1]).sum(axis=-1)

    def conjugate(self, v: Any) -> Any:
        v = floating(v)
        return where_broken(namespace(v).abs(v).sum(axis=-1), slack(v * 0.0))

    def digest(self) -> str:
        return "free"


Zero = Free
"""h = 0, for a term that is absent."""


class Box(Projection):
    """lower <= v <= upper: numbers, or arrays (n,) or (..., n) that broadcast against v; infinite where a side is open.

    ValueError where a coordinate has lower > upper, NaN, lower = inf or upper = -inf.
    """

    def __init__(self, lower: Any, upper: Any) -> None:
        low, high = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
        if not np.all(low <= high):
            raise ValueError("a box needs lower <= upper in every coordinate")
        if np.any(low == np.inf) or np.any(high == -np.inf):
            raise ValueError("a box needs lower < inf and upper > -inf")
        self.lower, self.upper = Constant(low), Constant(high)

    def project(self, v: Any) -> Any:
        v = floating(v)
        return namespace(v).clip(v, self.lower.like(v), self.upper.like(v))

    def prox_each(self, v: Any, steps: Any) -> Any:
        return self.project(v)

    def violation(self, v: Any) -> Any:
        xp, v = namespace(v), floating(v)
        if v.shape[-1] == 0:
            return v.sum(axis=-1)
        below, above = self.lower.like(v) - v, v - self.upper.like(v)
        return xp.clip(xp.amax(xp.maximum(below, above), axis=-1), 0.0, None)

    def conjugate(self, v: Any) -> Any:
        """sum of upper_i v_i where v_i > 0 and lower_i v_i where v_i < 0."""
        xp, v = namespace(v), floating(v)
        bound = xp.where(v > 0, self.upper.like(v), self.lower.like(v))
        return (xp.where(v == 0, 0.0, bound) * v).sum(axis=-1)

    def digest(self) -> str:
        return f"box {array_digest(self.lower.host, self.upper.host)}"


class NonNegative(Box):
    """v >= 0."""

    def __init__(self) -> None:
        super().__init__(0.0, np.inf)


class LInfBall(Box):
    """max |v - center| <= radius, a finite radius >= 0."""

    def __init__(self, radius: float = 1.0, center: Any = 0.0) -> None:
        if not (radius >= 0 and np.isfinite(radius)):
            raise ValueError(f"a ball needs a finite radius >= 0, not {radius}")
        middle = np.asarray(center, dtype=float)
        super().__init__(middle - radius, middle + radius)
