"""Penalized fits of one variable, and the search that is made of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from dag_cases import dag, linear_model

import solverkit as sk
from solverkit.kinds.dag.generators import logistic_sem, mlp_sem
from solverkit.kinds.dag.knowledge import Knowledge
from solverkit.kinds.dag.orders import NodeScores
from solverkit_dag.kernels.lasso import lasso
from solverkit_dag.search.fits import make_fits

BINARY = logistic_sem(d=6, edges=1.5, n=2000, seed=1)["X"]


@pytest.mark.parametrize("l1", [0.0, 0.01, 0.3, 100.0])
def test_lasso_meets_its_optimality_conditions(l1: float) -> None:
    X = linear_model(20, 2)[0]  # condition number 1e5
    S, rng = X.T @ X / len(X), np.random.default_rng(0)
    for _ in range(30):
        u = int(rng.integers(20))
        allowed = rng.random(20) < 0.7
        allowed[u] = False
        w = rng.normal(size=20) * (rng.random(20) < 0.5)  # any start
        value = lasso(S, S[u], allowed, l1, w)
        slope = S @ w - S[u]
        noise = 1e-9 * np.sqrt(np.diag(S) * S[u, u])
        assert not w[~allowed].any()
        assert (np.abs(slope + l1 * np.sign(w)) <= noise)[w != 0].all()
        assert (np.abs(slope) <= l1 + noise)[allowed].all()
        assert value == pytest.approx(0.5 * w @ S @ w - S[u] @ w + l1 * np.abs(w).sum(), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("score", ["lasso", "logistic", "logistic-l1"])
def test_fits_are_those_of_a_general_minimizer(score: str) -> None:
    if score == "lasso":
        problem = dag(linear_model(6, 0)[0], l1=0.1)
    else:
        problem = dag(BINARY, score="logistic", l1=0.02 if score == "logistic-l1" else 0.0)
    fits, slow = make_fits(problem, problem.gram), NodeScores(problem)
    for order in itertools.islice(itertools.permutations(range(6)), 0, 720, 97):
        for place in range(6):
            inside = np.zeros(6, dtype=bool)
            inside[list(order[:place])] = True
            exact = slow.at(np.array(order), place)
            assert fits.value(order[place], inside) == pytest.approx(exact, rel=1e-7, abs=1e-7)
            assert fits.cold(order[place], inside)[0] == pytest.approx(exact, rel=1e-7, abs=1e-7)


def test_a_fit_without_memory_does_not_depend_on_what_came_before() -> None:
    problem = dag(BINARY, score="logistic", l1=0.02)
    used, fresh = make_fits(problem, problem.gram), make_fits(problem, problem.gram)
    inside = np.array([True, True, False, True, False, False])
    for u in (2, 4, 5):
        used.value(u, ~inside & (np.arange(6) != u))
    for u in (2, 4, 5):
        np.testing.assert_array_equal(used.cold(u, inside)[1], fresh.cold(u, inside)[1])


@pytest.mark.parametrize("case", ["lasso", "logistic", "forbidden"])
def test_orders_are_locally_optimal(case: str) -> None:
    samples = linear_model(9, 5)[0]
    problem = {
        "lasso": dag(samples, l1=0.2),
        "logistic": dag(BINARY, score="logistic", l1=0.01),
        "forbidden": dag(samples, knowledge=Knowledge.of(9, forbidden=[(0, 3), (4, 2), (7, 1), (1, 7)])),
    }[case]
    result = sk.solve(problem, method="topological-swaps")
    assert result.termination.name == "CONVERGED"
    assert result.point_status.name == "CERTIFIED"


def test_lasso_orders_reach_the_best_of_all_orders() -> None:
    problem = dag(linear_model(5, 1)[0], l1=0.3)
    slow = NodeScores(problem)
    best = min(slow.order(np.array(order)) for order in itertools.permutations(range(5)))
    result = sk.solve(problem, method="topological-swaps", options={"restarts": 4})
    assert result.fun == pytest.approx(best, rel=1e-7)


def test_networks_follow_a_nonlinear_parent() -> None:
    data = mlp_sem(d=4, edges=1, n=200, seed=2)
    X = data["X"] - data["X"].mean(axis=0)
    problem = dag(X, score="mlp", l1=0.01, l2=0.01, hidden=4)
    result = sk.solve(problem, method="topological-swaps", options={"tried": 6})
    assert result.termination.name == "CONVERGED"
    assert result.point_status.name == "CERTIFIED"
    assert result.fun == pytest.approx(problem.network_score(result.point["hidden"], result.point["output"]))
