"""Structured nonsmooth parts, h(x) = g(K x), and simple parts chi in either geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.kinds.composite.row_norms import RowNorms
from solverkit.operators.proximal import (
    L1,
    L2,
    Box,
    EntropySimplex,
    GroupL2,
    LInf,
    Product,
    ProximalMap,
    Scaled,
    Tilted,
    Translated,
)
from solverkit.operators.proximal.arrays import slack
from solverkit.operators.quadratic import array_digest

if TYPE_CHECKING:
    from solverkit.kinds.composite.parts import Geometry


class Outer:
    """h = g o K. `linear` is one of `linear_maps`, `outer` is g."""

    def __init__(self, linear: Any, outer: ProximalMap, diameter: float | None = None) -> None:
        self.linear, self.outer = linear, outer
        self.size, self.rows = int(linear.size), int(linear.rows)
        self.diameter = dual_diameter(outer, self.rows) if diameter is None else float(diameter)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """K x, (m,)."""
        return self.linear.forward(x)

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """K'y, (n,)."""
        return self.linear.adjoint(y)

    def to(self, device: str, dtype: str) -> Outer:
        """Itself: products with K are computed by NumPy and SciPy."""
        return self

    def digest(self) -> str:
        """Of K and g."""
        return f"outer {self.outer.digest()} {self.linear.digest()}"


