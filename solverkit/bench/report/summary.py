"""What the records of a suite say, before anybody decides how it looks.

Problems of one kind are compared with each other, never across kinds: a `Group` a kind. Within it a `Cell` is what one
label did on one problem, a `Standing` what it did on all of them. Units, medians and ratios are those of
`solverkit.bench.profiles`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from solverkit.bench.profiles import (
    Costs,
    Profile,
    Ratio,
    Unit,
    data_profile,
    dimensions,
    medians,
    performance_profile,
    ratio,
)
from solverkit.bench.record import Outcome, Record
from solverkit.errors import UsageError
from solverkit.text import clean, nearest

OFF_TARGET = 1e-3
"""A certified objective is off target where it differs from the expected one by more than this times max(1, |it|)."""


@dataclass(frozen=True)
class Cell:
    """One label on one problem. Medians over repetitions, then over the seeds that it solved."""

    problem: str
    label: str
    runs: int
    solved: int
    skipped: int
    calls: float | None
    time: float | None
    calls_ratio: float | None  # geometric mean over the seeds that the baseline solved too
    time_ratio: float | None
    objective: float | None  # median of the certified runs
    off_target: int  # certified runs whose objective is not the expected one


@dataclass(frozen=True)
class Row:
    """One problem and its cells, a label each, in the order of the group's labels."""

    problem: str
    variables: int | None
    expected: float | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Standing:
    """One label over all problems of its kind."""

    label: str
    method: str
    units: int  # units that it solved
    best: int  # units on which nobody needed fewer calls
    runs: int
    outcomes: Mapping[Outcome, int]
    off_target: int  # certified runs whose objective is not the expected one
    calls: Ratio
    time: Ratio


@dataclass(frozen=True)
class Failure:
    """Runs of one label that ended in the same way for the same reason."""

    label: str
    outcome: Outcome
    reason: str
    problems: tuple[str, ...]
    runs: int


@dataclass(frozen=True)
class Group:
    """Everything about one kind of problem."""

    kind: str
    labels: tuple[str, ...]
    baseline: str
    units: int
    seeds: int
    repetitions: int
    rows: tuple[Row, ...]
    standings: tuple[Standing, ...]  # those that solved most first
    failures: tuple[Failure, ...]  # SKIPPED last
    unsolved: tuple[str, ...]  # problems that no run solved
    profiles: tuple[Profile, ...]  # performance by calls, performance by time, data
    records: tuple[Record, ...]


@dataclass(frozen=True)
class Report:
    """A suite. `environments` are those that the records name, and the suite's own facts are in `suite`."""

    suite: Mapping[str, Any]
    name: str
    groups: tuple[Group, ...]
    environments: Mapping[str, Mapping[str, Any]]
    skipped_lines: int

    @property
    def records(self) -> list[Record]:
        """Every run."""
        return [record for group in self.groups for record in group.records]


def summarize(
    records: Iterable[Record],
    environments: Mapping[str, Mapping[str, Any]] | None = None,
    suite: Mapping[str, Any] | None = None,
    baseline: str | None = None,
    skipped_lines: int = 0,
) -> Report:
    """The report of these records; of runs with the same id, the last one counts.

    `baseline` is the label that ratios refer to. A kind that it did not run on, and every kind where it is None, takes
    the label that solved most units. Raises UsageError for a label that no record has.
    """
    runs = list({record.run: record for record in records}.values())
    suite = suite or {}
    labels = {record.label for record in runs}
    if baseline is not None and baseline not in labels:
        guess = nearest(baseline, labels) or f" (labels: {', '.join(sorted(map(clean, labels)))})"
        raise UsageError(f"no runs of '{clean(baseline, 64)}' to compare with{guess}")
    kinds: dict[str, list[Record]] = {}
    for record in sorted(runs, key=lambda record: (record.kind, record.problem, record.label, record.seed)):
        kinds.setdefault(record.kind, []).append(record)
    used = {record.environment for record in runs}
    return Report(
        suite,
        str(suite.get("name") or next((record.suite for record in runs if record.suite), "") or "suite"),
        tuple(_group(kind, found, baseline) for kind, found in kinds.items()),
        {key: facts for key, facts in (environments or {}).items() if key in used},
        skipped_lines,
    )


