"""The conditions F(y, theta) = 0 as a system in flat vectors, with the products of their Jacobian.

    A = dF/dy,   apply: u -> A u,   adjoint: w -> A'w

y is kept as (B, n): n numbers in each of B samples (B = 1 without a batch), whatever its tree of tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, TypeAlias

import torch
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten

from solverkit.errors import UsageError
from solverkit.implicit.linear import Product, Tensor

Layers: TypeAlias = tuple[tuple[int | None, tuple[int | None, ...]], ...]
"""One for each `vmap` around a product, the innermost first: which axis of y and of each theta it runs over."""


def one_point(layers: Layers) -> bool:
    """Whether y and theta are the same for all right-hand sides."""
    return all(dim is None for y_dim, theta_dims in layers for dim in (y_dim, *theta_dims))


class Shapes:
    """How a tree of tensors lies in (B, n)."""

    def __init__(self, tree: Any, batched: bool) -> None:
        leaves, self.spec = tree_flatten(tree)
        if not leaves or not all(isinstance(leaf, torch.Tensor) and leaf.is_floating_point() for leaf in leaves):
            raise UsageError("a solution is a floating-point tensor, or a dict, list or tuple of them")
        self.dtype, self.device = leaves[0].dtype, leaves[0].device
        if any(leaf.dtype != self.dtype or leaf.device != self.device for leaf in leaves):
            raise UsageError("the tensors of a solution need one precision and one device")
        if batched and any(leaf.ndim == 0 or len(leaf) != len(leaves[0]) for leaf in leaves):
            raise UsageError("with batched=True the tensors of a solution share their first axis")
        self.batched = batched
        self.rows = len(leaves[0]) if batched else 1
        self.shapes = [leaf.shape for leaf in leaves]
        self.sizes = [prod(leaf.shape[1:] if batched else leaf.shape) for leaf in leaves]

    def flat(self, tree: Any) -> Tensor:
        """(B, n) of a tree of these shapes. UsageError says which part differs."""
        leaves, spec = tree_flatten(tree)
        shapes = [getattr(leaf, "shape", None) for leaf in leaves]
        if spec != self.spec or shapes != self.shapes:
            raise UsageError(
                f"the residual must have the form of the solution: {self._told(self.spec, self.shapes)}, "
                f"not {self._told(spec, shapes)}"
            )
        parts = [leaf.reshape(self.rows, size) for leaf, size in zip(leaves, self.sizes, strict=True)]
        return torch.cat(parts, dim=-1)

    def tree(self, flat: Tensor) -> Any:
        """The inverse of `flat`."""
        parts = torch.split(flat, self.sizes, dim=-1)
        return tree_unflatten([part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)], self.spec)

    @staticmethod
    def _told(spec: TreeSpec, shapes: Sequence[Any]) -> str:
        return str(tree_unflatten([tuple(shape) if shape is not None else "no tensor" for shape in shapes], spec))


class System:
    """F at one call's arguments: floating-point tensors among them are theta, the rest is passed as it is."""

    def __init__(self, residual: Callable[..., Any], arguments: Any, symmetric: bool = False) -> None:
        self.residual, self.symmetric = residual, symmetric
        self.leaves, self.spec = tree_flatten(arguments)
        self.places = [
            i for i, leaf in enumerate(self.leaves) if isinstance(leaf, torch.Tensor) and leaf.is_floating_point()
        ]
        self.shapes: Shapes

    @property
    def thetas(self) -> list[Tensor]:
        """The tensors that derivatives are taken by."""
        return [self.leaves[place] for place in self.places]

    def forget(self) -> None:
        """Let go of theta: what is differentiated is kept by torch's graph alone."""
        for place in self.places:
            self.leaves[place] = None

    def gradients(self, parts: Sequence[Tensor]) -> tuple[Any, ...]:
        """Gradients in the form of the positional arguments; None where an argument is no tensor."""
        leaves: list[Any] = [None] * len(self.leaves)
        for place, part in zip(self.places, parts, strict=True):
            leaves[place] = part
        return tree_unflatten(leaves, self.spec)[0]

    def tangents(self, changes: tuple, thetas: Sequence[Tensor]) -> list[Tensor]:
        """One change for each theta, of changes in the form of the positional arguments; None stands for zero."""
        leaves, _ = tree_flatten((changes, {}), is_leaf=lambda leaf: leaf is None)
        if len(leaves) != len(self.leaves):
            raise UsageError("tangents must have the form of the arguments, None where nothing changes")
        return [
            torch.zeros_like(theta) if leaves[place] is None else leaves[place]
            for place, theta in zip(self.places, thetas, strict=True)
        ]

    def arguments(self, thetas: Sequence[Tensor]) -> tuple[tuple, dict]:
        """(args, kwargs) with these tensors in the places of theta."""
        leaves = list(self.leaves)
        for place, theta in zip(self.places, thetas, strict=True):
            leaves[place] = theta
        return tree_unflatten(leaves, self.spec)

    def value(self, y: Tensor, *thetas: Tensor) -> Tensor:
        """F, (B, n)."""
        args, kwargs = self.arguments(thetas)
        return self.shapes.flat(self.residual(self.shapes.tree(y), *args, **kwargs))

    def linearized(self, y: Tensor, thetas: Sequence[Tensor]) -> tuple[Product, Product]:
        """u -> A u and w -> A'w at one point; F is evaluated once for all products."""
        taped: Any = torch.func.vjp(lambda y: self.value(y, *thetas), y)
        value, adjoint = taped
        if self.symmetric:
            return lambda u: adjoint(u)[0], lambda w: adjoint(w)[0]
        # A'w is linear in w, so that its own derivative is A: no forward mode, which torch does not nest
        apply = torch.func.vjp(lambda w: adjoint(w)[0], torch.zeros_like(value))[1]
        return lambda u: apply(u)[0], lambda w: adjoint(w)[0]

    def product(self, transposed: bool, layers: Layers = ()) -> Callable[[Tensor, tuple[Tensor, ...], Tensor], Tensor]:
        """(y, theta, u) -> A u, or A'u; batched once for each layer."""

        def product(y: Tensor, thetas: tuple[Tensor, ...], u: Tensor) -> Tensor:
            return self.linearized(y, thetas)[int(transposed)](u)

        for y_dim, theta_dims in layers:
            product = torch.func.vmap(product, in_dims=(y_dim, theta_dims, 0))
        return product

    def products(self, y: Tensor, thetas: tuple[Tensor, ...], layers: Layers) -> tuple[Product, Product]:
        """u -> A u and w -> A'w, batched once for each layer."""
        if not one_point(layers):
            apply, adjoint = self.product(False, layers), self.product(True, layers)
            return lambda u: apply(y, thetas, u), lambda w: adjoint(y, thetas, w)
        one, other = self.linearized(y, thetas)
        for _ in layers:
            one, other = torch.func.vmap(one), torch.func.vmap(other)
        return one, other

    def pull(self, y: Tensor, thetas: Sequence[Tensor], w: Tensor) -> tuple[Tensor, ...]:
        """w'dF/dtheta, one tensor for each theta."""
        return torch.func.vjp(lambda *thetas: self.value(y, *thetas), *thetas)[1](w)

    def push(self, y: Tensor, thetas: Sequence[Tensor], change: Sequence[Tensor]) -> Tensor:
        """dF/dtheta applied to a change of theta, (B, n)."""
        return pushed(lambda *thetas: self.value(y, *thetas), thetas, change)


def pushed(function: Callable[..., Tensor], primals: Sequence[Tensor], change: Sequence[Tensor]) -> Tensor:
    """The derivative of a function along a change of its arguments, by reverse mode twice."""
    taped: Any = torch.func.vjp(function, *primals)
    value, pull = taped
    return torch.func.vjp(pull, torch.zeros_like(value))[1](tuple(change))[0]
