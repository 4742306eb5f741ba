"""`minimize` with the arguments of `scipy.optimize.minimize`, and methods that SciPy's own function takes.

result = sk.minimize(fun, x0, constraints=..., bounds=...)
result = scipy.optimize.minimize(fun, x0, method=sk.scipy_method("sketched-newton"), constraints=...)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from solverkit.errors import UsageError

if TYPE_CHECKING:
    from solverkit.engine.result import Result

RUN = ("max_iter", "max_time", "max_calls", "seed", "device", "dtype", "out", "checkpoint", "target", "progress")
"""Entries of `options` that belong to the run and not to the method: those of `sk.solve`."""


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str | None = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Result:
    """Minimize a function of one vector subject to bounds and constraints, and certify the answer.

    Parameters
    ----------
    fun, x0, args, jac, hess, hessp, bounds, constraints : as in SciPy, see `kinds.nonlinear.scipy_problem`. Without
        `jac` the gradient is taken by 3-point differences, without `hess` or `hessp` the Hessian by differences of
        the gradient; `result.notes` says which
    method : name of an installed method for nonlinear problems; None picks the preferred one that fits
    tol : of the certificate, 1e-6 by default
    callback : `callback(x)` or `callback(intermediate_result)`; StopIteration ends the run
    options : the method's own, SciPy's `maxiter` and `disp`, and those of `sk.solve`: max_time, max_calls, seed, ...

    Returns a Result, which is an OptimizeResult with `x, fun, jac, success, status, message, nit, nfev, ...`; `success`
    is true where the certificate holds. Raises UsageError, Unsuitable and MissingPackage before any work.
    """
    from solverkit import api
    from solverkit.kinds.nonlinear.arguments import scipy_problem

    problem = scipy_problem(fun, x0, args, jac, hess, hessp, bounds, constraints)
    own, run = _divided(dict(options or {}))
    if tol is not None:
        run["tol"] = tol
    result = api.solve(problem, method, own, callback=callback, **run)
    result.notes[:0] = [f"by differences: {text}" for text in problem.differences]
    result.jac = _gradient(problem, result.x)
    return result


def scipy_method(name: str | None = None) -> Callable[..., Result]:
    """A callable for `scipy.optimize.minimize(..., method=scipy_method("ipopt"))`; SciPy's options are passed on."""

    def method(fun: Callable[..., Any], x0: Any, args: Any = (), **given: Any) -> Result:
        known = {key: given.pop(key, None) for key in ("jac", "hess", "hessp", "bounds", "constraints", "callback")}
        known["constraints"] = () if known["constraints"] is None else known["constraints"]
        tol = given.pop("tol", None)
        return minimize(fun, x0, args, name, tol=tol, options=given, **known)

    return method


def _divided(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the method's options, what belongs to the run)."""
    run = {name: options.pop(name) for name in RUN if name in options}
    if "maxiter" in options:
        if "max_iter" in run:
            raise UsageError("options: maxiter and max_iter are the same; give one")
        run["max_iter"] = options.pop("maxiter")
    if "disp" in options:
        run.setdefault("progress", bool(options.pop("disp")))
    for name, instead in (("maxfev", "max_calls"), ("maxfun", "max_calls")):
        if name in options:
            raise UsageError(f"options: {name} counts one function only; {instead} limits all oracle calls together")
    return options, run


def _gradient(problem: Any, x: Any) -> Any:
    """The gradient at the answer, None where it fails there."""
    try:
        return problem.gradient(x)
    except Exception:  # the user's own code may raise anything; the certificate has said so already
        return None
