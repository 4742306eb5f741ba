"""Projections onto convex cones.

| map | cone | projection |
|---|---|---|
| SecondOrderCone | (t, x) with ||x||_2 <= t | itself, 0, or ((t + ||x||) / 2) (1, x / ||x||) |
| PSDCone | symmetric d x d matrices with eigenvalues >= 0, all d^2 entries in C order | eigenvalues clipped at 0 |

The derivative of the second, Q (W * Q'HQ) Q' with W_ij = (max(a_i, 0) - max(a_j, 0)) / (a_i - a_j), stays bounded where
eigenvalues a meet, and that of an eigenvector does not: so torch is told this one.
"""

from __future__ import annotations

from functools import cache
from math import isqrt
from typing import Any

from solverkit.operators.proximal.arrays import floating, length, namespace, slack, where_broken
from solverkit.operators.proximal.base import Projection


class SecondOrderCone(Projection):
    """{ (t, x) in R x R^(n-1) : ||x||_2 <= t }, t the first entry."""

    def project(self, v: Any) -> Any:
        xp, v = namespace(v), floating(v)
        t, x = v[..., :1], v[..., 1:]
        size = length(x)
        outside = size > xp.abs(t)
        half = 0.5 * (t + size)
        edge = xp.concatenate([half, x * (half / xp.where(outside, size, 1.0))], axis=-1)
        return xp.where(outside, edge, xp.where(t >= 0, v, 0.0 * v))

    def violation(self, v: Any) -> Any:
        xp, v = namespace(v), floating(v)
        return xp.clip(length(v[..., 1:])[..., 0] - v[..., 0], 0.0, None)

    def conjugate(self, v: Any) -> Any:
        """0 on the polar cone ||x|| <= -t."""
        v = floating(v)
        return where_broken(length(v[..., 1:])[..., 0] + v[..., 0], slack(v))

    def digest(self) -> str:
        return "second-order cone"


class PSDCone(Projection):
    """Positive semidefinite matrices, (..., d * d); what is not symmetric in v is dropped (its nearest point is 0)."""

    def project(self, v: Any) -> Any:
        xp, v = namespace(v), floating(v)
        matrix = _symmetric(v)
        if matrix.shape[-1] == 0 or 0 in matrix.shape[:-2]:
            return v * 1.0
        found = _clipped(xp, matrix)[0] if xp.__name__ == "numpy" else _differentiable().apply(matrix)
        return found.reshape(v.shape)

    def violation(self, v: Any) -> Any:
        """The largest of -lambda_min and the skew part."""
        xp, v = namespace(v), floating(v)
        matrix = _symmetric(v)
        if matrix.shape[-1] == 0:
            return v.sum(axis=-1)
        low = xp.clip(-xp.linalg.eigvalsh(matrix)[..., 0], 0.0, None)
        return xp.maximum(low, xp.amax(xp.abs(v - matrix.reshape(v.shape)), axis=-1))

    def conjugate(self, v: Any) -> Any:
        """0 where the symmetric part is negative semidefinite."""
        xp, v = namespace(v), floating(v)
        if v.shape[-1] == 0:
            return v.sum(axis=-1)
        return where_broken(xp.linalg.eigvalsh(_symmetric(v))[..., -1], slack(v) * v.shape[-1] ** 0.5)

    def digest(self) -> str:
        return "psd cone"


def _symmetric(v: Any) -> Any:
    d = isqrt(v.shape[-1])
    if d * d != v.shape[-1]:
        raise ValueError(f"a matrix cone needs vectors of length d^2, not {v.shape[-1]}")
    matrix = v.reshape((*v.shape[:-1], d, d))
    return 0.5 * matrix + 0.5 * matrix.swapaxes(-1, -2)


def _clipped(xp: Any, matrix: Any) -> tuple[Any, Any, Any]:
    """The projection (..., d, d), eigenvalues (..., d) and eigenvectors (..., d, d)."""
    values, vectors = xp.linalg.eigh(matrix)
    kept = vectors * xp.clip(values, 0.0, None)[..., None, :]
    found = kept @ vectors.swapaxes(-1, -2)
    return 0.5 * found + 0.5 * found.swapaxes(-1, -2), values, vectors


@cache
def _differentiable() -> Any:
    import torch

    class Clipped(torch.autograd.Function):
        """The projection of a symmetric matrix; its derivative is self-adjoint, so one rule serves both directions."""

        generate_vmap_rule = True

        @staticmethod
        def forward(matrix: Any) -> Any:
            return _clipped(torch, matrix)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.mark_non_differentiable(output[1], output[2])
            ctx.save_for_backward(output[1], output[2])
            ctx.save_for_forward(output[1], output[2])

        @staticmethod
        def backward(ctx: Any, change: Any, *_: Any) -> Any:
            return _derivative(ctx.saved_tensors, change)

        @staticmethod
        def jvp(ctx: Any, change: Any) -> Any:
            return _derivative(ctx.saved_tensors, change), None, None

    class First:
        """The first output alone."""

        @staticmethod
        def apply(matrix: Any) -> Any:
            return Clipped.apply(matrix)[0]

    return First


def _derivative(eigen: Any, change: Any) -> Any:
    import torch

    values, vectors = eigen
    kept = values.clamp(min=0.0)
    above, below = values[..., :, None], values[..., None, :]
    apart = above - below
    same = apart == 0
    weight = torch.where(
        same, (above > 0).to(values), (kept[..., :, None] - kept[..., None, :]) / torch.where(same, 1.0, apart)
    )
    change = 0.5 * (change + change.mT)
    return vectors @ (weight * (vectors.mT @ change @ vectors)) @ vectors.mT
