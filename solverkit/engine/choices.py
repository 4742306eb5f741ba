"""A method's options as the user gave them, checked against its model: every error at once, with the nearest name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from solverkit.errors import UsageError
from solverkit.text import clean, nearest

SHARED = ("max_iter", "max_time", "max_calls", "tol", "seed", "device", "dtype")
"""Names that mean the same for every method, and so are arguments of the call instead of options."""


def check_options(model: type[BaseModel], given: Mapping[str, Any] | BaseModel | None, method: str) -> BaseModel:
    """The options of a method: defaults for None, a validated instance for a dict. Raises UsageError."""
    if isinstance(given, model):
        return given
    if isinstance(given, BaseModel) or not isinstance(given, (Mapping, type(None))):
        raise UsageError(f"options of method {method!r} are a dict or {model.__name__}, not {type(given).__name__}")
    values = dict(given or {})
    names = list(model.model_fields)
    problems = [_unknown(str(name), names, method) for name in values if name not in names]
    try:
        checked = model.model_validate({name: value for name, value in values.items() if name in names})
    except ValidationError as error:
        for entry in error.errors(include_input=False, include_url=False):
            place = ".".join(map(str, entry["loc"])) or "options"
            problems.append(f"option {clean(place)!r} of method {method!r}: {clean(entry['msg'])}")
        raise UsageError("\n".join(problems)) from None
    if problems:
        raise UsageError("\n".join(problems))
    return checked


def _unknown(name: str, names: list[str], method: str) -> str:
    if name in SHARED:
        flag = name.replace("_", "-")
        return (
            f"{name!r} is no option of a method: pass it as an argument, {name}=... (or --{flag} on the command line)"
        )
    known = ", ".join(names) or "none"
    return f"method {method!r} has no option {clean(name)!r}{nearest(name, names)}; its options: {known}"
