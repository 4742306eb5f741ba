"""Simple sets: closed, convex, with a cheap Euclidean projection.

| set | definition | projection |
|---|---|---|
| Free | R^n | identity |
| Box | lower <= v <= upper | clip |
| Ball | ||v - center||_2 <= radius | scale |
| Simplex | v >= 0, sum v = total | sort and threshold, O(n log n) |
| Affine | A v = b | one factorization, then two triangular solves |
| Polyhedron | lower <= A v <= upper | quadratic program, warm started |
| Product | one set a slice | one by one |
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class SimpleSet(ABC):
    """A closed convex set in R^n."""

    @abstractmethod
    def project(self, v: np.ndarray) -> np.ndarray:
        """The nearest point of the set, (n,); a new array."""

    @abstractmethod
    def violation(self, v: np.ndarray) -> float:
        """How far v breaks the defining inequalities, in the infinity norm; 0 inside."""

    @abstractmethod
    def affine(self, n: int) -> tuple[csr_array, np.ndarray, np.ndarray] | None:
        """(A, lower, upper) with the set equal to { v in R^n : lower <= A v <= upper }; None for a curved set."""

    @abstractmethod
    def digest(self) -> str:
        """A text that is equal for equal sets: part of a problem's fingerprint."""


class Free(SimpleSet):
    """All of R^n."""

    def project(self, v: np.ndarray) -> np.ndarray:
        return v.copy()

    def violation(self, v: np.ndarray) -> float:
        return 0.0

    def affine(self, n: int) -> tuple[csr_array, np.ndarray, np.ndarray]:
        from scipy.sparse import csr_array

        return csr_array((0, n)), np.zeros(0), np.zeros(0)

    def digest(self) -> str:
        return "free"
