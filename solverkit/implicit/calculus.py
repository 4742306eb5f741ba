"""The implicit function theorem as torch operations: y(theta) with F(y, theta) = 0.

    A = dF/dy,  B = dF/dtheta:      dy = -A^-1 B dtheta,      theta_bar = -B' A^-T y_bar

`Solution` is y(theta), `LinearSolve` is A^-1 g (or A^-T g). Both have derivatives in both directions that are made of
each other, so derivatives of any order exist, and both have a batching rule, so `jacrev`, `jacfwd` and `hessian` solve
for all their right-hand sides in one Krylov iteration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from solverkit.implicit.linear import Tensor
from solverkit.implicit.system import Layers, one_point, pushed

if TYPE_CHECKING:
    from solverkit.implicit.function import Call


class Solution(torch.autograd.Function):
    """apply(call, *thetas) -> y (B, n)."""

    @staticmethod
    def forward(call: Call, *thetas: Tensor) -> Tensor:
        return call.solved([theta.detach() for theta in thetas])

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        call, *thetas = inputs
        ctx.call = call
        ctx.save_for_backward(output, *thetas)
        ctx.save_for_forward(output, *thetas)

    @staticmethod
    def backward(ctx: Any, y_bar: Tensor) -> Any:
        y, *thetas = ctx.saved_tensors
        u = LinearSolve.apply(ctx.call, True, (), y, y_bar, *thetas)
        return None, *(-part for part in ctx.call.system.pull(y, thetas, u))

    @staticmethod
    def jvp(ctx: Any, _: None, *changes: Tensor | None) -> Tensor:
        y, *thetas = ctx.saved_tensors
        moved = ctx.call.system.push(y, thetas, _filled(changes, thetas))
        return -LinearSolve.apply(ctx.call, False, (), y, moved, *thetas)

    @staticmethod
    def vmap(info: Any, in_dims: Any, call: Call, *thetas: Tensor) -> tuple[Tensor, int]:
        """One solve after the other: a solver is not asked to know about batches."""
        parts = [
            [theta if dim is None else theta.select(dim, k) for theta, dim in zip(thetas, in_dims[1:], strict=True)]
            for k in range(info.batch_size)
        ]
        return torch.stack([Solution.apply(call, *part) for part in parts]), 0


class LinearSolve(torch.autograd.Function):
    """apply(call, transposed, layers, y, g, *thetas) -> A^-1 g or A^-T g, of the shape of g.

    Each `vmap` around it adds an axis to the front of g and a layer that says what else it runs over.
    """

    @staticmethod
    def forward(call: Call, transposed: bool, layers: Layers, y: Tensor, g: Tensor, *thetas: Tensor) -> Tensor:
        products = call.system.products(y, thetas, layers)
        point = y if one_point(layers) else None
        return call.linear(products[transposed], products[not transposed], g, point, thetas, transposed)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        ctx.call, ctx.transposed, ctx.layers, y, _, *thetas = inputs
        ctx.save_for_backward(output, y, *thetas)
        ctx.save_for_forward(output, y, *thetas)

    @staticmethod
    def backward(ctx: Any, u_bar: Tensor) -> Any:
        """M u = g:  g_bar = M^-T u_bar = w, and y, theta get the derivative of -<w, M(y, theta) u>."""
        u, y, *thetas = ctx.saved_tensors
        w = LinearSolve.apply(ctx.call, not ctx.transposed, ctx.layers, y, u_bar, *thetas)
        product = ctx.call.system.product(ctx.transposed, ctx.layers)

        def pairing(y: Tensor, *thetas: Tensor) -> Tensor:
            return (w * product(y, thetas, u)).sum()

        y_bar, *theta_bars = torch.func.grad(pairing, argnums=tuple(range(1 + len(thetas))))(y, *thetas)
        return None, None, None, -y_bar, w, *(-part for part in theta_bars)

    @staticmethod
    def jvp(ctx: Any, *changes: Tensor | None) -> Tensor:
        """M du = dg - dM u."""
        u, y, *thetas = ctx.saved_tensors
        product = ctx.call.system.product(ctx.transposed, ctx.layers)
        _, _, _, y_change, g_change, *theta_changes = changes
        primals = (y, *thetas)
        moved = pushed(lambda y, *thetas: product(y, thetas, u), primals, _filled((y_change, *theta_changes), primals))
        right = -moved if g_change is None else g_change - moved
        return LinearSolve.apply(ctx.call, ctx.transposed, ctx.layers, y, right, *thetas)

    @staticmethod
    def vmap(
        info: Any, in_dims: Any, call: Call, transposed: bool, layers: Layers, y: Tensor, g: Tensor, *thetas: Tensor
    ) -> tuple[Tensor, int]:
        """All right-hand sides together: (K, ..., B, n), with products that torch batches."""
        _, _, _, y_dim, g_dim, *theta_dims = in_dims
        g = g.movedim(g_dim, 0) if g_dim is not None else g.expand(info.batch_size, *g.shape)
        layer = (y_dim, tuple(theta_dims))
        return LinearSolve.apply(call, transposed, (*layers, layer), y, g, *thetas), 0


def _filled(changes: Any, primals: Any) -> list[Tensor]:
    return [
        torch.zeros_like(primal) if change is None else change for change, primal in zip(changes, primals, strict=True)
    ]
