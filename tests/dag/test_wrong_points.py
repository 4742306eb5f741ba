"""The certificate against wrong answers, judged by refits of all subsets from the samples.

The long form is the figure `dag.wrong_points`.
"""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.kinds.dag import dag
from solverkit.kinds.dag.certificate import certify
from tests.dag.adversary import RIGHT, TOL, WRONG, samples, trials


@pytest.mark.parametrize(
    ("scores", "kinds"),
    [
        (("least-squares", "bic"), ("plain", "tiny eigenvalue", "units")),
        (("least-squares",), ("few samples", "duplicate", "collinear")),
        (("lasso",), ("plain",)),
        (("logistic",), ("plain",)),
    ],
)
def test_wrong_points_are_refused_and_right_ones_hold(scores, kinds):
    wrong = 0
    for score, data, name, problem, judge, point in trials(np.random.default_rng(0), scores, kinds):
        certified = certify(problem, point, tol=TOL).status.name == "CERTIFIED"
        defect = judge.defect(point)
        told = f"{name} of {score} on {data} data, defect {defect:.3g}"
        assert not certified or defect <= WRONG, told
        assert certified or defect >= RIGHT, told
        wrong += not defect <= WRONG
    assert wrong >= 15


def test_weights_of_a_nearly_explained_variable_are_held_to_what_is_left():
    """A child of variance 1e6 and noise 1: weights off by a thousandth are far from least squares."""
    rng = np.random.default_rng(0)
    parent = 1000 * rng.normal(size=500)
    problem = dag(np.column_stack([parent, parent + rng.normal(size=500)]), score="bic")
    slope = problem.gram[0, 1] / problem.gram[0, 0]
    W = np.array([[0.0, slope], [0, 0]])
    assert certify(problem, {"W": W}).status.name == "CERTIFIED"
    assert not certify(problem, {"W": W * (1 + 1e-6)})["stationarity"].ok


def test_the_fit_on_nearly_dependent_parents_is_checked_as_a_whole():
    """Each weight alone could explain nothing more; both together could."""
    rng = np.random.default_rng(1)
    x, z = rng.normal(size=(2, 400))
    twin = x + 1e-6 * z
    y = z + rng.normal(size=400)
    problem = dag(np.column_stack([x, twin, y]), score="bic")
    both = np.linalg.lstsq(problem.samples[:, :2], problem.samples[:, 2], rcond=None)[0]
    one = problem.gram[0, 2] / problem.gram[0, 0]
    W = np.zeros((3, 3))
    W[0, 1] = problem.gram[0, 1] / problem.gram[0, 0]
    W[:2, 2] = both
    assert certify(problem, {"W": W})["neighbourhood"].value < 1e-3
    W[:2, 2] = one - 1e-9, 1e-9
    found = certify(problem, {"W": W})
    assert not found["neighbourhood"].ok
    assert found["neighbourhood"].value > 0.1


def test_an_edge_that_is_not_worth_its_price_is_seen_among_ten_million_samples():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(1000, 2))
    gram = X.T @ X / 1000
    gram[0, 1] = gram[1, 0] = 3e-4  # worth 4.5e-8 a sample; an edge costs 8.1e-7
    problem = dag(gram=gram, count=10_000_000, score="bic")
    W = np.array([[0.0, gram[0, 1] / gram[0, 0]], [0, 0]])
    found = certify(problem, {"W": W})
    assert found["stationarity"].ok
    assert not found["neighbourhood"].ok


def test_data_of_the_adversary_are_what_they_are_called():
    rng = np.random.default_rng(3)
    for data, low, high in (("plain", 1e-8, 1), ("tiny eigenvalue", 0, 1e-12), ("few samples", -1e-12, 1e-12)):
        X = samples(data, rng)
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        least = np.linalg.eigvalsh(X.T @ X / len(X))[0]
        assert low - 1e-15 <= least <= high
