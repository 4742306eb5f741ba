"""What the report says of records whose answer is known."""

from __future__ import annotations

import dataclasses
import sys
import types

import click.testing
import pytest
from synthetic import ENVIRONMENTS, SUITE, records

import solverkit.bench
from solverkit.bench.record import Outcome
from solverkit.bench.report import document, sections, summarize
from solverkit.cli.bench_report import command
from solverkit.errors import UsageError


def test_of_equal_runs_the_last_counts():
    first = records(1, 1, 1, 1)[0]
    crashed = dataclasses.replace(first, outcome=Outcome.CRASHED)
    again = dataclasses.replace(first, outcome=Outcome.SOLVED)
    assert [run.solved for run in summarize([crashed, again]).records] == [True]


def test_the_order_of_records_does_not_matter():
    runs = records(5, 4, 2, 3)
    assert document(summarize(runs)) == document(summarize(runs[::-1]))


def test_kinds_are_never_compared():
    runs = records(3, 2) + records(2, 2, kind="nonlinear", seed=1)
    first, second = summarize(runs).groups
    assert (first.kind, first.units, len(first.rows)) == ("bilevel", 6, 3)
    assert (second.kind, second.units, len(second.rows)) == ("nonlinear", 4, 2)


def test_the_baseline_is_given_or_the_one_that_solved_most():
    runs = records(6, 4)
    assert summarize(runs).groups[0].baseline == summarize(runs).groups[0].standings[0].label == "method-0"
    group = summarize(runs, baseline="method-2").groups[0]
    assert group.baseline == "method-2"
    assert all(row.cells[2].calls_ratio in (1.0, None) for row in group.rows)
    with pytest.raises(UsageError, match="did you mean 'method-2'"):
        summarize(runs, baseline="methd-2")


def test_numbers_add_up():
    runs = records(6, 4, 2, 3)
    group = summarize(runs).groups[0]
    assert sum(standing.runs for standing in group.standings) == len(runs)
    assert sum(cell.runs for row in group.rows for cell in row.cells) == len(runs)
    assert sum(failure.runs for failure in group.failures) == sum(not run.solved for run in runs)
    assert [failure.outcome is Outcome.SKIPPED for failure in group.failures] == sorted(
        failure.outcome is Outcome.SKIPPED for failure in group.failures
    )
    for standing in group.standings:
        curve = next(curve for curve in group.profiles[0].curves if curve.label == standing.label)
        assert curve.at(1e12) == standing.units / group.units
        assert curve.at(1.0) == standing.best / group.units


def test_another_objective_than_the_expected_one_is_said():
    runs = [run for run in records(3, 3) if run.solved]
    report = summarize(runs)
    text = "\n".join(line for section in sections(report) for line in section.lines)
    wrong = [cell for row in report.groups[0].rows for cell in row.cells if cell.off_target]
    assert [(cell.problem, cell.label) for cell in wrong] == [("problem-1", "method-2")]
    assert "method-2 on problem-1" in text


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A run folder whose store answers with synthetic records."""
    runs = types.SimpleNamespace(records=records(), environments=ENVIRONMENTS, suite=SUITE, skipped_lines=1)
    store = types.ModuleType("solverkit.bench.store")
    store.read = lambda path: runs
    monkeypatch.setitem(sys.modules, "solverkit.bench.store", store)
    monkeypatch.setattr(solverkit.bench, "store", store, raising=False)
    return tmp_path


def run(*arguments):
    return click.testing.CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_the_command_prints_and_writes(folder):
    done = run(folder, "--html", folder / "a.html", "--csv", folder / "a.csv", "--baseline", "method-1")
    assert done.exit_code == 0, done.output
    assert "method-0" in done.stdout
    assert "1 line of the run files" in done.stdout
    assert (folder / "a.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (folder / "a.csv").read_text(encoding="utf-8").count("\n") == 1 + 6 * 4 * 2 * 3


def test_the_command_prints_json(folder):
    import json

    found = json.loads(run(folder, "--json").stdout)
    assert set(found["kinds"]) == {"bilevel"}
    assert found["environments"] == ENVIRONMENTS


def test_the_command_refuses(folder):
    assert isinstance(run(folder / "absent").exception, UsageError)
    assert isinstance(run(folder, "--html", folder / "absent" / "a.html").exception, UsageError)
    assert isinstance(run(folder, "--baseline", "nobody").exception, UsageError)
