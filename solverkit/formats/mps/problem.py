"""Linear programs out of MPS files."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import Defect, InvalidProblem
from solverkit.formats.files import Refused, read
from solverkit.formats.mps.model import Model, read_model
from solverkit.formats.mps.text import fixed, free
from solverkit.text import clean

if TYPE_CHECKING:
    from solverkit.kinds.inclusion.problem import Inclusion

MAX_BYTES = 1_000_000_000


def load_mps(path: Path) -> Inclusion:
    """The linear program in an MPS file, in free or fixed format. Raises InvalidProblem."""
    return program_in(path, read_either, "an MPS file")


def program_in(path: Path, reader: Callable[[bytes], Model], what: str) -> Inclusion:
    """The linear program in a file of the format that `reader` knows. Raises InvalidProblem with the place."""
    try:
        model = reader(read(path, MAX_BYTES, what))
    except Refused as refused:
        raise InvalidProblem([Defect(path.name, refused.line, refused.column, "", clean(refused.message))]) from None
    try:
        return problem_of(model, path.stem)
    except InvalidProblem as error:
        found = [Defect(path.name, 0, 0, defect.path, clean(defect.message)) for defect in error.defects]
        raise InvalidProblem(found) from None


def read_either(content: bytes) -> Model:
    """The model in free format, or in fixed format where that fails: names with blanks are of fixed format alone.

    Where both fail, what is wrong in free format is the better message for most files.
    """
    try:
        return read_model(content, free)
    except Refused as refused:
        try:
            return read_model(content, fixed)
        except Refused:
            raise refused from None


def problem_of(model: Model, name: str) -> Inclusion:
    """The problem that a model describes."""
    from solverkit.kinds.inclusion import linear_program

    rows = [row for row, kind in model.types.items() if kind != "N"]
    if not rows:
        raise InvalidProblem([Defect("", 0, 0, "", "there is no row but objectives; a program has at least one")])
    cost = np.array([column.get(model.objective, 0.0) for column in model.columns.values()])
    sides = np.array([_sides(model, row) for row in rows]).reshape(-1, 2)
    bounds = np.array([_bounds(model, column) for column in model.columns])
    _with_room(sides, "row", rows)
    _with_room(bounds, "column", list(model.columns))
    return linear_program(
        cost,
        _matrix(model, rows),
        sides[:, 0],
        sides[:, 1],
        bounds[:, 0],
        bounds[:, 1],
        model.constant,
        (tuple(model.columns), tuple(rows)),
        maximize=model.maximize,
        name=model.name or name,
    )


def _with_room(sides: np.ndarray, what: str, names: list[str]) -> None:
    """Refuse sides between which there is no number; those beyond 1e20 are infinite, as in all LP codes."""
    from solverkit.kinds.inclusion.forms import INFINITE

    lower, upper = sides[:, 0], sides[:, 1]
    wrong = np.flatnonzero((lower > upper) | (lower >= INFINITE) | (upper <= -INFINITE))
    if wrong.size:
        k = int(wrong[0])
        message = f"{what} '{names[k][:60]}' has lower side {lower[k]:g} and upper side {upper[k]:g}"
        raise InvalidProblem([Defect("", 0, 0, "", f"{message}, which leave no room for a number")])


def _matrix(model: Model, rows: list[str]) -> Any:
    from scipy.sparse import csr_array

    places = {row: k for k, row in enumerate(rows)}
    found = [
        (places[row], column, value)
        for column, entries in enumerate(model.columns.values())
        for row, value in entries.items()
        if row in places
    ]
    i, j, values = zip(*found, strict=True) if found else ((), (), ())
    shape = (len(rows), len(model.columns))
    return csr_array((np.array(values, dtype=float), (np.array(i, dtype=int), np.array(j, dtype=int))), shape=shape)


def _sides(model: Model, row: str) -> tuple[float, float]:
    """The sides of a row, from its type, its right-hand side and its range."""
    if row in model.between:
        return model.between[row]
    kind, side = model.types[row], model.sides.get(row, 0.0)
    if row not in model.ranges:
        return {"E": (side, side), "L": (-inf, side), "G": (side, inf)}[kind]
    span = model.ranges[row]
    if kind == "E":
        return min(side, side + span), max(side, side + span)
    return (side - abs(span), side) if kind == "L" else (side, side + abs(span))


def _bounds(model: Model, column: str) -> tuple[float, float]:
    return model.lower.get(column, 0.0), model.upper.get(column, inf)
