"""Lower bounds of Psi from linearizations: valid whatever the points at which they are made.

    l(z, y) = f(z) - <grad f(z), z> - g*(y) + min_u <grad f(z) + K'y, u> + chi(u)  <=  min Psi

since f lies above its linearization at z, and h above <K'y, .> - g*(y). It is tight at z = x*, y a subgradient of g at
K x*. Where h is known by subgradients alone, its linearizations at the cuts, averaged, take the place of
<K'y, .> - g*(y).

A better y for given z is found by accelerated proximal gradient steps on -l(z, .), which is smooth with Lipschitz
constant ||K||^2 / mu where chi is strongly convex (Nesterov 2005; restarts after O'Donoghue and Candes 2015).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.kinds.composite.problem import Composite


@dataclass(frozen=True)
class Linearized:
    """f at one point: value and gradient."""

    z: np.ndarray
    value: float
    gradient: np.ndarray

    @classmethod
    def at(cls, problem: Composite, z: np.ndarray) -> Linearized:
        """By one call of f with its gradient."""
        value, gradient = problem.smooth_both(z)
        return cls(z, float(value), gradient)

    @property
    def offset(self) -> float:
        """f(z) - <grad f(z), z>."""
        return self.value - float(self.gradient @ self.z)


def with_dual(problem: Composite, line: Linearized, y: np.ndarray) -> float:
    """l(z, y); minus infinity where y is outside of the domain of g*, or where nothing bounds the minimum."""
    assert problem.structured is not None
    conjugate = float(problem.structured.outer.conjugate(y))
    return line.offset - conjugate + problem.simple.lowest(line.gradient + problem.adjoint(y))


def with_cuts(problem: Composite, line: Linearized, cuts: np.ndarray, weights: np.ndarray) -> float:
    """The bound from linearizations of h at `cuts`, (J, n), averaged with `weights`, (J,), on the simplex."""
    slope, offset = line.gradient.copy(), line.offset
    for cut, weight in zip(cuts, weights, strict=True):
        if weight > 0:
            subgradient = problem.subgradient(cut)
            slope += weight * subgradient
            offset += weight * (problem.nonsmooth_value(cut) - float(subgradient @ cut))
    return offset + problem.simple.lowest(slope)


def inside(problem: Composite, y: np.ndarray) -> np.ndarray:
    """The y nearest to a given one in the domain of g*, up to rounding."""
    return problem.dual_prox(y, 1e-12 / (1 + float(np.abs(y).max(initial=0.0))))


def ascend(problem: Composite, line: Linearized, y: np.ndarray, norm: float, steps: int, enough: float) -> np.ndarray:
    """A better y for a strongly convex chi: at most so many steps, fewer once l(z, y) reaches `enough`.

    norm : ||K||. Each step costs one product with K and one with K'.
    """
    if norm == 0 or problem.simple.strong <= 0:
        return y
    step = problem.simple.strong / norm**2
    ahead, old, momentum = y, y, 1.0
    for k in range(steps):
        u = problem.simple_step(line.gradient + problem.adjoint(ahead), line.z, 0.0)
        new = problem.dual_prox(ahead + step * problem.forward(u), step)
        if float((ahead - new) @ (new - old)) > 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / following * (new - old)
        old, momentum = new, following
        if k % 10 == 9 and with_dual(problem, line, new) >= enough:
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
