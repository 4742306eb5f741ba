"""Numbers in lines of text: what csv, MatrixMarket and LIBSVM share, with the place of the first bad one."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from solverkit.formats.files import Refused

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_SPOILED = re.compile(r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Line(NamedTuple):
    """One line with something in it, and its number in the file."""

    number: int
    text: str


def lines(content: bytes, whole: bool) -> list[Line]:
    """All lines that are not blank.

    whole : the file is known to be whole (by its sha256). Otherwise its last line must end: a number that is cut short
        is a number too, and nothing else would tell
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace").split("\n")
        raise Refused("not UTF-8 text", len(before), len(before[-1]) + 1) from None
    spoiled = _SPOILED.search(text)
    if spoiled:
        before = text[: spoiled.start()].split("\n")
        raise Refused(f"the control character U+{ord(spoiled.group()):04X}", len(before), len(before[-1]) + 1)
    split = text.split("\n")
    if split[-1].strip() and not whole:
        raise Refused(
            "the last line does not end, as in a file that is cut; add a newline, or give its sha256",
            len(split),
            len(split[-1]) + 1,
        )
    found = [Line(number, line) for number, line in enumerate(split, start=1) if line.strip()]
    if not found:
        raise Refused("the file is empty")
    return found


def fields(line: Line, delimiter: str | None) -> list[tuple[str, int]]:
    """The fields of a line with their columns; `delimiter` None for white space."""
    if delimiter is None:
        return [(match.group(), match.start() + 1) for match in re.finditer(r"\S+", line.text)]
    found, start = [], 0
    for field in line.text.rstrip("\r").split(delimiter):
        found.append((field.strip(), start + len(field) - len(field.lstrip()) + 1))
        start += len(field) + 1
    return found


def number(field: str, line: int, column: int) -> float:
    """A finite number in decimal notation; `Refused` at its place for everything else."""
    if not NUMBER.fullmatch(field):
        shown = field[:30] or "nothing"
        if field.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            raise Refused(f"{shown} is not a finite number", line, column)
        raise Refused(f"'{shown}' is not a number" if field else "a number is missing", line, column)
    value = float(field)
    if not np.isfinite(value):
        raise Refused(f"{field[:30]} is too large for float64", line, column)
    return value


def table(rows: list[Line], delimiter: str | None, columns: int) -> np.ndarray:
    """The numbers of lines that all have so many fields, (rows, columns)."""
    try:
        found = np.loadtxt([row.text for row in rows], delimiter=delimiter, comments=None, dtype=float)
        found = found.reshape(len(rows), columns)
    except (ValueError, TypeError, OverflowError):
        found = None
    if found is not None and np.isfinite(found).all():
        return found
    return np.array([_row(row, delimiter, columns) for row in rows], dtype=float).reshape(len(rows), columns)


def _row(line: Line, delimiter: str | None, columns: int) -> list[float]:
    """The slow way, which knows where it is."""
    parts = fields(line, delimiter)
    if len(parts) != columns:
        place = parts[columns][1] if len(parts) > columns else len(line.text.rstrip()) + 1
        raise Refused(f"{len(parts)} fields where {columns} are needed", line.number, place)
    return [number(text, line.number, column) for text, column in parts]
