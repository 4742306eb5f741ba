"""Each term of the certificate of graphs by its own closed form."""

from __future__ import annotations

from dataclasses import replace

import networkx
import numpy as np
import pytest

from solverkit.kinds.base import PointStatus
from solverkit.kinds.dag import dag
from solverkit.kinds.dag.certificate import certify
from solverkit.kinds.dag.generators import linear_sem
from solverkit.kinds.dag.knowledge import Knowledge
from tests.dag.cases import neighbours, problem, refitted, score
from tests.dag.test_acyclic import graph_of, random_graph


def pair(correlation, n=100, **arguments):
    """Two variables of variance 1 with that correlation."""
    return dag(gram=np.array([[1.0, correlation], [correlation, 1.0]]), count=n, **arguments)


def edge(weight, i=0, j=1, d=2):
    W = np.zeros((d, d))
    W[i, j] = weight
    return W


def test_tolerances_are_what_is_asked_for_and_1e_6_if_nothing_is():
    for name in ("least-squares", "bic"):
        for tol, found in ((1e-6, certify(pair(0.5, score=name), {"W": edge(0.5)})),
                           (1e-3, certify(pair(0.5, score=name), {"W": edge(0.5)}, tol=1e-3))):  # fmt: skip
            assert found.status is PointStatus.CERTIFIED
            told = {term.name: (term.tolerance, term.feasibility) for term in found.terms}
            assert told == {
                "acyclic": (0.0, True),
                "knowledge": (0.0, True),
                "stationarity": (pytest.approx(10 * tol), False),
                "neighbourhood": (tol, False),
            }


def test_what_lies_on_a_cycle_or_below_one_is_counted():
    rng, subject = np.random.default_rng(0), problem(d=7)
    for _ in range(30):
        W = (rng.random((7, 7)) < 0.2).astype(float)
        graph = graph_of(W != 0)
        on = {i for cycle in networkx.strongly_connected_components(graph) for i in cycle
              if len(cycle) > 1 or graph.has_edge(i, i)}  # fmt: skip
        below = on.union(*(networkx.descendants(graph, i) for i in on))
        found = certify(subject, {"W": W})
        assert found["acyclic"].value == len(below)
        assert found.facts["edges"] == W.sum()


def test_forbidden_edges_are_counted_and_so_is_a_cycle_with_required_ones():
    known = Knowledge.of(5, forbidden=[(0, 1), (3, 4), (4, 3)], required=[(1, 2)])
    subject = replace(problem(), knowledge=known)
    W = edge(1.0, 0, 1, 5) + edge(1.0, 3, 4, 5) + edge(1.0, 0, 4, 5)
    found = certify(subject, {"W": W})
    assert found["knowledge"].value == 2
    assert [term.name for term in found.terms] == ["acyclic", "knowledge"]  # no more is said of what breaks a rule
    W = edge(1.0, 2, 0, 5) + edge(1.0, 0, 1, 5)  # with 1 -> 2 a cycle of three, and 0 -> 1 is forbidden
    found = certify(subject, {"W": W})
    assert (found["acyclic"].value, found["knowledge"].value) == (0, 4)
    assert found.status is PointStatus.INFEASIBLE
    loop = certify(subject, {"W": edge(1.0, 2, 2, 5)})  # a loop is a cycle, and no forbidden edge besides
    assert (loop["acyclic"].value, loop["knowledge"].value) == (1, 0)


def test_edges_that_go_backward_in_the_order_are_counted_with_the_required_ones():
    subject = replace(problem(), knowledge=Knowledge.of(5, required=[(4, 3)]))
    W = edge(1.0, 0, 1, 5) + edge(1.0, 2, 0, 5)
    loop = certify(subject, {"W": edge(1.0, 0, 0, 5), "order": np.array([0.0, 1, 2, 4, 3])})
    assert loop["order"].value == 1
    for order, backward in (([2, 0, 1, 4, 3], 0), ([0, 1, 2, 4, 3], 1), ([1, 0, 2, 3, 4], 3), ([1, 0, 3, 2, 4], 3)):
        found = certify(subject, {"W": W, "order": np.array(order, dtype=float)})
        assert found["order"].value == backward
        assert (found.status is PointStatus.INFEASIBLE) == (backward > 0)


