"""Variance-reduced forward-reflected-backward steps between two snapshots (Algorithm 3 of arXiv 2310.02987).

On F^k(v) = eta F(v) + r (v - centre), r = 1 for the inner problem of an inexact Halpern step and 0 for plain VR-FoRB:

    v_{t+1} = P( alpha v_t + (1 - alpha) w - tau [F^k(w) + F^k_i(v_t) - F^k_i(w_{t-1})] )

w_{t-1} differs from w in the first step after the snapshot has moved only. One sample and one projection a step: a
column and a row of A (O(rows + columns) dense, touched entries sparse) and a few passes over v.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from solverkit_halpern.kernels.flags import VECTORS
from solverkit_halpern.kernels.rows import Rows, add_row
from solverkit_halpern.kernels.sets import SetCode, project


@njit(**VECTORS)
def reflected(
    rows: Rows,
    columns: Rows,
    set_x: SetCode,
    set_y: SetCode,
    v: np.ndarray,  # (p + q,) overwritten
    w: np.ndarray,  # (p + q,) the snapshot
    before: np.ndarray,  # (p + q,) the snapshot before it, w where it did not move
    base: np.ndarray,  # (p + q,) F^k(w)
    p: int,
    scale: float,  # eta
    pull: float,  # r
    step: float,  # tau
    alpha: float,
    pairs: np.ndarray,  # (m, 2) row and column of each step
    row_scale: np.ndarray,
    column_scale: np.ndarray,
) -> None:
    """m steps in place."""
    z = np.empty_like(v)
    theta_x = theta_y = 0.0
    for t in range(len(pairs)):
        old = before if t == 0 else w
        for k in range(len(v)):
            z[k] = alpha * v[k] + (1.0 - alpha) * w[k] - step * (base[k] + pull * (v[k] - old[k]))
        i, j = pairs[t, 0], pairs[t, 1]
        move = v[p + j] - old[p + j]
        if move != 0.0:
            add_row(columns, j, -step * scale * column_scale[j] * move, z[:p])
        move = v[i] - old[i]
        if move != 0.0:
            add_row(rows, i, step * scale * row_scale[i] * move, z[p:])
        theta_x = project(z[:p], v[:p], set_x, theta_x)
        theta_y = project(z[p:], v[p:], set_y, theta_y)
