"""Batches of the PAGE estimator with anchored steps (Algorithm 1 of arXiv 2310.02987, between two full evaluations).

For F(x, y) = (c + A y, b - A'x) a component is a column j and a row i of A, and for a batch S of pairs

    g_x += (1 / |S|) sum_{(i, j) in S} A_:j (y_j - y'_j) / q_j,    g_y -= (1 / |S|) sum A_i: (x_i - x'_i) / q_i
    u'   = u
    u    = P( lambda_t u_0 + (1 - lambda_t) u - eta g )

with q the probability of a draw. A step of b pairs costs O(b (rows + columns)) dense, O(entries) sparse, and one linear
projection. Coordinates that did not move contribute nothing and are not read.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from solverkit_halpern.kernels.flags import VECTORS
from solverkit_halpern.kernels.rows import Rows, add_row
from solverkit_halpern.kernels.sets import SetCode, project


@njit(**VECTORS)
def page(
    rows: Rows,
    columns: Rows,
    set_x: SetCode,
    set_y: SetCode,
    u: np.ndarray,  # (p + q,) current point, overwritten
    previous: np.ndarray,  # (p + q,) the one before, overwritten
    g: np.ndarray,  # (p + q,) estimate of F(previous), overwritten
    anchor: np.ndarray,  # (p + q,)
    p: int,  # rows of A
    step: float,  # eta
    anchoring: np.ndarray,  # (m,) lambda of each step
    pairs: np.ndarray,  # (m, b, 2) row and column of each sample
    row_scale: np.ndarray,  # (p,) 1 / q_i
    column_scale: np.ndarray,  # (q,) 1 / q_j
) -> None:
    """m steps in place."""
    count, batch, _ = pairs.shape
    z = np.empty_like(u)
    theta_x = theta_y = 0.0
    for t in range(count):
        for s in range(batch):
            i, j = pairs[t, s, 0], pairs[t, s, 1]
            move = u[p + j] - previous[p + j]
            if move != 0.0:
                add_row(columns, j, move * column_scale[j] / batch, g[:p])
            move = u[i] - previous[i]
            if move != 0.0:
                add_row(rows, i, -move * row_scale[i] / batch, g[p:])
        weight = anchoring[t]
        for k in range(len(u)):
            previous[k] = u[k]
            z[k] = weight * anchor[k] + (1.0 - weight) * u[k] - step * g[k]
        theta_x = project(z[:p], u[:p], set_x, theta_x)
        theta_y = project(z[p:], u[p:], set_y, theta_y)
