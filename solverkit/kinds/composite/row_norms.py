"""The sum of the norms of the rows of a matrix: groups of one length side by side, at the speed of array operations.

    g(z) = weight sum_i ||Z_i||,   Z = z as rows of `columns` entries,   prox: Z_i max(1 - s weight / ||Z_i||, 0)

`operators.proximal.GroupL2` takes any groups and gathers by index; with a million pairs that is ten times the work.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.operators.proximal import ProximalMap
from solverkit.operators.proximal.arrays import Constant, column, floating, namespace, slack, where_broken
from solverkit.operators.quadratic import array_digest


class RowNorms(ProximalMap):
    """weight sum_i ||Z_i||; weight a number or one for each row, >= 0. Vectors are (..., rows * columns)."""

    def __init__(self, columns: int, weight: Any = 1.0) -> None:
        self.columns, self.weight = int(columns), Constant(weight)
        if not (np.all(self.weight.host >= 0) and np.isfinite(self.weight.host).all()):
            raise ValueError("norms of rows need finite weights >= 0")

    def _rows(self, v: Any) -> tuple[Any, Any]:
        """(Z, ||Z_i||)."""
        rows = v.reshape(*v.shape[:-1], -1, self.columns)
        xp = namespace(v)
        return rows, xp.sqrt(xp.einsum("...ij,...ij->...i", rows, rows))

    def prox(self, v: Any, step: Any) -> Any:
        v = floating(v)
        rows, sizes = self._rows(v)
        cut = column(step, v) * self.weight.like(v)
        xp = namespace(v)
        above = sizes > cut
        kept = xp.where(above, 1.0 - cut / xp.where(above, sizes, 1.0), 0.0 * sizes)
        return (rows * kept[..., None]).reshape(v.shape)

    def value(self, v: Any) -> Any:
        v = floating(v)
        return (self.weight.like(v) * self._rows(v)[1]).sum(axis=-1)

    def conjugate(self, v: Any) -> Any:
        """0 where ||Z_i|| <= weight for every row."""
        v = floating(v)
        if v.shape[-1] == 0:
            return v.sum(axis=-1)
        xp = namespace(v)
        return where_broken(xp.amax(self._rows(v)[1] - self.weight.like(v), axis=-1), slack(v))

    def digest(self) -> str:
        return f"row norms {self.columns} {array_digest(self.weight.host)}"