def test_an_order_is_a_permutation():
    for wrong in ([0, 1, 2, 3, 3], [1, 2, 3, 4, 5], [0.5, 1, 2, 3, 4], [[0, 1, 2, 3, 4]]):
        found = certify(problem(), {"W": np.zeros((5, 5)), "order": np.array(wrong, dtype=float)})
        assert "is no permutation of 0, ..., 4" in found.unverified


def test_what_is_missing_or_of_another_shape_is_named():
    assert certify(problem(), {}).unverified == "block 'W' is missing"
    assert "has shape (4, 4); problem 'dag' has 5 variables" in certify(problem(), {"W": np.zeros((4, 4))}).unverified
    assert certify(problem(), {"W": np.full((5, 5), np.inf)}).unverified == "the weights are not finite"


@pytest.mark.parametrize("unit", [np.ones(5), 10.0 ** np.array([-9, 9, 0, 4, -4])])
@pytest.mark.parametrize("off", [1e-3, -1e-3])
def test_a_moment_that_the_samples_do_not_have_shows_in_units_of_the_variables(unit, off):
    subject = dag(problem().samples * unit)
    assert certify(subject, {"W": np.zeros((5, 5))})["oracles"].ok
    size, gram = np.sqrt(np.diag(subject.gram)), subject.gram.copy()
    gram[1, 3] += off * size[1] * size[3]
    gram[3, 1] = gram[1, 3]
    found = certify(replace(subject, gram=gram), {"W": np.zeros((5, 5))})["oracles"]
    assert found.value == pytest.approx(abs(off) / 5, rel=1e-6)
    assert not found.ok
    assert (found.tolerance, found.feasibility) == (1e-8, False)


def test_moments_that_are_off_by_opposite_amounts_do_not_hide_each_other():
    """Along random signs: what is off in one row cancels for one half of them."""
    seen = []
    for j, k in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)):
        subject = problem()
        size, gram = np.sqrt(np.diag(subject.gram)), subject.gram.copy()
        for other, off in ((j, 1e-3), (k, -1e-3)):
            gram[4, other] += off * size[4] * size[other]
            gram[other, 4] = gram[4, other]
        found = certify(replace(subject, gram=gram), {"W": np.zeros((5, 5))})["oracles"]
        seen.append(found.value == pytest.approx(2e-3 / 5, rel=1e-6))
    assert sum(seen) >= 3


def test_a_variable_that_is_zero_everywhere_has_no_bic():
    samples = problem().samples.copy()
    samples[:, 2] = 0.0
    subject = replace(problem(), samples=samples, gram=samples.T @ samples / len(samples), score="bic")
    assert certify(subject, {"W": np.zeros((5, 5))}).unverified.startswith("the score is -inf")


@pytest.mark.parametrize("d", [200, 201])
def test_varsortability_is_reported_of_graphs_that_it_does_not_take_long_for(d):
    subject = dag(gram=np.diag(np.arange(1.0, d + 1)), count=1000, score="bic")
    assert ("varsortability" in certify(subject, {"W": edge(1e-3, 0, 1, d)}).facts) == (d == 200)
    if d == 200:
        assert certify(subject, {"W": edge(1e-3, 0, 1, d)}).facts["varsortability"] == 1.0
        assert certify(subject, {"W": edge(1e-3, 1, 0, d)}).facts["varsortability"] == 0.0
        assert "varsortability" not in certify(subject, {"W": np.zeros((d, d))}).facts


@pytest.mark.parametrize("n", [1, 2, 100, 8000, 10**8])
@pytest.mark.parametrize("correlation", [0.5, -0.01])
def test_the_gain_of_bic_is_what_a_refit_and_the_best_change_bring(n, correlation):
    """Of two variables by hand: an edge explains log(1 - r^2) / 2 and costs log(n) / (2 n)."""
    subject = pair(correlation, n, score="bic")
    price, worth = np.log(n) / (2 * n), -0.5 * np.log1p(-(correlation**2))
    size = min(1.0, 1000 * max(np.log(n), 1) / (2 * n))
    empty = certify(subject, {"W": np.zeros((2, 2))})["neighbourhood"]
    assert empty.value == pytest.approx(max(worth - price, 0) / size, rel=1e-9, abs=1e-12)
    assert empty.note == ("add x0 -> x1" if worth > price else "")
    off = 0.1
    there = certify(subject, {"W": edge(correlation + off)})["neighbourhood"]
    refit = 0.5 * np.log1p(off**2 / (1 - correlation**2))
    assert there.value == pytest.approx((refit + max(price - worth, 0)) / size, rel=1e-9, abs=1e-12)
    assert there.note == ("delete x0 -> x1" if price > worth else "")


