"""A nonlinear problem from the arguments of `scipy.optimize.minimize`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import Bounds, HessianUpdateStrategy, LinearConstraint, NonlinearConstraint

from solverkit.errors import UsageError
from solverkit.kinds.base import Block
from solverkit.kinds.nonlinear.affine import Affine
from solverkit.kinds.nonlinear.callables import POINTS, HostFunction, Last
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit.kinds.nonlinear.rows import Part, joined

Pair = tuple[np.ndarray, np.ndarray]


class InvalidArgument(UsageError, ValueError):
    """An argument that means nothing; a ValueError, because that is what SciPy raises and its users catch."""


def scipy_problem(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    name: str = "minimize",
    *,
    rel_step: Any = None,
) -> Nonlinear:
    """The problem, with one block `x` (n,) that starts at x0. Arguments are SciPy's:

    fun : fun(x, *args) -> number; with jac=True -> (number, gradient)
    jac : jac(x, *args) -> (n,), True, or "2-point", "3-point", "cs"; None and False mean "3-point", because the
        error of SciPy's "2-point" is often above the tolerance of a certificate
    hess : hess(x, *args) -> (n, n) dense, sparse or a LinearOperator. Left out, "2-point" and the like, or an update
        strategy such as BFGS(): differences of the gradient take its place
    hessp : hessp(x, p, *args) -> (n,), instead of hess
    bounds : Bounds, or a sequence of (low, high) with None where open
    constraints : LinearConstraint, NonlinearConstraint, a dict with type, fun, jac, args, or a sequence of these
    rel_step : relative step of the differences of fun and of dicts, SciPy's `finite_diff_rel_step`: a number or (n,)

    What is taken by differences is in `Nonlinear.differences`. Raises InvalidArgument for what is no such argument, and
    for `keep_feasible`, which no method promises.
    """
    start = _vector(x0)
    box = _box(bounds, len(start))
    objective = _objective(fun, start, args, jac, hess, hessp, box, rel_step)
    parts = [_part(item, k, start, box, rel_step) for k, item in enumerate(_listed(constraints))]
    function, lower, upper, names = joined([part for part in parts if part.function.outputs], len(start))
    differences = [text for part in (objective, *(part.function for part in parts)) for text in _differences(part)]
    return Nonlinear(
        name=name,
        variables=(Block("x", (len(start),), start),),
        objective_function=objective,
        constraint_function=function,
        lower=lower,
        upper=upper,
        lowest=box[0],
        highest=box[1],
        row_names=names,
        differences=tuple(differences),
    )


def _vector(x0: Any) -> np.ndarray:
    start = np.atleast_1d(np.asarray(x0))
    if start.dtype.kind not in "fiub" or start.ndim > 1 or start.size == 0:
        raise InvalidArgument(f"x0 is one vector of real numbers; {start.dtype} of shape {start.shape} was given")
    start = start.astype(float)
    if not np.isfinite(start).all():
        raise InvalidArgument("x0 holds NaN or Inf; give a finite start")
    return start


def _box(bounds: Any, n: int) -> Pair:
    if bounds is None:
        return np.full(n, -np.inf), np.full(n, np.inf)
    if isinstance(bounds, Bounds):
        _no_promise(bounds, "bounds")
        low, high = bounds.lb, bounds.ub
    else:
        try:
            pairs = [(low, high) for low, high in bounds]
        except (TypeError, ValueError):
            raise InvalidArgument(
                "bounds is a Bounds object, or a sequence of (low, high) with None where open"
            ) from None
        if len(pairs) != n:
            raise InvalidArgument(f"bounds has {len(pairs)} pairs; x0 has {n} numbers")
        low = [-np.inf if pair[0] is None else pair[0] for pair in pairs]
        high = [np.inf if pair[1] is None else pair[1] for pair in pairs]
    return _sides(low, high, n, "bounds")


def _sides(low: Any, high: Any, count: int, label: str) -> Pair:
    """Two float vectors of `count`, which leave room for a point."""
    try:
        sides = [np.broadcast_to(np.asarray(side, dtype=float), count).copy() for side in (low, high)]
    except (TypeError, ValueError):
        raise InvalidArgument(
            f"{label}: the sides have shapes {np.shape(low)} and {np.shape(high)}, not ({count},)"
        ) from None
    wrong = ~(sides[0] <= sides[1]) | (sides[0] == np.inf) | (sides[1] == -np.inf)
    if wrong.any():
        k = int(np.flatnonzero(wrong)[0])
        raise InvalidArgument(f"{label}: {sides[0][k]:g} and {sides[1][k]:g} leave no room at element {k}")
    return sides[0], sides[1]


def _no_promise(item: Any, label: str) -> None:
    if np.any(item.keep_feasible):
        raise InvalidArgument(
            f"{label}: keep_feasible asks that no function is called outside, which no method promises; leave it out"
        )


def _objective(
    fun: Any, x0: np.ndarray, args: Any, jac: Any, hess: Any, hessp: Any, box: Pair, rel_step: Any
) -> HostFunction:
    args = args if isinstance(args, tuple) else (args,)
    if not callable(fun):
        raise InvalidArgument(f"fun is a function fun(x, *args), not {type(fun).__name__}")
    value: Callable[[np.ndarray], Any] = lambda x: fun(x, *args)  # noqa: E731
    first: Any
    if jac is True:
        both = _Both(fun, args)
        value, first = both.value, both.gradient
    elif callable(jac):
        first = lambda x: jac(x, *args)  # noqa: E731
    else:
        first = _points("3-point" if jac is None or jac is False else jac, "jac")
    second, products = None, None
    if callable(hess):
        second = lambda x, w: w[0] * hess(x, *args)  # noqa: E731
    elif hess is not None:
        _update_or_points(hess, "hess")
    if hessp is not None:
        if not callable(hessp):
            raise InvalidArgument(f"hessp is a function hessp(x, p, *args), not {type(hessp).__name__}")
        products = lambda x, w, d: w[0] * np.asarray(hessp(x, d, *args))  # noqa: E731
    identity = (fun, *(part for part in (jac, hess, hessp) if callable(part)), *args)
    return HostFunction(value, x0, 1, "f", first, second, products, box, rel_step=rel_step, identity=identity)


class _Both:
    """fun with jac=True: value and gradient of one call."""

    def __init__(self, fun: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._fun, self._args = fun, args
        self._both = Last(self._call)

    def _call(self, x: np.ndarray) -> tuple[Any, Any]:
        pair = self._fun(x, *self._args)
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError("with jac=True, fun returns (value, gradient)")
        return pair[0], pair[1]

    def value(self, x: np.ndarray) -> Any:
        return self._both(x)[0]

    def gradient(self, x: np.ndarray) -> Any:
        return self._both(x)[1]


def _points(given: Any, label: str) -> str:
    if given not in POINTS:
        raise InvalidArgument(f"{label} is a function, or one of {', '.join(map(repr, POINTS))}; {given!r} was given")
    return given


def _update_or_points(given: Any, label: str) -> None:
    """Whatever asks for no exact Hessian gets differences; anything else is a mistake."""
    if not isinstance(given, HessianUpdateStrategy):
        _points(given, label)


def _listed(constraints: Any) -> Sequence[Any]:
    if constraints is None:
        return ()
    single = isinstance(constraints, LinearConstraint | NonlinearConstraint | Mapping)
    return (constraints,) if single else tuple(constraints)


def _part(item: Any, position: int, x0: np.ndarray, box: Pair, rel_step: Any) -> Part:
    label = f"constraints[{position}]"
    if isinstance(item, LinearConstraint):
        return linear_part(item, label, len(x0))
    if isinstance(item, NonlinearConstraint):
        return _nonlinear(item, label, x0, box)
    if isinstance(item, Mapping):
        return _dict(item, label, x0, box, rel_step)
    known = "LinearConstraint, NonlinearConstraint or a dict with type and fun"
    raise InvalidArgument(f"{label} is {known}, not {type(item).__name__}")


def linear_part(item: LinearConstraint, label: str, inputs: int) -> Part:
    """The rows of a LinearConstraint over the whole flat vector; its matrix is not copied."""
    _no_promise(item, label)
    if item.A.shape[1] != inputs:
        raise InvalidArgument(f"{label}: A has {item.A.shape[1]} columns; x has {inputs} numbers")
    function = Affine(item.A)
    lower, upper = _sides(item.lb, item.ub, function.outputs, label)
    return Part(function, lower, upper, _names(label, function.outputs))


def _nonlinear(item: NonlinearConstraint, label: str, x0: np.ndarray, box: Pair) -> Part:
    _no_promise(item, label)
    second = item.hess if callable(item.hess) else None
    if second is None:
        _update_or_points(item.hess, f"{label}: hess")
    function = _rows(
        item.fun,
        x0,
        label,
        item.jac if callable(item.jac) else _points(item.jac, f"{label}: jac"),
        second,
        box,
        item.finite_diff_rel_step,
        item.finite_diff_jac_sparsity,
        (item.fun, item.jac, second),
    )
    lower, upper = _sides(item.lb, item.ub, function.outputs, label)
    return Part(function, lower, upper, _names(label, function.outputs))


def _dict(item: Mapping[str, Any], label: str, x0: np.ndarray, box: Pair, rel_step: Any) -> Part:
    unknown = sorted(set(item) - {"type", "fun", "jac", "args"})
    if unknown or "fun" not in item or str(item.get("type")).lower() not in ("eq", "ineq"):
        what = f"unknown key {unknown[0]!r}" if unknown else "it needs type 'eq' or 'ineq', and fun"
        raise InvalidArgument(f"{label}: a dict has type, fun, jac and args; {what}")
    args = item.get("args", ())
    args = args if isinstance(args, tuple) else (args,)
    fun, jac = item["fun"], item.get("jac")
    first = (lambda x: jac(x, *args)) if callable(jac) else _points(jac or "3-point", f"{label}: jac")
    function = _rows(lambda x: fun(x, *args), x0, label, first, None, box, rel_step, None, (fun, jac, *args))
    lower = np.zeros(function.outputs)
    upper = lower if str(item["type"]).lower() == "eq" else np.full(function.outputs, np.inf)
    return Part(function, lower, upper.copy(), _names(label, function.outputs))


def _rows(
    fun: Any, x0: np.ndarray, label: str, jac: Any, hess: Any, box: Pair, rel_step: Any, sparsity: Any, identity: Any
) -> HostFunction:
    """c as a function; called once at x0 to learn how many rows it has."""
    if not callable(fun):
        raise InvalidArgument(f"{label}: fun is a function, not {type(fun).__name__}")
    try:
        first = np.atleast_1d(np.asarray(fun(x0.copy())))
    except Exception as error:  # the user's own code may raise anything
        raise InvalidArgument(f"{label}: fun failed at x0: {type(error).__name__}: {error}") from error
    if first.dtype.kind not in "fiub" or first.ndim != 1:
        raise InvalidArgument(
            f"{label}: fun returned {first.dtype} of shape {first.shape}, not a vector of real numbers"
        )
    return HostFunction(
        fun, x0, len(first), label, jac, hess, None, box, rel_step=rel_step, sparsity=sparsity, identity=identity
    )


def _names(label: str, count: int) -> tuple[str, ...]:
    return (label,) if count == 1 else tuple(f"{label}[{row}]" for row in range(count))


def _differences(function: Any) -> list[str]:
    """What of a function is taken by differences, in words."""
    if not isinstance(function, HostFunction):
        return []
    found = []
    if function.by_differences:
        what = "gradient" if function.label == "f" else "Jacobian"
        found.append(f"{what} of {function.label} ({function.by_differences})")
    if function.second_by_differences:
        found.append(f"Hessian of {function.label}")
    return found
