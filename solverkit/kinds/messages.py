"""What Pydantic found, in plain sentences with the path of each."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from solverkit.kinds.fields import what

MUST = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "mapping_type": "must be a mapping",
    "list_type": "must be a list",
}

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Found:
    """One error of Pydantic in our words."""

    path: KeyPath
    message: str
    kind: str  # Pydantic's type of error
    key: bool  # the key is what is wrong, not what stands behind it
    meant: str = ""  # for an unknown key, the missing key that it seems to be


def found(error: ValidationError, model: type[BaseModel], value: Any) -> list[Found]:
    """Every error with its path. A misspelt key is one error, not also a missing one."""
    items: list[tuple[KeyPath, Any]] = [
        (tuple(part for part in item["loc"] if not _internal(part)), item)
        for item in error.errors(include_url=False, include_context=True, include_input=True)
    ]
    missing = {path for path, item in items if item["type"] == "missing"}
    results = []
    for path, item in items:
        meant = ""
        if item["type"] == "extra_forbidden":
            close = nearest(str(path[-1]), keys_at(model, path[:-1], value))
            meant = close if (*path[:-1], close) in missing else ""
        key = item["type"] == "extra_forbidden" or "[key]" in item["loc"]
        results.append(Found(path, _sentence(item, path, model, value), item["type"], key, meant))
    meant_paths = {(*result.path[:-1], result.meant) for result in results if result.meant}
    return [result for result in results if not (result.kind == "missing" and result.path in meant_paths)]


def _internal(part: str | int) -> bool:
    """Whether a part of a place is Pydantic's own: the tag of a union, or the mark of a key."""
    return isinstance(part, str) and (part == "[key]" or (part.startswith("<") and part.endswith(">")))


def _sentence(item: Any, path: KeyPath, model: type[BaseModel], value: Any) -> str:
    kind = item["type"]
    if kind == "missing":
        return "this key is needed"
    if kind == "extra_forbidden":
        return unknown_key(str(path[-1]), keys_at(model, path[:-1], value))
    if kind in MUST:
        found = what(item["input"])
        hint = "; put it in quotes" if kind == "string_type" and found in ("a number", "true or false") else ""
        return f"{MUST[kind]}, not {found}{hint}"
    if kind == "literal_error":
        return f"must be {item['ctx']['expected']}"
    if kind == "too_short":
        return f"needs at least {item['ctx']['min_length']}"
    text = str(item["msg"])
    return text if kind == "refused" else text[:1].lower() + text[1:]


def nearest(key: str, known: Sequence[str]) -> str:
    """The known key that is spelt most like it; empty where none is."""
    close = difflib.get_close_matches(key, known, n=1)
    return close[0] if close else ""


def unknown_key(key: str, known: Sequence[str]) -> str:
    """`unknown key; did you mean 'minimize'? (keys here: ...)`"""
    close = nearest(key, known)
    hint = f"; did you mean '{close}'?" if close else ""
    return f"unknown key{hint}" + (f" (keys here: {', '.join(known)})" if known else "")


def keys_at(model: type[BaseModel], path: KeyPath, value: Any) -> list[str]:
    """The keys that a file may have at a path."""
    here: Any = model
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
        choices = _models(here)
        if choices:
            found = [choice.model_fields[str(part)].annotation for choice in choices if part in choice.model_fields]
            here = found[0] if found else None
        else:
            here = next((get_args(choice)[1] for choice in _parts(here) if get_origin(choice) is dict), None)
    choices = _models(here)
    if isinstance(value, dict) and len(choices) > 1:
        choices = sorted(choices, key=lambda choice: -len(set(choice.model_fields) & set(value)))[:1]
    return [name for choice in choices for name in choice.model_fields]


def _parts(annotation: Any) -> list[Any]:
    """The alternatives of a type, without what annotates them."""
    if get_origin(annotation) is typing.Annotated:
        return _parts(get_args(annotation)[0])
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return [part for choice in get_args(annotation) for part in _parts(choice)]
    return [annotation]


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [part for part in _parts(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
