"""A sparse matrix as its sweeps want it: unit diagonal, strict lower and strict upper triangle stored apart.

    A~ = R A C = I + L + U,    R = sign(D) |D|^(-1/2),  C = |D|^(-1/2),    A x = b  <=>  A~ x~ = R b,  x = C x~

SOR and SSOR do not see this scaling: the iterates of both are the same up to x = C x~. What it buys is that no kernel
multiplies or divides by a diagonal, and that each triangle is streamed once per half sweep. Where A is symmetric with a
positive diagonal, R = C and A~ is symmetric.

A `Pattern` holds what follows from (indptr, indices) alone and is kept by `PatternCache`; `Splitting` holds the values,
one pass over A for each new matrix. Indices are unsigned: a signed index costs numba a test for Python's negative
indices, which halves the speed of a sweep.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.errors import UsageError
from solverkit.kernels import njit
from solverkit_sor.kernels.flags import ROWS

SYMMETRY = (
    1e-10  # most |l~_ij - u~_ji| of a matrix that counts as symmetric; entries of A~ are at most 1 where A is SPD
)
KEPT = 4  # patterns in a cache: a sequence has one, a multilevel code that calls the tuner a few


@dataclass(frozen=True)
class Pattern:
    """Where the triangles of a square CSR matrix lie; `of` builds it in O(nnz)."""

    n: int
    nnz: int
    indptr: np.ndarray  # (n + 1,) uint32, of A
    indices: np.ndarray  # (nnz,) uint32, of A; sorted in each row
    diagonal: np.ndarray  # (n,) uint32, position of a_ii in the data of A
    lower_indptr: np.ndarray  # (n + 1,) uint32
    lower_indices: np.ndarray  # uint32
    upper_indptr: np.ndarray  # (n + 1,) uint32
    upper_indices: np.ndarray  # uint32
    mirror: np.ndarray  # uint32, for each lower entry the position of a_ji in the upper triangle; empty: not symmetric
    missing: int  # first row without a diagonal entry; -1 where all have one

    @property
    def symmetric(self) -> bool:
        """Whether a_ij is stored exactly where a_ji is."""
        return len(self.mirror) == len(self.lower_indices) == len(self.upper_indices)

    @staticmethod
    def of(indptr: np.ndarray, indices: np.ndarray) -> Pattern:
        """The pattern of a CSR matrix with sorted indices and no duplicates. Raises UsageError where it has neither."""
        ptr, idx = _unsigned(indptr), _unsigned(indices)
        n, nnz = len(ptr) - 1, len(idx)
        if n < 1:
            raise UsageError("the matrix of a linear system has no rows: give at least a 1 x 1 matrix")
        sizes = np.zeros((2, n + 1), np.uint32)
        diagonal = np.zeros(n, np.uint32)
        bad, missing = _count(ptr, idx, diagonal, sizes)
        if bad >= 0:
            raise UsageError(f"row {bad} of the matrix has unsorted, duplicate or too large column indices")
        starts = np.cumsum(sizes, axis=1, dtype=np.uint32)
        lower, upper = np.empty(starts[0, n], np.uint32), np.empty(starts[1, n], np.uint32)
        mirror = np.empty(len(lower), np.uint32)
        if not _split_pattern(ptr, idx, lower, upper, starts[0], starts[1], mirror):
            mirror = mirror[:0]
        return Pattern(n, nnz, ptr, idx, diagonal, starts[0], lower, starts[1], upper, mirror, missing)


@dataclass(frozen=True)
class Splitting:
    """One matrix, split and scaled. Kernels take `lower` and `upper` unpacked: indptr, indices, values."""

    pattern: Pattern
    lower: tuple[np.ndarray, np.ndarray, np.ndarray]
    upper: tuple[np.ndarray, np.ndarray, np.ndarray]
    left: np.ndarray  # (n,) diagonal of R
    right: np.ndarray  # (n,) diagonal of C
    symmetric: bool  # A = A' to rounding
    positive: bool  # every a_ii > 0

    @staticmethod
    def of(pattern: Pattern, data: np.ndarray) -> Splitting:
        """Split a matrix of this pattern with values `data` (nnz,): one pass, O(nnz).

        Raises UsageError where a diagonal entry is absent, zero or not finite, or any value is NaN or infinite.
        """
        if pattern.missing >= 0:
            raise UsageError(
                f"row {pattern.missing} of the matrix has no diagonal entry, and a sweep divides by it: reorder the "
                "rows so that the diagonal is nonzero, or use a method without sweeps (gmres, direct)"
            )
        n = pattern.n
        left, right = np.empty(n), np.empty(n)
        lower, upper = np.empty(len(pattern.lower_indices)), np.empty(len(pattern.upper_indices))
        row, positive = _scales(pattern.diagonal, data, left, right)
        if row >= 0:
            raise UsageError(
                f"diagonal entry {row} of the matrix is {data[pattern.diagonal[row]]:g}, and a sweep divides by it: "
                "reorder the rows so that the diagonal is nonzero, or use a method without sweeps (gmres, direct)"
            )
        finite = _split(pattern.indptr, pattern.indices, data, left, right, lower, upper)
        if not finite:
            raise UsageError("the matrix holds NaN or infinite values")
        symmetric = positive and pattern.symmetric and _asymmetry(pattern.mirror, lower, upper) <= SYMMETRY
        return Splitting(
            pattern,
            (pattern.lower_indptr, pattern.lower_indices, lower),
            (pattern.upper_indptr, pattern.upper_indices, upper),
            left,
            right,
            symmetric,
            positive,
        )


class PatternCache:
    """The patterns met last, found by identity of the index arrays, then by their place in memory, then by content.

    SciPy makes new array objects of the index arrays that a matrix is built from, at the same place. Index arrays
    changed in place between two solves are not noticed: give a new matrix its own.
    """

    def __init__(self) -> None:
        # The last used first. Holding the arrays keeps their places from being used again.
        self._kept: list[tuple[np.ndarray, np.ndarray, Pattern, Places]] = []

    def knows(self, indptr: np.ndarray, indices: np.ndarray) -> bool:
        """Whether these very arrays, or others at their place, were met before."""
        for at, (known_indptr, known_indices, _, _) in enumerate(self._kept):
            if known_indptr is indptr and known_indices is indices:
                if at:
                    self._kept.insert(0, self._kept.pop(at))
                return True
        places = _places(indptr, indices)
        for at, (_, _, pattern, known) in enumerate(self._kept):
            if known == places:
                del self._kept[at]
                self._kept.insert(0, (indptr, indices, pattern, places))
                return True
        return False

    def pattern(self, indptr: np.ndarray, indices: np.ndarray) -> Pattern:
        """The pattern with these index arrays, built where it is new."""
        if self.knows(indptr, indices):
            return self._kept[0][2]
        for at, (known_indptr, known_indices, known, _) in enumerate(self._kept):
            if np.array_equal(known_indptr, indptr) and np.array_equal(known_indices, indices):
                pattern = known
                del self._kept[at]
                break
        else:
            pattern = Pattern.of(indptr, indices)
        self._kept.insert(0, (indptr, indices, pattern, _places(indptr, indices)))
        del self._kept[KEPT:]
        return pattern


Places = tuple[int, int, int, int, str]


def _places(indptr: np.ndarray, indices: np.ndarray) -> Places:
    """Addresses and entries of two index arrays, which SciPy keeps contiguous and of one type."""
    first, second = indptr.__array_interface__["data"][0], indices.__array_interface__["data"][0]
    return first, indptr.size, second, indices.size, indices.dtype.char


def _unsigned(indices: np.ndarray) -> np.ndarray:
    """Indices as uint32; a view where they are int32 already."""
    flat = np.ascontiguousarray(indices)
    return flat.view(np.uint32) if flat.dtype == np.int32 else flat.astype(np.uint32)


@njit(**ROWS)
def _count(indptr, indices, diagonal, sizes):
    """Entries of both triangles by row (shifted by one), positions of the diagonal; (first bad row, first without)."""
    n = diagonal.size
    missing = -1
    for i in range(n):
        found = False
        previous = np.int64(-1)
        for k in range(indptr[i], indptr[i + 1]):
            j = np.int64(indices[k])
            if j <= previous or j >= n:
                return i, missing
            previous = j
            if j < i:
                sizes[0, i + 1] += 1
            elif j > i:
                sizes[1, i + 1] += 1
            else:
                diagonal[i] = k
                found = True
        if not found and missing < 0:
            missing = i
    return -1, missing


@njit(**ROWS)
def _split_pattern(indptr, indices, lower, upper, lower_indptr, upper_indptr, mirror):
    """Column indices of both triangles, and where each lower entry's mirror image lies; False where one has none.

    Row by row, the entries (i, j) of the lower triangle meet those of column i of row j in order, so that one
    moving position a row finds all mirror images in O(nnz).
    """
    n = indptr.size - 1
    a, b = 0, 0
    for i in range(n):
        for k in range(indptr[i], indptr[i + 1]):
            j = np.int64(indices[k])
            if j < i:
                lower[a] = j
                a += 1
            elif j > i:
                upper[b] = j
                b += 1
    if a != b:
        return False
    moving = upper_indptr[:n].copy()
    for i in range(n):
        for k in range(lower_indptr[i], lower_indptr[i + 1]):
            j = lower[k]
            at = moving[j]
            if at >= upper_indptr[j + np.uint32(1)] or upper[at] != i:
                return False
            mirror[k] = at
            moving[j] = at + np.uint32(1)
    return True


@njit(**ROWS)
def _scales(diagonal, data, left, right):
    """R and C; returns (first row whose diagonal cannot be used or -1, whether all are positive)."""
    positive = True
    for i in range(diagonal.size):
        value = data[diagonal[i]]
        if value == 0.0 or not np.isfinite(value):
            return i, False
        size = 1.0 / np.sqrt(abs(value))
        right[i] = size
        left[i] = size
        if value < 0.0:
            left[i] = -size
            positive = False
    return -1, positive


@njit(**ROWS)
def _split(indptr, indices, data, left, right, lower, upper):
    """Values of L and U; returns whether all of A is finite."""
    a, b = 0, 0
    zero = 0.0  # turns NaN at the first value that is not finite
    for i in range(left.size):
        scale = left[i]
        for k in range(indptr[i], indptr[i + 1]):
            j = np.int64(indices[k])
            value = scale * data[k] * right[j]
            zero += 0.0 * value
            if j < i:
                lower[a] = value
                a += 1
            elif j > i:
                upper[b] = value
                b += 1
    return zero == 0.0


@njit(**ROWS)
def _asymmetry(mirror, lower, upper):
    """max |l_ij - u_ji|."""
    largest = 0.0
    for k in range(lower.size):
        largest = max(largest, abs(lower[k] - upper[mirror[k]]))
    return largest
