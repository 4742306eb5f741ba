"""Proximal maps from proximal maps (Parikh, Boyd, Proximal Algorithms 2014, section 2).

| map | h(u) | prox_{s h}(v) |
|---|---|---|
| Product | sum_i h_i(u[slice_i]) | slice by slice |
| Translated | g(u - shift) | shift + prox_{s g}(v - shift) |
| Scaled | weight g(argument u) | prox_{s weight argument^2 g}(argument v) / argument |
| Tilted | g(u) + <slope, u> | prox_{s g}(v - s slope) |
| Conjugate | g*(u) | v - s prox_{g / s}(v / s) (Moreau) |
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from solverkit.operators.proximal.arrays import Constant, column, floating, namespace
from solverkit.operators.proximal.base import ProximalMap
from solverkit.operators.quadratic import array_digest


class Product(ProximalMap):
    """One map a slice. Slices are disjoint `slice(start, stop)`; h does not depend on the rest of u."""

    def __init__(self, parts: Sequence[tuple[slice, ProximalMap]]) -> None:
        self.parts = tuple(sorted(parts, key=lambda part: part[0].start))
        for at, _ in self.parts:
            if at.start is None or at.stop is None or at.step not in (None, 1) or not 0 <= at.start <= at.stop:
                raise ValueError(f"a product needs slices with 0 <= start <= stop and no step, not {at}")
        for (one, _), (two, _) in pairwise(self.parts):
            if two.start < one.stop:
                raise ValueError(f"the slices {one} and {two} overlap")

    def prox(self, v: Any, step: Any) -> Any:
        return self._each(v, lambda part, at: part.prox(v[..., at], step))

    def prox_each(self, v: Any, steps: Any) -> Any:
        return self._each(v, lambda part, at: part.prox_each(v[..., at], steps[..., at]))

    def _each(self, v: Any, mapped: Any) -> Any:
        v, pieces, end = floating(v), [], 0
        if self.parts and self.parts[-1][0].stop > v.shape[-1]:
            raise ValueError(f"the slice {self.parts[-1][0]} does not fit vectors of length {v.shape[-1]}")
        for at, part in self.parts:
            pieces += [v[..., end : at.start], mapped(part, at)]
            end = at.stop
        return namespace(v).concatenate([*pieces, v[..., end:]], axis=-1)

    def value(self, v: Any) -> Any:
        v = floating(v)
        return sum((part.value(v[..., at]) for at, part in self.parts), 0.0 * v[..., :0].sum(axis=-1))

    def conjugate(self, v: Any) -> Any:
        """The sum of the conjugates; infinite where v is not 0 between the slices."""
        from solverkit.operators.proximal.boxes import Free

        v, total, end = floating(v), 0.0, 0
        for at, part in self.parts:
            total = total + part.conjugate(v[..., at]) + Free().conjugate(v[..., end : at.start])
            end = at.stop
        return total + Free().conjugate(v[..., end:])

    def digest(self) -> str:
        return "product " + ";".join(f"{at.start}:{at.stop} {part.digest()}" for at, part in self.parts)


class Translated(ProximalMap):
    """g(u - shift), shift a number or (n,)."""

    def __init__(self, inner: ProximalMap, shift: Any) -> None:
        self.inner, self.shift = inner, Constant(shift)

    def prox(self, v: Any, step: Any) -> Any:
        v = floating(v)
        shift = self.shift.like(v)
        return self.inner.prox(v - shift, step) + shift

    def prox_each(self, v: Any, steps: Any) -> Any:
        v = floating(v)
        shift = self.shift.like(v)
        return self.inner.prox_each(v - shift, steps) + shift

    def value(self, v: Any) -> Any:
        v = floating(v)
        return self.inner.value(v - self.shift.like(v))

    def conjugate(self, v: Any) -> Any:
        v = floating(v)
        return self.inner.conjugate(v) + (self.shift.like(v) * v).sum(axis=-1)

    def digest(self) -> str:
        return f"translated {array_digest(self.shift.host)} {self.inner.digest()}"


class Scaled(ProximalMap):
    """weight g(argument u); weight > 0, argument not 0."""

    def __init__(self, inner: ProximalMap, weight: float = 1.0, argument: float = 1.0) -> None:
        self.inner, self.weight, self.argument = inner, float(weight), float(argument)
        if not (self.weight > 0 and np.isfinite(self.weight)):
            raise ValueError(f"a scaled map needs a finite weight > 0, not {weight}")
        if not (self.argument != 0 and np.isfinite(self.argument)):
            raise ValueError(f"a scaled map needs a finite argument that is not 0, not {argument}")

    def prox(self, v: Any, step: Any) -> Any:
        return self.inner.prox(floating(v) * self.argument, step * (self.weight * self.argument**2)) / self.argument

    def prox_each(self, v: Any, steps: Any) -> Any:
        scaled = steps * (self.weight * self.argument**2)
        return self.inner.prox_each(floating(v) * self.argument, scaled) / self.argument

    def value(self, v: Any) -> Any:
        return self.weight * self.inner.value(floating(v) * self.argument)

    def conjugate(self, v: Any) -> Any:
        return self.weight * self.inner.conjugate(floating(v) / (self.weight * self.argument))

    def digest(self) -> str:
        return f"scaled {array_digest(np.array([self.weight, self.argument]))} {self.inner.digest()}"


class Tilted(ProximalMap):
    """g(u) + <slope, u>, slope a number or (n,)."""

    def __init__(self, inner: ProximalMap, slope: Any) -> None:
        self.inner, self.slope = inner, Constant(slope)

    def prox(self, v: Any, step: Any) -> Any:
        v = floating(v)
        return self.inner.prox(v - column(step, v) * self.slope.like(v), step)

    def prox_each(self, v: Any, steps: Any) -> Any:
        v = floating(v)
        return self.inner.prox_each(v - steps * self.slope.like(v), steps)

    def value(self, v: Any) -> Any:
        v = floating(v)
        return self.inner.value(v) + (self.slope.like(v) * v).sum(axis=-1)

    def conjugate(self, v: Any) -> Any:
        v = floating(v)
        return self.inner.conjugate(v - self.slope.like(v))

    def digest(self) -> str:
        return f"tilted {array_digest(self.slope.host)} {self.inner.digest()}"


class Conjugate(ProximalMap):
    """g*(u) = sup_x <u, x> - g(x)."""

    def __init__(self, inner: ProximalMap) -> None:
        self.inner = inner

    def prox(self, v: Any, step: Any) -> Any:
        v = floating(v)
        scale = column(step, v)
        return v - scale * self.inner.prox(v / scale, 1.0 / step)

    def prox_each(self, v: Any, steps: Any) -> Any:
        v = floating(v)
        return v - steps * self.inner.prox_each(v / steps, 1.0 / steps)

    def value(self, v: Any) -> Any:
        return self.inner.conjugate(v)

    def conjugate(self, v: Any) -> Any:
        return self.inner.value(v)

    def digest(self) -> str:
        return f"conjugate {self.inner.digest()}"
