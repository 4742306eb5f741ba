"""Regret against brute force over all fixed parameters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.errors import UsageError
from solverkit.kinds.linear_sequence import linear_sequence
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


def ones(T, **given):
    """x = 1, T times."""
    return linear_sequence(((csr_array([[1.0]]), np.ones(1)) for _ in range(T)), **given)


def test_a_parameter_has_no_costs_from_the_system_on_that_it_does_not_solve():
    problem, asked = ones(4), []

    def replay(system, previous, parameter):
        asked.append(parameter)
        fails = parameter == "cheap" and asked.count("cheap") == 3
        return np.full(1, 0.0 if fails else 1.0), 1.0 if parameter == "cheap" else 10.0

    found = regret(problem, {"x": np.ones((4, 1)), "cost": np.full(4, 5.0)}, replay, ["cheap", "dear"])
    assert list(found.totals) == [np.inf, 40.0]
    assert (found.best, found.each, found.total, found.regret) == (1, 22.0, 20.0, -20.0)
    assert asked.count("cheap") == 3


@pytest.mark.parametrize(("residual", "holds"), [(0.999e-6, True), (1.005e-6, True), (1.02e-6, False)])
def test_replayed_answers_are_held_to_what_the_certificate_asks_for(residual, holds):
    point = {"x": np.ones((2, 1)), "cost": np.ones(2)}
    found = regret(ones(2), point, lambda system, previous, parameter: (np.full(1, 1 - residual), 1.0), [0])
    assert np.isfinite(found.totals[0]) is np.bool_(holds)


def test_a_residual_at_the_limit_is_small_enough():
    point = {"x": np.ones((2, 1)), "cost": np.ones(2)}
    problem = ones(2, rtol=0.25 / 1.01)
    assert regret(problem, point, lambda *_: (np.full(1, 0.75), 1.0), [0], tol=0.9).totals[0] == 2


def test_a_replay_is_given_the_system_and_the_solution_that_its_own_path_leads_to():
    """x_t = x_{t-1} + 1 from 3. The cost is x_{t-1}; parameters are offsets below what is asked for."""
    problem = linear_sequence(lambda t, previous: (np.eye(1), previous + 1), 4, initial=np.full(1, 3.0), rtol=1e-2)
    x = np.array([[4.0], [5.0], [6.0], [7.0]])
    point = {"x": x, "cost": np.array([3.0, 4.0, 5.0, 6.0]), "arm": np.zeros(4)}

    def replay(system, previous, parameter):
        assert system.rhs == previous + 1
        return system.rhs + parameter, float(previous[0])

    found = regret(problem, point, replay, [0.0, 1e-3], tol=1e-2)
    assert found.totals == pytest.approx([18.0, 18.0 + 6e-3], rel=1e-12)
    assert (found.best, found.regret, found.reproduced) == (0, 0.0, 1.0)


@pytest.mark.parametrize("cost", [None, np.ones(5), np.ones((6, 1)), np.float64(1.0)])
def test_what_is_missing_is_said(run, cost):
    problem, point = run
    with pytest.raises(UsageError, match="no block 'cost' of 6 costs"):
        regret(problem, {"x": point["x"]} | ({} if cost is None else {"cost": cost}), richardson, STEPS)
    with pytest.raises(UsageError, match="at least one"):
        regret(problem, point, richardson, ())
