"""`topological-swaps` on least squares: local and global optimality, starts, knowledge, dependent columns."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from dag_cases import dag, linear_model, variances

import solverkit as sk
from solverkit.kinds.dag.knowledge import Knowledge
from solverkit_dag.initial import top_down
from solverkit_dag.precedence import Precedence
from solverkit_dag.ridge import conditioned

METHOD = "topological-swaps"


def global_optimum(gram: np.ndarray) -> float:
    """Least score of all orders, by dynamic programming over the sets that come first."""
    d = len(gram)
    best = np.full(1 << d, np.inf)
    best[0] = 0.0
    for chosen in range(1 << d):
        first = [j for j in range(d) if chosen >> j & 1]
        inverse = np.linalg.inv(gram[np.ix_(first, first)])
        for j in range(d):
            if not chosen >> j & 1:
                cross = gram[first, j]
                left = gram[j, j] - cross @ inverse @ cross
                best[chosen | 1 << j] = min(best[chosen | 1 << j], best[chosen] + 0.5 * left)
    return float(best[-1])


@pytest.mark.parametrize("seed", range(4))
def test_restarts_find_the_best_of_all_orders(seed: int) -> None:
    problem = dag(linear_model(9, seed, n=60)[0])
    result = sk.solve(problem, method=METHOD, options={"restarts": 8, "kicks": 8, "kick_size": 5})
    assert result.point_status.name == "CERTIFIED"
    assert result.fun == pytest.approx(global_optimum(problem.gram), rel=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_the_score_is_at_or_below_that_of_the_true_order(seed: int) -> None:
    X, _, order = linear_model(40, seed)
    result = sk.solve(dag(X), method=METHOD, seed=seed)
    assert result.termination.name == "CONVERGED"
    assert result.point_status.name == "CERTIFIED"
    assert result.fun <= 0.5 * float(variances(X.T @ X / len(X), order).sum()) * (1 + 1e-12)


def test_no_step_makes_it_worse() -> None:
    merits: list[float] = []

    def keep(intermediate_result: Any) -> None:
        merits.append(intermediate_result.report["merit"])

    options = {"restarts": 3, "kicks": 4}
    sk.solve(dag(linear_model(15, 1)[0]), method=METHOD, options=options, callback=keep)
    assert len(merits) > 5
    assert all(after <= before * (1 + 1e-12) for before, after in pairwise(merits))


def test_columns_may_come_in_any_order() -> None:
    X = linear_model(12, 2)[0]
    mixed = np.random.default_rng(0).permutation(12)
    start = np.random.default_rng(1).permutation(12)
    one = sk.solve(dag(X), method=METHOD, start={"order": start.astype(float)})
    place = np.argsort(mixed)
    two = sk.solve(dag(X[:, mixed]), method=METHOD, start={"order": place[start].astype(float)})
    np.testing.assert_array_equal(mixed[two.point["order"].astype(int)], one.point["order"].astype(int))


def test_threads_do_not_change_the_answer() -> None:
    problem = dag(linear_model(12, 2)[0])
    one, two = (sk.solve(problem, method=METHOD, options={"restarts": 4, "workers": k}) for k in (1, 3))
    np.testing.assert_array_equal(one.point["W"], two.point["W"])


def test_any_graph_can_be_refined() -> None:
    X, W, order = linear_model(12, 2)
    problem = dag(X)
    result = sk.solve(problem, method=METHOD, start={"W": W}, max_iter=1)
    assert result.fun <= problem.score_of(W)
    cyclic = W.copy()
    cyclic[order[-1], order[0]] = cyclic[order[0], order[-1]] = 1.0
    with pytest.raises(sk.errors.UsageError, match="cycle"):
        sk.solve(problem, method=METHOD, start={"W": cyclic})
    with pytest.raises(sk.errors.UsageError, match="permutation"):
        sk.solve(problem, method=METHOD, start={"order": np.zeros(12)})


@pytest.mark.parametrize("init", ["variance", "top-down"])
def test_every_first_order_ends_certified(init: str) -> None:
    result = sk.solve(dag(linear_model(12, 2)[0]), method=METHOD, options={"init": init})
    assert result.point_status.name == "CERTIFIED"


def test_top_down_takes_the_least_conditional_variance() -> None:
    X = linear_model(8, 3)[0]
    S = X.T @ X / len(X)
    order = top_down(S, Precedence.of(Knowledge.none(8)))
    for k in range(8):
        others = [np.append(order[:k], j) for j in np.setdiff1d(np.arange(8), order[:k])]
        left = [float(variances(S, other)[-1]) for other in others]
        assert float(variances(S, order[: k + 1])[-1]) == pytest.approx(min(left), rel=1e-10)


def test_tiers_and_required_edges_bind_the_order() -> None:
    X, _, order = linear_model(10, 4)
    backwards = [order[5:].tolist(), order[:5].tolist()]
    known = Knowledge.of(10, tiers=backwards, required=[(int(order[9]), int(order[6]))])
    result = sk.solve(dag(X, knowledge=known), method=METHOD, options={"restarts": 3, "kicks": 3})
    assert result.point_status.name == "CERTIFIED"
    place = np.argsort(result.point["order"])
    assert place[order[5:]].max() < place[order[:5]].min()
    assert place[order[9]] < place[order[6]]


@pytest.mark.parametrize("case", ["few samples", "duplicate", "constant", "combination"])
def test_dependent_columns_get_a_ridge_or_one_clear_error(case: str) -> None:
    X = linear_model(10, 0, n=8 if case == "few samples" else 300)[0]
    if case == "duplicate":
        X[:, 3] = X[:, 7]
    if case == "constant":
        X[:, 3] = 0.0
    if case == "combination":
        X[:, 3] = X[:, 1] + 2 * X[:, 2]
    said: list[str] = []
    S = conditioned(X.T @ X / len(X), None, said.append)
    assert "ridge" in said[0]
    assert np.linalg.eigvalsh(S)[0] > 0
    result = sk.solve(dag(X), method=METHOD, options={"restarts": 2})
    assert result.termination.name == "CONVERGED"
    if case != "constant":
        assert result.point_status.name == "CERTIFIED"
    with pytest.raises(sk.errors.UsageError, match=r"no lower bound.* x" if case != "few samples" else "8 samples"):
        sk.solve(dag(X, score="bic"), method=METHOD)


def test_a_ridge_of_zero_refuses_dependent_columns() -> None:
    X = linear_model(6, 0)[0]
    X[:, 3] = X[:, 4]
    with pytest.raises(sk.errors.UsageError, match="not positive definite"):
        sk.solve(dag(X), method=METHOD, options={"ridge": 0.0})
    with pytest.raises(sk.errors.UsageError, match="constant"):
        sk.solve(dag(np.zeros((20, 3))), method=METHOD)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("score", ["least-squares", "bic"])
def test_tiny_problems(d: int, score: str) -> None:
    result = sk.solve(dag(linear_model(d, 0)[0], score=score), method=METHOD, options={"kicks": 1})
    assert result.point_status.name == "CERTIFIED"
