"""Projections that only the host can do, one vector after the other; a tensor goes there and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from solverkit.operators.proximal.arrays import floating, namespace, slack, where_broken
from solverkit.operators.proximal.base import Projection
from solverkit.operators.randomized.arrays import like
from solverkit.operators.sets import SimpleSet


def by_rows(function: Callable[[np.ndarray], np.ndarray], v: Any) -> Any:
    """function of each vector of v (..., n), computed in float64; waits for the device where v is on one."""
    xp = namespace(v)
    rows = np.asarray(v if xp is np else v.detach().cpu(), dtype=float)
    flat = rows.reshape(-1, rows.shape[-1])
    if len(flat) == 0:
        return v * 1.0
    found = np.stack([function(row) for row in flat])
    return like(found.reshape((*rows.shape[:-1], -1)), v)


class HostSet(Projection):
    """Any `SimpleSet` as a map, by its own projection. torch cannot differentiate it."""

    def __init__(self, simple: SimpleSet) -> None:
        self.simple = simple

    def project(self, v: Any) -> Any:
        return by_rows(self.simple.project, floating(v))

    def violation(self, v: Any) -> Any:
        return by_rows(lambda row: np.array([self.simple.violation(row)]), floating(v))[..., 0]

    def value(self, v: Any) -> Any:
        v = floating(v)
        size = 1e-9 if v.dtype == namespace(v).float64 else 0.0  # polyhedra: to the accuracy of their projection
        return where_broken(self.violation(v), slack(v) + size)

    def digest(self) -> str:
        return self.simple.digest()
