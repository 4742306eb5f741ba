"""Changes of one edge for bic against refits of every graph one change away, with and without knowledge."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from scipy.linalg import cholesky

from solverkit.kinds.dag import dag
from solverkit.kinds.dag.acyclic import topological_order
from solverkit.kinds.dag.graph_moves import best_graph_move, single_changes
from solverkit.kinds.dag.knowledge import Knowledge
from tests.dag.cases import problem
from tests.dag.test_acyclic import random_graph


def variance(X, j, parents):
    """What least squares on the samples leaves of a variable."""
    A, x = X[:, parents] / np.linalg.norm(X[:, parents], axis=0), X[:, j]
    return float(((x - A @ np.linalg.lstsq(A, x, rcond=None)[0]) ** 2).mean())


def score(subject, edges):
    price = subject.edge_cost * np.log(subject.n) / (2 * subject.n)
    X = subject.samples
    fits = [0.5 * np.log(variance(X, j, list(np.flatnonzero(edges[:, j])))) for j in range(subject.d)]
    return sum(fits) + price * edges.sum()


def every_move(subject, edges):
    """(move, i, j, change) of all that knowledge and acyclicity allow."""
    known, here = subject.known, score(subject, edges)
    for i, j in permutations(range(subject.d), 2):
        if not edges[i, j]:
            tried = {"add": (True, False)} if not edges[j, i] else {}
        else:
            tried = {"delete": (False, False), "reverse": (False, True)}
        for move, (there, back) in tried.items():
            other = edges.copy()
            other[i, j], other[j, i] = there, back
            gone, new = edges & ~other, other & ~edges
            lawful = not (gone & known.required).any() and not (new & known.forbidden).any()
            if lawful and topological_order(other | known.required) is not None:
                yield move, i, j, score(subject, other) - here


KNOWLEDGE = {
    "nothing": Knowledge.none(6),
    "forbidden": Knowledge.of(6, forbidden=[(0, 1), (1, 0), (2, 3), (5, 4), (4, 2)]),
    "required": Knowledge.of(6, required=[(1, 0), (3, 2), (0, 5)]),
    "tiers": Knowledge.of(6, tiers=[[3, 1], [0, 2], [4, 5]]),
}


@pytest.mark.parametrize("known", KNOWLEDGE)
def test_the_best_change_is_the_best_of_all_that_are_allowed(known):
    subject = replace(problem(d=6, seed=2, n=100, score="bic"), knowledge=KNOWLEDGE[known])
    rng, moves = np.random.default_rng(0), set()
    for k in range(30):
        edges = random_graph(rng, 6, 0.4 if k % 4 else 0.0)
        if topological_order(edges | subject.known.required) is None:
            continue
        edges |= subject.known.required & (k % 2 == 0)
        best = min(every_move(subject, edges), key=lambda move: move[3])
        found = best_graph_move(subject, edges)
        if best[3] < -1e-9:
            change = {(move, i, j): value for move, i, j, value in every_move(subject, edges)}
            assert change[found.move, found.i, found.j] == pytest.approx(best[3], abs=1e-10)
        assert found.change == pytest.approx(min(best[3], 0.0), abs=1e-10)
        moves.add(found.move)
    assert len(moves) >= (1 if known == "required" else 2)


def test_a_reversal_closes_no_cycle_with_a_required_edge_of_no_weight():
    """Of data 1 -> 2 -> 0 the graph 0 -> 2 <- 1 has two best reversals; with 0 -> 1 required, one of them."""
    first, second, third = np.random.default_rng(0).normal(size=(3, 200))
    X = np.column_stack([first + second + third, first, first + second])
    edges = np.zeros((3, 3), dtype=bool)
    edges[0, 2] = edges[1, 2] = True
    subject = replace(dag(X, score="bic"), knowledge=Knowledge.of(3, required=[(0, 1)]))
    found = best_graph_move(subject, edges)
    assert (found.move, found.i, found.j) == ("reverse", 1, 2)


@pytest.mark.parametrize("unit", [1.0, 1e-7, 1e7])
def test_each_table_is_one_refit_an_entry(unit):
    subject = problem(d=5, seed=4, n=80, score="bic")
    X, price = subject.samples * unit ** np.arange(-1, 1.5, 0.5), 0.013
    edges = random_graph(np.random.default_rng(1), 5, 0.6)
    R = cholesky(X.T @ X / len(X))
    add, delete = single_changes(R / np.linalg.norm(R, axis=0), edges, price)
    for i in range(5):
        for j in range(5):
            parents = set(np.flatnonzero(edges[:, j]))
            here = np.log(variance(X, j, sorted(parents)))
            there = {k: 0.5 * (np.log(variance(X, j, sorted(other))) - here)
                     for k, other in (("add", parents | {i}), ("delete", parents - {i}))}  # fmt: skip
            wanted_add = np.inf if i == j or edges[i, j] else there["add"] + price
            wanted_delete = there["delete"] - price if edges[i, j] else np.inf
            assert add[i, j] == pytest.approx(wanted_add, abs=1e-9)
            assert delete[i, j] == pytest.approx(wanted_delete, abs=1e-9)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_best_change_does_not_hang_on_units(unit):
    plain = problem(d=5, seed=4, n=80, score="bic")
    edges = random_graph(np.random.default_rng(1), 5, 0.6)
    found, expected = best_graph_move(dag(plain.samples * unit, score="bic"), edges), best_graph_move(plain, edges)
    assert (found.move, found.i, found.j) == (expected.move, expected.i, expected.j)
    assert found.change == pytest.approx(expected.change, rel=1e-9)


def test_a_copy_of_a_parent_explains_nothing_more_and_a_copy_of_the_child_everything():
    rng = np.random.default_rng(3)
    x, y, z = rng.normal(size=(3, 40))
    X = np.column_stack([x, 3 * x + 1e-9 * z, x + y, -7 * (x + y)])
    R = np.linalg.qr(X / np.linalg.norm(X, axis=0))[1]
    edges = np.zeros((4, 4), dtype=bool)
    edges[0, 2] = edges[2, 3] = True
    add, _ = single_changes(R, edges, 0.25)
    assert add[1, 2] == 0.25
    assert add[3, 2] < -10


def test_a_copy_explains_everything_whatever_the_rounding():
    rng = np.random.default_rng(0)
    for _ in range(100):
        x = rng.normal(size=10)
        x /= np.linalg.norm(x)
        add, _ = single_changes(np.column_stack([x, x]), np.zeros((2, 2), dtype=bool), 0.25)
        assert add[0, 1] < -10
        assert add[1, 0] < -10


def test_a_reversal_within_a_markov_class_is_no_improvement():
    """x -> y and y -> x have the same bic; only digits tell them apart."""
    rng = np.random.default_rng(0)
    for _ in range(30):
        subject = dag(rng.normal(size=(50, 2)) @ np.array([[1.0, 2.0], [0.0, rng.uniform(0.5, 2)]]), score="bic")
        for i, j in ((0, 1), (1, 0)):
            edges = np.zeros((2, 2), dtype=bool)
            edges[i, j] = True
            move = best_graph_move(subject, edges)
            assert (move.move, move.i, move.j, move.change) == ("none", 0, 0, 0.0)
