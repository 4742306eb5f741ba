"""DAGMA, BOSS and GES on small graphs: answers, limits, what they refuse; skipped where they are not installed."""

from __future__ import annotations

import random
from importlib.util import find_spec
from typing import ClassVar

import numpy as np
import pytest

import solverkit as sk
from solverkit.engine.status import Termination
from solverkit.errors import UsageError
from solverkit.kinds.dag import dag
from solverkit.kinds.dag.acyclic import topological_order
from solverkit.kinds.dag.generators import linear_sem, solve_linear
from solverkit.kinds.dag.metrics import distances
from solverkit.kinds.dag.prune import pruned
from solverkit.testing import Budget, SolverConformance
from solverkit_baselines.dag.answers import without_cycles

dagma = pytest.mark.skipif(find_spec("dagma") is None, reason="dagma is not installed")
causal_learn = pytest.mark.skipif(find_spec("causallearn") is None, reason="causal-learn is not installed")
QUICK = {"warm_iterations": 1000, "last_iterations": 2000}
MADE = linear_sem(d=6, edges=1, n=500, seed=2)
BUDGET = Budget(max_time=20.0)


def equal():
    """Six variables, equal noise."""
    return dag(MADE["X"], truth=MADE["W"])


def sparse():
    """The same by bic."""
    return dag(MADE["X"], truth=MADE["W"], score="bic")


def by_hand(problem, edges):
    """(1/2) sum log v + price |E|, every variance by least squares on the samples."""
    X, total = problem.samples, 0.0
    for j in range(problem.d):
        A = X[:, np.flatnonzero(edges[:, j])]
        left = X[:, j] - (A @ np.linalg.lstsq(A, X[:, j], rcond=None)[0] if A.size else 0.0)
        total += 0.5 * np.log(float(left @ left) / len(X))
    return total + 0.5 * np.log(len(X)) / len(X) * edges.sum()


@causal_learn
@pytest.mark.parametrize("method", ["boss", "ges"])
def test_a_class_is_found_and_the_score_of_a_member_is_told(method):
    W = np.zeros((4, 4))  # a collider, and an edge out of it: every direction is determined
    W[0, 2], W[1, 2], W[2, 3] = 1.0, -0.8, 0.7
    X = solve_linear(W, np.random.default_rng(0).normal(size=(2000, 4)))
    found = sk.solve(dag(X, score="bic"), method=method)
    np.testing.assert_array_equal(found.point["W"] != 0, W != 0)
    assert found.success
    other = sk.solve(sparse(), method=method)
    assert other.fun == pytest.approx(by_hand(sparse(), other.point["W"] != 0), abs=1e-9)
    assert np.count_nonzero(sk.solve(sparse(), method=method, options={"edge_cost": 1000}).point["W"]) == 0


@dagma
def test_equal_noise_is_found_and_refitted():
    found = sk.solve(equal(), method="dagma", options=QUICK)
    assert found.termination is Termination.STALLED
    assert distances(pruned(equal(), found.point["W"]), MADE["W"]).shd == 0
    biased = sk.solve(equal(), method="dagma", options={**QUICK, "refit": False})
    assert found.fun < biased.fun


@causal_learn
def test_seeds_decide_and_the_user_keeps_the_generator():
    random.seed(5)
    former = random.getstate()
    first, second = (sk.solve(sparse(), method="boss", seed=3).point["W"] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert random.getstate() == former


@pytest.mark.parametrize(
    ("method", "options"),
    [pytest.param("boss", {}, marks=causal_learn), pytest.param("dagma", {}, marks=dagma)],
)
def test_limits_end_them(method, options):
    large = dag(linear_sem(d=40, edges=4, n=500, seed=0)["X"])
    found = sk.solve(large, method=method, options=options, max_time=0.2)
    assert found.termination is Termination.MAX_TIME
    known = dag(MADE["X"], forbidden=[("x0", "x1")])
    with pytest.raises(UsageError, match="take topological-swaps"):
        sk.solve(known, method=method)


def test_the_least_entries_go_until_no_cycle_is_left():
    rng = np.random.default_rng(0)
    for _ in range(50):
        W = rng.normal(size=(6, 6)) * (rng.random((6, 6)) < 0.4)
        left = without_cycles(W)
        assert topological_order(left != 0) is not None
        lost = np.abs(W[(W != 0) & (left == 0)])
        if lost.size:  # one of them more would have closed a cycle
            again = np.where(np.abs(W) >= lost.max(), W, 0.0)
            assert topological_order(again != 0) is None
    np.testing.assert_array_equal(without_cycles(np.eye(3)), np.zeros((3, 3)))


@dagma
class TestDagma(SolverConformance):
    method = "dagma"
    problems = (equal,)
    options: ClassVar = {"warm_iterations": 200, "last_iterations": 200}
    budget = BUDGET


@causal_learn
class TestBoss(SolverConformance):
    method = "boss"
    problems = (sparse,)
    budget = BUDGET


@causal_learn
class TestGes(SolverConformance):
    method = "ges"
    problems = (sparse,)
    budget = BUDGET
