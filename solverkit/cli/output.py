"""What goes to stdout: lines that fit the terminal, or JSON. Everything from outside is cleaned here."""

from __future__ import annotations

import math
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import click

from solverkit.text import clean


def width() -> int:
    """Columns to fill: the terminal's, 80 without one."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, 40), 120)


def flat(text: object, limit: int = 5000) -> str:
    """One clean line, white space collapsed."""
    return clean(" ".join(str(text).split()), limit)


def heading(text: object) -> None:
    """Print a heading; bold on a terminal that allows it."""
    shown = flat(text)
    plain = "NO_COLOR" in os.environ or not sys.stdout.isatty()
    click.echo(shown if plain else click.style(shown, bold=True))


def paragraph(text: object, indent: int = 0) -> None:
    """Print a text, wrapped."""
    space = " " * indent
    click.echo(wrapped(flat(text), space, space))


def pairs(rows: Iterable[tuple[str, object]], indent: int = 2) -> None:
    """Print names and texts in two columns; the second is wrapped."""
    cells = [(flat(name, 64), flat(text)) for name, text in rows]
    column = indent + 2 + min(max((len(name) for name, _ in cells), default=0), 26)
    for name, text in cells:
        start = f"{' ' * indent}{name}".ljust(column - 2) + "  "
        click.echo(wrapped(text, start, " " * column))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], indent: int = 2) -> None:
    """Print columns, numbers to the right; the first one is cut where a line would not fit."""
    cells = [[flat(cell, 200) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(heads), *cells]) for i in range(len(heads))]
    rest = sum(widths[1:]) + 2 * len(widths) + indent
    widths[0] = max(min(widths[0], width() - rest), 8)
    for row in [list(heads), *cells]:
        first = row[0] if len(row[0]) <= widths[0] else row[0][: widths[0] - 3] + "..."
        tail = [cell.rjust(size) for cell, size in zip(row[1:], widths[1:], strict=True)]
        click.echo((" " * indent + "  ".join([first.ljust(widths[0]), *tail])).rstrip())


def wrapped(text: str, first: str, rest: str) -> str:
    """`text` filled to the width; words longer than a line stay whole, so that paths can be copied."""
    if not text:
        return first.rstrip()
    return textwrap.fill(
        text,
        width(),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def number(value: float) -> str:
    """A number to read: six digits."""
    return f"{value:.6g}"


def as_json(value: Any) -> None:
    """Print JSON: one document, escaped to ASCII; numbers that JSON lacks become null."""
    import json

    click.echo(json.dumps(finite(value), indent=2, allow_nan=False))


def finite(value: Any) -> Any:
    """`value` with NaN and infinities replaced by None, at any depth."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value
