"""Regret against brute force over all fixed parameters."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.errors import UsageError
from solverkit.kinds.linear_sequence.regret import regret
from tests.linear_sequence.cases import recorded

STEPS = (0.05, 0.15, 0.3, 2.0)  # of Richardson's iteration; the last one diverges


def richardson(system, previous, step):
    """x += step r from zero until the residual is small: the cost is how often. Gives up where it grows."""
    x, count, size = np.zeros(len(system.rhs)), 0, np.linalg.norm(system.rhs)
    while 1e-8 * size < np.linalg.norm(r := system.rhs - system.matrix @ x) < 1e8 * size:
        x, count = x + step * r, count + 1
    return x, float(count)


@pytest.fixture(scope="module")
def run():
    """A problem and a point that a method which alternates between two steps would give."""
    problem = recorded()
    arm = np.array([0, 1, 0, 1, 0, 1])
    made = [richardson(problem.system(t), None, STEPS[k]) for t, k in enumerate(arm)]
    return problem, {"x": np.array([x for x, _ in made]), "cost": np.array([c for _, c in made]), "arm": arm}


def test_totals_are_those_of_brute_force(run):
    problem, point = run
    found = regret(problem, point, richardson, STEPS)
    costs = np.array([[richardson(problem.system(t), None, s)[1] for t in range(6)] for s in STEPS[:3]])
    assert found.totals[:3] == pytest.approx(costs.sum(axis=1))
    assert found.totals[3] == np.inf
    assert found.best == int(np.argmin(costs.sum(axis=1)))
    assert found.each == costs.min(axis=0).sum()
    assert found.total == point["cost"].sum()
    assert found.regret == point["cost"].sum() - costs.sum(axis=1).min()
    assert found.reproduced == 1.0


def test_costs_that_are_made_up_do_not_come_out_again(run):
    problem, point = run
    lied = {**point, "cost": np.where(np.arange(6) < 2, 1.0, point["cost"])}
    assert regret(problem, lied, richardson, STEPS).reproduced == pytest.approx(4 / 6)


def test_without_arms_nothing_is_said_of_the_costs(run):
    problem, point = run
    assert np.isnan(regret(problem, {"x": point["x"], "cost": point["cost"]}, richardson, STEPS).reproduced)


@pytest.mark.parametrize("arm", [np.zeros(5), np.zeros((6, 1)), np.full(6, 9), np.full(6, 0.5)])
def test_arms_that_are_none_say_nothing_of_the_costs(run, arm):
    problem, point = run
    assert np.isnan(regret(problem, {**point, "arm": arm}, richardson, STEPS).reproduced)


def test_what_is_missing_is_said(run):
    problem, point = run
    with pytest.raises(UsageError, match="no block 'cost' of 6 costs"):
        regret(problem, {"x": point["x"]}, richardson, STEPS)
    with pytest.raises(UsageError, match="at least one"):
        regret(problem, point, richardson, ())
