"""Bilevel problems from Python, without a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from solverkit.kinds.bilevel.kind import BilevelKind
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.kinds.bilevel.schema import BilevelFile
from solverkit.kinds.messages import found
from solverkit.kinds.source import NamedSource, reserved


def bilevel(
    upper: Mapping[str, Any],
    lower: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
    parameters: Mapping[str, float] | None = None,
    name: str = "bilevel",
    expect: Mapping[str, Any] | None = None,
) -> Bilevel:
    """A bilevel problem from the keys of a problem file, with Python functions where a file has texts.

    upper, lower : `variables`, `minimize`, `subject_to`, and for the lower level `convex`. `variables` maps names to
        `{shape, start, lower, upper, set}`. `minimize` is an expression, a torch function of the blocks by name
        (`lambda x, y: ...`), or `{"python": function, "degree": 2}` to declare it quadratic, which is probed.
        `subject_to` maps names to expressions, or `"inequality"` (<= 0) and `"equality"` (== 0) to torch functions
    data : name -> array or sparse matrix, for expressions
    parameters : name -> number, for expressions

    Raises `InvalidProblem` with everything that is wrong.

        problem = bilevel(
            upper=dict(variables={"x": dict(shape=2, start=1.0)}, minimize=lambda x, y: ((x - y) ** 2).sum()),
            lower=dict(variables={"y": dict(shape=2)}, minimize="0.5*sum(y**2) - dot(x, y)"),
        )
    """
    source = NamedSource(name, parameters, data, expect)
    for section, names in (("parameters", source.parameters), ("data", source.data)):
        for key in names:
            if message := reserved(key):
                source.defect((section, key), message)
    levels = {"upper": dict(upper), "lower": dict(lower)}
    try:
        file = BilevelFile.model_validate(levels)
    except ValidationError as error:
        for wrong in found(error, BilevelFile, levels):
            source.defect(wrong.path, wrong.message, key=wrong.key)
        source.check()
        raise
    problem = BilevelKind().build(file, source)
    source.check()
    return problem
