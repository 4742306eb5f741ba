"""Rows of a matrix, dense or sparse, added to a vector: what one component of a bilinear operator costs.

    out += factor M_i        dense: O(columns); sparse: O(entries of row i), nothing else is touched

A dense matrix is a C-contiguous array (r, c), a sparse one the tuple (indptr, indices, data) of its CSR layout. Each
problem is held twice, A and A', so that columns are rows as well: 16 n bytes a component of an n x n matrix.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload
from scipy.sparse import csr_array, issparse

from solverkit_halpern.kernels.flags import VECTORS

Rows = Any  # np.ndarray, or the tuple of three arrays


def layout(matrix: np.ndarray | csr_array) -> tuple[Rows, Rows]:
    """(rows of A, rows of A'), as the kernels take them; float64 copies where the layout asks for one."""
    if issparse(matrix):
        return _triple(csr_array(matrix)), _triple(csr_array(matrix.T))
    dense = np.ascontiguousarray(matrix, dtype=float)
    return dense, np.ascontiguousarray(dense.T)


def _triple(matrix: csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data.astype(float)


def add_row(rows: Rows, i: int, factor: float, out: np.ndarray) -> None:
    """out += factor M_i, in place."""
    if isinstance(rows, tuple):
        indptr, indices, data = rows
        place = slice(indptr[i], indptr[i + 1])
        np.add.at(out, indices[place], factor * data[place])
    else:
        out += factor * rows[i]


@overload(add_row, jit_options=VECTORS)
def _add_row(rows: Any, i: Any, factor: Any, out: Any) -> Any:
    if isinstance(rows, types.BaseTuple):

        def sparse(rows: Any, i: Any, factor: Any, out: Any) -> None:
            indptr, indices, data = rows
            for k in range(indptr[i], indptr[i + 1]):
                out[indices[k]] += factor * data[k]

        return sparse

    def dense(rows: Any, i: Any, factor: Any, out: Any) -> None:
        row = rows[i]
        for k in range(len(out)):
            out[k] += factor * row[k]

    return dense
