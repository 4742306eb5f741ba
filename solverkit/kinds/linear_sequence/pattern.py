"""The sparsity pattern that all matrices of a sequence share: what depends on it alone is worked out once."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array

MAX_ENTRIES = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Pattern:
    """Positions of an n x n sparse matrix by rows: columns ascending within a row, none twice."""

    indptr: np.ndarray  # (n + 1,) int32
    indices: np.ndarray  # (nnz,) int32

    @classmethod
    def of(cls, matrix: Any) -> tuple[Pattern, np.ndarray]:
        """The pattern of a matrix, explicit zeros included, and its values (nnz,) float64 in that order.

        Entries that are there twice are added up. ValueError for a matrix that is not square and real, or too large.
        """
        csr = csr_array(matrix)
        if len(csr.shape) != 2 or csr.shape[0] != csr.shape[1]:
            raise ValueError(f"the matrix has shape {csr.shape}; it must be square")
        if csr.dtype.kind not in "fiub":
            raise ValueError(f"the matrix holds {csr.dtype}; only real numbers can be used")
        if csr.nnz > MAX_ENTRIES:
            raise ValueError(f"the matrix has {csr.nnz} entries; at most {MAX_ENTRIES} can be used")
        if not csr.has_canonical_format:
            csr = csr.copy()
            csr.sum_duplicates()
        indptr, indices = (np.ascontiguousarray(part, dtype=np.int32) for part in (csr.indptr, csr.indices))
        return cls(indptr, indices), np.ascontiguousarray(csr.data, dtype=float)

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1

    @property
    def nnz(self) -> int:
        """Number of positions."""
        return len(self.indices)

    def matrix(self, values: np.ndarray) -> csr_array:
        """The matrix with these values, (nnz,) float64, in this pattern. Index arrays and values are shared."""
        made = copy.copy(self._template)  # the constructor would check the indices anew at every step
        made.data = values
        return made

    @cached_property
    def _template(self) -> csr_array:
        made = csr_array((np.zeros(self.nnz), self.indices, self.indptr), shape=(self.n, self.n))
        made.indices, made.indptr = self.indices, self.indptr  # the constructor made views of them
        made.has_canonical_format = True
        return made

    def same(self, other: Pattern) -> bool:
        """Whether two patterns have the same positions."""
        if self is other or (self.indptr is other.indptr and self.indices is other.indices):
            return True
        return np.array_equal(self.indptr, other.indptr) and np.array_equal(self.indices, other.indices)

    @cached_property
    def rows(self) -> np.ndarray:
        """(nnz,) int32, the row of each position."""
        return np.repeat(np.arange(self.n, dtype=np.int32), np.diff(self.indptr))

    @cached_property
    def diagonal(self) -> np.ndarray:
        """(n,) where the diagonal stands among the values; -1 for a row without."""
        places = np.full(self.n, -1)
        on = np.flatnonzero(self.rows == self.indices)
        places[self.rows[on]] = on
        return places

    @cached_property
    def transposed(self) -> np.ndarray | None:
        """(nnz,) where a_ji stands for each a_ij; None where the pattern is not symmetric."""
        order = np.lexsort((self.rows, self.indices))
        if not (np.array_equal(self.indices[order], self.rows) and np.array_equal(self.rows[order], self.indices)):
            return None
        return order

    @cached_property
    def digest(self) -> str:
        """Hex sha256."""
        return hashlib.sha256(self.indptr.tobytes() + b"|" + self.indices.tobytes()).hexdigest()
