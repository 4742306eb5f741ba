"""The types of which the schemas of problem files are made.

Each refuses with one plain sentence, and keeps what it accepts as it is: an expression stays a text, because only
the kind that builds the problem knows which names it may use.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    Tag,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError

NAME = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
MAX_INLINE_DEPTH = 2
NUMBER_OR_TEXT = {"anyOf": [{"type": "number"}, {"type": "string"}]}


class Schema(BaseModel):
    """Base of all parts of a problem file: unknown keys are errors, values are not converted, nothing changes."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


def what(value: Any) -> str:
    """What a value is, in the words of a problem file."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    names = {str: "text", int: "a number", float: "a number", list: "a list", tuple: "a list", dict: "a mapping"}
    return names.get(type(value), f"a {type(value).__name__}")


def refusal(message: str) -> PydanticCustomError:
    """The error of a validator, whose text the user reads as it is."""
    return PydanticCustomError("refused", "{message}", {"message": message})


def _number(value: Any) -> bool:
    """Numbers of files and of Python callers: NumPy's too, but no bool."""
    return not isinstance(value, bool) and (isinstance(value, int | float) or _is_array(value, 0))


def _is_array(value: Any, dimensions: int | None = None) -> bool:
    shape, kind = getattr(value, "shape", None), getattr(getattr(value, "dtype", None), "kind", "")
    return isinstance(shape, tuple) and kind in ("i", "u", "f") and dimensions in (None, len(shape))


def _expression(value: Any) -> Any:
    if isinstance(value, str) or _number(value):
        return value if isinstance(value, str) else repr(float(value))
    raise refusal(f"must be an expression, as in 0.5*sum(x**2), not {what(value)}")


def _scalar(value: Any) -> Any:
    if isinstance(value, str) or _number(value):
        return value
    raise refusal(f"must be a number or an expression of parameters, not {what(value)}")


def _quantity(value: Any) -> Any:
    problem = _quantity_problem(value, MAX_INLINE_DEPTH)
    if problem:
        raise refusal(problem)
    return value


def _quantity_problem(value: Any, depth: int) -> str:
    if isinstance(value, str) or _number(value) or _is_array(value) or callable(getattr(value, "tocsr", None)):
        return ""
    if not isinstance(value, list | tuple):
        return (
            f"must be a number, a list of numbers, an expression of parameters or the name of data, not {what(value)}"
        )
    if depth == 0:
        return f"lists nested deeper than {MAX_INLINE_DEPTH}"
    return next(filter(None, (_quantity_problem(item, depth - 1) for item in value)), "")


def _shape(value: Any) -> Any:
    items = list(value) if isinstance(value, list | tuple) else [value]
    if len(items) > 2:
        raise refusal("at most two lengths: variables are scalars [], vectors n or matrices [m, n]")
    for item in items:
        if not (isinstance(item, str) or _number(item)):
            raise refusal(f"must be a length, an expression of parameters or a list of them, not {what(item)}")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(NAME, value):
        raise refusal("a name has up to 64 letters, digits and _, and does not begin with a digit")
    return value


def _mapping(value: Any) -> Any:
    """An empty `key:` in a file is an empty mapping."""
    return {} if value is None else value


_QUANTITY_JSON = {
    "anyOf": [
        {"type": "number"},
        {"type": "string"},
        {"type": "array", "items": {"type": ["number", "string", "array"]}},
    ]
}
_SHAPE_JSON = {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "array", "maxItems": 2}]}

Expression = Annotated[str, PlainValidator(_expression), WithJsonSchema(NUMBER_OR_TEXT)]
"""A text in the expression language; a number is one too."""

Scalar = Annotated[Any, PlainValidator(_scalar), WithJsonSchema(NUMBER_OR_TEXT)]
"""A number, or an expression of parameters."""

Quantity = Annotated[Any, PlainValidator(_quantity), WithJsonSchema(_QUANTITY_JSON)]
"""A number, a list (of lists) of numbers, an expression of parameters, the name of data; from Python an array."""

Shape = Annotated[Any, PlainValidator(_shape), WithJsonSchema(_SHAPE_JSON)]
"""`[]` for a scalar, `n` for a vector, `[m, n]` for a matrix; each length a number or an expression of parameters."""

Name = Annotated[str, PlainValidator(_name), WithJsonSchema({"type": "string", "pattern": f"^{NAME}$"})]
"""A name that expressions can use."""


@dataclass(frozen=True)
class Also:
    """Tells the JSON Schema of a short form that a validator before the model takes besides the long one."""

    form: dict[str, Any]

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(core), self.form]}


@dataclass(frozen=True)
class MayBeNothing(BeforeValidator):
    """A validator that takes a key with nothing behind it."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(core), {"type": "null"}]}


MayBeEmpty = MayBeNothing(_mapping)
"""Marks a mapping that may be written as a key with nothing behind it."""


def exactly_one(*names: str) -> ConfigDict:
    """Tells the JSON Schema of a model that one of these keys is needed, and excludes the others."""
    return ConfigDict(json_schema_extra={"oneOf": [{"required": [name]} for name in names]})


def _python(value: Any) -> Any:
    if callable(value) or (isinstance(value, str) and re.fullmatch(rf"[^:\n]+\.py:{NAME}", value)):
        return value
    raise refusal('must name a file and a function in it, as in "model.py:build"')


def _degree(value: int | None) -> int | None:
    if value not in (None, 0, 1, 2):
        raise refusal("must be 0, 1 (affine) or 2 (quadratic)")
    return value


class Python(Schema):
    """A function written in Python: "file.py:name", run where the user allows it; from Python the function itself."""

    python: Annotated[
        str | Callable[..., Any],
        PlainValidator(_python),
        WithJsonSchema({"type": "string", "pattern": rf"^[^:\n]+\.py:{NAME}$"}),
        Field(description="file beside this one and function in it, as in model.py:F; run with --allow-python alone"),
    ]
    degree: Annotated[
        int | None,
        AfterValidator(_degree),
        WithJsonSchema({"enum": [0, 1, 2, None]}),
        Field(description="1 where you know that it is affine, 2 quadratic, 0 constant"),
    ] = None


def _callable(value: Any) -> Any:
    return {"python": value} if callable(value) and not isinstance(value, BaseModel) else value


def _which(value: Any) -> str:
    return "<python>" if isinstance(value, dict | Python) else "<text>"


Formula = Annotated[
    Annotated[Expression, Tag("<text>")] | Annotated[Python, Tag("<python>")],
    Discriminator(_which),
    BeforeValidator(_callable),
]
"""An expression, or `{python: "model.py:F"}`; from Python also a callable."""
