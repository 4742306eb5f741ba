"""Runs of a suite and their ids; what is skipped, and why."""

from __future__ import annotations

import json
import subprocess
import sys

import solverkit as sk
from solverkit.bench.plan import make_plan
from solverkit.bench.record import Outcome
from solverkit.bench.suite import load_suite


def plan(path):
    return make_plan(*load_suite(path))


def test_every_problem_by_every_method_seed_and_repetition(write):
    made = plan(
        write(
            problems="[{file: line.yaml, parameters: {a: [1, 2]}}]",
            methods="[toy-quick, toy-raises]",
            seeds="[0, 1, 2]",
            repetitions="2",
        )
    )
    assert len(made.runs) == len(set(made.ids)) == 2 * 2 * 3 * 2
    assert {run.problem.name for run in made.runs} == {"line[a=1]", "line[a=2]"}
    first = made.runs[0]
    assert (first.problem.expected, dict(first.problem.sizes)) == (None, {"x": 1})


def test_ids_are_the_same_in_another_process_and_another_folder(write, tmp_path):
    path = write(seeds="[0, 1]", methods="[toy-quick, toy-raises]")
    code = (
        "import json, sys; from solverkit.bench.plan import make_plan; from solverkit.bench.suite import load_suite; "
        "print(json.dumps(make_plan(*load_suite(sys.argv[1])).ids))"
    )
    other = tmp_path / "other"
    other.mkdir()
    for name in ("suite.yaml", "line.yaml"):
        (other / name).write_text((tmp_path / name).read_text())
    command = [sys.executable, "-c", code, str(other / "suite.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout) == plan(path).ids


def test_ids_follow_what_decides_the_run_and_nothing_else(write, tmp_path):
    ids = plan(write()).ids
    assert plan(write(description="words")).ids == ids
    assert plan(write(limits="{kill_after: 100}")).ids == ids
    assert plan(write(methods="[{method: toy-quick, options: {seconds: 0.001}}]")).ids == ids, "it is the default"
    for changed in (
        {"tol": "1e-5"},
        {"seeds": "[1]"},
        {"threads": "2"},
        {"limits": "{max_time: 59}"},
        {"methods": "[{method: toy-quick, options: {seconds: 0.002}}]"},
        {"methods": "[{method: toy-quick, label: other}]"},
        {"problems": "[{file: line.yaml, parameters: {a: 3}}]"},
    ):
        assert not set(plan(write(**changed)).ids) & set(ids), changed
    path = write()
    (tmp_path / "line.yaml").write_text((tmp_path / "line.yaml").read_text().replace("a: 2", "a: 4"))
    assert plan(path).ids != ids, "the problem is another one"


def test_pairs_that_do_not_fit_are_skipped_with_the_reason(write):
    made = plan(write(methods="[toy-quick, toy-lacks, toy-picky]", seeds="[0, 1]"))
    assert {run.method for run in made.runs} == {"toy-quick"}
    reasons = {record.method: record.reason for record in made.skipped}
    assert len(made.skipped) == 4
    assert all(record.outcome is Outcome.SKIPPED for record in made.skipped)
    assert reasons["toy-lacks"].endswith("not installed. Run: pip install nobody_has_this_package")
    assert "needs 'hvp'; problem 'line' provides distance" in reasons["toy-picky"]


def test_in_a_suite_of_two_kinds_each_method_is_for_its_own(write, root):
    other = root / "problems" / "nonlinear" / "hs7" / "problem.yaml"
    made = plan(write(problems=f"[line.yaml, '{other}']", methods="[toy-quick, slsqp]"))
    assert {(run.problem.name, run.method) for run in made.runs} == {("line", "toy-quick"), ("hs7", "slsqp")}
    assert not made.skipped
    alone = plan(write(methods="[toy-quick, slsqp]"))
    assert [record.method for record in alone.skipped] == ["slsqp"]
    assert "solves nonlinear problems" in alone.skipped[0].reason


def test_what_was_skipped_for_a_package_is_made_once_it_is_there(write, tmp_path, monkeypatch):
    path, out = write(methods="[toy-lacks]"), tmp_path / "out"
    table = sk.bench(path, out=out)
    assert [record.outcome for record in table.records] == [Outcome.SKIPPED]
    assert [record.outcome for record in sk.bench(path, out=out).records] == [Outcome.SKIPPED]
    (tmp_path / "nobody_has_this_package.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [record.outcome for record in sk.bench(path, out=out).records] == [Outcome.SOLVED]
