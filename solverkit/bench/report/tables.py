"""The tables of the page. A wide one scrolls in a box of its own, which the keyboard reaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from solverkit.bench.record import Outcome
from solverkit.bench.report import words
from solverkit.bench.report.summary import Cell, Failure, Group, Row
from solverkit.bench.report.svg import escape

FAILURES = 500
"""Kinds of failure that are listed."""

FACTS = 200
"""Facts of an environment that are listed."""


def standings(group: Group) -> str:
    """A line a label, those that solved most first."""
    base = escape(group.baseline, 40)
    pairs = words.unit(group, 2).removeprefix("2 ")
    caption = (
        f"Counted in {escape(pairs)}, medians over repetitions first. Best: nobody needed fewer calls. Ratios to {base}"
        ": geometric means where both succeed; below 1 is cheaper. Other objective: certified runs that ended at "
        "another objective than the problem file expects."
    )
    heads = ["method", "solved", "best", "calls ×", "time ×", "both solved", "runs", "certified", "other objective"]
    met = {outcome for standing in group.standings for outcome in standing.outcomes}
    ends = [words.SHORT[outcome] for outcome in Outcome if outcome in met and outcome is not Outcome.SOLVED]
    rows = []
    for standing in group.standings:
        count = {words.SHORT[outcome]: runs for outcome, runs in standing.outcomes.items()}
        ended = [str(count.get(head, 0) or "") for head in ends]
        cells = [
            f"{standing.units} / {group.units}",
            standing.best,
            words.times(standing.calls.geometric_mean),
            words.times(standing.time.geometric_mean),
            standing.calls.common,
            standing.runs,
            count.get("solved", 0),
            standing.off_target or "",
            *ended,
        ]
        rows.append(_line(escape(standing.label, 60), cells))
    return _table("Standings", caption, heads + ends, [f"<tbody>{''.join(rows)}</tbody>"])


def problems(group: Group) -> str:
    """A block a problem, a line a label."""
    base = escape(group.baseline, 40)
    caption = (
        "Certified: runs whose answer passed the check. Medians over repetitions, then over the seeds on which most "
        f"repetitions passed. Ratios to {base} on the seeds that both solved; below 1 is cheaper."
    )
    heads = ["problem and method", "certified", "calls", "time", "calls ×", "time ×", "objective"]
    return _table("Problems", caption, heads, [_problem(row, len(heads)) for row in group.rows])


def _problem(row: Row, columns: int) -> str:
    facts = [] if row.variables is None else [words.count(row.variables, "variable")]
    facts += [] if row.expected is None else [f"expected objective {words.number(row.expected, 7)}"]
    about = f' <span class="soft small">{", ".join(facts)}</span>' if facts else ""
    lines = [_line(escape(cell.label, 60), _cells(cell)) for cell in row.cells]
    head = f'<tr class="head"><th colspan="{columns}" scope="rowgroup">{escape(row.problem, 80)}{about}</th></tr>'
    return f"<tbody>{head}{''.join(lines)}</tbody>"


def _cells(cell: Cell) -> list[str]:
    if not cell.runs or cell.skipped == cell.runs:
        return [f'<span class="soft">{"skipped" if cell.runs else "no run"}</span>', *["–"] * 5]
    kind = "good" if cell.solved == cell.runs else "bad" if not cell.solved else ""
    objective = words.number(cell.objective, 7)
    if cell.off_target:
        objective = f'<span class="bad">{objective} (not the expected one)</span>'
    return [
        f'<span class="{kind}">{cell.solved} / {cell.runs}</span>',
        words.calls(cell.calls),
        words.seconds(cell.time),
        words.times(cell.calls_ratio),
        words.times(cell.time_ratio),
        objective,
    ]


def failures(found: Sequence[Failure]) -> str:
    """Runs that ended alike for the same reason, with their number."""
    rows = [
        f'<tr><th scope="row">{escape(failure.label, 60)}</th><td class="text">{words.SHORT[failure.outcome]}</td>'
        f'<td>{failure.runs}</td><td class="text wrap">{escape(words.names(failure.problems), 1200)}</td>'
        f'<td class="text wrap">{escape(failure.reason or "no reason was recorded")}</td></tr>'
        for failure in found[:FAILURES]
    ]
    table = _table(
        "Failures", "", ["method", "how it ended", "runs", "problems", "reason"], _body(rows), text=(1, 3, 4)
    )
    more = len(found) - FAILURES
    return table + (f'<p class="soft">and {more} more; the JSON has them all.</p>' if more > 0 else "")


def facts(environment: Mapping[str, Any]) -> str:
    """Names and values, nested names joined by dots."""
    rows = [
        f'<tr><th scope="row">{escape(name, 120)}</th><td class="text wrap">{escape(value)}</td></tr>'
        for name, value in list(_flat(environment))[:FACTS]
    ]
    return _table("Environment", "", ["fact", "value"], _body(rows), text=(1,))


def _flat(value: Any, path: str = "") -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _flat(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, (list, tuple)):
        yield path, ", ".join(map(str, value))
    else:
        yield path, value


def _body(rows: Iterable[str]) -> list[str]:
    return [f"<tbody>{''.join(rows)}</tbody>"]


def _line(name: str, cells: Iterable[object]) -> str:
    """`name` and `cells` are HTML."""
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _table(label: str, caption: str, heads: Sequence[str], bodies: Iterable[str], text: Sequence[int] = ()) -> str:
    """`caption` is HTML; `text` are the columns that are no numbers."""
    row = "".join(
        f'<th scope="col"{" class=text" if number in text else ""}>{escape(head)}</th>'
        for number, head in enumerate(heads)
    )
    said = f'<p class="soft small">{caption}</p>' if caption else ""
    return (
        f'{said}<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>'
        f"<thead><tr>{row}</tr></thead>{''.join(bodies)}</table></div>"
    )
