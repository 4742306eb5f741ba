"""Finite sums of affine operators, for which sampling by importance has a closed form.

    columns    F(u) = M u + q,  component i is made of the columns j = i, i + n, i + 2n, ... of M:
               F_i(u) / (n q_i) = q + M_G u_G / q_i,  G the columns of i
    matrices   F(u) = (1 / n) sum_i (M_i u + q_i)

With m_i = ||M_G||_2^2 or ||M_i||_2^2, probabilities proportional to m_i (columns) or to its root (matrices) are the
best for the bound, with L_Q = (sum_i m_i)^(1/2) and L_Q = (1 / n) sum_i ||M_i||_2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csc_array, issparse

from solverkit.errors import UsageError
from solverkit.kinds.inclusion.written import DENSE, Spectrum
from solverkit.operators.quadratic import array_digest, matrix_digest

if TYPE_CHECKING:
    from solverkit.kinds.inclusion.operator import Operator


class AffineSum:
    """What both share: F(u) = M u + q with M = `whole`."""

    whole: Any
    constant: np.ndarray

    @property
    def size(self) -> int:
        """N."""
        return len(self.constant)

    def value(self, u: np.ndarray) -> np.ndarray:
        """F(u), (N,)."""
        return self.whole @ u + self.constant

    def jacobian(self, u: np.ndarray) -> Any:
        """M, sparse (N, N)."""
        return csc_array(self.whole)

    @cached_property
    def spectrum(self) -> Spectrum | None:
        """What M proves, where it is small enough."""
        return Spectrum.of(self.whole) if self.size <= DENSE else None

    @cached_property
    def lipschitz(self) -> float | None:
        """||M||_2, where M is small enough."""
        return None if self.spectrum is None else self.spectrum.norm

    @cached_property
    def cocoercive(self) -> bool:
        """Whether M proves it."""
        return self.spectrum is not None and self.spectrum.cocoercive

    def to(self, device: str, dtype: str) -> Operator:
        """Itself; UsageError elsewhere than on the CPU in float64."""
        if (device, dtype) != ("cpu", "float64"):
            raise UsageError(f"sums of affine operators compute on 'cpu' in 'float64', not on '{device}' in '{dtype}'")
        return self  # type: ignore[return-value]  # each of the two is one


@dataclass(frozen=True, eq=False)
class ColumnSum(AffineSum):
    """F(u) = M u + q by groups of columns; M dense or sparse (N, N), n <= N."""

    whole: Any
    constant: np.ndarray
    count: int

    @cached_property
    def _columns(self) -> Any:
        return csc_array(self.whole) if issparse(self.whole) else np.asfortranarray(self.whole)

    @cached_property
    def _heights(self) -> np.ndarray:
        """m_i, (n,)."""
        norms = np.empty(self.count)
        for i in range(self.count):
            group = self._columns[:, i :: self.count]
            gram = group.T @ group
            norms[i] = np.linalg.eigvalsh(gram.toarray() if issparse(gram) else gram)[-1]
        return np.maximum(norms, 0.0)

    @cached_property
    def weights(self) -> np.ndarray:
        """q, (n,)."""
        total = self._heights.sum()
        return self._heights / total if total > 0 else np.full(self.count, 1 / self.count)

    @cached_property
    def mean_lipschitz(self) -> float:
        """L_Q."""
        return float(np.sqrt(self._heights.sum()))

    def components(self, u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """(1 / b) sum over samples of F_i(u) / (n q_i), (N,)."""
        groups = -(-self.size // self.count)
        columns = (np.asarray(samples)[:, None] + self.count * np.arange(groups)).ravel()
        factors = np.repeat(1 / (len(samples) * self.weights[samples]), groups)
        inside = columns < self.size
        columns, factors = columns[inside], factors[inside]
        return self._columns[:, columns] @ (factors * u[columns]) + self.constant

    def digest(self) -> str:
        matrix = matrix_digest(self.whole) if issparse(self.whole) else array_digest(self.whole)
        return f"columns {self.count} {matrix} {array_digest(self.constant)}"


@dataclass(frozen=True, eq=False)
class MatrixSum(AffineSum):
    """F(u) = (1 / n) sum_i (M_i u + q_i)."""

    matrices: np.ndarray  # (n, N, N)
    offsets: np.ndarray  # (n, N)
    whole: Any = field(init=False)
    constant: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "whole", self.matrices.mean(axis=0))
        object.__setattr__(self, "constant", self.offsets.mean(axis=0))

    @property
    def count(self) -> int:
        """n."""
        return len(self.matrices)

    @cached_property
    def _norms(self) -> np.ndarray:
        return np.linalg.norm(self.matrices, 2, axis=(1, 2))

    @cached_property
    def weights(self) -> np.ndarray:
        """q, (n,): positive, since the offsets of a zero matrix count too."""
        norms = self._norms + 1e-3 * (self._norms.mean() or 1.0)
        return norms / norms.sum()

    @cached_property
    def mean_lipschitz(self) -> float:
        """L_Q = max_i (sum_i ||M_i||^2 / (n^2 q_i))^(1/2)."""
        return float(np.sqrt((self._norms**2 / self.weights).sum()) / self.count)

    def components(self, u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """(1 / b) sum over samples of F_i(u) / (n q_i), (N,)."""
        samples = np.asarray(samples)
        factors = 1 / (len(samples) * self.count * self.weights[samples])
        return factors @ (self.matrices[samples] @ u + self.offsets[samples])

    def digest(self) -> str:
        return f"matrices {array_digest(self.matrices, self.offsets)}"
