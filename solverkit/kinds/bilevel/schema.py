"""How problem.yaml describes a bilevel problem."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from solverkit.kinds.fields import Formula, MayBeEmpty, Name, Schema
from solverkit.kinds.variables import Variables


class Level(Schema):
    """What one of the two levels decides, minimizes and respects. Expressions see the variables of both levels."""

    variables: Annotated[Variables, Field(min_length=1, description="what this level decides")]
    minimize: Annotated[Formula, Field(description="the objective: one number")]
    subject_to: Annotated[
        dict[Name, Formula],
        MayBeEmpty,
        Field(
            default_factory=dict,
            description="constraints by name; Python functions are named inequality (<= 0) and equality (== 0)",
        ),
    ]


class Lower(Level):
    """The lower level: its variables solve this problem for the upper level's choice."""

    convex: Annotated[
        bool | None, Field(description="whether the lower level is convex in its own variables, if you know")
    ] = None


class BilevelFile(Schema):
    """A bilevel problem: the upper level minimizes over both, the lower level's variables being optimal for it."""

    upper: Level
    lower: Lower
