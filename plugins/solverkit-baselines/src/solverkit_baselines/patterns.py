"""Sparsity patterns that a tool wants to know beforehand, while oracles may leave out entries that happen to be zero.

A pattern is a sorted set of positions, column by column. Values are put in their places by position, so a matrix may
have fewer entries than its pattern. An entry outside of it is `PatternGrew`: whoever made the pattern extends it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array


class PatternGrew(Exception):
    """A matrix has a nonzero entry that its pattern did not foresee."""

    def __init__(self) -> None:
        super().__init__("a Jacobian or Hessian has a nonzero entry outside of its sparsity pattern")


@dataclass(frozen=True, eq=False)
class Triplets:
    """Entries of a (rows, columns) matrix in any order; those at one position add up. Stored zeros count as entries."""

    shape: tuple[int, int]
    row: np.ndarray  # (k,) int
    column: np.ndarray  # (k,) int
    data: np.ndarray  # (k,)

    @classmethod
    def of(cls, matrix: csr_array) -> Triplets:
        """The entries of a sparse matrix."""
        row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        return cls(matrix.shape, row, matrix.indices, matrix.data)

    @classmethod
    def diagonal(cls, data: np.ndarray, row: np.ndarray | None = None, rows: int | None = None) -> Triplets:
        """diag(data); with `row`, entry k in that row of a (rows, len(data)) matrix."""
        k = np.arange(len(data))
        return cls((len(data) if rows is None else rows, len(data)), k if row is None else row, k, data)

    @classmethod
    def assemble(cls, shape: tuple[int, int], blocks: Iterable[tuple[int, int, Triplets]]) -> Triplets:
        """The matrix with each block at its (row, column)."""
        none = np.zeros(0, dtype=np.int64)
        rows, columns, data = [none], [none], [np.zeros(0)]
        for top, left, block in blocks:
            rows.append(block.row + top)
            columns.append(block.column + left)
            data.append(block.data)
        return cls(shape, np.concatenate(rows), np.concatenate(columns), np.concatenate(data))

    @property
    def transposed(self) -> Triplets:
        """The same entries mirrored."""
        return Triplets((self.shape[1], self.shape[0]), self.column, self.row, self.data)

    @property
    def triangle(self) -> Triplets:
        """The upper triangle, diagonal included."""
        return self.where(self.row <= self.column)

    def where(self, mask: np.ndarray) -> Triplets:
        """The entries of a boolean mask over them."""
        return Triplets(self.shape, self.row[mask], self.column[mask], self.data[mask])

    def below(self, first: int) -> Triplets:
        """Without the first rows."""
        kept = self.where(self.row >= first)
        return Triplets((self.shape[0] - first, self.shape[1]), kept.row - first, kept.column, kept.data)

    def times(self, factor: float) -> Triplets:
        """Every entry multiplied."""
        return Triplets(self.shape, self.row, self.column, factor * self.data)

    @property
    def matrix(self) -> csr_array:
        """As a sparse matrix of SciPy."""
        return csr_array((self.data, (self.row, self.column)), shape=self.shape)

    @property
    def keys(self) -> np.ndarray:
        """(k,) one number for each position: column * rows + row."""
        return self.column.astype(np.int64) * max(self.shape[0], 1) + self.row


class Pattern:
    """Positions of a (rows, columns) matrix, in CSC order."""

    def __init__(self, shape: tuple[int, int], keys: np.ndarray) -> None:
        self.shape = shape
        self._keys = keys  # sorted, unique
        self._known = np.zeros(0, dtype=np.int64)  # keys of the latest matrix, and their places
        self._places = self._known

    @classmethod
    def of(cls, matrices: Iterable[Triplets]) -> Pattern:
        """Every position that one of the matrices has, all of one shape."""
        matrices = list(matrices)
        return cls(matrices[0].shape, np.unique(np.concatenate([matrix.keys for matrix in matrices])))

    def union(self, other: Pattern) -> Pattern:
        """Positions of either."""
        return Pattern(self.shape, np.union1d(self._keys, other._keys))

    @property
    def size(self) -> int:
        """Number of positions."""
        return len(self._keys)

    @property
    def indptr(self) -> np.ndarray:
        """(columns + 1,) where each column begins."""
        return np.searchsorted(self._keys, np.arange(self.shape[1] + 1) * max(self.shape[0], 1))

    @property
    def indices(self) -> np.ndarray:
        """(size,) row of each position."""
        return self._keys % max(self.shape[0], 1)

    def values(self, matrix: Triplets) -> np.ndarray:
        """(size,) entries of `matrix` in the order of the pattern, 0 where it has none. Raises PatternGrew."""
        keys, data = matrix.keys, matrix.data
        if np.array_equal(keys, self._known):
            return np.bincount(self._places, weights=data, minlength=self.size)
        places = np.searchsorted(self._keys, keys)
        found = places < self.size
        found[found] = self._keys[places[found]] == keys[found]
        if found.all():
            self._known, self._places = keys, places
        elif np.any(data[~found] != 0):
            raise PatternGrew
        return np.bincount(places[found], weights=data[found], minlength=self.size)
