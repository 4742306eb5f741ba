"""Nonlinear problems out of .nl files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from solverkit.errors import Defect, InvalidProblem
from solverkit.formats.files import Refused, read
from solverkit.formats.nl.function import OBJECTIVE, ROWS, NlFunction
from solverkit.formats.nl.model import Model, read_model
from solverkit.formats.nl.names import read_names
from solverkit.kinds.base import Block, Point
from solverkit.kinds.nonlinear.problem import MULTIPLIERS, Nonlinear

BLOCK = "x"
"""The one block of variables of an .nl file, in the file's order."""

MAX_BYTES = 1_000_000_000


@dataclass(frozen=True, eq=False)
class NlProblem(Nonlinear):
    """A nonlinear problem in the words of the file that it comes from."""

    maximize: bool = False  # the file's objective is the negative of f
    column_names: tuple[str, ...] = ()  # (n,) where the file has them
    start_multipliers: np.ndarray | None = None  # (m,) y where the file suggests it

    def start(self, rng: np.random.Generator) -> Point:
        """The start of the file, with its multipliers where it has any."""
        point = super().start(rng)
        if self.start_multipliers is not None:
            point[MULTIPLIERS] = self.start_multipliers.copy()
        return point

    def objective(self, point: Point) -> float:
        """The file's objective, which is -f where it is maximized."""
        value = super().objective(point)
        return -value if self.maximize else value


def load_nl(path: Path) -> NlProblem:
    """The problem in an .nl file, with the names in .col and .row beside it. Raises InvalidProblem."""
    try:
        content = read(path, MAX_BYTES, "an .nl file")
        model = read_model(content)
        rows, objectives = model.header.constraints, model.header.objectives
        columns = read_names(path, ".col", (model.header.variables,), "variables")
        names = read_names(path, ".row", (rows, rows + objectives), "constraints")
        return problem_of(model, path.stem, columns, names)
    except Refused as refused:
        raise InvalidProblem([Defect(path.name, refused.line, refused.column, "", refused.message)]) from None


def problem_of(
    model: Model,
    name: str,
    column_names: tuple[str, ...] = (),
    row_names: tuple[str, ...] = (),
    expect: Mapping[str, Any] | None = None,
) -> NlProblem:
    """The problem that a model describes. `Refused` where it has discrete variables."""
    header = model.header
    if discrete := header.discrete():
        shown = ", ".join(column_names[k] if column_names else f"x[{k}]" for k in discrete[:5])
        more = f" and {len(discrete) - 5} more" if len(discrete) > 5 else ""
        raise Refused(f"the variables {shown}{more} are discrete; only continuous ones are solved here", 7, 1)
    lowest, highest = model.bounds["b"].T.copy()
    lower, upper = model.bounds["r"].T.copy() if header.constraints else np.zeros((2, 0))
    start = np.zeros(header.variables)
    start[model.start[0]] = model.start[1]
    return NlProblem(
        name=name,
        variables=(Block(BLOCK, (header.variables,), start),),
        objective_function=NlFunction(model, OBJECTIVE),
        constraint_function=NlFunction(model, ROWS) if header.constraints else None,
        lower=lower,
        upper=upper,
        lowest=lowest,
        highest=highest,
        row_names=row_names or tuple(f"c[{row}]" for row in range(header.constraints)),
        expect=expect or {},
        maximize=model.maximize,
        column_names=column_names,
        start_multipliers=_start_multipliers(model),
    )


def _start_multipliers(model: Model) -> np.ndarray | None:
    """y of L = f + y'c from the file's duals, which are d objective / d right-hand side."""
    rows, duals = model.duals
    if not len(rows):
        return None
    multipliers = np.zeros(model.header.constraints)
    multipliers[rows] = duals if model.maximize else -duals
    return multipliers
