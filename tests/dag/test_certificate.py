"""The certificate of graphs against brute force: every order of five variables, every change of one edge."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from solverkit.kinds.base import PointStatus
from solverkit.kinds.dag import dag
from solverkit.kinds.dag.acyclic import closure, topological_order
from solverkit.kinds.dag.certificate import certify
from solverkit.kinds.dag.graph_moves import best_graph_move
from solverkit.kinds.dag.orders import moves
from solverkit.kinds.dag.problem import HIDDEN, OUTPUT
from tests.dag.cases import locally_best, problem, refitted, score


def point(subject, order):
    return {"W": refitted(subject, order), "order": np.array(order, dtype=float)}


@pytest.mark.parametrize("seed", range(3))
def test_exactly_the_local_optima_are_certified(seed):
    subject = problem(seed=seed)
    certified = {
        order
        for order in permutations(range(5))
        if certify(subject, point(subject, order), tol=1e-8).status is PointStatus.CERTIFIED
    }
    assert certified == set(locally_best(subject))


def test_the_score_is_that_of_the_samples():
    subject = problem(seed=4)
    W = np.triu(np.random.default_rng(0).normal(size=(5, 5)), 1)
    assert subject.score_of(W) == pytest.approx(score(subject, W), rel=1e-12)
    assert certify(subject, {"W": W}).facts["score"] == subject.score_of(W)


@pytest.mark.parametrize(("name", "l1"), [("least-squares", 0.1), ("logistic", 0.05), ("bic", 0.0)])
def test_gradients_are_differences(name, l1):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4))
    subject = dag((X > 0).astype(float) if name == "logistic" else X, score=name, penalty={"l1": l1})
    W = np.triu(rng.normal(size=(4, 4)), 1)

    def smooth(V):
        if name == "bic":
            residual = (np.eye(4) - V).T @ subject.gram @ (np.eye(4) - V)
            return 0.5 * np.log(np.diag(residual)).sum()
        return subject.score_of(V) - l1 * np.abs(V).sum()

    step = 1e-6
    found = subject.score_gradient(W)
    for i, j in np.argwhere(np.triu(np.ones((4, 4)), 1) > 0):
        shift = np.zeros((4, 4))
        shift[i, j] = step
        assert found[i, j] == pytest.approx((smooth(W + shift) - smooth(W - shift)) / (2 * step), abs=1e-7)


def test_one_change_of_an_edge_against_refits():
    subject = problem(d=6, seed=2, score="bic")
    rng = np.random.default_rng(0)
    for _ in range(10):
        order = rng.permutation(6)
        edges = np.zeros((6, 6), dtype=bool)
        edges[np.ix_(order, order)] = np.triu(rng.random((6, 6)) < 0.4, 1)
        here = subject.score_of(edges)
        changes = []
        for i, j in permutations(range(6), 2):
            for reverse in (False, True):
                other = edges.copy()
                other[i, j] = not edges[i, j]
                if reverse:
                    other[j, i] = True
                if (not reverse or edges[i, j]) and topological_order(other) is not None:
                    changes.append(subject.score_of(other) - here)
        assert best_graph_move(subject, edges).change == pytest.approx(min(*changes, 0.0), abs=1e-10)


def climbed(subject):
    """A graph that no change of one edge improves, by the plainest hill climbing."""
    edges = np.zeros((subject.d, subject.d), dtype=bool)
    while (move := best_graph_move(subject, edges)).move != "none":
        edges[move.i, move.j] = move.move == "add"
        edges[move.j, move.i] |= move.move == "reverse"
    W = np.zeros((subject.d, subject.d))
    for j in range(subject.d):
        parents = np.flatnonzero(edges[:, j])
        W[parents, j] = np.linalg.lstsq(subject.samples[:, parents], subject.samples[:, j], rcond=None)[0]
    return W


def test_a_graph_of_least_bic_is_certified_and_its_neighbours_are_not():
    subject = problem(d=7, seed=3, n=500, score="bic")
    W = climbed(subject)
    assert certify(subject, {"W": W}).status is PointStatus.CERTIFIED
    i, j = np.argwhere(W != 0)[0]
    W[i, j] = 0
    assert certify(subject, {"W": W}).status is PointStatus.FEASIBLE
    W[i, j] = 1.0
    assert not certify(subject, {"W": W})["stationarity"].ok


@pytest.mark.parametrize(("name", "penalty"), [("least-squares", 0.2), ("logistic", 0.02)])
def test_penalized_scores_by_refits(name, penalty):
    """Proximal gradient steps on one order until nothing moves, at the best order of all by the same solver."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(100, 3)) @ np.triu(rng.normal(size=(3, 3)) + 2)
    X = (X > 0).astype(float) if name == "logistic" else X
    subject = dag(X, score=name, penalty={"l1": penalty})
    size = np.linalg.eigvalsh(subject.gram)[-1]

    def fitted(order):
        mask = np.zeros((3, 3))
        mask[np.ix_(order, order)] = np.triu(np.ones((3, 3)), 1)
        W, old = np.zeros((3, 3)), np.zeros((3, 3))
        for _ in range(4000):
            ahead = 0.9 * (W - old) + W
            old = W
            step = ahead - subject.score_gradient(ahead) / size
            W = np.sign(step) * np.maximum(np.abs(step) - penalty / size, 0) * mask
        return W

    weights = {order: fitted(order) for order in permutations(range(3))}
    scores = {order: subject.score_of(W) for order, W in weights.items()}
    best, worst = min(scores, key=scores.get), max(scores, key=scores.get)
    good = certify(subject, {"W": weights[best], "order": np.array(best, dtype=float)}, tol=1e-5)
    assert good.status is PointStatus.CERTIFIED, good.terms
    bad = certify(subject, {"W": weights[worst], "order": np.array(worst, dtype=float)}, tol=1e-5)
    assert not bad["neighbourhood"].ok


