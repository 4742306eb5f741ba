"""The usual conditions F(y, theta) = 0 of a solution, to give to `implicit` as its residual.

| condition | F | dF/dy symmetric |
|---|---|---|
| Stationarity(f) | grad_y f | yes |
| FixedPoint(T) | y - T(y, theta) | no |
| ProjectedGradient(f, set, step) | y - P(y - step grad_y f) | no |
| ProximalGradient(f, h, step) | y - prox_{step h}(y - step grad_y f) | no |
| KKT(f, equalities, inequalities) | grad_x L;  h(x);  min(mu, -g(x)) | no |

Functions are called as f(y, *theta) and are written in torch. Projections, proximal maps and the minimum have kinks:
away from them the derivative is exact, at them (an active constraint with multiplier 0) it is that of one piece, and
`implicit` warns. Any step > 0 has the same fixed points and, away from kinks, the same derivative; 1 / L keeps the
linear system well conditioned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch.utils._pytree import tree_map

from solverkit.operators.proximal import Projection, ProximalMap

Function = Callable[..., Any]


def _total(f: Function) -> Function:
    """f, summed over a batch: the gradient of the sum is the batch of gradients."""
    return lambda *args, **kwargs: f(*args, **kwargs).sum()


def _minus(y: Any, step: float, change: Any) -> Any:
    return tree_map(lambda a, b: a - step * b, y, change)


@dataclass(frozen=True)
class Stationarity:
    """grad_y f(y, *theta) = 0, for minimizers without constraints. f : scalar, or (B,) for a batch of problems."""

    f: Function
    symmetric: ClassVar[bool] = True

    def __call__(self, y: Any, *args: Any, **kwargs: Any) -> Any:
        return torch.func.grad(_total(self.f))(y, *args, **kwargs)


@dataclass(frozen=True)
class FixedPoint:
    """y = T(y, *theta)."""

    map: Function

    def __call__(self, y: Any, *args: Any, **kwargs: Any) -> Any:
        return _minus(y, 1.0, self.map(y, *args, **kwargs))


@dataclass(frozen=True)
class ProjectedGradient:
    """y = P(y - step grad_y f(y, *theta)), for minimizers of f over a convex set.

    set : a `Projection` for y a tensor (..., n), or a function (v, *theta) -> nearest point, for sets that move.
    """

    f: Function
    set: Projection | Function
    step: float = 1.0

    def __call__(self, y: Any, *args: Any, **kwargs: Any) -> Any:
        moved = _minus(y, self.step, torch.func.grad(_total(self.f))(y, *args, **kwargs))
        nearest = self.set.project(moved) if isinstance(self.set, Projection) else self.set(moved, *args, **kwargs)
        return _minus(y, 1.0, nearest)


@dataclass(frozen=True)
class ProximalGradient:
    """y = prox_{step h}(y - step grad_y f(y, *theta)), for minimizers of f + h.

    h : a `ProximalMap` for y a tensor (..., n), or a function (v, step, *theta) -> prox, for h that depend on theta:
    for a lasso whose weight is theta, lambda v, step, weight: L1().prox(v, step * weight).
    """

    f: Function
    h: ProximalMap | Function
    step: float = 1.0

    def __call__(self, y: Any, *args: Any, **kwargs: Any) -> Any:
        moved = _minus(y, self.step, torch.func.grad(_total(self.f))(y, *args, **kwargs))
        if isinstance(self.h, ProximalMap):
            return _minus(y, 1.0, self.h.prox(moved, self.step))
        return _minus(y, 1.0, self.h(moved, self.step, *args, **kwargs))


@dataclass(frozen=True)
class KKT:
    """Minimize f(x, *theta) subject to h(x, *theta) = 0 and g(x, *theta) <= 0, by its Karush-Kuhn-Tucker conditions.

    y is a dict of x (n,) with its multipliers `equality` (p,) and `inequality` (q,) >= 0, each only where there are
    such constraints:  grad f + nu'dh + mu'dg = 0,  h = 0,  min(mu, -g) = 0. With leading batch axes for a batch.
    """

    f: Function
    equalities: Function | None = None
    inequalities: Function | None = None

    def __call__(self, y: dict[str, Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
        def lagrangian(x: Any) -> Any:
            total = self.f(x, *args, **kwargs).sum()
            if self.equalities is not None:
                total = total + (y["equality"] * self.equalities(x, *args, **kwargs)).sum()
            if self.inequalities is not None:
                total = total + (y["inequality"] * self.inequalities(x, *args, **kwargs)).sum()
            return total

        found = {"x": torch.func.grad(lagrangian)(y["x"])}
        if self.equalities is not None:
            found["equality"] = self.equalities(y["x"], *args, **kwargs)
        if self.inequalities is not None:
            found["inequality"] = torch.minimum(y["inequality"], -self.inequalities(y["x"], *args, **kwargs))
        return found
