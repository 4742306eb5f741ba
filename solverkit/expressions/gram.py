"""A'DA for a constant sparse A (samples, n) with few entries a row, and a diagonal D that changes from call to call.

    (A'DA)_ij = sum_r A_ri A_rj D_r    so that    vec(A'DA) = P d,    P_(ij),r = A_ri A_rj,    i <= j

P has a column for each row of A and an entry for each pair in it, k (k + 1) / 2 for k entries: made once, it turns each
Gram matrix into one product of a sparse matrix with a vector, where a sparse product of two matrices looks for the
pattern each time.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_array, csr_array

MOST = 10_000_000  # pairs that are kept: 12 bytes each


class Gram:
    """The pairs of one A; see the module."""

    def __init__(self, matrix: csr_array) -> None:
        A = csr_array(matrix, copy=True)
        A.sum_duplicates()  # sorts the columns of each row, too
        A.indices = A.indices.astype(np.int32, copy=False)
        self.n = A.shape[1]
        ends = np.repeat(A.indptr[1:], np.diff(A.indptr))
        partners = ends - np.arange(A.nnz)  # each entry with itself and those behind it in its row
        starts = (np.cumsum(partners) - partners - np.arange(A.nnz)).astype(np.int32)
        first = np.repeat(np.arange(A.nnz, dtype=np.int32), partners)
        second = np.arange(len(first), dtype=np.int32) - np.repeat(starts, partners)
        places = A.indices[first] * np.int32(self.n) + A.indices[second]
        pointers = np.concatenate([[0], np.cumsum(partners)])[A.indptr]
        shape = (self.n**2, A.shape[0])
        self.pairs = csc_array((A.data[first] * A.data[second], places, pointers.astype(np.int32)), shape=shape)

    def __call__(self, diagonal: np.ndarray) -> np.ndarray:
        """A' diag(diagonal) A, dense (n, n)."""
        upper = (self.pairs @ diagonal).reshape(self.n, self.n)
        total = upper + upper.T
        total[np.diag_indices(self.n)] *= 0.5
        return total


def pays(matrix: csr_array) -> bool:
    """Whether the pairs are few enough to keep."""
    counts = np.diff(matrix.indptr).astype(np.int64)
    return int((counts * (counts + 1)).sum()) <= 2 * MOST and matrix.shape[1] ** 2 < np.iinfo(np.int32).max