def test_what_is_known_of_edges_is_held_to():
    plain = problem(d=4, seed=1)
    names = plain.names
    known = dag(plain.samples, required=[(names[2], names[0])], tiers=[[names[1]], [names[3]]])
    allowed = [o for o in permutations(range(4)) if o.index(2) < o.index(0)]

    def constrained(order):
        W = np.zeros((4, 4))
        for place, j in enumerate(order):
            before = [i for i in order[:place] if not known.known.forbidden[i, j]]
            if before:
                W[before, j] = np.linalg.lstsq(known.samples[:, before], known.samples[:, j], rcond=None)[0]
        return W

    scores = {order: known.score_of(constrained(order)) for order in allowed}
    best = min(scores, key=scores.get)
    assert (
        certify(known, {"W": constrained(best), "order": np.array(best, dtype=float)}).status is PointStatus.CERTIFIED
    )
    backward = constrained((3, 1, 2, 0))
    backward[3, 1] = 0.5
    assert not certify(known, {"W": backward})["knowledge"].ok
    turned = np.zeros((4, 4))
    turned[0, 2] = 1.0
    assert certify(known, {"W": turned}).status is PointStatus.INFEASIBLE
    assert not certify(known, {"W": np.zeros((4, 4)), "order": np.array([0.0, 1, 2, 3])})["order"].ok


def test_cycles_and_orders_are_exact():
    subject = problem()
    W = np.zeros((5, 5))
    W[0, 1] = W[1, 2] = 1.0
    W[2, 0] = 1e-300
    found = certify(subject, {"W": W})
    assert found.status is PointStatus.INFEASIBLE
    assert found["acyclic"].value == 3
    W[2, 0] = 0
    assert not certify(subject, {"W": W, "order": np.array([1.0, 0, 2, 3, 4])})["order"].ok
    np.fill_diagonal(W, 1e-9)
    assert certify(subject, {"W": W}).status is PointStatus.INFEASIBLE


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"W": np.zeros((4, 4))},
        {"W": np.full((5, 5), np.nan)},
        {"W": np.zeros((5, 5)), "order": np.zeros(5)},
        {"W": np.zeros((5, 5)), "order": np.arange(4.0)},
        {"W": "text"},
    ],
)
def test_what_is_no_answer_is_unverified(wrong):
    found = certify(problem(), wrong)
    assert found.status is PointStatus.UNVERIFIED
    assert found.unverified


