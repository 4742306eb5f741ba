"""What a user gives: a problem, in any of its forms, and where to begin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solverkit.errors import InvalidProblem, UsageError
from solverkit.text import clean

if TYPE_CHECKING:
    from solverkit.kinds.base import Problem


def load(
    path: str | Path | Any,
    parameters: Mapping[str, float] | None = None,
    data: Mapping[str, Any] | None = None,
    allow_python: bool = False,
) -> Problem:
    """As `solverkit.load`."""
    from solverkit import formats

    if _is_pyomo(path):
        from solverkit.pyomo.model import write

        if parameters or data:
            raise UsageError("a Pyomo model has parameters and data of its own: change them on the model")
        return write(path).problem
    if _is_cvxpy(path):
        if parameters or data:
            raise UsageError("a CVXPY problem has data of its own: change them there")
        return reduction(path, None).problem
    return formats.load(Path(path), parameters=parameters, data=data, allow_python=allow_python)


def problem(given: Problem | str | Path, allow_python: bool, kind: str | None = None) -> tuple[Problem, str]:
    """The problem, and the absolute path of its file; empty for an object.

    kind : of the method, which decides for models that are problems of more than one"""
    from solverkit.kinds.base import Problem

    if isinstance(given, Problem):
        return given, ""
    if isinstance(given, (str, Path)):
        return load(given, allow_python=allow_python), str(Path(given).resolve())
    if _is_pyomo(given):
        from solverkit.pyomo.model import write

        return write(given, kind).problem, ""
    if _is_cvxpy(given):
        return load(given), ""
    known = "a Problem, the path of a file, a Pyomo model or a CVXPY problem"
    raise UsageError(f"a problem is {known}, not {type(given).__name__}")


def reduction(given: Any, kind: str | None) -> Any:
    """What a CVXPY problem is as one of ours, of `kind` where that is given; None for everything else."""
    if not _is_cvxpy(given):
        return None
    from solverkit.cvxpy.choose import reduce

    return reduce(given, kind)


def _is_cvxpy(given: Any) -> bool:
    """Whether it is a CVXPY problem, seen without importing CVXPY."""
    return any(base.__module__.partition(".")[0] == "cvxpy" for base in type(given).__mro__)


def _is_pyomo(given: Any) -> bool:
    """Whether it is a Pyomo model or block, seen without importing Pyomo."""
    return any(base.__module__.partition(".")[0] == "pyomo" for base in type(given).__mro__)


def start(owner: Problem, given: Any) -> Mapping[str, Any] | None:
    """Blocks to begin from, out of whatever the user has."""
    from solverkit.engine.result import Result

    if isinstance(given, (str, Path)):
        try:
            given = Result.load(given)
        except InvalidProblem as error:
            raise UsageError(f"start: {error}") from None
    if isinstance(given, Result):
        return given.point
    if given is None or isinstance(given, Mapping):
        return given
    import numpy as np

    try:
        vector = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        known = "a dict of blocks, a Result, its folder, or a vector"
        raise UsageError(f"start is {known}; not {type(given).__name__}") from None
    own = owner.start(np.random.default_rng(0))
    if hasattr(owner, "blocks") and hasattr(owner, "flat"):
        size = np.size(owner.flat(own))
        if vector.shape != (size,):
            own_shape = f"problem {clean(owner.name)!r} has ({size},)"
            raise UsageError(f"start: the vector has shape {vector.shape}; {own_shape}")
        return owner.blocks(vector)
    if len(own) == 1:
        return {next(iter(own)): vector}
    raise UsageError(f"start: give a dict with the blocks {', '.join(map(clean, own))}")
