"""The shipped sequences, the large ones cut short: each has a certified answer by dense elimination, and only that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse.linalg import splu

from solverkit.formats.load import load
from solverkit.kinds.base import PointStatus
from solverkit.kinds.linear_sequence.certificate import certify

PROBLEMS = Path(__file__).parents[2] / "problems" / "linear-sequence"
SHORT = {
    "heat-equation": {"nx": 10, "steps": 20},
    "heat-heterogeneous": {"nx": 12, "steps": 10},
    "mesh-heat": {"points": 100, "steps": 12},
    "mesh-steady": {"points": 100, "steps": 8},
    "newton-p-laplace": {"points": 64, "loads": 3},
    "shifted-laplacian-high": {"steps": 20},
    "shifted-laplacian-low": {"steps": 20},
}
PROVIDES = {
    "heat-equation": {"stencil", "context"},
    "heat-heterogeneous": {"stencil", "context"},
    "karate-diffusion": {"context"},
    "mesh-heat": {"context"},
    "mesh-steady": {"constant", "independent"},
    "newton-p-laplace": {"context", "independent"},
    "ridge-breast-cancer": {"shifted", "context", "independent"},
    "shifted-laplacian-high": {"shifted", "stencil", "context", "independent"},
    "shifted-laplacian-low": {"shifted", "stencil", "context", "independent"},
    "spring-chain": {"context", "independent"},
}


def shipped(name):
    return load(PROBLEMS / name / "problem.yaml", parameters=SHORT.get(name))


def solved(problem):
    """(T, n) by sparse elimination."""
    x, previous = np.zeros((problem.T, problem.n)), problem.initial
    for t in range(problem.T):
        system = problem.system(t, previous)
        previous = x[t] = splu(system.matrix.tocsc()).solve(system.rhs)
    return x


def test_every_file_is_here():
    assert {path.parent.name for path in PROBLEMS.glob("*/problem.yaml")} == set(PROVIDES)


@pytest.mark.parametrize("name", sorted(PROVIDES))
def test_the_answer_is_certified_and_what_is_known_of_it_holds(name):
    problem = shipped(name)
    assert problem.provides == PROVIDES[name] | {"symmetric", "positive-diagonal", "nonzero-diagonal"}
    x = solved(problem)
    assert certify(problem, {"x": x}).status is PointStatus.CERTIFIED
    assert certify(problem, problem.start(np.random.default_rng(0))).status is PointStatus.INFEASIBLE
    if "point" in problem.expected:
        assert x == pytest.approx(problem.expected["point"]["x"], abs=problem.expected["tolerance"])
    for t in (0, problem.T - 1):
        assert np.linalg.eigvalsh(problem.system(t, x[t - 1]).matrix.toarray())[0] > 0


@pytest.mark.parametrize("name", sorted(SHORT))
def test_generated_sequences_are_the_same_every_time(name):
    assert shipped(name).fingerprint() == shipped(name).fingerprint()


def test_the_ridge_path_is_that_of_the_data():
    datasets = pytest.importorskip("sklearn.datasets")
    features, label = datasets.load_breast_cancer(return_X_y=True)
    Z = (features - features.mean(axis=0)) / features.std(axis=0)
    problem = shipped("ridge-breast-cancer")
    system = problem.system(10)
    assert system.matrix.toarray() == pytest.approx(Z.T @ Z + problem.shifts[10] * np.eye(30), rel=1e-10)
    assert system.rhs == pytest.approx(Z.T @ (label - label.mean()), rel=1e-10)


def test_the_rumour_is_neither_lost_nor_doubled():
    x = solved(shipped("karate-diffusion"))
    assert x.sum(axis=1) == pytest.approx(1.0)
    assert x[-1] == pytest.approx(1 / 34, abs=1e-3)


def test_the_karate_club_is_that_of_networkx():
    networkx = pytest.importorskip("networkx")
    L = networkx.laplacian_matrix(networkx.karate_club_graph(), weight="weight").toarray()
    problem = shipped("karate-diffusion")
    steps = 10.0 ** problem.system(7, problem.initial).context[0]
    assert problem.system(7, problem.initial).matrix.toarray() == pytest.approx(np.eye(34) + steps * L, rel=1e-10)
