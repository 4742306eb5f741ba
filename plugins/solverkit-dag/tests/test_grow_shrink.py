"""Grow-shrink trees and edge moves against the obvious versions that refit everything."""

from __future__ import annotations

import numpy as np
import pytest
from dag_cases import dag, linear_model

import solverkit as sk
from solverkit.kinds.dag.acyclic import topological_order
from solverkit.kinds.dag.knowledge import Knowledge
from solverkit.kinds.dag.scores import edge_price, residual_variance
from solverkit_dag.kernels.forest import order_score, parents, place_scores, walk
from solverkit_dag.search.edge_moves import EdgeMoves
from solverkit_dag.search.grow_shrink import Store

D = 9
X, TRUTH, ORDER = linear_model(D, 3, n=400, spread=(0.5, 2.0))
PROBLEM = dag(X, score="bic")
S, PRICE = np.corrcoef(X.T), edge_price(PROBLEM)
FORBIDDEN, REQUIRED = np.eye(D, dtype=bool), np.zeros((D, D), dtype=bool)


def plain(u: int, inside: set[int], required: frozenset[int] = frozenset()) -> float:
    """Grow, then shrink, every set scored by its own regression."""

    def score(chosen: set[int]) -> float:
        return 0.5 * np.log(residual_variance(S, u, np.array(sorted(chosen), dtype=int))) + PRICE * len(chosen)

    chosen = set(required)
    while True:
        best = min((score(chosen | {c}), c) for c in inside - chosen) if inside - chosen else (np.inf, -1)
        if not best[0] < score(chosen):
            break
        chosen.add(best[1])
    while chosen - required:
        best = min((score(chosen - {c}), c) for c in chosen - required)
        if not best[0] < score(chosen):
            break
        chosen.remove(best[1])
    return score(chosen)


def arguments(store: Store) -> tuple:
    return PRICE, FORBIDDEN, REQUIRED, store.trees, store.room


@pytest.mark.parametrize("nodes", [60_000, 1])
def test_walks_are_grow_shrink(nodes: int) -> None:
    """Also where the store overflows and is emptied all the time."""
    store, rng, chosen = Store.of(D, nodes, 1), np.random.default_rng(0), np.empty(D, dtype=np.int64)
    for _ in range(150):
        inside = rng.random(D) < 0.6
        u = int(rng.integers(D))
        inside[u] = False
        found, _ = walk(S, u, inside, *arguments(store), chosen)
        assert found == pytest.approx(plain(u, set(np.flatnonzero(inside).tolist())), abs=1e-9)


def test_required_parents_stay_and_forbidden_ones_stay_out() -> None:
    forbidden, required = FORBIDDEN.copy(), REQUIRED.copy()
    required[ORDER[0], ORDER[-1]] = True
    forbidden[ORDER[1:4], ORDER[-1]] = True
    store = Store.of(D)
    edges = parents(S, ORDER, PRICE, forbidden, required, store.trees, store.room)
    assert edges[ORDER[0], ORDER[-1]]
    assert not (edges & forbidden).any()
    inside = set(ORDER[4:-1].tolist()) | {int(ORDER[0])}
    total = plain(int(ORDER[-1]), inside, frozenset({int(ORDER[0])}))
    total += sum(plain(int(ORDER[k]), set(ORDER[:k].tolist())) for k in range(D - 1))
    found = order_score(S, ORDER, PRICE, forbidden, required, store.trees, store.room)
    assert found == pytest.approx(total, abs=1e-9)


def test_places_are_scored_exactly() -> None:
    store, without = Store.of(D), np.empty(D, dtype=np.int64)
    order = np.random.default_rng(2).permutation(D)
    found = place_scores(S, order[4], order, *arguments(store), without)
    for place in range(D):
        moved = np.insert(np.delete(order, 4), place, order[4])
        assert found[place] == pytest.approx(order_score(S, moved, *arguments(store)), abs=1e-10)


def test_edge_moves_end_where_no_single_edge_is_better() -> None:
    rng = np.random.default_rng(4)
    edges = np.triu(rng.random((D, D)) < 0.4, 1)
    moves = EdgeMoves(S, edges, PRICE, FORBIDDEN, REQUIRED)
    change = moves.descend(1e-12)

    def score(graph: np.ndarray) -> float:
        variances = [residual_variance(S, j, np.flatnonzero(graph[:, j])) for j in range(D)]
        return float(0.5 * np.log(variances).sum() + PRICE * graph.sum())

    reached = score(moves.edges)
    assert change == pytest.approx(reached - score(edges), abs=1e-9)
    assert change < -0.1
    for i in range(D):
        for j in range(D):
            for turned in (False, True):
                other = moves.edges.copy()
                other[i, j] = ~other[i, j]
                other[j, i] = turned and not other[i, j]
                if i != j and topological_order(other) is not None:
                    assert score(other) >= reached - 1e-10


def test_units_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    scaled = X * np.logspace(-3, 3, D)[rng.permutation(D)]
    one = sk.solve(PROBLEM, method="topological-swaps", seed=3)
    two = sk.solve(dag(scaled, score="bic"), method="topological-swaps", seed=3)
    np.testing.assert_array_equal(one.point["W"] != 0, two.point["W"] != 0)


@pytest.mark.parametrize("seed", range(3))
def test_the_graph_is_certified_and_near_the_truth(seed: int) -> None:
    samples, W, _ = linear_model(20, seed, n=5000, degree=2, spread=(0.5, 2.0))
    problem = dag(samples / samples.std(axis=0), score="bic")
    result = sk.solve(problem, method="topological-swaps", options={"restarts": 5})
    assert result.point_status.name == "CERTIFIED"
    assert result.fun <= problem.score_of(W) + 1e-9
    found, true = result.point["W"] != 0, W != 0
    assert np.triu((found | found.T) != (true | true.T), 1).sum() <= 0.1 * true.sum()


def test_knowledge_is_kept() -> None:
    known = Knowledge.of(D, forbidden=[(0, 1), (2, 5)], required=[(3, 4)], tiers=[[3, 0], [4, 1, 2]])
    result = sk.solve(dag(X, score="bic", knowledge=known), method="topological-swaps", options={"restarts": 2})
    assert result.point_status.name == "CERTIFIED"
    assert result.point["W"][3, 4] != 0
