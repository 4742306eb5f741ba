"""`solverkit describe`: everything about a method, from its record and its options model."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import click

from solverkit.cli import output
from solverkit.cli.arguments import json_flag
from solverkit.cli.methods import as_dict
from solverkit.registry import registry
from solverkit.registry.packages import missing, pip_line
from solverkit.registry.specs import SolverSpec

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

LIMITS = "--tol, --max-time, --max-iter, --max-calls, --seed, --device, --dtype"

BOUNDS = {"gt": "> {}", "ge": ">= {}", "lt": "< {}", "le": "<= {}", "multiple_of": "a multiple of {}"}


@click.command("describe")
@click.argument("method")
@json_flag
def command(method: str, json_: bool) -> None:
    """Explain a method: what it needs, when it pays, its options."""
    spec = registry.method(method)
    options = [option(name, info) for name, info in registry.options(spec).model_fields.items()]
    if json_:
        output.as_json({**as_dict(spec), "options": options})
        return
    output.heading(f"{spec.name}: for {spec.kind} problems")
    output.paragraph(spec.summary, 2)
    output.pairs((name, text) for name, text in _facts(spec) if text)
    output.heading("options (--set name=value)")
    for entry in options:
        _show(entry)
    if not options:
        output.paragraph("none", 2)
    output.heading("limits, the same for every method")
    output.paragraph(LIMITS, 2)


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


def _facts(spec: SolverSpec) -> list[tuple[str, str]]:
    absent = missing(spec.packages)
    origin = registry.origin(spec)
    return [
        ("use it", spec.pays),
        ("avoid it", spec.avoid),
        ("requires", ", ".join(spec.requires)),
        ("runs on", f"{', '.join(spec.backends)}, in {', '.join(spec.dtypes)}"),
        ("packages", ", ".join(spec.packages)),
        ("missing", pip_line(absent) if absent else ""),
        ("paper", spec.paper),
        ("comes with", origin.origin),
    ]


def _show(entry: dict[str, Any]) -> None:
    default = f"default {_value(entry['default'])}"
    if entry["required"] or entry["default"] is None:
        default = "has to be given" if entry["required"] else "chosen by the method"
    symbol = f" ({entry['symbol']})" if entry["symbol"] else ""
    kind = " ".join(filter(None, [entry["type"], entry["range"]]))
    output.paragraph(f"{entry['name']}{symbol}: {kind}; {default}", 2)
    text = " ".join(filter(None, [entry["description"], entry["equation"]]))
    if text:
        output.paragraph(text, 6)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return output.number(value) if isinstance(value, float) else str(value)
