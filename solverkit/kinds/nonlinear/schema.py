"""How problem.yaml describes a nonlinear problem."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from solverkit.kinds.fields import Formula, MayBeEmpty, Name, Schema
from solverkit.kinds.variables import Variables


class NonlinearFile(Schema):
    """min f(x) subject to constraints, bounds and simple sets. Without `minimize` any feasible point is an answer."""

    variables: Annotated[Variables, Field(min_length=1, description="what is decided")]
    minimize: Annotated[
        Formula, Field(default="0", description="the objective: one number; left out for systems of equations")
    ]
    subject_to: Annotated[
        dict[Name, Formula],
        MayBeEmpty,
        Field(
            default_factory=dict,
            description="constraints by name; Python functions are named inequality (<= 0) and equality (== 0)",
        ),
    ]
