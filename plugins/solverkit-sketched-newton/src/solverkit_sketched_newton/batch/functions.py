"""Many problems of one structure as two batched functions, with batched derivatives by torch.func.

f(x, p), c(x, p):    values, gradients, Jacobians and Hessians of f + y'c for all rows of (x, p) in one call each
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import MissingPackage, UsageError

if TYPE_CHECKING:
    import torch

Function = Callable[[Any, Any], Any]
"""(x (n,), p {name: tensor}) -> tensor; scalar for an objective, (m,) for constraints."""


def the_torch() -> Any:
    """The module; MissingPackage with the pip line where it is absent."""
    try:
        import torch
    except ImportError:
        raise MissingPackage("batches need torch; pip install torch==2.13.0") from None
    return torch


def from_expression(
    texts: str | list[str], n: int, shapes: Mapping[str, tuple[int, ...]], data: Mapping[str, Any]
) -> Callable[[Any, Any], Any]:
    """The function of expressions in x (n,) and the parameters; `data` holds constants that all problems share."""
    from solverkit.expressions.compile import compile_function

    compiled = compile_function(texts, {"x": (n,), **shapes}, data, target="torch")
    by_place: dict[tuple[str, str], Any] = {}

    def function(x: Any, p: Mapping[str, Any]) -> Any:
        torch = the_torch()
        place = (str(x.device), str(x.dtype).removeprefix("torch."))
        if place not in by_place:
            by_place[place] = compiled.to(*place)
        return by_place[place].tensor(torch.cat([x, *(p[name].reshape(-1) for name in shapes)]))

    return function


@dataclass(frozen=True, eq=False)
class Local:
    """What one iteration knows of each problem, all with the batch in front."""

    gradient: torch.Tensor  # (B, n) of f
    jacobian: torch.Tensor  # (B, m, n)
    hessian: torch.Tensor  # (B, n, n) of f + y'c


class Batched:
    """f and c of one structure, vectorized."""

    def __init__(self, objective: Function, constraints: Function | None, n: int, m: int) -> None:
        torch = the_torch()
        func = torch.func
        self.n, self.m = n, m
        self.constraints = constraints

        def scalar(x: Any, p: Any) -> Any:
            value = objective(x, p)
            return value if isinstance(value, float | int) else value.reshape(())

        def rows(x: Any, p: Any) -> Any:
            return x[:0] if constraints is None else constraints(x, p).reshape(-1)

        def lagrangian(x: Any, p: Any, y: Any) -> Any:
            return scalar(x, p) + rows(x, p) @ y

        self._values = func.vmap(lambda x, p: (scalar(x, p), rows(x, p)))
        # reverse mode alone: forward mode takes slow paths in Python for some operations (powers among them)
        bent = func.jacrev(func.grad(lagrangian))
        self._local = func.vmap(lambda x, p, y: (func.grad(scalar)(x, p), func.jacrev(rows)(x, p), bent(x, p, y)))

    def values(self, x: torch.Tensor, p: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """f (B,) and c (B, m)."""
        return self._values(x, p)

    def local(self, x: torch.Tensor, p: Mapping[str, torch.Tensor], y: torch.Tensor) -> Local:
        """First derivatives, and the Hessian of the Lagrangian."""
        gradient, jacobian, hessian = self._local(x, p, y)
        return Local(gradient, jacobian.reshape(len(x), self.m, self.n), 0.5 * (hessian + hessian.mT))


def parameters_of(parameters: Mapping[str, Any] | Any, where: dict[str, Any]) -> tuple[dict[str, torch.Tensor], int]:
    """Tensors by name and the size of the batch. A single array becomes the parameter `p`."""
    torch = the_torch()
    named = parameters if isinstance(parameters, Mapping) else {"p": parameters}
    tensors = {
        name: torch.as_tensor(np.asarray(value) if not torch.is_tensor(value) else value, **where)
        for name, value in named.items()
    }
    sizes = {name: tuple(value.shape[:1]) for name, value in tensors.items()}
    if not tensors or len(set(sizes.values())) != 1 or () in sizes.values():
        raise UsageError(f"parameters need one common first length, the number of problems; lengths here: {sizes}")
    return tensors, next(iter(tensors.values())).shape[0]
