"""The lines of an MPS file as fields, in either of its two formats; whatever does not fit is refused with its line.

| format | fields |
|---|---|
| free | separated by blanks or tabs; names hold none |
| fixed | columns 2-3, 5-12, 15-22, 25-36, 40-47, 50-61; names may hold blanks |

A line that begins in its first column opens a section; lines of `*` and blank lines are comments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from solverkit.formats.files import Refused

MAX_LINE = 2000
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eEdD][+-]?[0-9]{1,4})?")
_INFINITE = re.compile(r"([+-]?)inf(?:inity)?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BLANKS = re.compile(r"[ \t]+")
_GAPS = ((3, 4), (12, 14), (22, 24), (36, 39), (47, 49), (61, MAX_LINE))
_COLUMNS = ((1, 3), (4, 12), (14, 22), (24, 36), (39, 47), (49, 61))


class Line(NamedTuple):
    """One line that says something."""

    number: int  # from 1
    heads: bool  # whether it opens a section
    fields: tuple[str, ...]  # fixed format: six, empty where there is nothing


Split = Callable[[str], tuple[str, ...]]


def free(text: str) -> tuple[str, ...]:
    """Fields of a line of free format; what Unicode takes for blanks beyond ASCII is part of a name."""
    return tuple(text.split()) if text.isascii() else tuple(field for field in _BLANKS.split(text) if field)


def fixed(text: str) -> tuple[str, ...]:
    """Fields of a line of fixed format: the first is the type, the rest names and numbers; trailing ones left out.

    Empty where text stands between the fields: read by columns, it would be cut.
    """
    if any(text[first:last].strip(" \t") for first, last in _GAPS):
        return ()
    found = [text[first:last].strip(" \t") for first, last in _COLUMNS]
    while found and not found[-1]:
        found.pop()
    return tuple(found)


def lines(content: bytes, split: Split) -> Iterator[Line]:
    """The lines of a file that say something; `Refused` for one that is too long or holds control characters."""
    for number, raw in enumerate(content.decode("latin-1").split("\n"), 1):
        text = raw.rstrip(" \t\r")
        if not text or text[0] == "*":
            continue
        if len(text) > MAX_LINE:
            raise Refused(f"a line of {len(text)} characters; at most {MAX_LINE} are read", number, MAX_LINE)
        if found := _CONTROL.search(text):
            raise Refused("not a text file: it holds control characters", number, found.start() + 1)
        if text[0] in " \t":
            yield Line(number, False, split(text))
        else:
            yield Line(number, True, free(text))


def number(text: str, line: int, infinite: bool = False) -> float:
    """The number in a field; `Refused` where it is none, or infinite where that has no meaning."""
    if match := _INFINITE.fullmatch(text):
        value = float(f"{match[1]}inf")
    elif _NUMBER.fullmatch(text):
        value = float(text.translate(_FORTRAN))
    else:
        raise Refused(f"'{text[:30]}' where a number is expected", line, 1)
    if abs(value) == float("inf") and not infinite:
        raise Refused(f"the number {text[:30]} is infinite, which only bounds may be", line, 1)
    return value


_FORTRAN = str.maketrans("dD", "ee")
