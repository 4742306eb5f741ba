"""How problem.yaml describes a bilevel problem."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from solverkit.kinds.fields import Formula, MayBeEmpty, Name, Schema, refusal, what
from solverkit.kinds.variables import Variables


def _names(value: Any) -> Any:
    """A list of names as a tuple; an empty `samples:` is none."""
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        return tuple(value)
    raise refusal(f"must be a list of names, as in [A, labels], not {what(value)}")


class Level(Schema):
    """What one of the two levels decides, minimizes and respects. Expressions see the variables of both levels."""

    variables: Annotated[Variables, Field(min_length=1, description="what this level decides")]
    minimize: Annotated[Formula, Field(description="the objective: one number")]
    samples: Annotated[
        tuple[Name, ...],
        BeforeValidator(_names),
        WithJsonSchema({"type": ["array", "null"], "items": {"type": "string"}}),
        Field(
            description="data and variables whose leading axis counts samples, where `minimize` is a mean over these"
        ),
    ] = ()
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

    upper: Annotated[Level, Field(description="the leader: minimizes over the variables of both levels")]
    lower: Annotated[Lower, Field(description="the follower: its variables are optimal for the leader's choice")]
