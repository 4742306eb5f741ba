"""Proximal maps of norms and of the squared distance.

| map | h(u) | prox_{s h}(v) |
|---|---|---|
| L1 | sum_i w_i |u_i| | sign(v) max(|v| - s w, 0) |
| L2 | w ||u||_2 | v max(1 - s w / ||v||, 0) |
| LInf | w max |u| | v minus its projection onto the l1 ball of radius s w (Moreau) |
| GroupL2 | sum_g w_g ||u_g||_2 | the row above, group by group |
| SquaredL2 | w / 2 ||u - center||^2 | (v + s w center) / (1 + s w) |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from solverkit.operators.proximal.arrays import Constant, column, floating, length, namespace, slack, where_broken
from solverkit.operators.proximal.base import ProximalMap
from solverkit.operators.proximal.simplex import threshold
from solverkit.operators.quadratic import array_digest


def _weight(weight: Any, name: str) -> np.ndarray:
    weight = np.asarray(weight, dtype=float)
    if not (np.all(weight >= 0) and np.all(np.isfinite(weight))):
        raise ValueError(f"{name} needs finite weights >= 0, not {weight}")
    return weight


class L1(ProximalMap):
    """sum_i weight_i |u_i|; weight a number or (n,), >= 0."""

    def __init__(self, weight: Any = 1.0) -> None:
        self.weight = Constant(_weight(weight, "the l1 norm"))

    def prox(self, v: Any, step: Any) -> Any:
        v = floating(v)
        return self._shrink(v, column(step, v))

    def prox_each(self, v: Any, steps: Any) -> Any:
        return self._shrink(floating(v), steps)

    def _shrink(self, v: Any, step: Any) -> Any:
        xp = namespace(v)
        return xp.sign(v) * xp.clip(xp.abs(v) - step * self.weight.like(v), 0.0, None)

    def value(self, v: Any) -> Any:
        v = floating(v)
        return (self.weight.like(v) * namespace(v).abs(v)).sum(axis=-1)

    def conjugate(self, v: Any) -> Any:
        """0 where |v_i| <= weight_i."""
        xp, v = namespace(v), floating(v)
        if v.shape[-1] == 0:
            return v.sum(axis=-1)
        return where_broken(xp.amax(xp.abs(v) - self.weight.like(v), axis=-1), slack(v))

    def digest(self) -> str:
        return f"l1 {array_digest(self.weight.host)}"


class _Radial(ProximalMap):
    """weight times a norm; weight a number >= 0."""

    name: str

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = float(_weight(weight, f"the {self.name} norm"))

    def digest(self) -> str:
        return f"{self.name} {array_digest(np.array([self.weight]))}"


class L2(_Radial):
    """weight ||u||_2."""

    name = "l2"

    def prox(self, v: Any, step: Any) -> Any:
        v = floating(v)
        return v * _kept(length(v), column(step, v) * self.weight)

    def value(self, v: Any) -> Any:
        return self.weight * length(floating(v))[..., 0]

    def conjugate(self, v: Any) -> Any:
        """0 where ||v|| <= weight."""
        v = floating(v)
        return where_broken(length(v)[..., 0] - self.weight, slack(v))


class LInf(_Radial):
    """weight max |u|."""

    name = "linf"

    def prox(self, v: Any, step: Any) -> Any:
        xp, v = namespace(v), floating(v)
        if v.shape[-1] == 0 or self.weight == 0:
            return v * 1.0
        size, radius = xp.abs(v), column(step, v) * self.weight
        top = xp.amax(size if xp is np else size.detach(), axis=-1, keepdims=True)
        # u = sign(v) min(|v|, theta), with radius = sum max(|v| - theta, 0): what the l1 ball does not take
        theta = xp.clip(threshold(size - top, radius) + top, 0.0, None)
        return xp.sign(v) * xp.minimum(size, theta)

    def value(self, v: Any) -> Any:
        xp, v = namespace(v), floating(v)
        return self.weight * (xp.amax(xp.abs(v), axis=-1) if v.shape[-1] else v.sum(axis=-1))

    def conjugate(self, v: Any) -> Any:
        """0 where ||v||_1 <= weight."""
        v = floating(v)
        return where_broken(namespace(v).abs(v).sum(axis=-1) - self.weight, slack(v))


def _kept(size: Any, cut: Any) -> Any:
    """max(1 - cut / size, 0), 0 for size 0."""
    xp = namespace(size)
    above = size > cut
    return xp.where(above, 1.0 - cut / xp.where(above, size, 1.0), 0.0 * size)


class GroupL2(ProximalMap):
    """sum_g weight_g ||u_g||_2 over disjoint groups of coordinates; a coordinate in no group is free.

    groups : sequences of indices, or slices with a start and a stop. weight : a number, or one for each group; a common
    choice is sqrt of the group's length. Groups are padded to the longest: cost is their number times that length.
    """

    def __init__(self, groups: Sequence[Any], weight: Any = 1.0) -> None:
        indices = [np.arange(g.start, g.stop) if isinstance(g, slice) else np.asarray(g, dtype=int) for g in groups]
        joined = np.concatenate([*indices, np.zeros(0, dtype=int)])
        if len(np.unique(joined)) < len(joined) or np.any(joined < 0) or any(len(index) == 0 for index in indices):
            raise ValueError("groups need at least one coordinate each, none of them twice or negative")
        self.weight = Constant(np.broadcast_to(_weight(weight, "a group norm"), len(indices)))
        self.size = int(joined.max(initial=-1)) + 1
        padded = np.full((len(indices), max((len(index) for index in indices), default=0)), -1)
        label = np.full(self.size, len(indices))
        for group, index in enumerate(indices):
            padded[group, : len(index)] = index
            label[index] = group
        self._padded, self._label = Constant(padded, int), Constant(label, int)

    def _sizes(self, v: Any) -> Any:
        """||v_g||, (..., groups)."""
        if v.shape[-1] < self.size:
            raise ValueError(f"groups name coordinate {self.size - 1}; vectors here have length {v.shape[-1]}")
        padded = self._padded.like(v)
        mine = namespace(v).where(padded >= 0, v[..., padded], 0.0)
        return length(mine)[..., 0]

    def prox(self, v: Any, step: Any) -> Any:
        xp, v = namespace(v), floating(v)
        kept = _kept(self._sizes(v), column(step, v) * self.weight.like(v))
        kept = xp.concatenate([kept, xp.ones_like(v[..., :1])], axis=-1)[..., self._label.like(v)]
        return xp.concatenate([v[..., : self.size] * kept, v[..., self.size :]], axis=-1)

    def value(self, v: Any) -> Any:
        v = floating(v)
        return (self.weight.like(v) * self._sizes(v)).sum(axis=-1)

    def conjugate(self, v: Any) -> Any:
        """0 where ||v_g|| <= weight_g, and v = 0 on coordinates without a group."""
        xp, v = namespace(v), floating(v)
        free = self._label.like(v) == len(self.weight.host)
        rest = xp.where(free, v[..., : self.size], 0.0)
        parts = [self._sizes(v) - self.weight.like(v), xp.abs(rest), xp.abs(v[..., self.size :])]
        return where_broken(xp.amax(xp.concatenate(parts, axis=-1), axis=-1), slack(v))

    def digest(self) -> str:
        return f"group l2 {array_digest(self._padded.host, self.weight.host)}"


class SquaredL2(ProximalMap):
    """weight / 2 ||u - center||^2; weight a number or (n,), >= 0."""

    def __init__(self, weight: Any = 1.0, center: Any = 0.0) -> None:
        self.weight = Constant(_weight(weight, "the squared distance"))
        self.center = Constant(center)

    def prox(self, v: Any, step: Any) -> Any:
        v = floating(v)
        return self.prox_each(v, column(step, v))

    def prox_each(self, v: Any, steps: Any) -> Any:
        v = floating(v)
        pull = steps * self.weight.like(v)
        center = self.center.like(v)
        return center + (v - center) / (1.0 + pull)

    def value(self, v: Any) -> Any:
        v = floating(v)
        return 0.5 * (self.weight.like(v) * (v - self.center.like(v)) ** 2).sum(axis=-1)

    def conjugate(self, v: Any) -> Any:
        """sum of center_i v_i + v_i^2 / (2 weight_i); where a weight is 0, v_i must be 0."""
        xp, v = namespace(v), floating(v)
        weight = xp.broadcast_to(self.weight.like(v), v.shape)
        bent = weight > 0
        value = (self.center.like(v) * v + xp.where(bent, v**2 / (2 * xp.where(bent, weight, 1.0)), 0.0)).sum(axis=-1)
        return where_broken(xp.abs(xp.where(bent, 0.0, v)).sum(axis=-1), slack(v), value)

    def digest(self) -> str:
        return f"squared l2 {array_digest(self.weight.host, self.center.host)}"
