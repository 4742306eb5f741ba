"""One component of an operator, as the kernels see it: what F_i(u) - F_i(v) adds to a vector.

| form | operator | component | difference over n q_i |
|---|---|---|---|
| `Bilinear` | F(x, y) = (c + A y, b - A'x) | a row i and a column j of A | (A_:j dy_j / q_j, -A_i: dx_i / q_i) |
| `Affine` | F(u) = M u + q | columns i, i + n, i + 2 n, ... of M | sum_G M_:g du_g / q_i |

Coordinates that did not move contribute nothing and are not read. Cost: the entries of those rows and columns.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from solverkit_halpern.kernels.flags import VECTORS
from solverkit_halpern.kernels.rows import Rows, add_row


class Bilinear(NamedTuple):
    """A by rows and by columns; split = rows of A."""

    rows: Rows
    columns: Rows
    split: int
    row_scale: np.ndarray  # (p,) 1 / q_i
    column_scale: np.ndarray  # (q,) 1 / q_j


class Affine(NamedTuple):
    """M by columns; components are groups of them."""

    columns: Rows
    groups: int  # n
    scale: np.ndarray  # (n,) 1 / q_i


def add_difference(form: Any, sample: Any, u: np.ndarray, v: np.ndarray, factor: float, out: np.ndarray) -> None:
    """out += factor (F_i(u) - F_i(v)) / (n q_i), in place. `sample`: (2,) row and column, or (1,) the component."""
    if isinstance(form, Bilinear):
        i, j, p = sample[0], sample[1], form.split
        add_row(form.columns, j, factor * form.column_scale[j] * (u[p + j] - v[p + j]), out[:p])
        add_row(form.rows, i, -factor * form.row_scale[i] * (u[i] - v[i]), out[p:])
        return
    for g in range(sample[0], len(u), form.groups):
        add_row(form.columns, g, factor * form.scale[sample[0]] * (u[g] - v[g]), out)


@overload(add_difference, jit_options=VECTORS)
def _add_difference(form: Any, sample: Any, u: Any, v: Any, factor: Any, out: Any) -> Any:
    assert isinstance(form, types.NamedTuple | types.NamedUniTuple)
    if form.instance_class is Bilinear:

        def bilinear(form: Any, sample: Any, u: Any, v: Any, factor: Any, out: Any) -> None:
            i, j, p = sample[0], sample[1], form.split
            move = u[p + j] - v[p + j]
            if move != 0.0:
                add_row(form.columns, j, factor * form.column_scale[j] * move, out[:p])
            move = u[i] - v[i]
            if move != 0.0:
                add_row(form.rows, i, -factor * form.row_scale[i] * move, out[p:])

        return bilinear

    def affine(form: Any, sample: Any, u: Any, v: Any, factor: Any, out: Any) -> None:
        i = sample[0]
        for g in range(i, len(u), form.groups):
            move = u[g] - v[g]
            if move != 0.0:
                add_row(form.columns, g, factor * form.scale[i] * move, out)

    return affine
