"""Projections onto norm balls around a center.

| map | set | projection |
|---|---|---|
| L1Ball | ||v - center||_1 <= radius | magnitudes onto a simplex, signs kept |
| L2Ball | ||v - center||_2 <= radius | scale |

The ball of the largest entry is a box: `boxes.LInfBall`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.operators.proximal.arrays import Constant, floating, length, namespace
from solverkit.operators.proximal.base import Projection
from solverkit.operators.proximal.simplex import threshold
from solverkit.operators.quadratic import array_digest


class L1Ball(Projection):
    """||v - center||_1 <= radius: signs of v - center on the projection of its magnitudes onto a simplex."""

    def __init__(self, radius: float = 1.0, center: Any = 0.0) -> None:
        self.radius = float(radius)
        if not (self.radius >= 0 and np.isfinite(self.radius)):
            raise ValueError(f"a ball needs a finite radius >= 0, not {radius}")
        self.center = Constant(center)

    def project(self, v: Any) -> Any:
        xp, v = namespace(v), floating(v)
        center = self.center.like(v)
        offset = v - center
        size = xp.abs(offset)
        if self.radius == 0 or v.shape[-1] == 0:
            return v * 0.0 + center
        top = xp.amax(size if xp is np else size.detach(), axis=-1, keepdims=True)
        below = size - top
        theta = threshold(below, self.radius)
        near = xp.sign(offset) * xp.clip(below - theta, 0.0, None) + center
        return xp.where(xp.broadcast_to(theta + top <= 0, v.shape), v, near)  # a threshold below 0: v is inside

    def violation(self, v: Any) -> Any:
        xp, v = namespace(v), floating(v)
        return xp.clip(xp.abs(v - self.center.like(v)).sum(axis=-1) - self.radius, 0.0, None)

    def conjugate(self, v: Any) -> Any:
        """<center, v> + radius * max |v|."""
        xp, v = namespace(v), floating(v)
        peak = xp.amax(xp.abs(v), axis=-1) if v.shape[-1] else v.sum(axis=-1)
        return (self.center.like(v) * v).sum(axis=-1) + self.radius * peak

    def digest(self) -> str:
        return f"l1 ball {array_digest(self.center.host, np.array([self.radius]))}"


class L2Ball(Projection):
    """||v - center||_2 <= radius."""

    def __init__(self, radius: float = 1.0, center: Any = 0.0) -> None:
        self.radius = float(radius)
        if not (self.radius >= 0 and np.isfinite(self.radius)):
            raise ValueError(f"a ball needs a finite radius >= 0, not {radius}")
        self.center = Constant(center)

    def project(self, v: Any) -> Any:
        xp, v = namespace(v), floating(v)
        center = self.center.like(v)
        offset = v - center
        size = length(offset)
        outside = size > self.radius
        near = offset * (self.radius / xp.where(outside, size, 1.0)) + center
        return xp.where(outside, near, v + 0.0 * size)

    def violation(self, v: Any) -> Any:
        xp, v = namespace(v), floating(v)
        return xp.clip(length(v - self.center.like(v))[..., 0] - self.radius, 0.0, None)

    def conjugate(self, v: Any) -> Any:
        """<center, v> + radius ||v||."""
        v = floating(v)
        return (self.center.like(v) * v).sum(axis=-1) + self.radius * length(v)[..., 0]

    def digest(self) -> str:
        return f"l2 ball {array_digest(self.center.host, np.array([self.radius]))}"
