"""Certificates for the answers of a batch, each by the kind `nonlinear` from the problem's own functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.kinds.base import Block
from solverkit.kinds.nonlinear.kind import NonlinearKind
from solverkit.kinds.nonlinear.problem import BOUND_MULTIPLIERS, MULTIPLIERS, Nonlinear

if TYPE_CHECKING:
    from solverkit_sketched_newton.batch.newton import Bounds
    from solverkit_sketched_newton.batch.result import BatchResult


def certificates(
    objective: Any, constraints: Any, p: dict[str, Any], result: BatchResult, bounds: Bounds, tol: float
) -> tuple[Any, ...]:
    """One certificate a row, in float64 on the CPU."""
    count, n = result.x.shape
    kind = NonlinearKind()
    found = []
    host = {name: value.detach().cpu().double() for name, value in p.items()}
    for row in range(count):
        problem = single(objective, constraints, {name: value[row] for name, value in host.items()}, n, bounds, row)
        point = {
            "x": result.x[row].astype(float),
            MULTIPLIERS: result.multipliers[row].astype(float),
            BOUND_MULTIPLIERS: result.bound_multipliers[row].astype(float),
        }
        found.append(kind.certify(problem, point, tol, 0))
    return tuple(found)


def single(objective: Any, constraints: Any, p: dict[str, Any], n: int, bounds: Bounds, row: int = 0) -> Nonlinear:
    """One problem of the batch as a problem of its own."""
    from solverkit.expressions.torch_target import TorchFunction

    blocks = {"x": (n,)}
    f = TorchFunction.from_callable(lambda x: objective(x, p).reshape(()), blocks)
    c = None if constraints is None else TorchFunction.from_callable(lambda x: constraints(x, p), blocks)
    lower, upper, lowest, highest = (
        part.detach().cpu().double().numpy() for part in (bounds.lower, bounds.upper, bounds.lowest, bounds.highest)
    )
    return Nonlinear(
        name=f"batch-{row}",
        variables=(Block("x", (n,), np.zeros(n)),),
        objective_function=f,
        constraint_function=c,
        lower=lower,
        upper=upper,
        lowest=lowest,
        highest=highest,
    )
