"""Numbers in `.csv` files: commas, semicolons or tabs; one header line with names, or none."""

from __future__ import annotations

import numpy as np

from solverkit.formats.files import Refused
from solverkit.formats.tables import NUMBER, Line, fields, lines, table


def read_csv(content: bytes, key: str | None, header: bool | None, whole: bool) -> np.ndarray:
    """The table (rows, columns), or with `key` the column of that name (rows,). A single column is a vector.

    header : whether the first line has names; None: it has, if a field of it is no number
    """
    rows = lines(content, whole)
    delimiter = next((mark for mark in (",", ";", "\t") if mark in rows[0].text), ",")
    first = [(text.strip("\"'"), column) for text, column in fields(rows[0], delimiter)]
    named = header if header is not None else not all(_looks_numeric(text) for text, _ in first)
    body = rows[1:] if named else rows
    if not body:
        raise Refused("there is a header, and no numbers below it", rows[0].number + 1, 1)
    names = [text for text, _ in first] if named else []
    column = _column(names, key, rows[0], named)
    found = table(body, delimiter, len(first))
    if column is not None:
        return found[:, column].copy()
    return found[:, 0].copy() if found.shape[1] == 1 else found


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
