"""The report for other programs: a CSV line a run, and the summary as JSON."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from csv import QUOTE_NONNUMERIC, writer
from dataclasses import asdict
from typing import Any

from solverkit.bench.profiles import Profile
from solverkit.bench.record import Record
from solverkit.bench.report.summary import Failure, Group, Report, Standing
from solverkit.text import clean

FORMULA = tuple("=+-@|%＝＋－＠")
"""First letters for which some spreadsheet evaluates a cell (CWE-1236), their full-width forms included."""

COLUMNS = (
    "suite", "kind", "problem", "label", "method", "seed", "repetition", "outcome", "reason", "termination",
    "point_status", "objective", "expected", "calls", "time", "iterations", "certificate_time", "variables",
    "environment", "worker", "run",
)  # fmt: skip


def csv(report: Report) -> str:
    """A line a run, then a column `calls_NAME` for every oracle. Texts are quoted, and guarded against formulas.

    What is not a finite number is left empty.
    """
    records = report.records
    oracles = sorted({name for record in records for name in record.counts})
    file = io.StringIO()
    lines = writer(file, quoting=QUOTE_NONNUMERIC)
    lines.writerow([*COLUMNS, *(guard(f"calls_{name}") for name in oracles)])
    for record in records:
        counts = [record.counts.get(name, 0) for name in oracles]
        lines.writerow([_cell(value) for value in [*_values(record), *counts]])
    return file.getvalue()


def _values(record: Record) -> list[Any]:
    special = {
        "outcome": record.outcome.name.lower(),
        "variables": sum(record.sizes.values()) if record.sizes else None,
    }
    return [special[name] if name in special else getattr(record, name) for name in COLUMNS]


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return guard(value)
    return value if value is not None and math.isfinite(value) else ""


def guard(text: object) -> str:
    """A text that a spreadsheet shows and never evaluates: a quote before the first letter of a formula."""
    line = clean(text, 2000)
    return f"'{line}" if line.lstrip(" \u00a0'\"").startswith(FORMULA) else line


def document(report: Report) -> dict[str, Any]:
    """The summary as JSON's own types, without single runs: those are in the run folder, and in the CSV.

    Per kind: standings, problems with their cells, failures, and the curves of the profiles as x and y.
    """
    return {
        "solverkit": 1,
        "suite": report.name,
        "runs": len(report.records),
        "skipped_lines": report.skipped_lines,
        "kinds": {clean(group.kind): _group(group) for group in report.groups},
        "environments": {clean(key): dict(facts) for key, facts in report.environments.items()},
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "baseline": clean(group.baseline),
        "units": group.units,
        "seeds": group.seeds,
        "repetitions": group.repetitions,
        "standings": [_standing(standing) for standing in group.standings],
        "problems": [_cleaned(asdict(row)) for row in group.rows],
        "failures": [_failure(failure) for failure in group.failures],
        "unsolved": [clean(name) for name in group.unsolved],
        "profiles": [_profile(profile) for profile in group.profiles],
    }


def _standing(standing: Standing) -> dict[str, Any]:
    facts = asdict(standing)
    facts["outcomes"] = {outcome.name.lower(): runs for outcome, runs in standing.outcomes.items()}
    return _cleaned(facts)


def _failure(failure: Failure) -> dict[str, Any]:
    return _cleaned({**asdict(failure), "outcome": failure.outcome.name.lower()})


def _profile(profile: Profile) -> dict[str, Any]:
    curves: Sequence[dict[str, Any]] = [_cleaned(asdict(curve)) for curve in profile.curves]
    return {"name": profile.name, "cost": profile.cost, "x": profile.x, "units": profile.units, "curves": curves}


def _cleaned(value: Any) -> Any:
    """Texts cleaned, at any depth."""
    if isinstance(value, dict):
        return {key: _cleaned(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(item) for item in value]
    return clean(value, 2000) if isinstance(value, str) else value
