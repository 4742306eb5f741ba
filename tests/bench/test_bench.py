"""Suites run to their end, whatever happens in a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import solverkit as sk
from solverkit.bench.record import Outcome

WILD = """[toy-quick, toy-raises, toy-stays, toy-dies, toy-hangs, toy-lacks,
  {{method: toy-dies-once, options: {{mark: {mark}}}}}]"""


def outcomes(table):
    return {record.label: record.outcome.name for record in table.records}


@pytest.fixture(scope="module")
def wild(tmp_path_factory):
    """One suite of methods that end in every way there is."""
    folder = tmp_path_factory.mktemp("wild")
    (folder / "line.yaml").write_text("solverkit: 1\nkind: toy-line\nname: line\nanswer: 2\nexpect: {objective: 0}\n")
    text = "solverkit: 1\nkind: suite\nname: wild\nproblems: [line.yaml]\nseeds: [0]\n"
    text += f"methods: {WILD.format(mark=folder / 'mark')}\nlimits: {{max_time: 1, kill_after: 4}}\n"
    (folder / "suite.yaml").write_text(text)
    return folder, sk.bench(folder / "suite.yaml", out=folder / "out", jobs=2)


def test_every_run_is_recorded_as_what_it_was(wild):
    _, table = wild
    assert outcomes(table) == {
        "toy-quick": "SOLVED",
        "toy-raises": "FAILED",
        "toy-stays": "UNSOLVED",
        "toy-dies": "CRASHED",
        "toy-hangs": "TIMEOUT",
        "toy-lacks": "SKIPPED",
        "toy-dies-once": "SOLVED",
    }
    assert len(table) == 7
    assert (table.left, table.interrupted) == (0, False)


def test_reasons_are_sentences_with_the_place(wild):
    reasons = {record.label: record.reason for record in wild[1].records}
    assert reasons["toy-quick"] == ""
    assert reasons["toy-raises"] == "RuntimeError: an error of the method"
    assert reasons["toy-stays"].startswith("distance ")
    assert reasons["toy-stays"].endswith("> 1e-06; ended by converged")
    assert "2 workers died while they ran this: Segmentation fault, in step (methods.py:" in reasons["toy-dies"]
    assert "ended from outside after 4 s (max_time 1 s), in step (methods.py:" in reasons["toy-hangs"]


def test_a_record_tells_all_that_a_report_needs(wild):
    (record,) = [record for record in wild[1].records if record.label == "toy-quick"]
    assert (record.problem, record.kind, record.suite) == ("line", "toy-line", "wild")
    assert (record.termination, record.point_status) == ("target", "certified")
    assert (record.objective, record.expected) == (0.0, 0.0)
    assert record.calls == sum(record.counts.values()) == 2
    assert record.certificate["distance"] == {"value": 0.0, "scaling": 1.0, "tolerance": 1e-6}
    assert record.sizes == {"x": 1}
    assert record.trace[-1][1:] == (2, 0.0)
    assert record.time >= 0.001
    facts = wild[1].environments[record.environment]
    assert facts["threads"]["OMP_NUM_THREADS"] == "1"
    assert {"processor", "cores", "memory (GiB)", "python", "versions"} <= facts.keys()


def test_the_same_call_makes_nothing_again(wild):
    folder, table = wild
    before = {path.name for path in (folder / "out").iterdir()}
    again = sk.bench(folder / "suite.yaml", out=folder / "out", jobs=2)
    assert again.records == table.records
    assert {path.name for path in (folder / "out").iterdir()} == before
    assert not [name for name in before if name.startswith(".session")]


def test_outcomes_can_be_made_again(wild):
    folder, table = wild
    again = sk.bench(folder / "suite.yaml", out=folder / "out", retry=["failed"])
    assert outcomes(again) == outcomes(table)
    changed = [old.label for old, new in zip(table.records, again.records, strict=True) if old.started != new.started]
    assert changed == ["toy-raises"]
    with pytest.raises(sk.UsageError, match=r"no outcome 'timeuot' \(did you mean 'timeout'\?\)"):
        sk.bench(folder / "suite.yaml", out=folder / "out", retry=["timeuot"])


def test_problems_and_methods_by_hand(tmp_path):
    from bench_toy.kind import Line

    table = sk.bench(
        problems=[Line("one", 1.0), Line("two", 2.0)],
        methods=["toy-quick", {"method": "toy-stays", "label": "lazy"}],
        seeds=[0, 1],
        max_time=5,
        jobs=2,
    )
    assert repr(table) == "Table of 8 runs: 4 solved, 4 unsolved"
    row = table.rows()[0]
    assert (row["problem"], row["label"], row["outcome"], row["solved"]) == ("one", "toy-quick", "solved", True)
    assert row["calls_nfev"] == 2
    assert {curve.label: curve.at(1.0) for curve in table.profile().curves} == {"toy-quick": 1.0, "lazy": 0.0}
    with pytest.raises(sk.UsageError, match="a profile is of kind"):
        table.profile("time", "data")


def test_a_frame_has_a_line_a_run(wild):
    pandas = pytest.importorskip("pandas")
    frame = wild[1].frame()
    assert isinstance(frame, pandas.DataFrame)
    assert len(frame) == 7
    assert frame.set_index("label").loc["toy-quick", "solved"]


def test_calls_that_contradict_themselves(write):
    for wrong, message in (
        ({"suite": write(), "seeds": [1]}, "leave out seeds"),
        ({"problems": ["line.yaml"]}, "methods is missing"),
        ({"suite": write(), "jobs": 0}, "jobs is a number"),
        ({"problems": ["nowhere.yaml"], "methods": "toy-quick"}, "no such file: 'nowhere.yaml'"),
        ({"problems": ["nowhere.yaml"], "methods": "toy-quick", "tol": -1.0}, "tol: "),
    ):
        with pytest.raises(sk.UsageError, match=message):
            sk.bench(wrong.pop("suite", None), **wrong)


def test_a_time_limit_leaves_the_rest_for_later(write, tmp_path):
    path = write(methods="[{method: toy-quick, options: {seconds: 0.2}}]", seeds=str(list(range(30))))
    table = sk.bench(path, out=tmp_path / "out", time_limit=0.5)
    assert table.left > 0
    assert len(table) + table.left == 30
    assert not table.interrupted


def test_ctrl_c_keeps_everything_and_waits_for_the_run_in_hand(write, tmp_path):
    out = tmp_path / "out"
    path = write(methods="[{method: toy-quick, options: {seconds: 0.3}}]", seeds=str(list(range(100))))
    command = [sys.executable, "-m", "solverkit", "bench", str(path), "--jobs", "2", "--out", str(out)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not any(b'"outcome"' in file.read_bytes() for file in out.glob("runs-*.jsonl")):
        assert time.monotonic() < deadline, process.poll()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "waiting for the runs in hand" in stderr
    from solverkit.bench import store

    runs = store.read(out)
    started = sum(file.read_text().count('"session"') for file in out.glob("runs-*.jsonl"))
    assert 0 < len(runs.records) == started < 100, "what was begun is on disk"
    assert {record.outcome for record in runs.records} == {Outcome.SOLVED}


def test_solve_many_in_order_whatever_happens(write, tmp_path):
    write()
    from bench_toy.kind import Line

    problems = [Line("one", 1.0), tmp_path / "line.yaml", tmp_path / "nowhere.yaml", Line("three", 3.0)]
    results = sk.solve_many(problems, "toy-quick", jobs=2, max_time=5)
    assert [result.success for result in results] == [True, True, False, True]
    assert [result.problem for result in results if result.success] == ["one", "line", "three"]
    assert "nowhere.yaml" in str(results[2])
    alone = sk.solve_many(problems, "toy-quick", jobs=1)
    assert [result.success for result in alone] == [True, True, False, True]
    assert alone[0].point["x"] == results[0].point["x"]


def test_solve_many_survives_a_crash(write, tmp_path):
    from bench_toy.kind import Line

    results = sk.solve_many([Line("one", 1.0), Line("two", 2.0)], "toy-dies", jobs=2)
    assert [str(result) for result in results] == ["the worker died while it solved this"] * 2
    with pytest.raises(sk.UsageError, match="solve_many has no callback"):
        sk.solve_many([], "toy-quick", callback=print)
