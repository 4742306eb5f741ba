"""Nonlinear problems from Python, without a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from solverkit.kinds.messages import found
from solverkit.kinds.nonlinear.kind import NonlinearKind
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit.kinds.nonlinear.schema import NonlinearFile
from solverkit.kinds.source import NamedSource, reserved


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
    subject_to : names to expressions, or `"inequality"` (<= 0) and `"equality"` (== 0) to torch functions
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
    for section, names in (("parameters", source.parameters), ("data", source.data)):
        for key in names:
            if message := reserved(key):
                source.defect((section, key), message)
    keys = {"variables": dict(variables), "minimize": minimize, "subject_to": dict(subject_to or {})}
    try:
        file = NonlinearFile.model_validate(keys)
    except ValidationError as error:
        for wrong in found(error, NonlinearFile, keys):
            source.defect(wrong.path, wrong.message, key=wrong.key)
        source.check()
        raise
    problem = NonlinearKind().build(file, source)
    source.check()
    return problem