def _group(kind: str, records: Sequence[Record], wanted: str | None) -> Group:
    calls, time = medians(records, "calls"), medians(records, "time")
    baseline = wanted if wanted in calls else max(calls, key=lambda label: _rank(calls[label]))
    rows = _rows(records, calls, time, baseline)
    return Group(
        kind,
        tuple(calls),
        baseline,
        len(calls[baseline]),
        len({record.seed for record in records}),
        len({record.repetition for record in records}),
        rows,
        _standings(records, calls, time, baseline),
        _failures(records),
        tuple(row.problem for row in rows if not any(cell.solved for cell in row.cells)),
        (performance_profile(records, "calls"), performance_profile(records, "time"), data_profile(records)),
        tuple(records),
    )


def _rank(costs: Mapping[Unit, float]) -> tuple[int, float]:
    """More units first, then fewer calls."""
    solved = [value for value in costs.values() if math.isfinite(value)]
    return len(solved), -sum(solved)


def _rows(records: Sequence[Record], calls: Costs, time: Costs, baseline: str) -> tuple[Row, ...]:
    runs: dict[tuple[str, str], list[Record]] = {}
    expected: dict[str, float | None] = {}
    units: dict[str, set[Unit]] = {}
    for record in records:
        runs.setdefault((record.problem, record.label), []).append(record)
        units.setdefault(record.problem, set()).add((record.problem, record.seed))
        if expected.get(record.problem) is None:
            expected[record.problem] = record.expected
    sizes = dimensions(records)
    return tuple(
        Row(
            problem,
            sizes.get(problem),
            target,
            tuple(
                _cell(runs.get((problem, label), []), problem, label, _on(units[problem], calls, time, label, baseline))
                for label in calls
            ),
        )
        for problem, target in expected.items()
    )


def _on(units: set[Unit], calls: Costs, time: Costs, label: str, baseline: str) -> list[Any]:
    """Medians of the label's finite costs, and its ratios to the baseline, on the units of one problem."""
    found: list[Any] = []
    for cost, costs in (("calls", calls), ("time", time)):
        own = {unit: costs[label][unit] for unit in units}
        solved = [value for value in own.values() if math.isfinite(value)]
        found.append(median(solved) if solved else None)
        found.append(ratio(label, baseline, cost, own, costs[baseline]).geometric_mean)  # type: ignore[arg-type]
    return found


def _cell(runs: Sequence[Record], problem: str, label: str, numbers: Sequence[float | None]) -> Cell:
    solved = [record for record in runs if record.solved]
    values = [record.objective for record in solved if record.objective is not None]
    calls, calls_ratio, time, time_ratio = numbers
    return Cell(
        problem,
        label,
        len(runs),
        len(solved),
        sum(record.outcome is Outcome.SKIPPED for record in runs),
        calls,
        time,
        calls_ratio,
        time_ratio,
        median(values) if values else None,
        sum(map(_off_target, solved)),
    )


def _off_target(record: Record) -> bool:
    if record.objective is None or record.expected is None:
        return False
    return not abs(record.objective - record.expected) <= OFF_TARGET * max(1.0, abs(record.expected))


def _standings(records: Sequence[Record], calls: Costs, time: Costs, baseline: str) -> tuple[Standing, ...]:
    off_target = Counter(record.label for record in records if record.solved and _off_target(record))
    outcomes: dict[str, Counter[Outcome]] = {label: Counter() for label in calls}
    methods = {record.label: record.method for record in records}
    for record in records:
        outcomes[record.label][record.outcome] += 1
    least = {unit: min(found[unit] for found in calls.values()) for unit in calls[baseline]}
    found = [
        Standing(
            label,
            methods[label],
            _rank(costs)[0],
            sum(math.isfinite(value) and value == least[unit] for unit, value in costs.items()),
            outcomes[label].total(),
            outcomes[label],
            off_target[label],
            ratio(label, baseline, "calls", costs, calls[baseline]),
            ratio(label, baseline, "time", time[label], time[baseline]),
        )
        for label, costs in calls.items()
    ]
    return tuple(sorted(found, key=lambda standing: (-standing.units, -standing.best, standing.label)))


def _failures(records: Sequence[Record]) -> tuple[Failure, ...]:
    alike: dict[tuple[bool, str, str, str], list[str]] = {}
    for record in records:
        if not record.solved:
            skipped = record.outcome is Outcome.SKIPPED
            alike.setdefault((skipped, record.label, record.outcome.name, record.reason), []).append(record.problem)
    return tuple(
        Failure(label, Outcome[outcome], reason, tuple(sorted(set(problems))), len(problems))
        for (_, label, outcome, reason), problems in sorted(alike.items())
    )
