"""`minimize` with the arguments of `scipy.optimize.minimize`, and methods that SciPy's own function takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from solverkit.scipy_interface.callback import with_state
from solverkit.scipy_interface.options import divided, fields, method_name

if TYPE_CHECKING:
    from solverkit.engine.result import Result


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
    callback : `callback(x)`, `callback(intermediate_result)` or `callback(x, state)`; StopIteration, or True as its
        answer, ends the run
    options : the method's own, those of `sk.solve` (max_time, max_calls, seed, ...), and SciPy's names in
        `scipy_interface.options`; a name of SciPy's without a counterpart is refused with what to do instead

    Returns a Result, which is an OptimizeResult with `x, fun, jac, success, status, message, nit, nfev, ...`; `success`
    is true where the certificate holds. Raises InvalidArgument, which is a UsageError and a ValueError, for arguments
    that mean nothing, UsageError, Unsuitable and MissingPackage, all before any work.
    """
    from solverkit import api
    from solverkit.kinds.nonlinear.arguments import scipy_problem

    name = method_name(method)
    given = divided(options or {}, fields(name))
    problem = scipy_problem(fun, x0, args, jac, hess, hessp, bounds, constraints, rel_step=given.rel_step)
    run = given.run if tol is None else {**given.run, "tol": tol}
    result = api.solve(problem, name, given.own, callback=with_state(callback), **run)
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


def _gradient(problem: Any, x: Any) -> Any:
    """The gradient at the answer, None where it fails there."""
    try:
        return problem.gradient(x)
    except Exception:  # the user's own code may raise anything; the certificate has said so already
        return None
