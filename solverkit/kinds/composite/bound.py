"""Lower bounds of Psi from linearizations: valid whatever the points at which they are made.

    l(z, y) = f(z) - <grad f(z), z> - g*(y) + min_u <grad f(z) + K'y, u> + chi(u)  <=  min Psi

since f lies above its linearization at z, and h above <K'y, .> - g*(y). It is tight at z = x*, y a subgradient of g at
K x*. Where f - (m / 2) ||.||^2 is proven convex, (m / 2) ||u - z||^2 is added under the minimum. Where h is known by
subgradients alone, its linearizations at the cuts, averaged, take the place of <K'y, .> - g*(y).

Where that is minus infinity, or has no closed form, since chi is not strongly convex and X not bounded, the minimum is
over the u within a distance R of a point x, which bounds Psi there. For every rho >= 0

    min_{||u - x|| <= R} <s, u> + chi(u)  >=  min_u <s, u> + chi(u) + (rho / 2) (||u - x||^2 - R^2)

and the best rho is found by bisection on ||u - x|| = R. By convexity, Psi(x) - Psi(u) is then at most
gap ||u - x|| / R for u further away.

A better y for given z is found by accelerated proximal gradient steps on -l(z, .), which is smooth with Lipschitz
constant ||K||^2 / mu where chi is strongly convex (Nesterov 2005; restarts after O'Donoghue and Candes 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from solverkit.kinds.composite.problem import Composite

if TYPE_CHECKING:
    from solverkit.kinds.composite.parts import Simple


@dataclass(frozen=True)
class Linearized:
    """f at one point: f(u) >= value + <gradient, u - z> + (strong / 2) ||u - z||^2."""

    z: np.ndarray
    value: float
    gradient: np.ndarray
    strong: float = 0.0

    @classmethod
    def at(cls, problem: Composite, z: np.ndarray) -> Linearized:
        """By one call of f with its gradient."""
        value, gradient = problem.smooth_both(z)
        return cls(z, float(value), gradient, curvature(problem))

    @property
    def offset(self) -> float:
        """f(z) - <grad f(z), z>."""
        return self.value - float(self.gradient @ self.z)


@dataclass(frozen=True)
class Near:
    """The u within `radius` of x: where Psi is bounded from below if it cannot be everywhere."""

    x: np.ndarray
    radius: float
    everywhere: bool = False  # whether Psi is known to be above Psi(x) further away


def curvature(problem: Composite) -> float:
    """m >= 0 with f - (m / 2) ||x||^2 convex, proven; 0 in another geometry than the Euclidean."""
    return float(getattr(problem.smooth, "strong", 0.0)) if problem.simple.geometry == "euclidean" else 0.0


def lowest(simple: Simple, slope: np.ndarray, line: Linearized, near: Near | None = None) -> float:
    """min <slope, u> + (m / 2) ||u - z||^2 + chi(u), over all u, or where that is not finite over the `near` ones."""
    if line.strong > 0:
        u = simple.step(slope, line.z, line.strong)
        return float(slope @ u) + simple.value(u) + line.strong * simple.distance(line.z, u)
    try:
        whole = simple.lowest(slope)
    except NotImplementedError:  # the conjugate of a set without closed form
        whole = -np.inf
    if np.isfinite(whole) or near is None or simple.geometry != "euclidean":
        return whole
    return lowest_near(simple, slope, near)


def lowest_near(simple: Simple, slope: np.ndarray, near: Near) -> float:
    """A lower bound of <slope, u> + chi(u) over ||u - x|| <= R, by some thirty steps of chi."""

    def at(rho: float) -> tuple[float, float]:
        u = simple.step(slope, near.x, rho)
        apart = float(np.linalg.norm(u - near.x))
        return apart, float(slope @ u) + simple.value(u) + 0.5 * rho * (apart**2 - near.radius**2)

    low = high = max(float(np.linalg.norm(slope)) / near.radius, 1e-12)
    apart, best = at(high)
    inside = apart <= near.radius
    for _ in range(40):  # until the two sides of ||u - x|| = R are known
        low, high = (low / 10, high) if inside else (low, high * 10)
        apart, value = at(low if inside else high)
        best = max(best, value)
        if (apart <= near.radius) != inside:
            break
        low, high = (low, low) if inside else (high, high)
    for _ in range(30):
        middle = float(np.sqrt(low * high))
        apart, value = at(middle)
        best = max(best, value)
        low, high = (low, middle) if apart <= near.radius else (middle, high)
    return best


def with_dual(problem: Composite, line: Linearized, y: np.ndarray, near: Near | None = None) -> float:
    """l(z, y); minus infinity where y is outside of the domain of g*, or where nothing bounds the minimum."""
    assert problem.structured is not None
    conjugate = float(problem.structured.outer.conjugate(y))
    return line.offset - conjugate + lowest(problem.simple, line.gradient + problem.adjoint(y), line, near)


def with_cuts(
    problem: Composite, line: Linearized, cuts: np.ndarray, weights: np.ndarray, near: Near | None = None
) -> float:
    """The bound from linearizations of h at `cuts`, (J, n), averaged with `weights`, (J,), on the simplex."""
    slope, offset = line.gradient.copy(), line.offset
    for cut, weight in zip(cuts, weights, strict=True):
        if weight > 0:
            subgradient = problem.subgradient(cut)
            slope += weight * subgradient
            offset += weight * (problem.nonsmooth_value(cut) - float(subgradient @ cut))
    return offset + lowest(problem.simple, slope, line, near)


def inside(problem: Composite, y: np.ndarray) -> np.ndarray:
    """The y nearest to a given one in the domain of g*, up to rounding."""
    return problem.dual_prox(y, 1e-12 / (1 + float(np.abs(y).max(initial=0.0))))


def ascend(
    problem: Composite,
    line: Linearized,
    y: np.ndarray,
    norm: float,
    steps: int,
    enough: float,
    near: Near | None = None,
) -> np.ndarray:
    """A better y for given z: at most so many steps, fewer once l(z, y) reaches `enough`.

    norm : ||K||. Each step costs one product with K and one with K'.
    near : where chi is not strongly convex; the steps then maximize l with (rho / 2) ||u - x||^2 added to chi, rho such
        that this is a twentieth of what is missing at the distance R.
    """
    strong, centre, weight = problem.simple.strong, line.z, line.strong
    if strong + weight <= 0 and near is not None:
        missing = enough - with_dual(problem, line, y, near)
        centre, weight = near.x, 0.1 * (missing if np.isfinite(missing) else abs(enough)) / near.radius**2
    strong += weight
    if norm == 0 or not strong > 0:
        return y
    step = strong / norm**2
    ahead, old, momentum = y, y, 1.0
    for k in range(steps):
        u = problem.simple_step(line.gradient + problem.adjoint(ahead), centre, weight)
        new = problem.dual_prox(ahead + step * problem.forward(u), step)
        if float((ahead - new) @ (new - old)) > 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / following * (new - old)
        old, momentum = new, following
        if k % 10 == 9 and with_dual(problem, line, new, near) >= enough:
            break
    return old


def norm_of(problem: Composite, seed: int = 0, steps: int = 30) -> float:
    """||K|| by power iteration on K'K, five percent above what it finds: a bound in practice."""
    v = np.random.default_rng(seed).standard_normal(problem.n)
    size = 0.0
    for _ in range(steps):
        length = float(np.linalg.norm(v))
        if length == 0:
            return 0.0
        v = problem.adjoint(problem.forward(v / length))
        size = float(np.linalg.norm(v))
    return 1.05 * float(np.sqrt(size))
