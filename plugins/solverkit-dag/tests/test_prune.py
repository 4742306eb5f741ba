"""Pruning along a path of prices against the obvious elimination, and against the core's own at one price."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from dag_cases import dag, linear_model

from solverkit.errors import UsageError
from solverkit.kinds.dag.knowledge import Knowledge
from solverkit.kinds.dag.prune import pruned
from solverkit.kinds.dag.scores import residual_variance
from solverkit_dag.kernels.factor import factor, weights
from solverkit_dag.prune import prune, prune_path


def plain(gram: np.ndarray, n: int, order: np.ndarray, cost: float, gamma: float, known: Knowledge) -> np.ndarray:
    """Every loss by its own regression."""
    edges = np.zeros(gram.shape, dtype=bool)
    price = (cost * np.log(n) + 2 * gamma * np.log(len(gram))) / (2 * n)
    for k, u in enumerate(order):
        parents = [p for p in order[:k] if not known.forbidden[p, u]]
        while True:
            free = [p for p in parents if not known.required[p, u]]
            if not free:
                break
            losses = [residual_variance(gram, u, np.array([q for q in parents if q != p], dtype=int)) for p in free]
            worst = int(np.argmin(losses))
            if 0.5 * np.log(losses[worst] / residual_variance(gram, u, np.array(parents))) >= price:
                break
            parents.remove(free[worst])
        edges[parents, u] = True
    return edges


@pytest.mark.parametrize("known", [None, Knowledge.of(12, forbidden=[(1, 2), (5, 0)], required=[(4, 9)])])
@pytest.mark.parametrize(("cost", "gamma"), [(1.0, 0.0), (1.0, 1.0), (0.1, 0.0), (8.0, 0.0)])
def test_every_price_of_the_path(cost: float, gamma: float, known: Knowledge | None) -> None:
    X, _, order = linear_model(12, 1, n=300)
    if known is not None:
        order = known.order(np.random.default_rng(0))
    gram = X.T @ X / len(X)
    path = prune_path(gram, len(X), order, known)
    expected = plain(gram, len(X), order, cost, gamma, known or Knowledge.none(12))
    np.testing.assert_array_equal(path.edges(cost, gamma), expected)
    np.testing.assert_array_equal(prune(gram, len(X), order, known, cost, gamma), expected)


def test_the_default_price_is_that_of_the_reports() -> None:
    X, W, order = linear_model(30, 2)
    problem = dag(X)
    dense = weights(order, *factor(problem.gram, order))
    edges = prune(problem.gram, len(X), order)
    np.testing.assert_array_equal(edges, pruned(problem, dense) != 0)
    assert (edges != (W != 0)).sum() <= 1


def test_a_path_is_nested() -> None:
    X, _, order = linear_model(15, 3)
    path = prune_path(X.T @ X / len(X), len(X), order)
    graphs = [path.edges(cost, 0.0) for cost in (0.0, 0.5, 1.0, 2.0, 5.0, 50.0, 1e4)]
    assert all((sparse <= dense).all() for dense, sparse in pairwise(graphs))
    assert not graphs[-1].any()


def test_one_sample_has_no_price() -> None:
    with pytest.raises(UsageError, match="at least 2 samples"):
        prune_path(np.eye(3), 1, np.arange(3))
