"""Solvers to give to `implicit`: the methods of this library, and quadratic programs.

minimize 1/2 x'P x + q'x      subject to  A x = b,  G x <= h
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from solverkit.errors import UsageError
from solverkit.implicit.checks import NotASolution
from solverkit.implicit.conditions import KKT
from solverkit.implicit.function import Implicit, implicit

Tensor = torch.Tensor


class ByMethod:
    """problem(*theta) solved by a method of this library; `result` is that of the last call, with its certificate."""

    def __init__(
        self,
        problem: Callable[..., Any],
        method: str | None,
        blocks: str | Sequence[str] | None,
        settings: dict[str, Any],
    ) -> None:
        self.problem, self.method, self.settings = problem, method, settings
        self.blocks = blocks
        self.result: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from solverkit import api

        self.result = api.solve(self.problem(*args, **kwargs), self.method, **self.settings)
        point = self.result.point
        names = [self.blocks] if isinstance(self.blocks, str) else list(self.blocks or point)
        missing = [name for name in names if name not in point]
        if missing:
            raise UsageError(f"{missing} are no blocks of the answer ({', '.join(point)})")
        return point[self.blocks] if isinstance(self.blocks, str) else {name: point[name] for name in names}


def by_method(
    problem: Callable[..., Any], method: str | None = None, blocks: str | Sequence[str] | None = None, **settings: Any
) -> ByMethod:
    """A solver for `implicit`: `sk.solve(problem(*theta), method, **settings)`.

    problem : gets detached tensors and returns a problem of any kind
    blocks : the block of the answer that is y (a tensor), or names (a dict of tensors); all of them by default
    settings : of `sk.solve`: options, tol, max_time, seed, ...
    """
    return ByMethod(problem, method, blocks, settings)


def quadratic_program(**options: Any) -> QuadraticProgram:
    """(P, q, A, b, G, h) -> {"x", "equality", "inequality"} of a convex quadratic program, differentiable by all six.

    P (n, n) symmetric positive semidefinite, q (n,), A (p, n), b (p,), G (m, n), h (m,); (A, b) or (G, h) may be None.
    Solved by Clarabel in float64 on the host, then by one Newton step on the KKT conditions. NotASolution says
    infeasible or unbounded. options : those of `implicit`.
    """
    return QuadraticProgram(implicit(_solved, _conditions, **{"refine": 1, **options}))


class QuadraticProgram:
    """Takes the six arguments by position or by name."""

    def __init__(self, inner: Implicit) -> None:
        self.inner = inner

    def __call__(
        self,
        P: Tensor,
        q: Tensor,
        A: Tensor | None = None,
        b: Tensor | None = None,
        G: Tensor | None = None,
        h: Tensor | None = None,
    ) -> dict[str, Tensor]:
        return self.inner(P, q, A, b, G, h)


def _conditions(y: dict[str, Tensor], P: Tensor, q: Tensor, A: Any, b: Any, G: Any, h: Any) -> dict[str, Tensor]:
    kkt = KKT(
        lambda x: 0.5 * x @ (P @ x) + q @ x,
        None if A is None else lambda x: A @ x - b,
        None if G is None else lambda x: G @ x - h,
    )
    return kkt(y)


def _solved(P: Tensor, q: Tensor, A: Any, b: Any, G: Any, h: Any) -> dict[str, np.ndarray]:
    from scipy.sparse import csr_array, vstack

    from solverkit.operators.qp import solve_qp

    n = len(q)
    blocks, lower, upper = [csr_array((0, n))], [np.zeros(0)], [np.zeros(0)]
    for matrix, side, equal in ((A, b, True), (G, h, False)):
        if matrix is None:
            continue
        right = _host(side)
        blocks.append(csr_array(_host(matrix).reshape(-1, n)))
        upper.append(right)
        lower.append(right if equal else np.full(len(right), -np.inf))
    rows = csr_array(vstack(blocks))
    found = solve_qp(csr_array(_host(P)), _host(q), rows, np.concatenate(lower), np.concatenate(upper))
    if not found.ok:
        raise NotASolution(f"the quadratic program is {found.outcome.value}")
    answer, first = {"x": found.v}, 0 if A is None else len(b)
    if A is not None:
        answer["equality"] = found.multiplier[:first]
    if G is not None:
        answer["inequality"] = np.maximum(found.multiplier[first:], 0.0)
    return answer


def _host(values: Tensor) -> np.ndarray:
    return values.detach().cpu().double().numpy()
