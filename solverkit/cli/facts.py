"""What there is to say about a method: one source for the terminal, for JSON and for the pages of the documentation."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from solverkit.cli.output import number
from solverkit.registry import registry
from solverkit.registry.packages import missing, pip_line
from solverkit.registry.specs import SolverSpec

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

LIMITS = ("--tol", "--max-time", "--max-iter", "--max-calls", "--seed", "--device", "--dtype")
"""Options of `solverkit solve` that mean the same for every method."""

BOUNDS = {"gt": "> {}", "ge": ">= {}", "lt": "< {}", "le": "<= {}", "multiple_of": "a multiple of {}"}


def facts(spec: SolverSpec) -> list[tuple[str, str]]:
    """What a method's record says, name and text; texts that are empty are left out."""
    rows = [
        ("use it", spec.pays),
        ("avoid it", spec.avoid),
        ("requires", ", ".join(spec.requires)),
        ("runs on", f"{', '.join(spec.backends)}, in {', '.join(spec.dtypes)}"),
        ("packages", ", ".join(spec.packages)),
        ("paper", spec.paper),
        ("comes with", registry.origin(spec).origin),
    ]
    return [(name, text) for name, text in rows if text]


def lacking(spec: SolverSpec) -> str:
    """The pip line for packages that a method needs and that are not installed; empty where all are there."""
    absent = missing(spec.packages)
    return pip_line(absent) if absent else ""


def options(spec: SolverSpec) -> list[dict[str, Any]]:
    """The options of a method, see `option`."""
    return [option(name, info) for name, info in registry.options(spec).model_fields.items()]


def option(name: str, info: FieldInfo) -> dict[str, Any]:
    """One field of an options model: name, symbol, type, range, default, description, equation.

    A default of None means that the method chooses, by a rule that the description states.
    Symbol and equation come from `Field(json_schema_extra={"symbol": ..., "equation": ...})`."""
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    default = None if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
    return {
        "name": name,
        "symbol": str(extra.get("symbol", "")),
        "type": type_name(info.annotation),
        "range": ", ".join(dict.fromkeys([*_bounds(info.metadata), *_inner_bounds(info.annotation)])),
        "required": info.is_required(),
        "default": default.value if isinstance(default, enum.Enum) else default,
        "description": info.description or "",
        "equation": str(extra.get("equation", "")),
    }


def values(entry: dict[str, Any]) -> str:
    """Type and range of an option in one text: `number > 0`."""
    return " ".join(filter(None, [entry["type"], entry["range"]]))


def default(entry: dict[str, Any]) -> str:
    """The default of an option; empty where there is none, see `absent_default`."""
    if entry["required"] or entry["default"] is None:
        return ""
    value = entry["default"]
    if isinstance(value, bool):
        return str(value).lower()
    return number(value) if isinstance(value, float) else str(value)


def absent_default(entry: dict[str, Any]) -> str:
    """What happens to an option without default that the user leaves out."""
    return "has to be given" if entry["required"] else "chosen by the method"


def type_name(annotation: Any) -> str:
    """A type as a reader without Python knows it: `number`, `integer`, `a | b`, `number or text`."""
    words = {float: "number", int: "integer", bool: "true or false", str: "text"}
    if annotation in words:
        return words[annotation]
    if get_origin(annotation) is Literal:
        return " | ".join(str(choice) for choice in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return " | ".join(str(member.value) for member in annotation)
    if hasattr(annotation, "__metadata__"):
        return type_name(get_args(annotation)[0])
    if get_origin(annotation) in (list, tuple, set, frozenset):
        inner = dict.fromkeys(type_name(item) for item in get_args(annotation) if item is not Ellipsis)
        return "list of " + " and ".join(inner) if inner else "list"
    if arguments := get_args(annotation):
        return " or ".join(dict.fromkeys(type_name(item) for item in arguments if item is not type(None)))
    return getattr(annotation, "__name__", str(annotation))


def _bounds(metadata: Iterable[Any]) -> list[str]:
    """`> 0` and the like, from the constraints of a field."""
    return [
        text.format(bound)
        for rule in metadata
        for name, text in BOUNDS.items()
        if (bound := getattr(rule, name, None)) is not None
    ]


def _inner_bounds(annotation: Any) -> list[str]:
    """The same from constraints within a type, as in `Annotated[float, Gt(0)] | None`."""
    found = _bounds(getattr(annotation, "__metadata__", ()))
    for item in get_args(annotation):
        found += _inner_bounds(item)
    return found