def test_a_reversal_is_named_by_the_edge_as_it_is():
    """2 -> 0 and 2 -> 1 of independent causes: a collider is better, by the reversal of both; one is a first step."""
    rng = np.random.default_rng(1)
    a, b, noise = rng.normal(size=(3, 300))
    subject = dag(np.column_stack([a, b, a + b + noise]), score="bic")
    W = np.zeros((3, 3))
    W[2, 0] = subject.gram[2, 0] / subject.gram[2, 2]
    W[1, 2] = subject.gram[1, 2] / subject.gram[1, 1]
    assert certify(subject, {"W": W})["neighbourhood"].note == "reverse x2 -> x0"


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_least_squares_of_dependent_columns_without_samples(order):
    """x2 = x0 + x1 exactly, so S has no factor: neighbours are refitted one by one."""
    root = np.array([[1.0, 0, 1], [0, 2, 2]])
    W = np.zeros((3, 3))
    for k in (1, 2):
        W[order[:k], order[k]] = np.linalg.lstsq(root[:, order[:k]], root[:, order[k]], rcond=None)[0]
    found = certify(dag(gram=root.T @ root, count=50), {"W": W, "order": np.array(order, dtype=float)})
    here, best = _least(root, order), min(_least(root, list(other)) for other in neighbours(order))
    assert found.facts["score"] == pytest.approx(here)
    assert found["neighbourhood"].value == pytest.approx(max(here - best, 0.0) / here, abs=1e-12)
    assert (found.status is PointStatus.CERTIFIED) == (here <= best)


def _least(root, order):
    left = [root[:, order[0]]]
    for k in (1, 2):
        A, x = root[:, order[:k]], root[:, order[k]]
        left.append(x - A @ np.linalg.lstsq(A, x, rcond=None)[0])
    return 0.5 * float(np.square(left).sum())


@pytest.mark.parametrize("d", [44, 46])
def test_large_least_squares_is_searched_as_exhaustively_as_small(d):
    made = linear_sem(d=d, edges=1, n=200, seed=0)
    subject, order = dag(made["X"]), list(np.random.default_rng(0).permutation(d))
    W = refitted(subject, order)
    found = certify(subject, {"W": W, "order": np.array(order, dtype=float)})["neighbourhood"]
    move, source, target = found.note.split()[0], int(found.note.split()[3]), int(found.note.split()[5])
    if move == "swap":
        order[source], order[target] = order[target], order[source]
    else:
        order.insert(target, order.pop(source))
    better, here = score(subject, refitted(subject, order)), score(subject, W)
    assert found.value == pytest.approx((here - better) / here, rel=1e-9)
    assert found.value > 1e-4


@pytest.mark.parametrize("off", [1e-6, 1e-3])
def test_weights_are_the_norms_of_the_first_layers(off):
    rng = np.random.default_rng(0)
    subject = dag(rng.normal(size=(30, 3)), score="mlp", hidden=2)
    hidden = np.zeros((3, 2, 3))
    hidden[1, :, 0] = 3.0, 4.0
    right = {"W": edge(5.0, 0, 1, 3), "hidden": hidden, "output": np.ones((3, 2))}
    assert not certify(subject, right).unverified
    assert certify(subject, right)["stationarity"].tolerance == pytest.approx(1e-5)
    norms = right["W"]
    for W in (norms * (1 + off), norms + edge(off, 0, 2, 3), norms.T):
        told = certify(subject, {**right, "W": W}).unverified
        assert told == "block 'W' does not hold the norms of the first layers in 'hidden'"


def test_a_graph_is_its_own_refit_whatever_its_size():
    """The value is 0 up to rounding on the least squares of any graph, and the stationarity too."""
    rng = np.random.default_rng(0)
    subject = problem(d=6, score="bic")
    for _ in range(5):
        edges = random_graph(rng, 6, 0.5)
        W = np.zeros((6, 6))
        for j in range(6):
            parents = np.flatnonzero(edges[:, j])
            W[parents, j] = np.linalg.lstsq(subject.samples[:, parents], subject.samples[:, j], rcond=None)[0]
        assert certify(subject, {"W": W})["stationarity"].value < 1e-12
