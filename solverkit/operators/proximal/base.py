"""What every proximal map offers.

    prox_{s h}(v) = argmin_u  h(u) + ||u - v||^2 / (2 s)

The projection onto a set is the proximal map of its indicator, whatever s.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeVar

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

    @abstractmethod
    def digest(self) -> str:
        """A text that is equal for equal maps: part of a problem's fingerprint."""
