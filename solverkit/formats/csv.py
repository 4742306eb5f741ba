"""Numbers in `.csv` files: commas, semicolons or tabs; one header line with names, or none."""

from __future__ import annotations

import csv
import re

import numpy as np

from solverkit.formats.files import Refused
from solverkit.formats.tables import NUMBER, Line, lines, table

QUOTED = re.compile(r'"(?:[^"]|"")*"')


def read_csv(content: bytes, key: str | None, header: bool | None, whole: bool) -> np.ndarray:
    """The table (rows, columns), or with `key` the column of that name (rows,). A single column is a vector.

    header : whether the first line has names; None: it has, if a field of it is no number
    """
    rows = lines(content, whole)
    first, delimiter = _first_line(rows[0].text)
    named = header if header is not None else not all(map(_looks_numeric, first))
    body = rows[1:] if named else rows
    if not body:
        raise Refused("there is a header, and no numbers below it", rows[0].number + 1, 1)
    names = first if named else []
    column = _column(names, key, rows[0], named)
    found = table(body, delimiter, len(first))
    if column is not None:
        return found[:, column].copy()
    return found[:, 0].copy() if found.shape[1] == 1 else found


def column_names(content: bytes, header: bool | None) -> tuple[str, ...]:
    """The names in the first line of a table that `read_csv` has read; empty where it has none."""
    first, _ = _first_line(next(line for line in content.decode("utf-8-sig").split("\n") if line.strip()))
    named = header if header is not None else not all(map(_looks_numeric, first))
    return tuple(first) if named else ()


def _first_line(text: str) -> tuple[list[str], str]:
    """The fields of the first line, which may be quoted, and the delimiter: what separates them outside of quotes."""
    bare = QUOTED.sub("", text)
    delimiter = next((mark for mark in (",", ";", "\t") if mark in bare), ",")
    if QUOTED.search(text):
        found = next(csv.reader([text.rstrip("\r")], delimiter=delimiter, skipinitialspace=True))
    else:
        found = text.rstrip("\r").split(delimiter)
    return [field.strip().strip("\"'") for field in found], delimiter


def _looks_numeric(text: str) -> bool:
    return bool(NUMBER.fullmatch(text)) or text.lower().lstrip("+-") in ("", "nan", "inf", "infinity")


def _column(names: list[str], key: str | None, line: Line, named: bool) -> int | None:
    if key is None:
        return None
    if not named:
        raise Refused("has no header, so `key` cannot name a column", line.number, 1)
    if names.count(key) != 1:
        shown = ", ".join(names[:20])
        raise Refused(f"has {names.count(key) or 'no'} column '{key}' (columns here: {shown})", line.number, 1)
    return names.index(key)
