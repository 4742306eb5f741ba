"""Regular grids: which entries of a matrix couple neighbours."""

from __future__ import annotations

import numpy as np

from solverkit.kinds.linear_sequence.pattern import Pattern


def strays(pattern: Pattern, lengths: tuple[int, ...]) -> tuple[int, int] | None:
    """The first entry, as (row, column), that couples two points of the grid that are neither equal nor next to each
    other along one axis; None where there is none. `lengths` has one to three axes, points in C order."""
    rows = np.array(np.unravel_index(pattern.rows, lengths))
    columns = np.array(np.unravel_index(pattern.indices, lengths))
    far = np.flatnonzero(np.abs(rows - columns).sum(axis=0) > 1)
    return (int(pattern.rows[far[0]]), int(pattern.indices[far[0]])) if far.size else None