def test_wrong_answers_are_not_certified():
    subject = problem(seed=1)
    best = locally_best(subject)
    right = point(subject, best[0])
    rng = np.random.default_rng(0)
    for _ in range(500):
        W = right["W"].copy()
        i, j = rng.integers(5, size=2)
        W[i, j] += rng.choice([-1, 1]) * 10 ** rng.uniform(-4, 1)
        assert certify(subject, {**right, "W": W}).status is not PointStatus.CERTIFIED


def test_networks_are_checked_by_their_gradients():
    import torch
    from torch.optim import LBFGS

    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    X[:, 1] += np.tanh(2 * X[:, 0])
    subject = dag(X, score="mlp", hidden=3, penalty={"l2": 0.05})
    data = torch.tensor(subject.samples)
    mask = torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=torch.float64)[:, None, :]
    hidden = torch.tensor(rng.normal(size=(2, 3, 2)), requires_grad=True)
    output = torch.tensor(rng.normal(size=(2, 3)), requires_grad=True)
    optimizer = LBFGS(
        [hidden, output], max_iter=2000, tolerance_grad=1e-10, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def loss():
        optimizer.zero_grad()
        first = hidden * mask
        fitted = torch.einsum("jh,njh->nj", output, torch.sigmoid(torch.einsum("jhi,ni->njh", first, data)))
        value = ((data - fitted) ** 2).sum() / (2 * len(data)) + 0.025 * ((first**2).sum() + (output**2).sum())
        value.backward()
        return value

    optimizer.step(loss)
    first = (hidden * mask).detach().numpy()
    answer = {"W": np.sqrt((first**2).sum(axis=1)).T, "hidden": first, "output": output.detach().numpy()}
    found = certify(subject, answer)
    assert found.facts["score"] == pytest.approx(loss().item(), rel=1e-10)
    assert found.status is PointStatus.CERTIFIED, found.terms
    assert "not tried" in found["stationarity"].note
    assert certify(subject, {**answer, "output": answer["output"] * 1.01}).status is PointStatus.FEASIBLE
    assert certify(subject, {**answer, "W": answer["W"] * 1.01}).status is PointStatus.UNVERIFIED


def broken_score(*arguments):
    raise ZeroDivisionError("of foreign data")


def test_whatever_the_data_provoke_is_no_verdict(monkeypatch):
    subject = problem()
    monkeypatch.setattr(type(subject), "objective", broken_score)
    certificate = certify(subject, point(subject, range(5)))
    assert certificate.unverified == "ZeroDivisionError: of foreign data"


def test_what_is_no_gram_matrix_is_no_verdict():
    subject = problem()
    for wrong in (np.full((5, 5), np.nan), -subject.gram):
        certificate = certify(replace(subject, gram=wrong, samples=None), {"W": np.zeros((5, 5))})
        assert "negative variance" in certificate.unverified


def test_a_score_without_a_bound_is_no_verdict():
    x = np.random.default_rng(0).normal(size=50)
    subject = dag(np.column_stack([x, 2 * x]), score="bic", center=False)
    certificate = certify(subject, {"W": np.array([[0.0, 2.0], [0.0, 0.0]])})
    assert "exact function of its parents" in certificate.unverified


@pytest.mark.parametrize("name", ["hidden", "output"])
def test_networks_of_another_size_are_no_verdict(name):
    subject = dag(np.random.default_rng(0).normal(size=(30, 3)), score="mlp", hidden=2)
    given = {"W": np.zeros((3, 3)), HIDDEN: np.zeros((3, 2, 3)), OUTPUT: np.zeros((3, 2))}
    given[{"hidden": HIDDEN, "output": OUTPUT}[name]] = np.zeros((1, 1))
    assert "has shape (1, 1)" in certify(subject, given).unverified


def test_many_moves_are_all_neighbours_and_a_sample():
    every = {(move.move, move.source, move.target) for move in moves(6, 1000, np.random.default_rng(0))}
    some = [(move.move, move.source, move.target) for move in moves(6, 12, np.random.default_rng(0))]
    assert len(some) == 12
    assert set(some) <= every
    assert {("swap", a, a + 1) for a in range(5)} <= set(some)
    assert len(list(moves(6, 2, np.random.default_rng(0)))) == 5


def test_a_cycle_has_no_closure():
    with pytest.raises(ValueError, match="cycle"):
        closure(np.array([[False, True], [True, False]]))
