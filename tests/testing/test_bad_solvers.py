"""Each bad method is caught by the check that is meant for it, and by no other; the good ones by none."""

from __future__ import annotations

import pytest
from conformance_toy import BAD, named
from conformance_toy.kind import small

from solverkit.testing import Budget, Verdict, check_solver, list_checks

BUDGET = Budget(steps=8, max_time=20.0, limit_time=0.05)


@pytest.mark.parametrize("method", ["toy-good", "toy-once"])
def test_a_good_method_passes_every_check(method):
    report = check_solver(method, [small], budget=BUDGET, raise_failures=False)
    assert not report.failed, str(report)
    assert {outcome.check for outcome in report} == set(list_checks())


def test_the_good_step_method_is_asked_everything():
    report = check_solver("toy-good", [small], budget=BUDGET)
    assert {outcome.verdict for outcome in report} == {Verdict.PASSED}, str(report)


PROCESSES = ("resume", "light_options", "other_process")  # start Python, which takes all the others' time


def asked(place: str) -> list[str]:
    """All checks of every fifth method and of those that a process catches; the quick ones of the others."""
    whole = BAD[place] in PROCESSES or list(BAD).index(place) % 5 == 0
    return [check for check in list_checks() if whole or check not in PROCESSES]


@pytest.mark.parametrize("place", BAD)
def test_a_bad_method_is_caught_by_one_check(place):
    report = check_solver(named(place), [small], budget=BUDGET, checks=asked(place), raise_failures=False)
    assert report.failed == {BAD[place]}, str(report)


KEPT_BY_THE_ENGINE = {"max_calls"}  # no method can break it alone; tests/engine breaks the engine


def test_every_check_has_a_bad_method():
    assert set(BAD.values()) == set(list_checks()) - KEPT_BY_THE_ENGINE
