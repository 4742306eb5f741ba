"""Random maps S (rows, columns) with E[S'S] = I that nearly keep the lengths in any one subspace.

| class | S | cost of S A, A (columns, k) | rows for a subspace of dimension d |
|---|---|---|---|
| GaussianSketch | N(0, 1/rows) entries | rows columns k | d / eps^2 |
| SparseSignSketch | `nonzeros` of +-1/sqrt(nonzeros) in each column | nonzeros columns k | 2 d to 4 d in practice |
| HadamardSketch | sqrt(padded/rows) R H D | columns log2(columns) k | 4 d in practice |

With rows = gamma d the singular values of S U, U orthonormal (columns, d), lie near 1 +- 1/sqrt(gamma): exactly so for
the Gaussian in the limit, and measured so for the others (Martinsson, Tropp, Randomized numerical linear algebra, 2020,
sections 8 and 9).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import sqrt

import numpy as np
from scipy.sparse import csr_array

from solverkit.operators.randomized.arrays import Array, like, namespace

BLOCK = 4_000_000  # elements of A that one pass of a sparse sketch copies


class Sketch(ABC):
    """One drawn S. `apply` and `adjoint` accept vectors and matrices of either library."""

    def __init__(self, rows: int, columns: int) -> None:
        if rows < 1 or columns < 1:
            raise ValueError(f"a sketch needs rows >= 1 and columns >= 1, not {rows} x {columns}")
        self.rows, self.columns = int(rows), int(columns)

    @abstractmethod
    def apply(self, A: Array) -> Array:
        """S A: (columns,) -> (rows,) or (columns, k) -> (rows, k)."""

    @abstractmethod
    def adjoint(self, B: Array) -> Array:
        """S' B: (rows,) -> (columns,) or (rows, k) -> (columns, k)."""


class GaussianSketch(Sketch):
    """Independent normal entries of variance 1/rows."""

    def __init__(self, rows: int, columns: int, rng: np.random.Generator) -> None:
        super().__init__(rows, columns)
        self.matrix = rng.standard_normal((self.rows, self.columns)) / sqrt(self.rows)

    def apply(self, A: Array) -> Array:
        return like(self.matrix, A) @ A

    def adjoint(self, B: Array) -> Array:
        return like(self.matrix, B).T @ B


class SparseSignSketch(Sketch):
    """Random signs, one in each of `nonzeros` bands of rows a column (Nelson, Nguyen, OSNAP, 2013, block form).

    nonzeros : per column, at most `rows`; more of them tolerate more coherent subspaces, 8 is the usual choice
    """

    def __init__(self, rows: int, columns: int, rng: np.random.Generator, nonzeros: int = 8) -> None:
        super().__init__(rows, columns)
        if nonzeros < 1:
            raise ValueError(f"a sparse sign sketch needs nonzeros >= 1, not {nonzeros}")
        count = min(int(nonzeros), self.rows)
        edges = np.linspace(0, self.rows, count + 1).astype(np.int64)
        places = edges[:-1] + (rng.random((self.columns, count)) * np.diff(edges)).astype(np.int64)
        signs = np.where(rng.random((self.columns, count)) < 0.5, -1.0, 1.0) / sqrt(count)
        pointers = np.arange(0, self.columns * count + 1, count)
        self.transposed = csr_array((signs.ravel(), places.ravel(), pointers), shape=(self.columns, self.rows))

    def apply(self, A: Array) -> Array:
        if namespace(A) is not np:
            return _torch_sparse(self.transposed.T.tocsr(), A) @ A
        if A.ndim == 1:
            return self.transposed.T @ A
        # SciPy copies an A that is not stored rows first: a block at a time keeps the copy small
        out = np.zeros((self.rows, A.shape[1]), dtype=A.dtype)
        step = max(1, BLOCK // max(A.shape[1], 1))
        for first in range(0, self.columns, step):
            out += self.transposed[first : first + step].T @ np.ascontiguousarray(A[first : first + step])
        return out

    def adjoint(self, B: Array) -> Array:
        return self.transposed @ B if namespace(B) is np else _torch_sparse(self.transposed, B) @ B


class HadamardSketch(Sketch):
    """Random signs D, the orthonormal Walsh-Hadamard transform H, a sample R of its rows without replacement.

    Columns are padded with zeros to the next power of two; `rows` is at most that power.
    """

    def __init__(self, rows: int, columns: int, rng: np.random.Generator) -> None:
        super().__init__(rows, columns)
        self.padded = 1 << (self.columns - 1).bit_length()
        if self.rows > self.padded:
            raise ValueError(f"a Hadamard sketch of {columns} columns has at most {self.padded} rows, not {rows}")
        self.signs = np.where(rng.random(self.columns) < 0.5, -1.0, 1.0)
        self.kept = rng.choice(self.padded, self.rows, replace=False)

    def apply(self, A: Array) -> Array:
        matrix = A if A.ndim == 2 else A[:, None]
        full = _zeros(self.padded, matrix)
        full[: self.columns] = matrix * like(self.signs, A)[:, None]
        found = hadamard(full)[self.kept] * (1 / sqrt(self.rows))
        return found if A.ndim == 2 else found[:, 0]

    def adjoint(self, B: Array) -> Array:
        matrix = B if B.ndim == 2 else B[:, None]
        full = _zeros(self.padded, matrix)
        full[self.kept] = matrix
        found = hadamard(full)[: self.columns] * (like(self.signs, B)[:, None] / sqrt(self.rows))
        return found if B.ndim == 2 else found[:, 0]


def hadamard(A: Array) -> Array:
    """The Walsh-Hadamard transform of each column, without the factor 1/sqrt(length): A (2^p, k), p 2^p k additions."""
    length, columns = A.shape
    if length & (length - 1):
        raise ValueError(f"a Hadamard transform needs a power of two, not {length} rows")
    xp = namespace(A)
    half = 1
    while half < length:
        pairs = A.reshape(length // (2 * half), 2, half, columns)
        A = xp.stack((pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]), 1).reshape(length, columns)
        half *= 2
    return A


def sketch(kind: str, rows: int, columns: int, rng: np.random.Generator) -> Sketch:
    """A sketch by name: `gaussian`, `sparse-sign` or `hadamard`. ValueError for another name."""
    kinds = {"gaussian": GaussianSketch, "sparse-sign": SparseSignSketch, "hadamard": HadamardSketch}
    if kind not in kinds:
        raise ValueError(f"unknown sketch {kind!r} (sketches: {', '.join(kinds)})")
    return kinds[kind](rows, columns, rng)


def _zeros(rows: int, model: Array) -> Array:
    xp = namespace(model)
    where = {} if xp is np else {"device": model.device}
    return xp.zeros((rows, model.shape[1]), dtype=model.dtype, **where)


def _torch_sparse(matrix: csr_array, model: Array) -> Array:
    torch = namespace(model)
    coo = matrix.tocoo()
    places = torch.as_tensor(np.vstack([coo.row, coo.col]).astype(np.int64), device=model.device)
    return torch.sparse_coo_tensor(
        places, like(coo.data, model), matrix.shape, device=model.device, check_invariants=False
    )
