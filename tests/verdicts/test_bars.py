"""A few cases of each bar of verdicts; `make soak` has the long forms."""

from __future__ import annotations

from tests.soak import right_answers, wrong_answers, wrong_oracles


def test_no_wrong_answer_is_certified():
    tally = wrong_answers.run(240, seed=1)
    assert tally.cases == 240
    assert tally.failures == []


def test_right_answers_are_not_refused():
    tally = right_answers.run(72, seed=1)
    assert tally.cases == 72
    assert tally.failures == []
    assert all(fact.startswith("0 of") for fact in tally.facts.values()), tally.facts


def test_right_answers_to_many_nonlinear_problems_are_not_refused():
    """Among them spheres where least squares in another metric left a residual that no step took."""
    refused, tried = right_answers._of_kind("nonlinear", 150, [9, right_answers.KINDS.index("nonlinear")])
    assert tried == 150
    assert refused == []


def test_wrong_oracles_are_caught():
    tally = wrong_oracles.run(100, seed=0)
    assert tally.cases == 100
    assert tally.failures == []
    assert len(tally.facts) == 7
