"""Vectors that solve equations up to an iteration's error, moved to where they solve them up to rounding.

    min_t ||t||_2   s.t.   A_{rows, S} (v_S + |v_S| t) + A_{rows, not S} v = 0,     S the places where v is not 0

so that what is 0 stays 0, and a change of 1 in t is as large as the entry itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import lsmr

ROUNDING = 1e-12  # of the terms of a sum: what is as small counts as 0
SLACK = 1e-6  # relative size up to which a sum may have been meant to be 0
PASSES = 3
MOST = 1e-3  # of an entry, that it is moved by


def settled(A: Any, v: np.ndarray, may_differ: np.ndarray) -> np.ndarray:
    """v with the entries of A v at 0 that are within SLACK of it, those of `may_differ` left out; v where it cannot be.

    A : (m, n), dense or sparse
    may_differ : (m,) bool, rows that need not vanish
    """
    size = abs(A) @ np.abs(v)
    rows = np.flatnonzero(~may_differ & (np.abs(A @ v) <= SLACK * size) & (size > 0))
    places = np.flatnonzero(v)
    if len(rows) == 0 or np.all(np.abs(A @ v)[rows] <= ROUNDING * size[rows] / 100):
        return v
    unit = 1 / size[rows]
    part = csr_array(diags_array(unit) @ csr_array(A)[rows][:, places] @ diags_array(np.abs(v[places])))
    moved = v.copy()
    for _ in range(PASSES):
        missed = unit * (A @ moved)[rows]
        if np.all(np.abs(missed) <= ROUNDING / 100):
            break
        change = lsmr(part, missed, atol=1e-15, btol=1e-15, conlim=1e14, maxiter=4 * max(part.shape))[0]
        moved[places] -= np.abs(v[places]) * change
    near = np.all(np.abs(moved - v) <= MOST * np.abs(v))
    return moved if near and np.isfinite(moved).all() else v
