"""How problem.yaml describes a composite problem."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from solverkit.kinds.fields import Expression, Formula, Quantity, Scalar, Schema, refusal, what
from solverkit.kinds.variables import Variables


class RowLossForm(Schema):
    """A loss of linear predictions, A x, over rows of data."""

    matrix: Annotated[Quantity, Field(description="A, (N, n)")]
    targets: Annotated[Quantity, Field(description="b, (N,); of the logistic loss -1 and 1")]
    scale: Annotated[Scalar | None, Field(description="factor of the sum over rows; default 1/N, a mean")] = None
    delta: Annotated[Scalar, Field(description="of huber: where the parabola ends")] = 1


class Losses(Schema):
    """Exactly one of the losses of data."""

    least_squares: RowLossForm | None = None
    logistic: RowLossForm | None = None
    huber: RowLossForm | None = None

    @model_validator(mode="after")
    def _one(self) -> Losses:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise refusal(f"must name one loss: {', '.join(type(self).model_fields)}")
        return self


def _smooth(value: Any) -> Any:
    """A text, a function, or one of the losses of data."""
    if isinstance(value, dict) and "python" not in value:
        return Losses.model_validate(value)
    return value


def _text(value: Any) -> Any:
    if isinstance(value, str) or value is None:
        return value
    raise refusal(f"must be an expression whose terms are recognized, not {what(value)}")


class CompositeFile(Schema):
    """min f(x) + h(x) + chi(x): `smooth`, `nonsmooth` and `simple`, of which any may be left out."""

    variables: Annotated[Variables, Field(min_length=1, max_length=1, description="the one variable, and its set")]
    smooth: Annotated[
        Losses | Formula | None,
        BeforeValidator(_smooth),
        Field(description="f, convex and smooth: an expression, a loss of data, or a function in Python"),
    ] = None
    nonsmooth: Annotated[
        Expression | None, BeforeValidator(_text), Field(description="h, a sum of terms of known form")
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