def dual_diameter(outer: ProximalMap, rows: int) -> float:
    """max of ||y||^2 / 2 over the domain of g*; infinite where g is not known to be Lipschitz."""
    if isinstance(outer, L1):
        return 0.5 * float(np.broadcast_to(outer.weight.host, rows) @ np.broadcast_to(outer.weight.host, rows))
    if isinstance(outer, L2 | LInf):
        return 0.5 * outer.weight**2
    if isinstance(outer, GroupL2):
        return 0.5 * float((outer.weight.host**2).sum())
    if isinstance(outer, RowNorms):
        return 0.5 * float((np.broadcast_to(outer.weight.host, rows // outer.columns) ** 2).sum())
    if isinstance(outer, Scaled):  # weight g(argument .): the domain grows by both
        return (outer.weight * outer.argument) ** 2 * dual_diameter(outer.inner, rows)
    if isinstance(outer, Translated):
        return dual_diameter(outer.inner, rows)
    if isinstance(outer, Tilted):  # dom g* moves by the slope: ||y + q|| <= ||y|| + ||q||
        slope = float(np.linalg.norm(np.broadcast_to(outer.slope.host, rows)))
        return 0.5 * (float(np.sqrt(2 * dual_diameter(outer.inner, rows))) + slope) ** 2
    if isinstance(outer, Product):
        return sum(dual_diameter(part, at.stop - at.start) for at, part in outer.parts)
    return float("inf")


class Euclidean:
    """chi(x) = (mu / 2) ||x||^2 + <slope, x> + r(x), r closed convex with a proximal map; V(v, u) = ||u - v||^2 / 2."""

    geometry: Geometry = "euclidean"

    def __init__(self, size: int, rest: ProximalMap, strong: float = 0.0, slope: Any = 0.0) -> None:
        self.size, self.rest, self.strong = int(size), rest, float(strong)
        self.slope = np.broadcast_to(np.asarray(slope, dtype=float), size)

    def value(self, x: np.ndarray) -> float:
        """chi(x)."""
        return float(self.rest.value(x)) + 0.5 * self.strong * float(x @ x) + float(self.slope @ x)

    def violation(self, x: np.ndarray) -> float:
        """How far x breaks the inequalities of the set in r; 0 where r is finite everywhere."""
        return float(self.rest.violation(x)) if hasattr(self.rest, "violation") else 0.0

    def step(self, g: np.ndarray, centre: np.ndarray, weight: float) -> np.ndarray:
        """prox of r at the minimizer of the quadratic parts."""
        total = weight + self.strong
        if total == 0:
            raise ValueError("a step needs weight > 0 where chi is not strongly convex")
        return self.rest.prox((weight * centre - self.slope - g) / total, 1 / total)

    def lowest(self, g: np.ndarray) -> float:
        """min_u <g, u> + chi(u): by one step, or where mu = 0 by the conjugate of r."""
        if self.strong == 0:
            return -float(self.rest.conjugate(-g - self.slope))
        u = self.step(g, np.zeros(self.size), 0.0)
        return float(g @ u) + self.value(u)

    def between(self, v: np.ndarray, a: float, w: np.ndarray, b: float) -> np.ndarray:
        """(a v + b w) / (a + b)."""
        return (a * v + b * w) / (a + b)

    def distance(self, v: np.ndarray, u: np.ndarray) -> float:
        """||u - v||^2 / 2."""
        apart = u - v
        return 0.5 * float(apart @ apart)

    def stronger(self, strong: float) -> Euclidean:
        """chi + (strong / 2) ||x||^2."""
        return Euclidean(self.size, self.rest, self.strong + strong, self.slope)

    def digest(self) -> str:
        """Of mu, the slope and r."""
        return f"euclidean {self.strong!r} {array_digest(self.slope)} {self.rest.digest()}"


class Bounded(ProximalMap):
    """A separable map, inner, on a box: its proximal map is the inner one clipped, coordinate by coordinate."""

    def __init__(self, inner: ProximalMap, box: Box) -> None:
        self.inner, self.box = inner, box

    def prox(self, v: Any, step: Any) -> Any:
        return self.box.project(self.inner.prox(v, step))

    def value(self, v: Any) -> Any:
        return self.inner.value(v) + self.box.value(v)

    def violation(self, v: Any) -> Any:
        """Of the box."""
        return self.box.violation(v)

    def conjugate(self, v: Any) -> Any:
        """Where the inner map is the l1 norm: v_i u - w_i |u| is largest at an end of [lower, upper], or at 0."""
        if not isinstance(self.inner, L1):
            return super().conjugate(v)
        weight = self.inner.weight.host
        low, high = (np.broadcast_to(side.host, v.shape) for side in (self.box.lower, self.box.upper))
        best = np.where((low <= 0) & (high >= 0), 0.0, -np.inf)
        for end in (low, high):
            slope = v - weight * np.sign(end)
            reached = np.where(np.isfinite(end), slope * np.where(np.isfinite(end), end, 0.0), -np.inf)
            open_end = np.isinf(end) & (slope * np.sign(end) > slack(v))
            best = np.maximum(best, np.where(open_end, np.inf, reached))
        return best.sum(axis=-1)

    def digest(self) -> str:
        return f"bounded {self.inner.digest()} {self.box.digest()}"


class Nothing:
    """f = 0: stands where a problem has no smooth part."""

    known = True
    count = 1
    lipschitz = 0.0
    quadratic = True

    def __init__(self, size: int) -> None:
        self.size = size

    def value(self, x: np.ndarray) -> float:
        """0."""
        return 0.0

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Zeros."""
        return np.zeros(self.size)

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Both."""
        return 0.0, np.zeros(self.size)

    def batch_gradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Zeros."""
        return np.zeros(self.size)

    def to(self, device: str, dtype: str) -> Nothing:
        """Itself."""
        return self

    def digest(self) -> str:
        """A text."""
        return f"nothing {self.size}"


class Entropy:
    """chi(x) = mu sum x log x + <slope, x> on the simplex {x >= 0, sum x = 1}; V(v, u) = sum u log(u / v)."""

    geometry: Geometry = "entropy"

    def __init__(self, size: int, strong: float = 0.0, slope: Any = 0.0) -> None:
        self.size, self.strong = int(size), float(strong)
        self.slope = np.broadcast_to(np.asarray(slope, dtype=float), size)
        self._simplex = EntropySimplex()

    def value(self, x: np.ndarray) -> float:
        """chi(x); infinite outside of the simplex beyond rounding."""
        if self.violation(x) > 1e-9:
            return float("inf")
        return self.strong * float(self._simplex.value(np.maximum(x, 0.0))) + float(self.slope @ x)

    def violation(self, x: np.ndarray) -> float:
        """Of x >= 0 and sum x = 1."""
        return max(float(-x.min(initial=0.0)), abs(float(x.sum()) - 1.0))

    def step(self, g: np.ndarray, centre: np.ndarray, weight: float) -> np.ndarray:
        """u proportional to centre^{weight / (weight + mu)} exp(-(g + slope) / (weight + mu))."""
        total = weight + self.strong
        if total == 0:
            raise ValueError("a step needs weight > 0 where chi is not strongly convex")
        with np.errstate(divide="ignore"):
            logs = (weight * np.log(centre) if weight > 0 else 0.0) - (g + self.slope)
        return _normalized(logs / total)

    def lowest(self, g: np.ndarray) -> float:
        """-mu log sum exp(-(g + slope) / mu), or the least entry of g + slope where mu = 0."""
        tilt = g + self.slope
        if self.strong == 0:
            return float(tilt.min())
        least = float(tilt.min())
        return least - self.strong * float(np.log(np.exp(-(tilt - least) / self.strong).sum()))

    def between(self, v: np.ndarray, a: float, w: np.ndarray, b: float) -> np.ndarray:
        """The normalized geometric mean."""
        with np.errstate(divide="ignore"):
            return _normalized((a * np.log(v) + b * np.log(w)) / (a + b))

    def distance(self, v: np.ndarray, u: np.ndarray) -> float:
        """sum u log(u / v)."""
        return float(self._simplex.divergence(u, v))

    def digest(self) -> str:
        """Of mu and the slope."""
        return f"entropy {self.strong!r} {array_digest(self.slope)}"


def _normalized(logs: np.ndarray) -> np.ndarray:
    weights = np.exp(logs - logs.max())
    return weights / weights.sum()
