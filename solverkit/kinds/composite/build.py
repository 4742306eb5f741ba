"""Composite problems from Python, without a file. `InvalidProblem` or `UsageError` say what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds import from_python
from solverkit.kinds.composite.kind import CompositeKind
from solverkit.kinds.composite.kinks import Called
from solverkit.kinds.composite.linear_maps import Matrix
from solverkit.kinds.composite.parts import Nonsmooth, Simple, Smooth, Structured
from solverkit.kinds.composite.problem import Composite
from solverkit.kinds.composite.terms import Euclidean, Outer
from solverkit.kinds.source import NamedSource
from solverkit.operators.proximal import ProximalMap

Functions = tuple[Callable[[np.ndarray], float], Callable[[np.ndarray], np.ndarray]]


def composite(
    *,
    variables: Mapping[str, Any],
    smooth: str | Mapping[str, Any] | Callable[..., Any] | Functions | Smooth | None = None,
    nonsmooth: str | Mapping[str, Any] | Callable[..., Any] | tuple[Any, Any] | Nonsmooth | Structured | None = None,
    simple: str | ProximalMap | Simple | None = None,
    strong: float = 0.0,
    geometry: str = "euclidean",
    lipschitz: float | None = None,
    data: Mapping[str, Any] | None = None,
    parameters: Mapping[str, float] | None = None,
    name: str = "composite",
    expect: Mapping[str, Any] | None = None,
) -> Composite:
    """min f(x) + h(x) + chi(x).

    variables : name -> `{shape, start, lower, upper, set}` of the one variable, as in a problem file
    smooth : f as in a problem file (text, `{"least_squares": {"matrix": A, "targets": b}}`, `{"samples": ..., "term":
        ...}`), a torch function, (value, gradient) of NumPy arrays x (n,), or an object that is a `parts.Smooth`
    nonsmooth : h as in a problem file; (K, g) with K sparse, dense or a SciPy LinearOperator and g a proximal map;
        (value, subgradient) of NumPy arrays; a torch function; an object that is a `parts.Structured` or `Nonsmooth`
    simple : chi as in a problem file, a proximal map r for chi = r + (strong / 2) ||x||^2, or a `parts.Simple`; a map
        or an object stands in place of the variable's set as well
    strong : mu of a proximal map given as `simple`
    lipschitz : L of the gradient of f, where you know it

        composite(
            variables={"x": dict(shape=100)},
            smooth={"least_squares": {"matrix": A, "targets": b}},
            nonsmooth="0.1*total_variation(x)",
            simple="0.005*sum(x**2)",
        )
    """
    form: dict[str, Any] = {"variables": dict(variables), "geometry": geometry, "lipschitz": lipschitz}
    own: dict[str, Any] = {}
    for key, given, in_file in (
        ("smooth", smooth, _readable(smooth)),
        ("nonsmooth", nonsmooth, _readable(nonsmooth)),
        ("simple", simple, simple is None or isinstance(simple, str)),
    ):
        if in_file:
            form[key] = given
        else:
            own[key] = given
    frame = _from_file(form, name, data, parameters, expect)
    if "smooth" in own:
        frame = replace(frame, smooth=_smooth(own["smooth"], frame.n, lipschitz))
    if "nonsmooth" in own:
        frame = replace(frame, **_nonsmooth(own["nonsmooth"], frame.n))
    if "simple" in own:
        frame = replace(frame, simple=_simple(own["simple"], frame.n, strong))
    elif strong:
        raise UsageError("strong belongs to a proximal map given as `simple`; in a text write 0.5*mu*sum(x**2)")
    return _checked(frame)


def _readable(given: Any) -> bool:
    """Whether a problem file could say it, or a torch function stands in its place."""
    if given is None or isinstance(given, str | Mapping):
        return True
    return callable(given) and not isinstance(given, Smooth | Nonsmooth | Structured)


def _smooth(given: Any, size: int, lipschitz: float | None) -> Smooth:
    if isinstance(given, tuple):
        if len(given) != 2 or not all(map(callable, given)):
            raise UsageError("smooth: a pair is (value, gradient), two functions of x")
        return Called(*given, size, lipschitz)
    if isinstance(given, Smooth):
        return given
    raise UsageError(f"smooth: {type(given).__name__} is no text, mapping, function, pair of functions or Smooth")


def _nonsmooth(given: Any, size: int) -> dict[str, Any]:
    if isinstance(given, tuple):
        first, second = given if len(given) == 2 else (None, None)
        if isinstance(second, ProximalMap) and getattr(first, "shape", None) is not None:
            return {"structured": Outer(Matrix(first), second)}
        if callable(first) and callable(second):
            return {"nonsmooth": Called(first, second, size)}
        raise UsageError("nonsmooth: a pair is (K, g), g a proximal map, or (value, subgradient), functions of x")
    if isinstance(given, Structured):
        return {"structured": given}
    if isinstance(given, Nonsmooth):
        return {"nonsmooth": given}
    raise UsageError(f"nonsmooth: {type(given).__name__} is no text, mapping, pair, Structured or Nonsmooth")


def _simple(given: Any, size: int, strong: float) -> Simple:
    if isinstance(given, ProximalMap):
        if not 0 <= strong < np.inf:
            raise UsageError(f"strong is a number >= 0, not {strong}")
        return Euclidean(size, given, strong)
    if strong:
        raise UsageError("strong belongs to a proximal map given as `simple`")
    if isinstance(given, Simple):
        return given
    raise UsageError(f"simple: {type(given).__name__} is no text, proximal map or Simple")


def _checked(problem: Composite) -> Composite:
    """The problem, if its parts are of one size and give finite numbers of the right shapes at the start."""
    parts = {name: getattr(problem, name) for name in ("smooth", "structured", "nonsmooth", "simple")}
    for name, part in parts.items():
        if part is not None and part.size != problem.n:
            raise UsageError(f"{name} is of {part.size} numbers, and the variable has {problem.n}")
    x = problem.variable.start.ravel()
    try:
        gradient = problem.smooth_gradient(x)
        subgradient = problem.subgradient(x)
        fine = gradient.shape == subgradient.shape == (problem.n,)
    except (ValueError, TypeError) as error:
        raise UsageError(f"the parts of {problem.name!r} cannot be used at the start: {error}") from None
    if not fine:
        raise UsageError(f"gradients have shapes {gradient.shape} and {subgradient.shape}, not ({problem.n},)")
    return problem


def _from_file(
    document: dict[str, Any],
    name: str,
    data: Mapping[str, Any] | None,
    parameters: Mapping[str, float] | None,
    expect: Mapping[str, Any] | None,
) -> Composite:
    """What a problem file with these keys gives."""
    arrays = {key: value if hasattr(value, "tocsr") else np.asarray(value) for key, value in (data or {}).items()}
    source = NamedSource(name, parameters, arrays, expect)
    problem: Composite = from_python.build(CompositeKind(), document, source)
    return problem
