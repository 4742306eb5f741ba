"""The kit's own surface: examples, declared failures, the pytest class, what it costs to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conformance_toy.kind import small, unanswered

from solverkit.errors import UsageError
from solverkit.testing import Budget, ConformanceError, SolverConformance, Verdict, check_solver, list_checks
from solverkit.testing.digest import digest

CHEAP = ("spec", "options", "point", "report", "claim", "answer")


class TestGood(SolverConformance):
    method = "toy-good"
    problems = (small, unanswered)
    budget = Budget(steps=6, limit_time=0.05)


def test_every_check_is_a_test_of_the_class():
    assert {name for name in dir(TestGood) if name.startswith("test_")} == {f"test_{name}" for name in list_checks()}


def test_every_check_says_what_it_means():
    assert all(means.endswith(".") for means in list_checks().values())


def test_without_problems_the_examples_of_the_kind_are_taken():
    report = check_solver("toy-good", checks=CHEAP)
    assert {outcome.problem for outcome in report} == {"small"}
    assert {outcome.verdict for outcome in report} == {Verdict.PASSED}


def test_a_problem_without_answer_is_not_checked_for_one():
    report = check_solver("toy-good", [unanswered()], checks=["answer"])
    assert [outcome.seen for outcome in report.skipped] == ["the problem has no expected answer"]


def test_a_failure_says_what_it_means_what_was_seen_and_how_to_mend_it():
    with pytest.raises(ConformanceError) as caught:
        check_solver("bad-AtOnce", [small], checks=CHEAP)
    text = " ".join(str(caught.value).split())
    assert "claim on small: FAILED means Where the method says it has converged" in text
    assert "seen converged after 0 steps at a point that is FEASIBLE: stationarity" in text
    assert "mend tighten the method's own test" in text
    assert "answer on small: not checked (mend 'claim' first)" in text


def test_a_declared_failure_does_not_raise_and_is_reported():
    report = check_solver("bad-AtOnce", [small], checks=CHEAP, expected_failures={"claim": "it is bad"})
    assert report
    assert report.failed == {"claim"}
    assert "claim on small: failed as declared (it is bad; converged after 0 steps" in str(report)


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(UsageError, match="toy-good"):
        check_solver("toy-goed", [small])
    with pytest.raises(UsageError, match="'same_seed'"):
        check_solver("toy-good", [small], checks=["same_sed"])
    with pytest.raises(UsageError, match="'answer'"):
        check_solver("toy-good", [small], expected_failures={"anwser": "?"})


def test_a_problem_of_another_shape_of_source_cannot_travel():
    report = check_solver("toy-good", [lambda: small()], checks=["other_process"])
    assert "give the path of its file, or a function of a module" in report.skipped[0].seen


def test_a_run_leaves_the_working_folder_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_solver("bad-Writes", [small], checks=["files"], raise_failures=False)
    assert list(tmp_path.iterdir()) == []


def test_the_core_does_not_import_the_kit_and_the_kit_not_pytest():
    code = (
        "import sys, solverkit, solverkit.api, solverkit.engine.driver; assert 'solverkit.testing' not in sys.modules;"
        "import solverkit.testing; assert 'numpy' not in sys.modules or 'solverkit.testing.runner' not in sys.modules;"
        "solverkit.testing.check_solver; assert 'pytest' not in sys.modules"
    )
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_a_digest_tells_type_shape_and_bits():
    import numpy as np

    values = [1, 1.0, True, "1", None, [1], (1,), {"1": 1}, np.ones(1), np.ones((1, 1)), np.ones(1, np.float32)]
    assert len({digest(value) for value in values}) == len(values)
    assert digest(np.array([0.0])) != digest(np.array([-0.0]))
    assert digest({"a": np.ones(2)}) == digest({"a": np.ones(2)})
