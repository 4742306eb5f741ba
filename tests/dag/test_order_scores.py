"""Scores of orders and the certificate's search among their neighbours, against refits from the samples."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import networkx
import numpy as np
import pytest

from solverkit.kinds.dag import certificate, dag
from solverkit.kinds.dag.certificate import certify
from solverkit.kinds.dag.generators import logistic_sem
from solverkit.kinds.dag.knowledge import Knowledge
from solverkit.kinds.dag.orders import NodeScores, moves
from solverkit.kinds.dag.root import exact_root
from tests.dag.adversary import Judge
from tests.dag.cases import neighbours, problem
from tests.dag.test_acyclic import graph_of

KNOWN = Knowledge.of(4, forbidden=[(0, 1), (3, 2)], required=[(2, 0)])


def subjects():
    plain = problem(d=4, n=60)
    twin = plain.samples.copy()
    twin[:, 3] = twin[:, 0] - twin[:, 1] + 1e-7 * twin[:, 2]
    return {
        "plain": plain,
        "known": replace(plain, knowledge=KNOWN),
        "penalized": dag(plain.samples, penalty={"l1": 0.1}),
        "penalized, known": replace(dag(plain.samples, penalty={"l1": 0.1}), knowledge=KNOWN),
        "nearly dependent": dag(twin),
        "logistic": dag(logistic_sem(d=4, edges=1, n=80, seed=1)["X"], score="logistic", penalty={"l1": 0.02}),
    }


SUBJECTS = subjects()
JUDGES = {name: Judge(subject) for name, subject in SUBJECTS.items()}


def least(judge, order):
    """The score of the best weights that go with an order."""
    forbidden = judge.problem.known.forbidden
    return sum(judge.fit(j, [i for i in order[:k] if not forbidden[i, j]]) for k, j in enumerate(order))


def lawful(subject, order):
    return all(order.index(i) < order.index(j) for i, j in np.argwhere(subject.known.required))


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_score_of_an_order_is_that_of_its_best_fits(name):
    subject = SUBJECTS[name]
    nodes, judge = NodeScores(subject, exact_root(subject)), JUDGES[name]
    for order in permutations(range(4)):
        assert nodes.order(np.array(order)) == pytest.approx(least(judge, order), rel=1e-7)


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_neighbourhood_is_the_best_swap_or_insertion_relative_to_the_score(name):
    subject = SUBJECTS[name]
    judge, rng = JUDGES[name], np.random.default_rng(0)
    for order in list(permutations(range(4)))[::3]:
        if not lawful(subject, list(order)):
            continue
        W = np.zeros((4, 4))
        W[order[0], order[3]] = rng.normal()
        if subject.known.forbidden[order[0], order[3]]:
            W[:] = 0
        found = certify(subject, {"W": W, "order": np.array(order, dtype=float)})["neighbourhood"]
        best = min(least(judge, other) for other in [list(order), *neighbours(order)] if lawful(subject, list(other)))
        here = judge.at(W)
        assert found.value == pytest.approx((here - best) / here, abs=1e-7)
        assert "moves tried" not in found.note


def test_without_an_order_it_is_the_graph_s_own_and_the_required_edges():
    subject = SUBJECTS["known"]
    W = np.zeros((4, 4))
    W[3, 1] = 0.4
    own = list(networkx.lexicographical_topological_sort(graph_of((W != 0) | KNOWN.required)))
    with_order = certify(subject, {"W": W, "order": np.array(own, dtype=float)})
    assert certify(subject, {"W": W})["neighbourhood"].value == with_order["neighbourhood"].value


def test_the_note_names_the_move_that_improves():
    """x -> y of variances 1 and 5 in the wrong order: score 2.9 there, 1 in the right one."""
    subject = dag(gram=np.array([[1.0, 2.0], [2.0, 5.0]]), count=100)
    wrong = certify(subject, {"W": np.array([[0.0, 0.0], [0.4, 0.0]]), "order": np.array([1.0, 0.0])})["neighbourhood"]
    assert wrong.note == "swap of positions 0 and 1"
    assert wrong.value == pytest.approx((2.6 - 1.0) / 2.6, rel=1e-12)
    right = certify(subject, {"W": np.array([[0.0, 2.0], [0.0, 0.0]]), "order": np.array([0.0, 1.0])})
    assert right["neighbourhood"].note == ""
    assert right["neighbourhood"].value == pytest.approx(0.0, abs=1e-12)
    assert right.facts["score"] == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(("limit", "note"), [(21, "21 of 22 moves tried"), (4, "4 of 22 moves tried"), (22, "")])
def test_the_note_says_where_not_every_move_was_tried(monkeypatch, limit, note):
    monkeypatch.setattr(certificate, "EXHAUSTIVE", limit)
    subject = dag(problem().samples, penalty={"l1": 0.1})
    found = certify(subject, {"W": np.zeros((5, 5)), "order": np.arange(5.0)})
    assert found["neighbourhood"].note == note


@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_moves_are_all_neighbours_once(d):
    every = [tuple(move.apply(np.arange(d))) for move in moves(d, 1000, np.random.default_rng(0))]
    assert len(set(every)) == len(every) == 3 * d * (d - 1) // 2 - 2 * (d - 1)
    assert set(every) == {tuple(order) for order in neighbours(range(d))} - {tuple(range(d))}
    assert len(list(moves(d, len(every), np.random.default_rng(0)))) == len(every)
