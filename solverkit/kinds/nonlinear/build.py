"""Nonlinear problems from Python, without a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scipy.optimize import LinearConstraint

from solverkit.kinds import from_python
from solverkit.kinds.nonlinear.arguments import linear_part
from solverkit.kinds.nonlinear.kind import NonlinearKind
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit.kinds.nonlinear.rows import Part, joined
from solverkit.kinds.source import NamedSource


def nonlinear(
    variables: Mapping[str, Any],
    minimize: Any = "0",
    subject_to: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    parameters: Mapping[str, float] | None = None,
    name: str = "nonlinear",
    expect: Mapping[str, Any] | None = None,
) -> Nonlinear:
    """A nonlinear problem from the keys of a problem file, with Python functions where a file has texts.

    variables : names to `{shape, start, lower, upper, set}`
    minimize : an expression, a torch function of the blocks by name (`lambda x, y: ...`), or
        `{"python": function, "degree": 2}` to declare it quadratic, which is probed; left out for systems of equations
    subject_to : names to expressions, or `"inequality"` (<= 0) and `"equality"` (== 0) to torch functions; or names
        to SciPy's LinearConstraint over the flat vector of all variables, whose matrix is not copied
    data : name -> array or sparse matrix, for expressions
    parameters : name -> number, for expressions

    Raises `InvalidProblem` with everything that is wrong.

        problem = nonlinear(
            variables={"x": dict(shape=2, start=[-1.2, 1])},
            minimize="100*(x[1] - x[0]**2)**2 + (1 - x[0])**2",
            subject_to={"disc": "sum(x**2) <= 2"},
        )
    """
    source = NamedSource(name, parameters, data, expect)
    given = dict(subject_to or {})
    matrices = {key: given.pop(key) for key, item in list(given.items()) if isinstance(item, LinearConstraint)}
    keys = {"variables": dict(variables), "minimize": minimize, "subject_to": given}
    problem: Nonlinear = from_python.build(NonlinearKind(), keys, source)
    return _with_matrices(problem, matrices) if matrices else problem


def _with_matrices(problem: Nonlinear, matrices: Mapping[str, LinearConstraint]) -> Nonlinear:
    """More rows, after the others."""
    parts = [linear_part(item, name, problem.n) for name, item in matrices.items()]
    if problem.constraint_function is not None:
        parts.insert(0, Part(problem.constraint_function, problem.lower, problem.upper, problem.row_names))
    function, lower, upper, names = joined(parts, problem.n)
    return replace(problem, constraint_function=function, lower=lower, upper=upper, row_names=names)
