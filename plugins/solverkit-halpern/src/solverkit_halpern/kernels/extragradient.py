"""Variance-reduced extragradient steps between two snapshots (Alacaoglu and Malitsky 2022, Algorithm 1).

    z     = alpha v + (1 - alpha) w
    h     = P( z - tau F(w) )
    v     = P( z - tau [F(w) + F_i(h) - F_i(w)] )

Two projections a step, one row and one column of A.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from solverkit_halpern.kernels.flags import VECTORS
from solverkit_halpern.kernels.rows import Rows, add_row
from solverkit_halpern.kernels.sets import SetCode, project


@njit(**VECTORS)
def extragradient(
    rows: Rows,
    columns: Rows,
    set_x: SetCode,
    set_y: SetCode,
    v: np.ndarray,  # (p + q,) overwritten
    w: np.ndarray,  # (p + q,) the snapshot
    base: np.ndarray,  # (p + q,) F(w)
    total: np.ndarray,  # (p + q,) the half steps are added to it
    p: int,
    step: float,  # tau
    alpha: float,
    pairs: np.ndarray,  # (m, 2)
    row_scale: np.ndarray,
    column_scale: np.ndarray,
) -> None:
    """m steps in place."""
    z, half = np.empty_like(v), np.empty_like(v)
    half_x = half_y = theta_x = theta_y = 0.0
    for t in range(len(pairs)):
        for k in range(len(v)):
            z[k] = alpha * v[k] + (1.0 - alpha) * w[k] - step * base[k]
        half_x = project(z[:p], half[:p], set_x, half_x)
        half_y = project(z[p:], half[p:], set_y, half_y)
        i, j = pairs[t, 0], pairs[t, 1]
        move = half[p + j] - w[p + j]
        if move != 0.0:
            add_row(columns, j, -step * column_scale[j] * move, z[:p])
        move = half[i] - w[i]
        if move != 0.0:
            add_row(rows, i, step * row_scale[i] * move, z[p:])
        theta_x = project(z[:p], v[:p], set_x, theta_x)
        theta_y = project(z[p:], v[p:], set_y, theta_y)
        for k in range(len(v)):
            total[k] += half[k]
