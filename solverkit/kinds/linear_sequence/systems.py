"""The systems A_t x_t = b_t, t = 0, ..., T - 1: how the matrices and the right-hand sides of a sequence are held.

    A_t = sum_j a_tj K_j          `Combination`; K_0 + c_t I and one matrix throughout are its special cases
    A_t                           `Recorded`, value by value
    b_t = f_t                     `Given`
    b_t = R_t x_{t-1} + f_t       `Stepping`, R_t = sum_j r_tj R_j: an implicit time step

All matrices have one pattern. In a stepping sequence x_{-1} is `initial`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from scipy.sparse import csr_array

from solverkit.kinds.linear_sequence.pattern import Pattern


class System(NamedTuple):
    """One system of a sequence. Its arrays belong to the sequence: read, do not write."""

    matrix: csr_array  # (n, n) float64; indptr and indices are the same objects at every t
    rhs: np.ndarray  # (n,)
    context: np.ndarray  # (k,) what is known of the system before it is solved


class Systems(Protocol):
    """What a sequence is made of."""

    @property
    def T(self) -> int:
        """Number of systems."""
        ...

    @property
    def pattern(self) -> Pattern:
        """The pattern of every matrix."""
        ...

    @property
    def context_names(self) -> tuple[str, ...]:
        """(k,) names of the context's entries."""
        ...

    @property
    def depends(self) -> bool:
        """Whether b_t depends on x_{t-1}."""
        ...

    @property
    def constant(self) -> bool:
        """Whether all matrices are the same one, known beforehand."""
        ...

    @property
    def initial(self) -> np.ndarray:
        """(n,) what stands for the solution before the first one."""
        ...

    def system(self, t: int, previous: np.ndarray) -> System:
        """The system number t, given the solution before it, (n,); `initial` where t = 0."""
        ...

    def digest(self) -> str:
        """Hex sha256 of what is asked."""
        ...


class Matrices(Protocol):
    """The matrices of a sequence: their values by t."""

    @property
    def T(self) -> int: ...
    @property
    def constant(self) -> bool: ...
    def values(self, t: int) -> np.ndarray:
        """(nnz,) float64 in the order of the pattern."""
        ...

    def digest(self) -> str: ...


class RightSides(Protocol):
    """The right-hand sides of a sequence."""

    @property
    def depends(self) -> bool: ...
    def rhs(self, t: int, previous: np.ndarray) -> np.ndarray:
        """(n,) float64."""
        ...

    def digest(self) -> str: ...


@dataclass(frozen=True, eq=False)
class Recorded:
    """Matrices value by value."""

    table: np.ndarray  # (T, nnz)
    constant: bool = False

    @property
    def T(self) -> int:
        """Number of matrices."""
        return len(self.table)

    def values(self, t: int) -> np.ndarray:
        """The row t of the table."""
        return self.table[t]

    def digest(self) -> str:
        """Hex sha256 of the table."""
        return _digest("recorded", self.table)


@dataclass(frozen=True, eq=False)
class Combination:
    """A_t = sum_j a_tj K_j."""

    parts: np.ndarray  # (J, nnz) values of K_j in the common pattern
    coefficients: np.ndarray  # (T, J)

    @property
    def T(self) -> int:
        """Number of matrices."""
        return len(self.coefficients)

    @cached_property
    def constant(self) -> bool:
        """Whether no coefficient changes."""
        return bool(np.all(self.coefficients == self.coefficients[0]))

    @cached_property
    def _one(self) -> np.ndarray:
        return self.coefficients[0] @ self.parts

    def values(self, t: int) -> np.ndarray:
        """sum_j a_tj K_j, (nnz,); O(J nnz). The same array at every t where nothing changes."""
        return self._one if self.constant else self.coefficients[t] @ self.parts

    def digest(self) -> str:
        """Hex sha256 of parts and coefficients."""
        return _digest("combination", self.parts, self.coefficients)


@dataclass(frozen=True, eq=False)
class Given:
    """Right-hand sides that are known beforehand."""

    table: np.ndarray  # (T, n)
    depends: bool = field(default=False, init=False)

    def rhs(self, t: int, previous: np.ndarray) -> np.ndarray:
        """The row t of the table."""
        return self.table[t]

    def digest(self) -> str:
        """Hex sha256 of the table."""
        return _digest("given", self.table)


@dataclass(frozen=True, eq=False)
class Stepping:
    """b_t = (sum_j r_tj R_j) x_{t-1} + f_t."""

    matrices: tuple[csr_array, ...]  # J of (n, n)
    coefficients: np.ndarray  # (T, J)
    forcing: np.ndarray  # (T, n), or (1, n) for one that never changes
    depends: bool = field(default=True, init=False)

    def rhs(self, t: int, previous: np.ndarray) -> np.ndarray:
        """R_t previous + f_t; J products."""
        total = self.forcing[min(t, len(self.forcing) - 1)].copy()
        for matrix, factor in zip(self.matrices, self.coefficients[t], strict=True):
            total += factor * (matrix @ previous)
        return total

    def digest(self) -> str:
        """Hex sha256 of matrices, coefficients and forcing."""
        parts = [part for matrix in self.matrices for part in (matrix.indptr, matrix.indices, matrix.data)]
        return _digest("stepping", self.coefficients, self.forcing, *parts)


@dataclass(frozen=True, eq=False)
class Stored:
    """Systems whose matrices and right-hand sides are held in memory, in any of the forms above."""

    pattern: Pattern
    matrices: Matrices
    right_sides: RightSides
    contexts: np.ndarray  # (T, k)
    context_names: tuple[str, ...]  # (k,)
    initial: np.ndarray  # (n,)

    @property
    def T(self) -> int:
        """Number of systems."""
        return self.matrices.T

    @property
    def depends(self) -> bool:
        """Whether b_t depends on x_{t-1}."""
        return self.right_sides.depends

    @property
    def constant(self) -> bool:
        """Whether all matrices are the same one."""
        return self.matrices.constant

    def system(self, t: int, previous: np.ndarray) -> System:
        """The system number t."""
        matrix = self._only if self.constant else self.pattern.matrix(self.matrices.values(t))
        return System(matrix, self.right_sides.rhs(t, previous), self.contexts[t])

    @cached_property
    def _only(self) -> csr_array:
        return self.pattern.matrix(self.matrices.values(0))

    def digest(self) -> str:
        """Hex sha256 of everything but names."""
        own = _digest(self.pattern.digest, self.contexts, self.initial)
        return hashlib.sha256((own + self.matrices.digest() + self.right_sides.digest()).encode()).hexdigest()


def _digest(label: str, *arrays: np.ndarray) -> str:
    total = hashlib.sha256(label.encode())
    for array in arrays:
        total.update(f"|{array.dtype.str} {array.shape}|".encode())
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()
