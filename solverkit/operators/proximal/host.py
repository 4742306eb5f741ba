"""Projections that only the host can do, one vector after the other; a tensor goes there and back.

The derivative of a projection onto a polyhedron is, away from kinks, the projection onto the linear space of the face:
self-adjoint, so that torch is told one rule for both directions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from solverkit.operators.polyhedra import Polyhedron
from solverkit.operators.proximal.arrays import floating, namespace, slack, where_broken
from solverkit.operators.proximal.base import Projection
from solverkit.operators.randomized.arrays import like
from solverkit.operators.sets import SimpleSet

Row = Callable[[np.ndarray], np.ndarray]
Derivative = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(v, d) -> the derivative at v along d, each (n,)."""

POLYHEDRAL = 1e-9  # what a row may be off for the indicator to be 0, relative: the accuracy of an interior-point answer


def by_rows(function: Callable[..., np.ndarray], *arrays: Any) -> Any:
    """function of each vector of arrays (..., n), computed in float64; waits for the device where they are on one."""
    first = arrays[0]
    rows = [np.asarray(v if namespace(v) is np else v.detach().cpu(), dtype=float) for v in arrays]
    flat = [part.reshape(-1, part.shape[-1]) for part in rows]
    if len(flat[0]) == 0:
        return first * 1.0
    found = np.stack([function(*vectors) for vectors in zip(*flat, strict=True)])
    return like(found.reshape((*rows[0].shape[:-1], -1)), first)


def projected(project: Row, derivative: Derivative | None, v: Any) -> Any:
    """project of each vector of v, with its derivative where torch asks; an error where there is none."""
    if namespace(v) is np:
        return by_rows(project, v)
    return _functions()[0].apply(project, derivative, v)


@cache
def _functions() -> tuple[Any, Any]:
    import torch

    class Nearest(torch.autograd.Function):
        """apply(project, derivative, v)."""

        @staticmethod
        def forward(project: Row, derivative: Derivative | None, v: Any) -> Any:
            return by_rows(project, v)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            _, ctx.derivative, v = inputs
            ctx.save_for_backward(v)
            ctx.save_for_forward(v)

        @staticmethod
        def backward(ctx: Any, change: Any) -> Any:
            return None, None, Along.apply(_given(ctx.derivative), ctx.saved_tensors[0], change)

        @staticmethod
        def jvp(ctx: Any, _: None, __: None, change: Any) -> Any:
            return Along.apply(_given(ctx.derivative), ctx.saved_tensors[0], change)

        @staticmethod
        def vmap(info: Any, in_dims: Any, project: Row, derivative: Derivative | None, v: Any) -> Any:
            return Nearest.apply(project, derivative, v.movedim(in_dims[2], 0)), 0

    class Along(torch.autograd.Function):
        """apply(derivative, v, d): linear in d, and constant in v away from kinks."""

        @staticmethod
        def forward(derivative: Derivative, v: Any, d: Any) -> Any:
            return by_rows(lambda d, v: derivative(v, d), d, v)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.derivative, v, _ = inputs
            ctx.save_for_backward(v)
            ctx.save_for_forward(v)

        @staticmethod
        def backward(ctx: Any, change: Any) -> Any:
            return None, None, Along.apply(ctx.derivative, ctx.saved_tensors[0], change)

        @staticmethod
        def jvp(ctx: Any, _: None, __: Any, change: Any) -> Any:
            v = ctx.saved_tensors[0]
            return torch.zeros_like(v) if change is None else Along.apply(ctx.derivative, v, change)

        @staticmethod
        def vmap(info: Any, in_dims: Any, derivative: Derivative, v: Any, d: Any) -> Any:
            size = info.batch_size
            v, d = (
                part.movedim(dim, 0) if dim is not None else part.expand(size, *part.shape)
                for part, dim in ((v, in_dims[1]), (d, in_dims[2]))
            )
            return Along.apply(derivative, v, d), 0

    return Nearest, Along


def _given(derivative: Derivative | None) -> Derivative:
    if derivative is None:
        raise NotImplementedError("torch cannot differentiate the projection onto this set: use a map of its own")
    return derivative


class HostSet(Projection):
    """Any `SimpleSet` as a map, by its own projection. torch differentiates it where it is a polyhedron."""

    def __init__(self, simple: SimpleSet) -> None:
        self.simple = simple

    def project(self, v: Any) -> Any:
        derivative = self.simple.along if isinstance(self.simple, Polyhedron) else None
        return projected(self.simple.project, derivative, floating(v))

    def violation(self, v: Any) -> Any:
        return by_rows(lambda row: np.array([self.simple.violation(row)]), floating(v))[..., 0]

    def value(self, v: Any) -> Any:
        v = floating(v)
        size = POLYHEDRAL if v.dtype == namespace(v).float64 else 0.0
        return where_broken(self.violation(v), slack(v) + size)

    def digest(self) -> str:
        return self.simple.digest()
