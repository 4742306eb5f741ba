"""The report as lines of plain text, within the width that they are given."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from solverkit.bench.report import words
from solverkit.bench.report.summary import Cell, Failure, Group, Report, Row
from solverkit.text import clean

SHOWN = 40
"""Kinds of failure that are listed; the page and the JSON have all."""

HEADS = ("method", "solved", "calls", "time", "calls x", "time x")
WIDTHS = (8, 8, 9, 8, 8)
"""Columns after the first; it gets what is left of the line."""


@dataclass(frozen=True)
class Section:
    """A heading and the lines under it."""

    heading: str
    lines: tuple[str, ...]


def sections(report: Report, width: int = 80) -> list[Section]:
    """Problems, failures, and last, where a terminal shows it, the summary. No line is wider than `width` >= 60."""
    width = max(width, 60)
    found = []
    for group in report.groups:
        found.append(Section(f"{group.kind} problems", _problems(group, width)))
        if group.failures:
            found.append(Section("not solved", _failures(group.failures, width)))
    for group in report.groups:
        lines = [*_standings(group, width), "", *_filled(words.solved_sentences(group), width)]
        found.append(Section(f"summary: {clean(report.name, 40)}, {group.kind} problems"[:width], tuple(lines)))
    about = _filled([*words.run_sentences(report), *words.cautions(report)], width)
    return [*found, Section("about these figures", tuple(about))]


def _problems(group: Group, width: int) -> tuple[str, ...]:
    baseline = clean(group.baseline, 60)
    about = "Medians over repetitions, then over the seeds on which most repetitions were certified."
    lines = _filled([f"{about} 'x': times the cost of {baseline} on the seeds that both solved."], width)
    lines.append(_row(("  " + HEADS[0], *HEADS[1:]), width))
    for row in group.rows:
        lines.append(_cut(_title(row), width))
        lines += [_row(_cells(cell), width) for cell in row.cells]
    return tuple(lines)


def _title(row: Row) -> str:
    facts = [] if row.variables is None else [words.count(row.variables, "variable")]
    facts += [] if row.expected is None else [f"expected objective {words.number(row.expected, 6)}"]
    name = clean(row.problem, 60)
    return f"{name} ({', '.join(facts)})" if facts else name


def _cells(cell: Cell) -> tuple[str, ...]:
    solved = "no run" if not cell.runs else "skipped" if cell.skipped == cell.runs else f"{cell.solved}/{cell.runs}"
    return (
        f"  {clean(cell.label, 200)}",
        solved,
        words.calls(cell.calls),
        words.seconds(cell.time),
        words.times(cell.calls_ratio),
        words.times(cell.time_ratio),
    )


def _standings(group: Group, width: int) -> list[str]:
    lines = [_row((HEADS[0], "solved", "best", "both", "calls x", "time x"), width)]
    for standing in group.standings:
        cells = (
            clean(standing.label, 200),
            f"{standing.units}/{group.units}",
            str(standing.best),
            str(standing.calls.common),
            words.times(standing.calls.geometric_mean),
            words.times(standing.time.geometric_mean),
        )
        lines.append(_row(cells, width))
    pairs, baseline = words.unit(group, 2).removeprefix("2 "), clean(group.baseline, 60)
    lines += _filled(
        [
            f"Counted in {pairs}. 'best': nobody needed fewer calls. 'both': solved by {baseline} too; 'x': geometric "
            "mean of the ratios to it there."
        ],
        width,
    )
    return lines


def _failures(failures: Sequence[Failure], width: int) -> tuple[str, ...]:
    lines: list[str] = []
    for failure in failures[:SHOWN]:
        where = words.names(failure.problems)
        reason = f"; {clean(failure.reason, 300)}" if failure.reason else ""
        text = (
            f"{clean(failure.label, 60)} {words.SHORT[failure.outcome]} ({words.count(failure.runs, 'run')}) on {where}"
        )
        lines += textwrap.wrap(text + reason, width, subsequent_indent="    ")
    if len(failures) > SHOWN:
        lines.append(f"and {len(failures) - SHOWN} more: --html or --json has them all")
    return tuple(lines)


def _filled(sentences: Iterable[str], width: int) -> list[str]:
    return [line for sentence in sentences for line in textwrap.wrap(sentence, width)]


def _row(cells: Sequence[str], width: int) -> str:
    """The first cell to the left, cut; the others to the right."""
    first = width - sum(WIDTHS) - len(WIDTHS)
    name = _cut(cells[0], first)
    tail = (cell.rjust(size) for cell, size in zip(cells[1:], WIDTHS, strict=True))
    return " ".join([name + " " * (first - columns(name)), *tail])


def _cut(text: str, width: int) -> str:
    """`text` in at most `width` columns of the terminal."""
    if columns(text) <= width:
        return text
    while text and columns(text) > width - 3:
        text = text[:-1]
    return text + "..."


def columns(text: str) -> int:
    """Columns that a terminal takes for `text`: two for wide letters, none for combining marks."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )
