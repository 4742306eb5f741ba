"""How problem.yaml describes a composite problem."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from solverkit.kinds.fields import Expression, Formula, Name, Quantity, Scalar, Schema, exactly_one, refusal, what
from solverkit.kinds.variables import Variables


class RowLossForm(Schema):
    """A loss of linear predictions, A x, over rows of data."""

    matrix: Annotated[Quantity, Field(description="A, (N, n)")]
    targets: Annotated[Quantity, Field(description="b, (N,); of the logistic loss -1 and 1")]
    scale: Annotated[Scalar | None, Field(description="factor of the sum over rows; default 1/N, a mean")] = None
    delta: Annotated[Scalar, Field(description="of huber: where the parabola ends")] = 1


class Losses(Schema):
    """Exactly one of the losses of data."""

    model_config = exactly_one("least_squares", "logistic", "huber")

    least_squares: Annotated[RowLossForm | None, Field(description="half the sum of squares of A x - b")] = None
    logistic: Annotated[RowLossForm | None, Field(description="sum of log(1 + exp(-b A x))")] = None
    huber: Annotated[
        RowLossForm | None, Field(description="squares of A x - b up to delta, absolute values beyond")
    ] = None

    @model_validator(mode="after")
    def _one(self) -> Losses:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise refusal(f"must name one loss: {', '.join(type(self).model_fields)}")
        return self


class RowKinkForm(Schema):
    """A loss of linear predictions, A x, with kinks."""

    matrix: Annotated[Quantity, Field(description="A, (N, n)")]
    targets: Annotated[Quantity, Field(description="b, (N,); of the hinge loss -1 and 1")]
    scale: Annotated[Scalar | None, Field(description="factor of the sum over rows; default 1/N, a mean")] = None


class Kinks(Schema):
    """An h by its subgradients: exactly one of a loss of data and an expression."""

    model_config = exactly_one("absolute", "hinge", "subgradients")

    absolute: Annotated[RowKinkForm | None, Field(description="sum of |A x - b|")] = None
    hinge: Annotated[RowKinkForm | None, Field(description="sum of max(0, 1 - b A x)")] = None
    subgradients: Annotated[
        Expression | None, Field(description="an expression without known structure, by its derivative")
    ] = None

    @model_validator(mode="after")
    def _one(self) -> Kinks:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise refusal(f"must have exactly one of {', '.join(type(self).model_fields)}")
        return self


class Samples(Schema):
    """The mean of a term over samples of data."""

    samples: Annotated[
        dict[Name, Quantity], Field(min_length=1, description="name in the term -> data, one row a sample")
    ]
    term: Annotated[Expression, Field(description="the term of one sample, an expression of the variable and its row")]


def _part(value: Any, forms: type[Losses] | type[Kinks]) -> Any:
    """A text, a function, a mean over samples, or one of the losses of data."""
    if not isinstance(value, dict) or "python" in value:
        return value
    return (Samples if "samples" in value or "term" in value else forms).model_validate(value)


def _smooth(value: Any) -> Any:
    return _part(value, Losses)


def _nonsmooth(value: Any) -> Any:
    return _part(value, Kinks)


def _text(value: Any) -> Any:
    if isinstance(value, str) or value is None:
        return value
    raise refusal(f"must be an expression whose terms are recognized, not {what(value)}")


class CompositeFile(Schema):
    """min f(x) + h(x) + chi(x): `smooth`, `nonsmooth` and `simple`, of which any may be left out."""

    variables: Annotated[Variables, Field(min_length=1, max_length=1, description="the one variable, and its set")]
    smooth: Annotated[
        Losses | Samples | Formula | None,
        BeforeValidator(_smooth),
        Field(description="f, convex and smooth: an expression, a loss of data, a mean over samples, or Python"),
    ] = None
    nonsmooth: Annotated[
        Kinks | Samples | Formula | None,
        BeforeValidator(_nonsmooth),
        Field(description="h: a sum of terms of known form, or by subgradients: a loss of data, a mean, or Python"),
    ] = None
    simple: Annotated[
        Expression | None, BeforeValidator(_text), Field(description="chi: squares, norm1(x), entropy(x), linear terms")
    ] = None
    geometry: Annotated[
        Literal["euclidean", "entropy"], Field(description="distance of steps; entropy needs `set: simplex`")
    ] = "euclidean"
    lipschitz: Annotated[
        Scalar | None, Field(description="L of the gradient of f, where you know it; methods find it otherwise")
    ] = None
