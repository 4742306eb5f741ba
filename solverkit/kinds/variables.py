"""Variables in problem files: their shapes, starts, and the simple sets in which they live."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from solverkit.kinds.base import Block
from solverkit.kinds.fields import Also, Name, Quantity, Scalar, Schema, Shape, exactly_one, refusal, what
from solverkit.kinds.source import reserved

if TYPE_CHECKING:
    from solverkit.kinds.base import Source
    from solverkit.kinds.source import KeyPath
    from solverkit.operators.sets import SimpleSet


class Ball(Schema):
    """||v - center|| <= radius."""

    center: Annotated[Quantity, Field(description="of the shape of the variable, or one number")] = 0
    radius: Annotated[Scalar, Field(description="at least 0")]


class Affine(Schema):
    """A v = b."""

    A: Annotated[Quantity, Field(description="matrix, (rows, length of the variable)")]
    b: Annotated[Quantity, Field(description="right-hand sides, (rows,)")]


class Polyhedron(Schema):
    """lower <= A v <= upper."""

    A: Annotated[Quantity, Field(description="matrix, (rows, length of the variable)")]
    lower: Annotated[Quantity, Field(description="(rows,) or one number; default: open")] = None
    upper: Annotated[Quantity, Field(description="(rows,) or one number; default: open")] = None


class NamedSet(Schema):
    """One of the sets with numbers of their own."""

    model_config = exactly_one("simplex", "ball", "affine", "polyhedron")

    simplex: Annotated[Scalar | None, Field(description="v >= 0 whose entries sum up to this number")] = None
    ball: Annotated[Ball | None, Field(description="||v - center|| <= radius")] = None
    affine: Annotated[Affine | None, Field(description="A v = b")] = None
    polyhedron: Annotated[Polyhedron | None, Field(description="lower <= A v <= upper")] = None

    @model_validator(mode="after")
    def _one(self) -> NamedSet:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise refusal(f"must name one set: {_SETS}")
        return self


def _short(value: Any) -> Any:
    """`set: simplex` is short for `set: {simplex: 1}`."""
    if value == "simplex":
        return {"simplex": 1}
    if value is None or isinstance(value, dict | NamedSet):
        return value
    raise refusal(f"must be simplex, or one of {_SETS} with its numbers, not {what(value)}")


_SETS = ", ".join(NamedSet.model_fields)

Set = Annotated[NamedSet | None, BeforeValidator(_short), Also({"const": "simplex"})]


class Variable(Schema):
    """One block of variables."""

    shape: Annotated[Shape, Field(description="[] for a scalar, n for a vector, [m, n] for a matrix")] = ()
    start: Annotated[Quantity, Field(description="where methods begin; may lie outside of the set")] = 0
    lower: Annotated[Quantity, Field(description="elementwise lower bounds")] = None
    upper: Annotated[Quantity, Field(description="elementwise upper bounds")] = None
    set: Annotated[Set, Field(description="a simple convex set, instead of bounds")] = None


Variables = dict[Name, Variable]


def build(variables: Mapping[str, Variable], source: Source, path: KeyPath) -> tuple[tuple[Block, ...], SimpleSet]:
    """The blocks, and the set of their concatenation; defects go to `source`."""
    from solverkit.operators.sets import Free, Product

    blocks: list[Block] = []
    sets: list[tuple[slice, SimpleSet]] = []
    offset = 0
    for name, variable in variables.items():
        place = (*path, name)
        _check_name(name, source, place)
        shape = source.shape(variable.shape, (*place, "shape"))
        start = source.array(variable.start, shape, (*place, "start"))
        if not np.isfinite(start).all():
            source.defect((*place, "start"), "a start is finite")
        block = Block(name, shape, start)
        simple = _simple_set(variable, block, source, place)
        if simple is not None:
            sets.append((slice(offset, offset + block.size), simple))
        blocks.append(block)
        offset += block.size
    if not sets:
        return tuple(blocks), Free()
    if len(blocks) == 1:
        return tuple(blocks), sets[0][1]
    return tuple(blocks), Product(sets)


def _check_name(name: str, source: Source, place: KeyPath) -> None:
    problem = reserved(name)
    if not problem and name in source.parameters:
        problem = f"'{name}' is a parameter already; choose another name"
    if not problem and name in source.data:
        problem = f"'{name}' is data already; choose another name"
    if problem:
        source.defect(place, problem, key=True)


def _simple_set(variable: Variable, block: Block, source: Source, place: KeyPath) -> SimpleSet | None:
    if variable.set is None:
        return _box(variable, block, source, place)
    place = (*place, "set")
    if variable.lower is not None or variable.upper is not None:
        source.defect(place, "a set and bounds together have no cheap projection; put one in subject_to")
        return None
    before = len(source.defects)
    make = _named_set(variable.set, block, source, place)
    if len(source.defects) > before:
        return None
    try:
        return make()
    except ValueError as error:  # what only the set itself can see, such as equations without a solution
        source.defect(place, str(error))
        return None


def _named_set(chosen: NamedSet, block: Block, source: Source, place: KeyPath) -> Callable[[], SimpleSet]:
    """How to make the set, once no defect was found in its numbers."""
    from solverkit.operators import sets

    if chosen.ball is not None:
        center = source.array(chosen.ball.center, block.shape, (*place, "ball", "center")).ravel()
        radius = _positive(chosen.ball.radius, "radius", source, (*place, "ball", "radius"))
        if not np.isfinite(center).all():
            source.defect((*place, "ball", "center"), "a center is finite")
        return lambda: sets.Ball(center, radius)
    if chosen.affine is not None:
        place = (*place, "affine")
        A = source.matrix(chosen.affine.A, block.size, (*place, "A"))
        b = source.array(chosen.affine.b, (A.shape[0],), (*place, "b"))
        if not np.isfinite(b).all():
            source.defect((*place, "b"), "a right-hand side is finite")
        return lambda: sets.Affine(A, b)
    if chosen.polyhedron is not None:
        place = (*place, "polyhedron")
        A = source.matrix(chosen.polyhedron.A, block.size, (*place, "A"))
        lower, upper = _bounds(chosen.polyhedron, (A.shape[0],), source, place)
        return lambda: sets.Polyhedron(A, lower, upper)
    total = _positive(chosen.simplex, "total", source, (*place, "simplex"))
    return lambda: sets.Simplex(total, block.size)


def _positive(value: Any, word: str, source: Source, place: KeyPath) -> float:
    before = len(source.defects)
    number = source.number(value, place)
    if len(source.defects) == before and not 0 < number < np.inf:
        source.defect(place, f"a {word} is positive and finite, not {number:g}")
    return number


def _box(variable: Variable, block: Block, source: Source, place: KeyPath) -> SimpleSet | None:
    from solverkit.operators.sets import Box

    if variable.lower is None and variable.upper is None:
        return None
    before = len(source.defects)
    lower, upper = _bounds(variable, block.shape, source, place)
    if len(source.defects) > before or (np.isneginf(lower).all() and np.isposinf(upper).all()):
        return None
    return Box(lower, upper)


def _bounds(
    given: Variable | Polyhedron, shape: tuple[int, ...], source: Source, place: KeyPath
) -> tuple[np.ndarray, np.ndarray]:
    """`lower` and `upper`, ravelled, infinite where they are left out; a defect where they leave no room."""
    before = len(source.defects)
    lower = source.array(-np.inf if given.lower is None else given.lower, shape, (*place, "lower")).ravel()
    upper = source.array(np.inf if given.upper is None else given.upper, shape, (*place, "upper")).ravel()
    wrong = np.flatnonzero((lower > upper) | (lower == np.inf) | (upper == -np.inf))
    if wrong.size and len(source.defects) == before:
        k = wrong[0]
        where = f" at element {k}" if lower.size > 1 else ""
        key = "upper" if given.lower is None else "lower"
        source.defect(
            (*place, key), f"the lower bound {lower[k]:g} and the upper bound {upper[k]:g} leave no room{where}"
        )
    return lower, upper
