"""The shipped problems, solved and certified; what dynamic programming over subsets says of the small ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solverkit.formats.load import load
from solverkit.kinds.dag.certificate import certify
from solverkit.kinds.dag.metrics import distances
from solverkit.kinds.dag.networks import NETWORKS, network

PROBLEMS = Path(__file__).parents[2] / "problems" / "dag"


def best_order(gram):
    """(score, order) of the best of all orders: dynamic programming over subsets, O(2^d d) regressions."""
    d = len(gram)
    best = {0: (0.0, ())}
    for subset in range(1, 1 << d):
        members = [j for j in range(d) if subset >> j & 1]
        inverse = np.linalg.inv(gram[np.ix_(members, members)])
        options = []
        for place, j in enumerate(members):
            score, order = best[subset ^ 1 << j]
            options.append((score + 0.5 / inverse[place, place], (*order, j)))
        best[subset] = min(options)
    return best[(1 << d) - 1]


def test_the_expected_score_is_that_of_the_best_order():
    problem = load(PROBLEMS / "gram-d10" / "problem.yaml")
    score, _ = best_order(problem.gram)
    assert problem.expected["objective"] == pytest.approx(score, rel=1e-9)


def test_the_consensus_of_biologists_is_no_optimum_of_the_score():
    """`truth` of real data is a comparison, and is not certified by being called so."""
    problem = load(PROBLEMS / "sachs" / "problem.yaml")
    assert int((problem.truth != 0).sum()) == 17
    assert certify(problem, {"W": problem.truth.astype(float)}).status.name == "FEASIBLE"
    assert distances(problem.truth, problem.truth).shd == 0


@pytest.mark.parametrize(("name", "size"), list(zip(NETWORKS, [(107, 150), (46, 70)], strict=True)))
def test_published_networks(name, size):
    names, W, variance = network(name)
    assert (len(names), np.count_nonzero(W)) == size
    assert (variance > 0).all()
    problem = load(PROBLEMS / name / "problem.yaml", parameters={"n": 50_000, "seed": 3})
    A = np.linalg.inv(np.eye(len(W)) - W)
    expected = A.T @ np.diag(variance) @ A
    np.testing.assert_allclose(np.diag(problem.gram), np.diag(expected), rtol=0.06)
