"""The sentences of a report: what was run and who solved what, for a reader who has never seen one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from solverkit.bench.record import Outcome, Record
from solverkit.bench.report.summary import Group, Report, Standing
from solverkit.text import clean

SHORT = {
    Outcome.SOLVED: "solved",
    Outcome.UNSOLVED: "not solved",
    Outcome.SKIPPED: "skipped",
    Outcome.FAILED: "error",
    Outcome.TIMEOUT: "timeout",
    Outcome.CRASHED: "crash",
}

NAMES = 12
"""Names that a sentence lists before it says how many more there are."""

COMPARED = 4
"""Methods that are compared with the baseline in words; the table has all."""


def count(number: int, noun: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def seconds(value: float | None) -> str:
    """A time to read: three digits and a unit; a dash for None."""
    if value is None:
        return "–"
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (600.0, 1.0, "s"), (36_000.0, 1 / 60, "min")):
        if value < limit:
            return f"{value * factor:.3g} {unit}"
    return f"{value / 3600:.3g} h"


def number(value: float | None, digits: int = 7) -> str:
    """A number to read; a dash for None."""
    return "–" if value is None else f"{value:.{digits}g}"


def calls(value: float | None) -> str:
    """A number of calls: whole below a million, a dash for None."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value < 1e6 else f"{value:.3g}"


def times(value: float | None) -> str:
    """A ratio, to three digits; a dash for None."""
    if value is None:
        return "–"
    for limit, form in ((0.0995, ".2g"), (9.995, ".2f"), (99.95, ".1f"), (1e5, ".0f")):
        if value < limit:
            return f"{value:{form}}"
    return f"{value:.2g}"


def names(found: Sequence[str]) -> str:
    """`a, b and c`, cleaned, the rest counted."""
    shown = [clean(name, 80) for name in found[:NAMES]]
    if len(found) > NAMES:
        return f"{', '.join(shown)} and {len(found) - NAMES} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def unit(group: Group, number: int) -> str:
    """What is counted: problems, or problem-seed pairs where there are several seeds."""
    return count(number, "problem" if group.seeds == 1 else "problem-seed pair")


def run_sentences(report: Report) -> list[str]:
    """What was run, and what `solved` means."""
    records = report.records
    if not records:
        return ["There are no runs in this folder yet."]
    solved = sum(record.solved for record in records)
    said = [_ran(group) for group in report.groups]
    said.append(f"That makes {count(len(records), 'run')}, of which {solved:,} solved their problem{_when(records)}.")
    tolerance = report.suite.get("tol", report.suite.get("tolerance"))
    within = f"the tolerance {tolerance:g}" if isinstance(tolerance, (int, float)) else "the suite's tolerance"
    said.append(
        "A run counts as solved only where SolverKit itself recomputed the optimality conditions at the returned "
        f"point, in double precision, and found them within {within} (the certificate). What a method claims of "
        "itself does not count."
    )
    said.append(
        "Effort is counted in oracle calls (evaluations of the problem's functions and derivatives, the same on every "
        "machine) and in seconds; the cost of the certificate is in neither."
    )
    return said


def _ran(group: Group) -> str:
    text = f"{count(len(group.labels), 'method')} on {count(len(group.rows), group.kind + ' problem')}"
    each = [count(group.seeds, "seed")] if group.seeds > 1 else []
    each += [count(group.repetitions, "repetition")] if group.repetitions > 1 else []
    return f"{text}{', with ' + ' and '.join(each) + ' each' if each else ''}."


def _when(records: Sequence[Record]) -> str:
    starts = [record.started for record in records if 0 < record.started < 1e11]
    if not starts:
        return ""
    first, last = (
        datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M") for moment in (min(starts), max(starts))
    )
    return f"; started at {first} UTC" if first == last else f"; started from {first} to {last} UTC"


def solved_sentences(group: Group) -> list[str]:
    """Who solved what, and at which price relative to the baseline."""
    most = group.standings[0].units
    if not most:
        return ["No method solved any of them."]
    leaders = [standing.label for standing in group.standings if standing.units == most]
    rest = [f"{clean(standing.label, 80)} {standing.units}" for standing in group.standings[len(leaders) :][:NAMES]]
    best = ", the most" if rest else ""
    each = " each" if len(leaders) > 1 else ""
    said = [f"{names(leaders)} solved {most} of {unit(group, group.units)}{each}{best}."]
    if rest:
        said.append(f"Then {', '.join(rest)}.")
    compared = [standing for standing in group.standings if standing.label != group.baseline and standing.calls.common]
    if compared:
        each = "; ".join(_compared(group, standing) for standing in compared[:COMPARED])
        said.append(
            f"Where {clean(group.baseline, 80)} and another both succeed, that one takes, relative to it: {each}."
        )
    if group.unsolved:
        said.append(f"Nobody solved {names(group.unsolved)}.")
    return said + off_target(group)


def _compared(group: Group, standing: Standing) -> str:
    cost, time = times(standing.calls.geometric_mean), times(standing.time.geometric_mean)
    text = f"{clean(standing.label, 80)} {cost} times the oracle calls and {time} times the time"
    return f"{text} ({standing.calls.common} in common)"


def off_target(group: Group) -> list[str]:
    """A sentence where certified runs ended at another objective than the problem file expects."""
    cells = [cell for row in group.rows for cell in row.cells if cell.off_target]
    if not cells:
        return []
    where = names([f"{cell.label} on {cell.problem} ({count(cell.off_target, 'run')})" for cell in cells])
    return [
        "Certified, but at another objective than the problem file expects (another local solution, or a conflict "
        f"worth a look): {where}. They count as solved, and their costs are in the ratios."
    ]


def cautions(report: Report) -> list[str]:
    """What a careful reader should know before believing the figures."""
    said = []
    if report.skipped_lines:
        said.append(
            f"Left out, because they could not be read: {count(report.skipped_lines, 'line')} of the run files."
        )
    used = {record.environment for record in report.records}
    if len(used) > 1:
        said.append(
            f"The runs come from {len(used)} environments: times compare only within one, oracle calls anywhere."
        )
    missing = sum(not cell.runs for group in report.groups for row in group.rows for cell in row.cells)
    if missing:
        said.append(
            f"Without a run so far, and counted as not solved: {count(missing, 'combination')} of method and problem."
        )
    for group in report.groups:
        skipped = sum(failure.runs for failure in group.failures if failure.outcome is Outcome.SKIPPED)
        if skipped:
            said.append(
                f"Skipped, and counted as not solved: {count(skipped, 'run')} on {group.kind} problems, because the "
                "method does not fit or a package is missing."
            )
    return said
