"""Rows of one entry as bounds, and the multipliers of the rows back from those of the bounds.

    lower <= a x_j <= upper    becomes    lower / a <= x_j <= upper / a   (sides exchanged where a < 0)

Of several rows on one side of a variable the tightest gives the bound, and gets the whole multiplier: with
r = z_j the multiplier of the bound, that of the row is z_j / a. Equalities stay rows, and so do all rows of a variable
that they leave no room, so that a proof of infeasibility can name them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class Split:
    """lower <= A x <= upper and a box, as fewer rows and a smaller box."""

    kept: np.ndarray  # rows of A that stay rows
    lowest: np.ndarray  # (n,)
    highest: np.ndarray  # (n,)
    below: np.ndarray  # (n,) the row that gives `lowest`, -1 where none does
    above: np.ndarray  # (n,) the row that gives `highest`
    entries: np.ndarray  # (m,) the one entry of a row; 0 where there are several
    outputs: int

    def multipliers(self, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Of all rows, (m,), from y of those that are kept and z (n,) of the box."""
        out = np.zeros(self.outputs)
        out[self.kept] = y
        for rows, part in ((self.below, np.minimum(z, 0.0)), (self.above, np.maximum(z, 0.0))):
            given = rows >= 0
            out[rows[given]] += part[given] / self.entries[rows[given]]
        return out


def split(A: Any, lower: np.ndarray, upper: np.ndarray, lowest: np.ndarray, highest: np.ndarray) -> Split:
    """Take bounds out of rows. A (m, n) sparse, lower and upper (m,), lowest and highest (n,); nothing is changed."""
    A = csr_array(A, copy=True)
    A.sum_duplicates()
    A.eliminate_zeros()
    m, n = A.shape
    single = np.flatnonzero((np.diff(A.indptr) == 1) & (lower < upper))
    columns, entries = A.indices[A.indptr[single]], A.data[A.indptr[single]]
    sides = np.sort(np.stack([lower[single] / entries, upper[single] / entries]), axis=0)
    tight_low, tight_high = lowest.copy(), highest.copy()
    np.maximum.at(tight_low, columns, sides[0])
    np.minimum.at(tight_high, columns, sides[1])
    room = tight_low <= tight_high
    single, columns, entries, sides = (part[..., room[columns]] for part in (single, columns, entries, sides))
    tight_low, tight_high = np.where(room, tight_low, lowest), np.where(room, tight_high, highest)
    below, above = np.full((2, n), -1)
    for rows, side, own, tight in ((below, sides[0], lowest, tight_low), (above, sides[1], highest, tight_high)):
        giving = np.isfinite(side) & (side == tight[columns]) & (side != own[columns])
        rows[columns[giving]] = single[giving]
    every = np.zeros(m)
    every[single] = entries
    kept = np.setdiff1d(np.arange(m), single)
    return Split(kept, tight_low, tight_high, below, above, every, m)
