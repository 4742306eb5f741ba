"""First-order conditions against residuals of the samples and finite differences."""

from __future__ import annotations

from dataclasses import replace

import networkx
import numpy as np
import pytest

from solverkit.kinds.dag import dag
from solverkit.kinds.dag.knowledge import Knowledge
from solverkit.kinds.dag.stationarity import kkt, networks, refit
from tests.dag.cases import problem, refitted
from tests.dag.test_acyclic import graph_of, random_graph

KNOWN = {
    "nothing": Knowledge.none(5),
    "forbidden": Knowledge.of(5, forbidden=[(0, 1), (1, 0), (2, 4)]),
    "required": Knowledge.of(5, required=[(3, 1), (0, 2)]),
}


def correlations(X, W):
    """(d, d): of every variable with every residual, about zero."""
    left = X - X @ W
    return X.T @ left / np.outer(np.linalg.norm(X, axis=0), np.linalg.norm(left, axis=0))


def may_be_parents(subject, W):
    """Pairs that close no cycle and are not forbidden."""
    graph = graph_of((W != 0) | subject.known.required)
    free = ~subject.known.forbidden
    for j in range(subject.d):
        free[list(networkx.descendants(graph, j)), j] = False
    return free


def cases(subject, count=12):
    rng = np.random.default_rng(0)
    for _ in range(count):
        edges = random_graph(rng, subject.d, 0.5)
        if networkx.is_directed_acyclic_graph(graph_of(edges | subject.known.required)):
            yield edges * rng.normal(size=edges.shape)


@pytest.mark.parametrize("unit", [np.ones(5), 10.0 ** np.array([-6, 6, 0, 3, -3])])
@pytest.mark.parametrize("known", KNOWN)
def test_least_squares_is_held_to_uncorrelated_residuals_whatever_the_units(known, unit):
    plain = replace(problem(), knowledge=KNOWN[known])
    subject = replace(dag(plain.samples * unit), knowledge=KNOWN[known])
    assert len(list(cases(plain))) >= 5
    for W in cases(plain):
        worst = np.abs(correlations(plain.samples, W))[may_be_parents(plain, W)].max()
        assert kkt(subject, W * unit / unit[:, None]) == pytest.approx(worst, rel=1e-9)


@pytest.mark.parametrize("known", KNOWN)
def test_bic_is_held_to_it_on_its_own_edges(known):
    subject = replace(problem(score="bic"), knowledge=KNOWN[known])
    for W in cases(subject):
        edges = (W != 0) | subject.known.required
        worst = np.abs(correlations(subject.samples, W))[edges].max(initial=0.0)
        assert refit(subject, W) == pytest.approx(worst, rel=1e-9)
    assert refit(problem(score="bic"), refitted(subject, range(5))) < 1e-12


@pytest.mark.parametrize("l1", [0.05, 0.5])
@pytest.mark.parametrize("name", ["least-squares", "logistic"])
def test_a_penalty_widens_what_a_missing_edge_may_have_and_pulls_on_the_others(name, l1):
    X = problem().samples
    X = (X > 0).astype(float) if name == "logistic" else X
    subject = dag(X, score=name, penalty={"l1": l1})
    for W in cases(subject):
        slope, worst, step = np.zeros((5, 5)), 0.0, 1e-6
        for i, j in np.ndindex(5, 5):
            shift = np.zeros((5, 5))
            shift[i, j] = step
            both = [subject.score_of(W + s) - l1 * np.abs(W + s).sum() for s in (shift, -shift)]
            slope[i, j] = (both[0] - both[1]) / (2 * step)
        size = np.sqrt((subject.samples**2).mean(axis=0))
        left = (
            np.ones(5) if name == "logistic" else np.sqrt(((subject.samples - subject.samples @ W) ** 2).mean(axis=0))
        )
        for i, j in np.argwhere(may_be_parents(subject, W)):
            share = abs(slope[i, j] + l1 * np.sign(W[i, j])) if W[i, j] else max(abs(slope[i, j]) - l1, 0.0)
            worst = max(worst, share / (size[i] * left[j]))
        assert kkt(subject, W) == pytest.approx(worst, abs=1e-7)


@pytest.mark.parametrize("off", [1e-4, 1e-6])
def test_a_variable_that_is_explained_to_the_last_digit_is_held_to_a_hundredth_of_its_size(off):
    """y = 3 x exactly and a weight off by a share: the residual is that share of y, its correlation 1."""
    x = np.random.default_rng(0).normal(size=40)
    subject = dag(np.column_stack([x, 3 * x]))
    W = np.array([[0.0, 3 * (1 + off)], [0.0, 0.0]])
    assert kkt(subject, W) == pytest.approx(100 * off, rel=1e-3)
    assert refit(subject, W) == pytest.approx(100 * off, rel=1e-3)


@pytest.mark.parametrize("l1", [0.0, 0.02])
def test_networks_are_held_to_the_slopes_of_their_score(l1):
    rng = np.random.default_rng(1)
    subject = dag(rng.normal(size=(30, 3)), score="mlp", hidden=2, penalty={"l1": l1, "l2": 0.3})
    edges = np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]], dtype=bool)
    for scale in (0.1, 3.0, 30.0):
        hidden = scale * rng.normal(size=(3, 2, 3)) * edges.T[:, None, :]
        hidden[2, 0, 1] = 0.0  # a kink of the penalty
        Z = 1 / (1 + np.exp(-np.einsum("jhi,ni->jnh", hidden, subject.samples)))
        output = np.stack(  # by ridge regression, so that the first layers are the worst
            [
                np.linalg.solve(z.T @ z / 30 + 0.3 * np.eye(2), z.T @ x / 30)
                for z, x in zip(Z, subject.samples.T, strict=True)
            ]
        )
        output += (scale == 0.1) * rng.normal(size=(3, 2))

        middle = subject.network_score(hidden, output)

        def slope(array, at, hidden=hidden, output=output, middle=middle):
            """The least subgradient along one weight; one-sided differences at a kink."""
            here, step, sides = array[at], 1e-6, []
            for way in (1, -1):
                array[at] = here + way * step
                sides.append((subject.network_score(hidden, output) - middle) / step)
            array[at] = here
            if here == 0:
                return max(-sides[0], -sides[1], 0.0)
            return abs(sides[0] - sides[1]) / 2

        first = [slope(hidden, at) / (1 + abs(hidden[at])) for at in np.ndindex(3, 2, 3) if edges[at[2], at[0]]]
        second = [slope(output, at) / (1 + abs(output[at])) for at in np.ndindex(3, 2)]
        assert networks(subject, hidden, output, edges) == pytest.approx(max(first + second), abs=2e-6)
        for j in range(3):  # each variable by itself, so that none hides behind the worst
            alone = np.zeros((3, 3), dtype=bool)
            alone[:, j] = edges[:, j]
            of_j = [slope(hidden, at) / (1 + abs(hidden[at])) for at in np.ndindex(3, 2, 3) if alone[at[2], at[0]]]
            assert networks(subject, hidden, output, alone) == pytest.approx(max(of_j + second), abs=2e-6)
