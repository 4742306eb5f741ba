"""Data that a named generator makes from numbers: `{generate: NAME, size: n, seed: 0, key: A}`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from solverkit.errors import MissingPackage, UsageError
from solverkit.formats.files import Refused

if TYPE_CHECKING:
    from solverkit.formats.source import FileSource


def read_generated(
    name: str, arguments: Mapping[str, Any], key: str | None, source: FileSource, path: tuple[str, str]
) -> Any:
    """The array, or the one of several that `key` names; made once a file for the same arguments."""
    from solverkit.registry import registry

    try:
        make = registry.source(name)
    except UsageError as error:
        raise Refused(" ".join(str(error).split())) from None
    before = len(source.defects)
    numbers = {word: _argument(make, word, value, source, path) for word, value in arguments.items()}
    if len(source.defects) > before:
        return None
    made = source.once((name, tuple(sorted(numbers.items()))), lambda: _make(make, name, numbers))
    if not isinstance(made, Mapping):
        if key is not None:
            raise Refused(f"the generator '{name}' makes one array; leave `key` out")
        return made
    if key not in made:
        what = "choose one with `key`" if key is None else f"has no '{key[:64]}'"
        raise Refused(f"the generator '{name}' makes several arrays; {what} (arrays here: {', '.join(map(str, made))})")
    return made[key]


def _argument(make: Callable[..., Any], word: str, value: Any, source: FileSource, path: tuple[str, str]) -> Any:
    """A number, whole numbers as int; a text only where the generator asks for one."""
    parameter = inspect.signature(make).parameters.get(word)
    if isinstance(value, str) and parameter is not None and parameter.annotation in (str, "str"):
        return value
    number = source.number(value, (*path, word))
    if abs(number) == float("inf"):
        source.defect((*path, word), "must be finite")
        return 0
    return int(number) if number == round(number) else number


def _make(make: Callable[..., Any], name: str, numbers: Mapping[str, Any]) -> Any:
    try:
        inspect.signature(make).bind(**numbers)
    except TypeError as error:
        takes = ", ".join(inspect.signature(make).parameters)
        raise Refused(f"the generator '{name}': {error} (it takes {takes})") from None
    try:
        return make(**numbers)
    except MissingPackage:
        raise
    except Exception as error:  # a plugin's code may raise anything
        text = " ".join(str(error).split())[:300]
        raise Refused(f"the generator '{name}' failed: {type(error).__name__}: {text}") from None
