"""What is true of every matrix of a sequence, found by looking at all of them.

    symmetric           |a_ij - a_ji| <= 1e-12 max(|a_ij|, |a_ji|) + 1e-15 max |A_t|   for every i, j, t
    positive-diagonal   a_ii > 0      for every i, t
    nonzero-diagonal    a_ii != 0     for every i, t

Positive definiteness is not looked at: it would cost a factorization a matrix, and what it is needed for, that the
answers solve their systems, is what the certificate checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from solverkit.kinds.linear_sequence.pattern import Pattern
from solverkit.kinds.linear_sequence.systems import Combination, Matrices

RELATIVE = 1e-12
ABSOLUTE = 1e-15


@dataclass(frozen=True)
class Structure:
    """What holds; where something does not, the first place."""

    symmetric: bool
    positive_diagonal: bool
    nonzero_diagonal: bool
    asymmetry: str = ""  # `system 3: a[0,1] = 2, a[1,0] = 1`
    diagonal: str = ""  # `system 3: a[4,4] = 0`, the first that is not positive


def structure(pattern: Pattern, matrices: Matrices) -> Structure:
    """Look at every matrix; O(T nnz), and O(J nnz + T n) for a combination of J."""
    asymmetry = _asymmetry(pattern, matrices)
    diagonal, nonzero = _diagonal(pattern, matrices)
    return Structure(not asymmetry, not diagonal, nonzero, asymmetry, diagonal)


def asymmetric(pattern: Pattern, values: np.ndarray) -> tuple[int, int] | None:
    """The place of the first entry that differs from its mirror image; None where there is none."""
    mirror = pattern.transposed
    if mirror is None:
        return _lonely(pattern)
    other = values[mirror]
    off = np.abs(values - other)
    largest = np.abs(values).max(initial=0.0)
    wrong = np.flatnonzero(off > RELATIVE * np.maximum(np.abs(values), np.abs(other)) + ABSOLUTE * largest)
    return (int(pattern.rows[wrong[0]]), int(pattern.indices[wrong[0]])) if wrong.size else None


def _lonely(pattern: Pattern) -> tuple[int, int]:
    """The first position whose mirror image is not in the pattern."""
    code = pattern.rows.astype(np.int64) * pattern.n + pattern.indices
    mirror = pattern.indices.astype(np.int64) * pattern.n + pattern.rows
    first = np.flatnonzero(~np.isin(mirror, code))[0]
    return int(pattern.rows[first]), int(pattern.indices[first])


def _asymmetry(pattern: Pattern, matrices: Matrices) -> str:
    """Of a combination it is enough that every part is symmetric; asked of the parts, since T may be large."""
    if isinstance(matrices, Combination) and all(asymmetric(pattern, part) is None for part in matrices.parts):
        return ""
    count = 1 if matrices.constant else matrices.T
    for t in range(count):
        values = matrices.values(t)
        place = asymmetric(pattern, values)
        if place is not None:
            return f"system {t}: {_entry(pattern, values, *place)}, {_entry(pattern, values, *place[::-1])}"
    return ""


def _entry(pattern: Pattern, values: np.ndarray, i: int, j: int) -> str:
    return f"a[{i},{j}] = {pattern.matrix(values)[i, j]:.6g}"


def _diagonal(pattern: Pattern, matrices: Matrices) -> tuple[str, bool]:
    """The first diagonal entry that is not positive, and whether all are other than zero."""
    first = ""
    present = pattern.diagonal >= 0
    if not present.any():
        return "system 0: a[0,0] = 0", False
    for t, values in enumerate(_diagonals(matrices, np.maximum(pattern.diagonal, 0))):
        entries = np.where(present, values, 0.0)
        wrong = np.flatnonzero(~(entries > 0))
        if wrong.size:
            first = first or f"system {t}: a[{wrong[0]},{wrong[0]}] = {entries[wrong[0]]:.6g}"
            if not np.all(entries):
                return first, False
    return first, True


def _diagonals(matrices: Matrices, places: np.ndarray) -> Iterator[np.ndarray]:
    count = 1 if matrices.constant else matrices.T
    if isinstance(matrices, Combination):
        parts = matrices.parts[:, places]
        return (factors @ parts for factors in matrices.coefficients[:count])
    return (matrices.values(t)[places] for t in range(count))
