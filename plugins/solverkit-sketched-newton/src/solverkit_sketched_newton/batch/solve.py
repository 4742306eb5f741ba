"""Many small problems of one structure, solved together by batched dense linear algebra on torch.

    min f(x, p_k)   s.t.   lower <= c(x, p_k) <= upper,   lowest <= x <= highest,      k = 1, ..., B

Every problem runs its own primal-dual barrier iteration (`newton`), but each operation is done for all of them at
once, on the CPU or a GPU by the same source. That pays for hundreds of problems of up to some hundred variables: model
predictive control, parameter studies, one fit a data set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit_sketched_newton.batch.functions import Batched, from_expression, parameters_of, the_torch
from solverkit_sketched_newton.batch.newton import Bounds, minimize
from solverkit_sketched_newton.batch.result import BatchResult


def solve_batch(
    objective: str | Callable[[Any, Any], Any],
    parameters: Mapping[str, Any] | Any,
    x0: Any,
    constraints: str | list[str] | Callable[[Any, Any], Any] | None = None,
    lower: Any = 0.0,
    upper: Any = 0.0,
    lowest: Any = -np.inf,
    highest: Any = np.inf,
    data: Mapping[str, Any] | None = None,
    tol: float = 1e-8,
    max_iter: int = 200,
    device: str = "cpu",
    dtype: str = "float64",
    certify: bool = False,
) -> BatchResult:
    """Solve the problems of all rows of `parameters`.

    objective : an expression in `x` and the parameters' names, or a torch function of (x, p), x (n,) and p a mapping of
        one problem's parameters; torch operations alone, no branches on values
    parameters : names to arrays (B, ...); a single array is the parameter `p`
    x0 : (n,) for all problems or (B, n)
    constraints : expressions, their rows one after the other, or a torch function (x, p) -> (m,)
    lower, upper : of the constraints, numbers or (m,), equal for equations
    lowest, highest : of x, numbers or (n,), lowest < highest
    data : constants of the expressions that all problems share
    tol : scaled KKT error of IPOPT's kind
    certify : check every answer by the certificate of the kind `nonlinear`, one by one, at 100 tol or 1e-6

    Raises UsageError for shapes that do not fit and devices that are not there.
    """
    torch = the_torch()
    if device != "cpu":
        from solverkit.expressions.torch_target import check_device

        check_device(device)
    where = {"device": device, "dtype": getattr(torch, dtype)}
    p, count = parameters_of(parameters, where)
    start = torch.as_tensor(np.array(x0), **where)
    if start.ndim == 1:
        start = start.expand(count, -1)
    if start.ndim != 2 or start.shape[0] != count:
        raise UsageError(f"x0 has shape {tuple(np.shape(x0))}; needs (n,) or ({count}, n) for {count} problems")
    n = start.shape[1]
    shapes = {name: tuple(value.shape[1:]) for name, value in p.items()}
    f = from_expression(objective, n, shapes, data or {}) if isinstance(objective, str) else objective
    if isinstance(constraints, str | list):
        c: Callable[[Any, Any], Any] | None = from_expression(constraints, n, shapes, data or {})
    else:
        c = constraints
    m = 0 if c is None else int(c(start[0], {name: value[0] for name, value in p.items()}).numel())
    bounds = Bounds.of(n, m, lower, upper, lowest, highest, where)
    found = minimize(Batched(f, c, n, m), p, start, bounds, tol, max_iter)
    result = BatchResult(**{name: value.cpu().numpy() for name, value in found.items()})
    if not certify:
        return result
    from solverkit_sketched_newton.batch.certificate import certificates

    checked = certificates(f, c, p, result, bounds, max(100 * tol, 1e-6))
    return BatchResult(**{**vars(result), "certificates": checked})
