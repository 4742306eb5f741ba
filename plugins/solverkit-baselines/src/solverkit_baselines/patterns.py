"""Sparsity patterns that a tool wants to know beforehand, while oracles may leave out entries that happen to be zero.

A pattern is a sorted set of positions, column by column. Values are put in their places by position, so a matrix may
have fewer entries than its pattern. An entry outside of it is `PatternGrew`: whoever made the pattern extends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.sparse import csc_array, csr_array, sparray


class PatternGrew(Exception):
    """A matrix has a nonzero entry that its pattern did not foresee."""


class Pattern:
    """Positions of a (rows, columns) matrix, in CSC order."""

    def __init__(self, shape: tuple[int, int], keys: np.ndarray) -> None:
        self.shape = shape
        self._keys = keys  # sorted, unique: column * rows + row

    @classmethod
    def of(cls, matrices: Sequence[sparray]) -> Pattern:
        """Every position that one of the matrices stores."""
        keys = np.unique(np.concatenate([_entries(matrix)[0] for matrix in matrices]))
        return cls(matrices[0].shape, keys)

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

    def values(self, matrix: sparray) -> np.ndarray:
        """(size,) entries of `matrix` in the order of the pattern, 0 where it stores none. Raises PatternGrew."""
        keys, data = _entries(matrix)
        if not len(keys):
            return np.zeros(self.size)
        places = np.searchsorted(self._keys, keys)
        found = places < self.size
        found[found] = self._keys[places[found]] == keys[found]
        if not found.all():
            if np.any(data[~found] != 0):
                raise PatternGrew
            places, data = places[found], data[found]
        return np.bincount(places, weights=data, minlength=self.size)


def _entries(matrix: sparray) -> tuple[np.ndarray, np.ndarray]:
    coo = matrix.tocoo()
    row, column = coo.coords
    return column.astype(np.int64) * max(matrix.shape[0], 1) + row, coo.data


def assemble(shape: tuple[int, int], blocks: Iterable[tuple[int, int, sparray]]) -> csc_array:
    """The matrix with each block at its (row, column); overlapping blocks add up, stored zeros stay stored."""
    rows, columns, data = [np.zeros(0, int)], [np.zeros(0, int)], [np.zeros(0)]
    for top, left, block in blocks:
        coo = block.tocoo()
        rows.append(coo.coords[0] + top)
        columns.append(coo.coords[1] + left)
        data.append(coo.data)
    entries = (np.concatenate(data), (np.concatenate(rows), np.concatenate(columns)))
    return csc_array(csr_array(entries, shape=shape))
