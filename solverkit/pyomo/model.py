"""A Pyomo model as a nonlinear problem, and an answer back on the model.

The model is written as an .nl file in memory; the writer says in which order it put variables and constraints, which is
the order of x and of the rows. Pyomo's `dual` and `rc` are shadow prices, d objective / d right-hand side:

    dual_i = -s y_i,    rc_j = -s z_j,    s = 1 for minimize, -1 for maximize,

with y and z of L = s objective + y'c + z'x (`solverkit.kinds.nonlinear`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import Defect, InvalidProblem, MissingPackage, UsageError
from solverkit.formats.files import Refused
from solverkit.formats.nl.model import read_model
from solverkit.formats.nl.problem import NlProblem, problem_of
from solverkit.text import clean

if TYPE_CHECKING:
    from solverkit.engine.result import Result

ACTIVE = 1e-5
"""Scaled distance to a bound within which a row is active, for multipliers that a method does not give."""


class NeverHolds(UsageError):
    """Bounds that leave no room, or a violated constraint without variables: the model is infeasible as it stands."""


@dataclass(frozen=True, eq=False)
class Written:
    """A model as it was written: the problem, and what its variables and rows are on the model."""

    model: Any
    problem: NlProblem
    variables: tuple[Any, ...]  # (n,) Pyomo variables in the order of x
    constraints: tuple[Any, ...]  # (m,) Pyomo constraints in the order of the rows


def write(model: Any) -> Written:
    """The nonlinear problem that a constructed model describes; fixed variables are numbers, deactivated parts absent.

    Raises InvalidProblem where the model has what is not solved here (discrete variables, disjunctions, imported
    functions, complementarity, several objectives), NeverHolds, MissingPackage.
    """
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
        raise InvalidProblem([Defect(name, 0, 0, "", refused.message)]) from None
    return Written(model, problem, tuple(info.variables), tuple(info.constraints))


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
    load : set the variables, and the suffixes `dual` and `rc` where the model imports them. The best point is loaded
        whatever the verdict is: look at `result.success`

    Raises what `write` and `solverkit.solve` raise.
    """
    from solverkit import api

    written = write(model)
    result = api.solve(written.problem, method, options, **how)
    if load:
        _load(written, result)
    return result


def load(written: Written, result: Result) -> None:
    """Put a result on the model that was written: values, and suffixes `dual` and `rc` that import.

    Raises UsageError where the result is of another problem."""
    if result.fingerprint != written.problem.fingerprint():
        raise UsageError(f"the result is of another problem than what was written of '{written.problem.name}'")
    _load(written, result)


def _load(written: Written, result: Result) -> None:
    from pyomo.core.staleflag import StaleFlagManager

    StaleFlagManager.mark_all_as_stale(delayed=True)
    for variable, value in zip(written.variables, written.problem.flat(result.point).tolist(), strict=True):
        variable.set_value(value, skip_validation=True)
    StaleFlagManager.mark_all_as_stale(delayed=True)  # what the user sets from now on is another solution
    wanted = {name: suffix for name in ("dual", "rc") if (suffix := _importing(written.model, name)) is not None}
    if not wanted:
        return
    prices = dict(zip(("dual", "rc"), shadow_prices(written.problem, result), strict=True))
    for name, suffix in wanted.items():
        components = written.constraints if name == "dual" else written.variables
        suffix.clear()
        for component, price in zip(components, prices[name].tolist(), strict=True):
            suffix[component] = price


def shadow_prices(problem: NlProblem, result: Result) -> tuple[np.ndarray, np.ndarray]:
    """d objective / d right-hand side of rows (m,) and of bounds (n,), as Pyomo and AMPL count them.

    From the multipliers of the answer; where the method gives none, by least squares as in the certificate."""
    from solverkit.kinds.nonlinear.local import Local
    from solverkit.kinds.nonlinear.multipliers import least_squares, of_point

    local = Local(problem, problem.flat(result.point), result.seed)
    found = of_point(local, result.point) or least_squares(local, ACTIVE)
    sign = 1.0 if problem.maximize else -1.0
    return sign * found.y + 0.0, sign * found.z + 0.0  # no negative zeros


def _importing(model: Any, name: str) -> Any:
    """The model's suffix of this name, where it is there to be filled."""
    suffix = getattr(model, name, None)
    enabled = getattr(suffix, "import_enabled", None)
    if enabled is None:
        return None
    return suffix if (enabled() if callable(enabled) else enabled) else None
