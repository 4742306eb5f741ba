"""What every proximal map offers.

    prox_{s h}(v) = argmin_u  h(u) + ||u - v||^2 / (2 s)

The projection onto a set is the proximal map of its indicator, whatever s.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeVar

from solverkit.operators.proximal.arrays import floating, slack, where_broken

A = TypeVar("A")
"""A NumPy array or a torch tensor; results are of the same library, device and precision."""


class ProximalMap(ABC):
    """A closed convex h on R^n with a cheap proximal map.

    Arrays are (..., n): leading axes are a batch, and a step may have the batch's shape.
    """

    @abstractmethod
    def prox(self, v: A, step: float | A) -> A:
        """prox_{step h}(v), of the shape of v; a new array."""

    @abstractmethod
    def value(self, v: A) -> A:
        """h(v), of the batch's shape; infinite outside of the domain beyond rounding."""

    def conjugate(self, v: A) -> A:
        """h*(v) = sup_u <u, v> - h(u), of the batch's shape; infinite outside of its domain beyond rounding.

        (v - p) / step is a subgradient at p = prox(v, step): there h(p) + h*((v - p) / step) = <p, (v - p) / step>.
        """
        raise NotImplementedError(f"{type(self).__name__} has no closed form of its conjugate")

    def prox_each(self, v: A, steps: A) -> A:
        """argmin_u h(u) + sum_i (u_i - v_i)^2 / (2 steps_i), steps (..., n): for h that are sums over coordinates."""
        raise NotImplementedError(f"{type(self).__name__} does not take a step for each coordinate")

    @abstractmethod
    def digest(self) -> str:
        """A text that is equal for equal maps: part of a problem's fingerprint."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProximalMap) and self.digest() == other.digest()

    def __hash__(self) -> int:
        return hash(self.digest())


class Projection(ProximalMap):
    """The indicator of a closed convex set. The conjugate is the set's support function."""

    @abstractmethod
    def project(self, v: A) -> A:
        """The nearest point of the set, of the shape of v; a new array."""

    @abstractmethod
    def violation(self, v: A) -> A:
        """How far v breaks the set's defining inequalities, of the batch's shape; 0 inside."""

    def prox(self, v: A, step: float | A = 1.0) -> A:
        return self.project(v)

    def value(self, v: A) -> A:
        u: Any = floating(v)
        return where_broken(self.violation(u), slack(u))
