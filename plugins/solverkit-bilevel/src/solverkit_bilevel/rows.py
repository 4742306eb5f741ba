"""Affine rows  A w <= b (first `inequalities`),  A w = b (the rest), and where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array, hstack, vstack

from solverkit.operators.sets import SimpleSet


@dataclass(frozen=True, eq=False)
class AffineRows:
    """k rows over w of length N."""

    A: csr_array  # (k, N)
    b: np.ndarray  # (k,)
    inequalities: int

    @classmethod
    def of_set(cls, simple: SimpleSet, offset: int, length: int, total: int) -> AffineRows | None:
        """The rows of a polyhedral set for w[offset : offset + length]; None for a curved set."""
        described = simple.affine(length)
        if described is None:
            return None
        A, lower, upper = described
        lower, upper = np.broadcast_to(lower, A.shape[0]), np.broadcast_to(upper, A.shape[0])
        equal = lower == upper
        above = np.flatnonzero(~equal & np.isfinite(upper))
        below = np.flatnonzero(~equal & np.isfinite(lower))
        equality = np.flatnonzero(equal)
        A = csr_array(A, dtype=float)
        picked = csr_array(vstack([A[above], -A[below], A[equality]], format="csr"))
        k = picked.shape[0]
        wide = hstack([csr_array((k, offset)), picked, csr_array((k, total - offset - length))], format="csr")
        b = np.concatenate([upper[above], -lower[below], upper[equality]])
        return cls(csr_array(wide), b, len(above) + len(below))

    @classmethod
    def stack(cls, parts: Sequence[AffineRows]) -> AffineRows:
        """All inequalities, part by part, then all equalities."""
        above = [part.A[: part.inequalities] for part in parts]
        equal = [part.A[part.inequalities :] for part in parts]
        b = [part.b[: part.inequalities] for part in parts] + [part.b[part.inequalities :] for part in parts]
        matrix = csr_array(vstack(above + equal, format="csr"))
        return cls(matrix, np.concatenate(b), sum(part.inequalities for part in parts))

    @property
    def count(self) -> int:
        """k"""
        return len(self.b)

    @property
    def floor(self) -> np.ndarray:
        """Least multiplier of each row: 0, or minus infinity for an equality."""
        return np.where(np.arange(self.count) < self.inequalities, 0.0, -np.inf)

    def take(self, index: np.ndarray) -> AffineRows:
        """Some rows, in ascending order."""
        return AffineRows(csr_array(self.A[index]), self.b[index], int(np.sum(index < self.inequalities)))

    def scaled(self, weight: np.ndarray) -> AffineRows:
        """Each row times a positive weight."""
        return AffineRows(csr_array(diags_array(weight) @ self.A), self.b * weight, self.inequalities)

    def norms(self, columns: slice = slice(None)) -> np.ndarray:
        """Euclidean norm of each row over some columns."""
        part = self.A[:, columns]
        return np.sqrt(np.asarray(part.multiply(part).sum(axis=1)).ravel())

    def violation(self, w: np.ndarray) -> float:
        """Largest violation, 0 inside."""
        if not self.count:
            return 0.0
        excess = self.A @ w - self.b
        excess[self.inequalities :] = np.abs(excess[self.inequalities :])
        return float(np.maximum(excess.max(), 0.0))  # NaN stays NaN
