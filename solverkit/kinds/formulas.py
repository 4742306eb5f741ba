"""Objectives and constraints of a problem: expressions, or functions written in Python with torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import MissingPackage
from solverkit.expressions import shapes as rule
from solverkit.kinds.base import Constraints
from solverkit.kinds.fields import Python
from solverkit.kinds.source import Nothing

if TYPE_CHECKING:
    from solverkit.expressions.function import Function
    from solverkit.kinds.base import Source
    from solverkit.kinds.source import KeyPath

    Formula = str | Python
    Shapes = Mapping[str, tuple[int, ...]]

SIDES = ("inequality", "equality")
"""Names of Python constraints: g(...) <= 0 and h(...) == 0."""


def objective(formula: Formula, shapes: Shapes, source: Source, path: KeyPath) -> Function:
    """The function of one number that a formula describes."""
    if isinstance(formula, str):
        return source.scalar(formula, path, shapes)
    function = _function(formula, shapes, source, path)
    if function.outputs != 1:
        source.defect(path, f"must give a single number, and gives {function.outputs}")
    return function


def constraints(formulas: Mapping[str, Formula], shapes: Shapes, source: Source, path: KeyPath) -> Constraints | None:
    """All constraints of a level: expressions by any name, or Python functions by the names of `SIDES`."""
    texts = {name: formula for name, formula in formulas.items() if isinstance(formula, str)}
    written = {name: formula for name, formula in formulas.items() if isinstance(formula, Python)}
    if not formulas:
        return None
    if not written:
        return source.constraints(texts, path, shapes)
    for name in formulas:
        if name not in SIDES or name in texts:
            source.defect(
                (*path, name),
                "beside Python constraints there are only `inequality` (<= 0) and `equality` (== 0) in Python",
            )
    parts = [(side, written[side]) for side in SIDES if side in written]
    if not parts:
        return None
    functions = [_function(part, shapes, source, (*path, side)) for side, part in parts]
    lower, names = [], []
    for (side, _), function in zip(parts, functions, strict=True):
        lower.append(np.full(function.outputs, -np.inf if side == "inequality" else 0.0))
        names += [f"{side}[{k}]" for k in range(function.outputs)]
    if source.defects:
        return None
    return Constraints(_stacked(functions), np.concatenate(lower), np.zeros(len(names)), tuple(names))


def _function(part: Python, shapes: Shapes, source: Source, path: KeyPath) -> Function:
    """A torch function of the blocks; a declared degree is believed where a probe agrees with it."""
    fun = source.python(part.python, path)
    if fun is not None and not callable(fun):
        source.defect(path, f"'{part.python}' is no function")
    if not callable(fun) or source.defects:
        return Nothing(sum(rule.size(shape) for shape in shapes.values()), 1)
    try:
        from solverkit.expressions.torch_target import TorchFunction

        function = TorchFunction.from_callable(fun, shapes)
        if part.degree is None:
            return function
        if has_degree(function, part.degree):
            return TorchFunction.from_callable(fun, shapes, degree=part.degree)
        source.defect(
            path, f"is not of degree {part.degree}: its derivatives differ between two points; leave `degree` out"
        )
    except MissingPackage:
        raise
    except Exception as error:  # the user's own code may raise anything
        text = " ".join(str(error).split())[:300]
        source.defect(path, f"the Python function cannot be used: {type(error).__name__}: {text}")
    return Nothing(sum(rule.size(shape) for shape in shapes.values()), 1)


def _stacked(functions: Sequence[Any]) -> Any:
    """The values of several torch functions of the same vector, one after the other."""
    if len(functions) == 1:
        return functions[0]
    import torch

    from solverkit.expressions.torch_target import BATCH_ELEMENTS, TorchFunction

    first = functions[0]
    degrees = [function.degree for function in functions]
    return TorchFunction(
        lambda z: torch.cat([function.tensor(z) for function in functions]),
        first.inputs,
        sum(function.outputs for function in functions),
        first.device,
        first.dtype,
        degree=None if None in degrees else max(degrees),
        digest=hashlib.sha256(" ".join(function.digest() for function in functions).encode()).hexdigest(),
        rebuild=lambda device, dtype: _stacked([function.to(device, dtype) for function in functions]),
        largest=BATCH_ELEMENTS // 32,
        reduce=(_stacked, (tuple(functions),)),
    )


def has_degree(function: Function, degree: int) -> bool:
    """Whether the derivatives at two random points agree with a polynomial of this degree (a probe, not a proof)."""
    rng = np.random.default_rng(0)
    here, there, direction = rng.standard_normal((3, function.inputs))
    weights = rng.standard_normal(function.outputs)

    def differ(a: np.ndarray, b: np.ndarray) -> bool:
        return not np.allclose(a, b, rtol=1e-6, atol=1e-9 * (1 + np.max(np.abs(a), initial=0.0)))

    if degree == 0:
        return not differ(function.value(here), function.value(there))
    if degree == 1:
        return not differ(function.vjp(here, weights), function.vjp(there, weights))
    return not differ(function.hvp(here, weights, direction), function.hvp(there, weights, direction))
