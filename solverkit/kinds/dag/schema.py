"""How problem.yaml describes structure learning."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from solverkit.kinds.fields import MayBeNothing, Quantity, Scalar, Schema, exactly_one, refusal, what


def _edge(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(end, str) for end in value):
        return tuple(value)
    raise refusal(f"must be an edge [from, to] of two variables' names, not {what(value)}")


def _listed(value: Any) -> Any:
    """An empty `key:` in a file is an empty list."""
    return [] if value is None else value


Listed = MayBeNothing(_listed)
Edge = Annotated[tuple[str, str], BeforeValidator(_edge)]
Score = Literal["least-squares", "bic", "logistic", "mlp"]


class Penalty(Schema):
    """What is added to the score."""

    l1: Annotated[Scalar, Field(description="weight of the sum of absolute weights; default 0")] = 0
    l2: Annotated[Scalar, Field(description="of mlp: weight of half the sum of squares; default 0")] = 0
    edges: Annotated[Scalar, Field(description="of bic: price of an edge in units of (log n)/2; default 1")] = 1


class DagFile(Schema):
    """The directed acyclic graph of least score. Exactly one of `samples` and `gram` is given."""

    model_config = exactly_one("samples", "gram")

    samples: Annotated[Quantity | None, Field(description="(n, d): observations by variables")] = None
    gram: Annotated[Quantity | None, Field(description="(d, d): X'X / n of samples that are not at hand")] = None
    count: Annotated[Scalar | None, Field(description="n, with `gram`")] = None
    variables: Annotated[
        list[str] | None, Field(description="names, by column; default: a csv file's header, else x0, x1, ...")
    ] = None
    score: Annotated[Score, Field(description="what is minimized")] = "least-squares"
    penalty: Annotated[Penalty, Field(description="what is added to the score")] = Penalty()
    hidden: Annotated[Scalar, Field(description="of mlp: hidden units of each network")] = 40
    center: Annotated[
        bool | None, Field(description="whether columns are centred first; default: all but logistic are")
    ] = None
    standardize: Annotated[bool, Field(description="whether columns are divided by their deviation")] = False
    forbidden: Annotated[list[Edge], Listed, Field(default_factory=list, description="edges [from, to] that cannot be")]
    required: Annotated[list[Edge], Listed, Field(default_factory=list, description="edges [from, to] that are there")]
    tiers: Annotated[
        list[list[str]],
        Listed,
        Field(default_factory=list, description="groups of variables, earliest first: no edge leads back"),
    ]
    truth: Annotated[Quantity | None, Field(description="(d, d): the true weights, where they are known")] = None
