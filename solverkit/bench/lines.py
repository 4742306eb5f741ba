"""A record as a line of JSON, and back: what is no record, or not whole, is None."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING
from dataclasses import fields as fields_of
from math import isfinite
from typing import Any

from solverkit.bench.record import Outcome, Record
from solverkit.engine.plain import number
from solverkit.text import clean

ROWS = 200
"""Rows of a trace that are kept."""


def to_line(record: Record) -> dict[str, Any]:
    """The record in JSON's own types."""
    return {**{name: getattr(record, name) for name in _NAMES}, "outcome": record.outcome.name}


def from_line(line: dict[str, Any]) -> Record | None:
    """The record that `to_line` wrote, its texts cleaned."""
    if not line.keys() >= _NEEDED or not line.keys() <= _NAMES.keys():
        return None
    try:
        fields: dict[str, Any] = {name: _READ[_NAMES[name]](value) for name, value in line.items()}
        return Record(**fields)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None


def thinned(rows: list[tuple[float, int, float]]) -> list[tuple[float, int, float]]:
    """At most `ROWS` of them, spread evenly, the first and the last included."""
    if len(rows) <= ROWS:
        return rows
    step = (len(rows) - 1) / (ROWS - 1)
    return [rows[round(index * step)] for index in range(ROWS)]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value if value.isprintable() and len(value) <= 500 else clean(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _counts(value: Any) -> dict[str, int]:
    return {_text(name): _whole(count) for name, count in value.items()}


def _terms(value: Any) -> dict[str, dict[str, float]]:
    return {_text(name): {_text(key): number(item) for key, item in term.items()} for name, term in value.items()}


def _trace(value: Any) -> list[tuple[float, int, float]]:
    if len(value) > ROWS:
        raise ValueError
    if not value:
        return []
    seconds, calls, merits = zip(*value, strict=True)  # by column: a folder may hold millions of rows
    if set(map(type, calls)) != {int} or not {*map(type, seconds), *map(type, merits)} <= {int, float}:
        raise TypeError
    if not (all(map(isfinite, seconds)) and all(map(isfinite, merits))):
        raise ValueError
    return list(zip(map(float, seconds), calls, map(float, merits), strict=True))


def _optional(value: Any) -> float | None:
    return None if value is None else number(value)


def _outcome(value: Any) -> Outcome:
    return Outcome[value]


_READ: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "int": _whole,
    "float": number,
    "float | None": _optional,
    "Outcome": _outcome,
    "dict[str, dict[str, float]]": _terms,
    "dict[str, int]": _counts,
    "list[tuple[float, int, float]]": _trace,
}
"""How a field is read, by its type as `record.py` spells it."""

_NAMES = {item.name: str(item.type) for item in fields_of(Record)}
_NEEDED = {item.name for item in fields_of(Record) if item.default is MISSING and item.default_factory is MISSING}
