"""A Pyomo model as a problem of ours, and an answer back on the model.

The model is written as an .nl file in memory; the writer says in which order it put variables and constraints, which is
the order of x and of the rows.

| model | kind |
|---|---|
| linear | inclusion, a linear program; nonlinear for a method of that kind, or where none of the other is there |
| anything else | nonlinear |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from solverkit.errors import Defect, InvalidProblem, MissingPackage, UsageError
from solverkit.formats.files import Refused
from solverkit.formats.nl.model import read_model
from solverkit.formats.nl.problem import NlProblem, problem_of
from solverkit.kinds.base import Block, Point
from solverkit.kinds.nonlinear.problem import MULTIPLIERS
from solverkit.pyomo.prices import fill
from solverkit.text import clean

if TYPE_CHECKING:
    from solverkit.engine.result import Result
    from solverkit.kinds.inclusion.problem import Inclusion

KINDS = ("nonlinear", "inclusion")
"""What a model can be."""

RELAX = (
    ": fix them, relax them by pyo.TransformationFactory('core.relax_integer_vars').apply_to(model), or take "
    "pyo.SolverFactory('highs') for linear models"
)


class NeverHolds(UsageError):
    """Bounds that leave no room, or a violated constraint without variables: the model is infeasible as it stands."""


@dataclass(frozen=True, eq=False)
class Written:
    """A model as it was written: the problem, and what its variables and rows are on the model."""

    model: Any
    problem: NlProblem | Inclusion
    nonlinear: NlProblem  # the same, before a linear one became a linear program
    variables: tuple[Any, ...]  # (n,) Pyomo variables in the order of x
    constraints: tuple[Any, ...]  # (m,) Pyomo constraints in the order of the rows

    def x(self, point: Point) -> np.ndarray:
        """(n,)"""
        return np.asarray(point["x"], dtype=float).ravel()

    def origin(self) -> Point:
        """A start at 0, or as close to it as the bounds allow."""
        blocks: dict[str, np.ndarray] = {block.name: np.zeros(block.shape) for block in self.problem.variables}
        return {**blocks, "x": np.clip(blocks["x"], self.nonlinear.lowest, self.nonlinear.highest)}


def write(model: Any, kind: str | None = None) -> Written:
    """The problem that a constructed model describes; fixed variables are numbers, deactivated parts absent.

    kind : "nonlinear" or "inclusion"; None takes the one that fits

    Raises InvalidProblem where the model has what is not solved here (discrete variables, disjunctions, imported
    functions, complementarity, several objectives), UsageError where it is none of the kind, NeverHolds,
    MissingPackage.
    """
    if kind not in (None, *KINDS):
        raise UsageError(
            f"a Pyomo model is a problem of the kind {' or '.join(KINDS)}, not '{kind}': take a method for one of these"
        )
    try:
        from pyomo.common.errors import InfeasibleConstraintException
        from pyomo.core.base.block import BlockData
        from pyomo.core.kernel.block import IBlock
        from pyomo.repn.plugins.nl_writer import NLWriter
    except ImportError:
        raise MissingPackage('Pyomo models need Pyomo; pip install "solverkit[pyomo]"') from None
    if not isinstance(model, (BlockData, IBlock)):
        raise UsageError(f"a Pyomo model or block is needed, not {type(model).__name__}")
    name = clean(model.name or "model")
    if not getattr(model, "is_constructed", lambda: True)():
        raise UsageError(f"model '{name}' is abstract; give what model.create_instance(...) returns")
    text = StringIO()
    try:
        info = NLWriter().write(model, text, linear_presolve=False, scale_model=False)
    except InfeasibleConstraintException as error:
        raise NeverHolds(f"model '{name}': {clean(error)}") from None
    except (ValueError, RuntimeError, NotImplementedError) as error:
        raise InvalidProblem([Defect(name, 0, 0, "", " ".join(str(error).split()))]) from None
    if len(info.objectives) > 1:
        names = ", ".join(clean(objective.name) for objective in info.objectives)
        message = f"has {len(info.objectives)} active objectives ({names}); deactivate all but one"
        raise InvalidProblem([Defect(name, 0, 0, "", message)])
    columns, rows = (tuple(part.name for part in parts) for parts in (info.variables, info.constraints))
    try:
        problem = problem_of(read_model(text.getvalue().encode()), name, columns, rows)
    except Refused as refused:
        _check_room(name, (*info.variables, *info.constraints))
        remedy = "" if all(part.is_continuous() for part in info.variables) else RELAX
        raise InvalidProblem([Defect(name, 0, 0, "", refused.message + remedy)]) from None
    parts = tuple(info.variables), tuple(info.constraints)
    linear = _is_linear(problem)
    if kind == "inclusion" and not linear:
        raise UsageError(
            f"model '{name}' is no linear program, which is what methods for 'inclusion' take of Pyomo: "
            f"{_nonlinear_part(*parts[1:], info.objectives)} is not linear. Take a method for 'nonlinear'"
        )
    as_program = kind == "inclusion" or (kind is None and linear and _takes_programs())
    posed = linear_program_of(problem) if as_program else problem
    return Written(model, posed, problem, *parts)


def method_kind(method: str | None) -> str | None:
    """The kind that a method is for, None where none is named. Raises UsageError for a name that is none."""
    from solverkit.registry import registry

    return None if method is None else registry.method(method).kind


def _takes_programs() -> bool:
    """Whether a method for the kind of linear programs is installed; methods for `nonlinear` take them too."""
    from solverkit.registry import registry

    return bool(registry.methods("inclusion"))


def _is_linear(problem: NlProblem) -> bool:
    rows = problem.constraint_function
    return problem.objective_function.degree in (0, 1) and (rows is None or rows.degree in (0, 1))


def _nonlinear_part(constraints: tuple[Any, ...], objectives: Any) -> str:
    """The first constraint or objective that is not linear, by name."""
    bodies = [(part, part.body) for part in constraints] + [(part, part.expr) for part in objectives]
    named = (clean(part.name) for part, body in bodies if body.polynomial_degree() not in (0, 1))
    return f"'{found}'" if (found := next(named, "")) else "a part of it"


def linear_program_of(problem: NlProblem) -> Inclusion:
    """The same as a linear program, its start and multipliers too. Bounds alone get a row that never binds."""
    from solverkit.kinds.inclusion.build import linear_program

    n, sign = problem.n, -1.0 if problem.maximize else 1.0
    origin = np.zeros(n)
    rows = problem.constraint_function
    if rows is None:
        matrix, sides = csr_array((1, n)), (np.array([-np.inf]), np.array([np.inf]))
    else:
        moved = problem.constraints(origin)
        matrix, sides = csr_array(problem.jacobian(origin)), (problem.lower - moved, problem.upper - moved)
    posed = linear_program(
        sign * problem.gradient(origin),
        matrix,
        *sides,
        problem.lowest,
        problem.highest,
        sign * problem.value(origin),
        (problem.column_names, problem.row_names),
        maximize=problem.maximize,
        name=problem.name,
    )
    start = problem.start(np.random.default_rng(0))
    x = np.clip(start["x"], problem.lowest, problem.highest)
    y = start.get(MULTIPLIERS, np.zeros(matrix.shape[0]))
    return replace(posed, variables=(Block("x", (n,), x), Block("y", (len(y),), y)))


def _check_room(name: str, parts: tuple[Any, ...]) -> None:
    """Raise NeverHolds for a variable or constraint whose lower bound is above its upper one."""
    for part in parts:
        low, high = part.lb, part.ub
        if low is not None and high is not None and low > high:
            raise NeverHolds(f"model '{name}': the bounds [{low:g}, {high:g}] of '{clean(part.name)}' leave no room")


def solve(
    model: Any, method: str | None = None, options: Mapping[str, Any] | None = None, *, load: bool = True, **how: Any
) -> Result:
    """Solve a model, certify the answer, and put it on the model.

    model : a constructed Pyomo model or block; its values are the start, and an exported `dual` suffix the multipliers
    method, options, **how : as in `solverkit.solve`
    load : set the variables, and the suffixes of `solverkit.pyomo.prices` where the model imports them. The best point
        is loaded whatever the verdict is: look at `result.success`

    Raises what `write` and `solverkit.solve` raise.
    """
    from solverkit import api

    written = write(model, method_kind(method))
    result = api.solve(written.problem, method, options, **how)
    if load:
        _load(written, result)
    return result


def load(written: Written, result: Result) -> None:
    """Put a result on the model that was written: values, and suffixes that import.

    Raises UsageError where the result is of another problem."""
    if result.fingerprint != written.problem.fingerprint():
        raise UsageError(f"the result is of another problem than what was written of '{written.problem.name}'")
    _load(written, result)


def _load(written: Written, result: Result) -> None:
    from pyomo.core.staleflag import StaleFlagManager

    StaleFlagManager.mark_all_as_stale(delayed=True)
    for variable, value in zip(written.variables, written.x(result.point).tolist(), strict=True):
        variable.set_value(value, skip_validation=True)
    StaleFlagManager.mark_all_as_stale(delayed=True)  # what the user sets from now on is another solution
    fill(written, result)
