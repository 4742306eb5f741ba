"""The linear map K of a structured nonsmooth part: matrices, differences on grids, stacks of those.

| map | K x | rows |
|---|---|---|
| Matrix | D x, D sparse or dense, or a SciPy LinearOperator | D's |
| GridDifferences | differences along each axis of a 1-D or 2-D grid, axis after axis | (p - 1) q + p (q - 1) |
| PairedDifferences | the same with zeros at the far ends, both of a point side by side: (p q, 2) ravelled | 2 p q |
| After | one of those, of D x | its own |
| Stack | several, one above the other | their sum |
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse, vstack

from solverkit.errors import UsageError


class Matrix:
    """K = D."""

    def __init__(self, D: Any) -> None:
        self.D = csr_array(D) if issparse(D) else D
        self.rows, self.size = int(D.shape[0]), int(D.shape[1])
        self._adjoint = self.D.T.tocsr() if issparse(D) else None

    def forward(self, x: np.ndarray) -> np.ndarray:
        """D x."""
        return self.D @ x

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """D'y."""
        return self._adjoint @ y if self._adjoint is not None else self.D.T @ y

    def sparse(self) -> csr_array:
        """The matrix. UsageError for an operator, whose entries are not known."""
        if not (issparse(self.D) or isinstance(self.D, np.ndarray)):
            raise UsageError("K is an operator, known by its products alone")
        return csr_array(self.D)

    def digest(self) -> str:
        """Hex sha256 of the entries; of an operator, of its products with two fixed vectors."""
        digest = hashlib.sha256(repr(("matrix", self.rows, self.size)).encode())
        arrays: tuple[Any, ...]
        if self._adjoint is not None:
            arrays = (self.D.data, self.D.indices, self.D.indptr)
        elif isinstance(self.D, np.ndarray):
            arrays = (self.D,)
        else:
            rng = np.random.default_rng(0)
            arrays = (self.D @ rng.standard_normal(self.size), self.D @ rng.standard_normal(self.size))
        for array in arrays:
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


class GridDifferences:
    """Differences of neighbours along each axis of a grid of `shape`, one or two lengths."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.size = int(np.prod(shape))
        self._lengths = [self.size // length * (length - 1) for length in shape]
        self.rows = sum(self._lengths)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """(rows,) differences, first those along axis 0."""
        grid = x.reshape(self.shape)
        return np.concatenate([np.diff(grid, axis=axis).ravel() for axis in range(len(self.shape))])

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """(size,)."""
        total, at = np.zeros(self.shape), 0
        for axis, length in enumerate(self._lengths):
            part = y[at : at + length].reshape(_shorter(self.shape, axis))
            total[_cut(axis, slice(1, None))] += part
            total[_cut(axis, slice(None, -1))] -= part
            at += length
        return total.ravel()

    def sparse(self) -> csr_array:
        """The matrix."""
        index = np.arange(self.size).reshape(self.shape)
        pairs = [
            (index[_cut(axis, slice(1, None))].ravel(), index[_cut(axis, slice(None, -1))].ravel())
            for axis in range(len(self.shape))
        ]
        return edge_differences(np.concatenate([np.stack(pair, axis=1) for pair in pairs]), self.size)

    def digest(self) -> str:
        """A text."""
        return f"grid differences {self.shape}"


class PairedDifferences:
    """Both differences of each point of a 2-D grid side by side, zero at the far ends: rows are groups of two."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.size = int(np.prod(shape))
        self.rows = 2 * self.size

    def forward(self, x: np.ndarray) -> np.ndarray:
        """(rows,)."""
        grid, out = x.reshape(self.shape), np.zeros((*self.shape, 2))
        out[:-1, :, 0] = grid[1:] - grid[:-1]
        out[:, :-1, 1] = grid[:, 1:] - grid[:, :-1]
        return out.ravel()

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """(size,)."""
        pairs, total = y.reshape(*self.shape, 2), np.zeros(self.shape)
        total[1:] += pairs[:-1, :, 0]
        total[:-1] -= pairs[:-1, :, 0]
        total[:, 1:] += pairs[:, :-1, 1]
        total[:, :-1] -= pairs[:, :-1, 1]
        return total.ravel()

    def sparse(self) -> csr_array:
        """The matrix."""
        index = np.arange(self.size).reshape(self.shape)
        following = np.stack([index, index], axis=-1)  # at the far ends a point's own index: a difference of zero
        following[:-1, :, 0], following[:, :-1, 1] = index[1:], index[:, 1:]
        return edge_differences(np.stack([following.ravel(), np.repeat(index.ravel(), 2)], axis=1), self.size)

    def digest(self) -> str:
        """A text."""
        return f"paired differences {self.shape}"


class After:
    """K = outer D, one map after a matrix."""

    def __init__(self, outer: Any, matrix: Matrix) -> None:
        self.outer, self.matrix = outer, matrix
        self.rows, self.size = int(outer.rows), int(matrix.size)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """outer(D x)."""
        return self.outer.forward(self.matrix.forward(x))

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """D' outer'(y)."""
        return self.matrix.adjoint(self.outer.adjoint(y))

    def sparse(self) -> csr_array:
        """The matrix."""
        return csr_array(self.outer.sparse() @ self.matrix.sparse())

    def digest(self) -> str:
        """Of both."""
        return f"{self.outer.digest()} after {self.matrix.digest()}"


class Stack:
    """Several maps of one x, one above the other."""

    def __init__(self, maps: list[Any]) -> None:
        self.maps = maps
        self.size = int(maps[0].size)
        self.rows = sum(part.rows for part in maps)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """(rows,)."""
        return np.concatenate([part.forward(x) for part in self.maps])

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """(size,)."""
        total, at = np.zeros(self.size), 0
        for part in self.maps:
            total += part.adjoint(y[at : at + part.rows])
            at += part.rows
        return total

    def sparse(self) -> csr_array:
        """The matrix."""
        return csr_array(vstack([part.sparse() for part in self.maps]))

    def digest(self) -> str:
        """Of all parts, in order."""
        return "stack " + ";".join(part.digest() for part in self.maps)


def edge_differences(edges: np.ndarray, size: int) -> csr_array:
    """x[i] - x[j] for each edge (i, j), (edges, size)."""
    rows = np.arange(len(edges))
    ends = np.asarray(edges, dtype=int)
    places = (np.concatenate([rows, rows]), np.concatenate([ends[:, 0], ends[:, 1]]))
    return csr_array((np.repeat([1.0, -1.0], len(rows)), places), shape=(len(rows), size))


def _shorter(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return tuple(length - (k == axis) for k, length in enumerate(shape))


def _cut(axis: int, part: slice) -> tuple[slice, ...]:
    return (slice(None),) * axis + (part,)
