"""The objectives of both levels, and what they are the means of.

A level with `samples: [A, labels, x]` has an objective that is a mean over the leading axis of all these names. That is
a claim about a text or a function, so it is probed when the problem is built: with the samples split into parts,

    f(z) = sum_k (|S_k| / N) f_{S_k}(z),      and the same for gradients,

at random points near the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse

from solverkit.errors import MissingPackage
from solverkit.expressions.errors import ExpressionError
from solverkit.expressions.tree import names as names_in
from solverkit.kinds import formulas
from solverkit.kinds.base import Block
from solverkit.kinds.bilevel.summands import Summands
from solverkit.kinds.source import Nothing

if TYPE_CHECKING:
    from solverkit.expressions.function import Function
    from solverkit.kinds.base import Source
    from solverkit.kinds.bilevel.schema import Level
    from solverkit.kinds.bilevel.terms import Terms

AGREES = 1e-8  # relative difference of values and gradients up to which an objective counts as a mean
POINTS = 2

Objective = tuple["Function", Summands | None]


@dataclass(frozen=True, eq=False)
class Given:
    """A `Summands` object where a file has a function."""

    summands: Summands

    def __call__(self, *blocks: Any) -> Any:
        raise TypeError("the terms of a mean over samples are evaluated by batches")


def build(
    level: Level, key: str, blocks: Sequence[Block], source: Source, modules: Mapping[str, Any] | None = None
) -> Objective:
    """The function of one level's `minimize`, and its terms where `samples` says that it is a mean; defects go to
    `source`."""
    path, shapes = (key, "minimize"), {block.name: block.shape for block in blocks}
    modules = {name: model for name, model in (modules or {}).items() if name in shapes}
    if isinstance(level.minimize, str):
        function = formulas.objective(level.minimize, shapes, source, path)
        sampled = _sampled(level, key, blocks, source)
        if not sampled or source.defects:
            return function, None
        return function, _expression(level.minimize, sampled, blocks, source, key)
    fun = level.minimize.python
    if isinstance(fun, Given):
        return _given(fun.summands, level, key, blocks, source)
    sampled = _sampled(level, key, blocks, source)
    fun = source.python(fun, path)
    constants = {**source.parameters, **source.data}
    if not callable(fun) or source.defects:
        return formulas.objective(level.minimize, shapes, source, path), None
    if not (sampled or modules or _takes(fun, constants, shapes)):
        return formulas.objective(level.minimize, shapes, source, path), None
    return _python(fun, level, key, sampled, blocks, modules, source)


def _takes(fun: Any, constants: Mapping[str, Any], shapes: Mapping[str, Any]) -> bool:
    """Whether a function asks for data or parameters by name, or has blocks by name and torch in its closure."""
    import inspect

    from solverkit.kinds.bilevel.terms import closes_over_module

    try:
        asked = list(inspect.signature(fun).parameters)
    except (TypeError, ValueError):
        return False
    return any(name in constants for name in asked) or (closes_over_module(fun) and set(asked) <= set(shapes))


def _sampled(level: Level, key: str, blocks: Sequence[Block], source: Source) -> dict[str, int]:
    """The names of `samples` with the lengths of their leading axes: all equal, or a defect."""
    shapes = {block.name: block.shape for block in blocks}
    lengths: dict[str, int] = {}
    for position, name in enumerate(level.samples):
        place = (key, "samples", position)
        value = source.data.get(name)
        shape = shapes.get(name, None if value is None else np.shape(value))
        if shape is None:
            known = ", ".join([*source.data, *shapes])
            source.defect(place, f"'{name}' is neither data nor a variable (there are: {known})")
        elif not shape:
            source.defect(place, f"'{name}' is a single number; samples are the leading axis of an array")
        elif name in lengths:
            source.defect(place, f"'{name}' is named twice")
        else:
            lengths[name] = int(shape[0])
    if len(set(lengths.values())) > 1:
        usual = max(set(lengths.values()), key=list(lengths.values()).count)
        for position, name in enumerate(level.samples):
            if lengths.get(name, usual) != usual:
                others = [other for other in lengths if lengths[other] == usual]
                message = f"'{name}' has {lengths[name]} rows, and {', '.join(others)} {usual}: one row a sample"
                source.defect((key, "samples", position), message)
    return lengths


# -- the three ways to say it


def _expression(
    text: str, sampled: Mapping[str, int], blocks: Sequence[Block], source: Source, key: str
) -> Summands | None:
    from solverkit.expressions.syntax import parse
    from solverkit.kinds.bilevel.terms import ExpressionTerms

    tree = parse(text)
    used = names_in(tree)
    constants = {name: value for name, value in {**source.parameters, **source.data}.items() if name in used}
    shapes = {block.name: block.shape for block in blocks}
    try:
        terms = ExpressionTerms(tree, shapes, constants, tuple(name for name in sampled if name in used))
    except ExpressionError as error:
        source.defect((key, "minimize"), error.message, error.offset)
        return None
    return _checked(terms, sampled, blocks, source, key)


def _python(
    fun: Any,
    level: Level,
    key: str,
    sampled: Mapping[str, int],
    blocks: Sequence[Block],
    modules: Mapping[str, Any],
    source: Source,
) -> Objective:
    from solverkit.kinds.bilevel.terms import PythonTerms
    from solverkit.kinds.bilevel.torch_objective import whole_function

    path, inputs = (key, "minimize"), sum(block.size for block in blocks)
    constants = {**source.parameters, **source.data}
    shapes = {block.name: block.shape for block in blocks}
    try:
        terms = PythonTerms(fun, shapes, constants, tuple(sampled), modules)
        sparse = [name for name in constants if issparse(constants[name]) and name in terms.names]
        if sparse and any(name not in sampled for name in sparse):
            source.defect(path, f"'{sparse[0]}' is sparse, which Python functions do not get; give it dense")
            return Nothing(inputs, 1), None
        degree = level.minimize.degree  # type: ignore[union-attr]
        function = whole_function(terms, {name: constants[name] for name in sampled if name in constants}, degree)
        function.value(np.concatenate([block.start.ravel() for block in blocks]))
        if degree is not None and not formulas.has_degree(function, degree):
            source.defect(path, f"is not of degree {degree}: its derivatives differ between two points")
    except MissingPackage:
        raise
    except Exception as error:  # the user's own code may raise anything
        text = " ".join(str(error).split())[:300]
        source.defect(path, f"the Python function cannot be used: {type(error).__name__}: {text}")
        return Nothing(inputs, 1), None
    if not sampled or source.defects:
        return function, None
    return function, _checked(terms, sampled, blocks, source, key)


def _given(summands: Summands, level: Level, key: str, blocks: Sequence[Block], source: Source) -> Objective:
    from solverkit.kinds.bilevel.whole import Whole

    inputs = sum(block.size for block in blocks)
    if level.samples:
        source.defect((key, "samples"), "a Summands object knows its samples; leave the names out")
    if not (isinstance(summands.count, int | np.integer) and summands.count >= 1):
        source.defect((key, "minimize"), f"needs at least one sample, not count = {summands.count}")
    if source.defects:
        return Nothing(inputs, 1), None
    return Whole(summands, inputs), _probed(summands, blocks, source, key)


def _checked(
    terms: Terms, sampled: Mapping[str, int], blocks: Sequence[Block], source: Source, key: str
) -> Summands | None:
    from solverkit.kinds.bilevel.batches import Batches

    variables = {block.name for block in blocks}
    data = {name: source.data[name] for name in sampled if name not in variables and name in terms.reads}
    by_sample = frozenset(name for name in sampled if name in variables)
    count = next(iter(sampled.values()))
    return _probed(Batches(terms, count, data, by_sample), blocks, source, key)


# -- the probe


def _probed(summands: Summands, blocks: Sequence[Block], source: Source, key: str) -> Summands | None:
    """The terms, where their weighted means over the parts of a partition give the mean over all of them."""
    start = np.concatenate([block.start.ravel() for block in blocks]).astype(float)
    rng = np.random.default_rng(0)
    order = rng.permutation(summands.count)
    parts = [part for part in (order[: max(summands.count // 2, 1)], order[max(summands.count // 2, 1) :]) if len(part)]
    try:
        for _ in range(POINTS):
            z = start + 0.1 * (1 + np.abs(start)) * rng.uniform(-1, 1, len(start))
            wrong = _difference(summands, z, order, parts)
            if wrong:
                source.defect((key, "minimize"), wrong)
                return None
    except MissingPackage:
        raise
    except Exception as error:  # the user's own code may raise anything
        text = " ".join(str(error).split())[:300]
        source.defect((key, "minimize"), f"cannot be evaluated on a batch: {type(error).__name__}: {text}")
        return None
    return summands


def _difference(summands: Summands, z: np.ndarray, order: np.ndarray, parts: list[np.ndarray]) -> str:
    """What is wrong at z, in a sentence; empty where the parts give the whole."""
    weights = [len(part) / len(order) for part in parts]
    values = [summands.value(z, part) for part in parts]
    slopes = [summands.gradient(z, part) for part in parts]
    whole, mean = summands.value(z, order), float(np.dot(weights, values))
    slope = summands.gradient(z, order)
    apart = np.abs(slope - sum(w * s for w, s in zip(weights, slopes, strict=True))).max(initial=0.0)
    size = max(abs(whole), *map(abs, values))
    steep = max(float(np.abs(s).max(initial=0.0)) for s in [slope, *slopes])
    if abs(whole - mean) <= AGREES * max(size, 1e-300) + 1e-14 and apart <= AGREES * max(steep, 1e-300) + 1e-14:
        return ""
    if not (np.isfinite(whole) and np.isfinite(mean)):
        return ""  # a point outside the domain tells nothing
    return (
        f"is not a mean over its {len(order)} samples: over all of them it is {whole:.6g}, over two parts of them "
        f"{mean:.6g} on average. Write mean(...) instead of sum(...) or sum(...)/N over the sample axis, also for "
        "terms in a sampled variable: mean(x**2)"
    )
