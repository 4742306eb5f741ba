"""`notears` and `colide`: their derivatives, their way to a graph, and what they find where it is easy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from dag_cases import dag, linear_model

import solverkit as sk
from solverkit.engine.status import Termination
from solverkit.kinds.dag.acyclic import topological_order
from solverkit.kinds.dag.knowledge import Knowledge
from solverkit.kinds.dag.metrics import shd
from solverkit_dag.acyclicity import exponential, log_det, to_dag
from solverkit_dag.colide import Colide
from solverkit_dag.options.colide import ColideOptions


@pytest.mark.parametrize("measure", ["exponential", "log-det"])
def test_measures_of_cycles(measure: str) -> None:
    """Zero exactly where there is no cycle; gradients against differences."""

    def h(W: np.ndarray) -> tuple[float, np.ndarray]:
        found = exponential(W) if measure == "exponential" else log_det(W, 1.3)
        assert found is not None
        return found[0], found[1]

    rng = np.random.default_rng(0)
    acyclic = np.triu(rng.normal(size=(5, 5)), 1)
    assert h(acyclic)[0] == pytest.approx(0.0, abs=1e-12)
    W = 0.4 * rng.normal(size=(5, 5))
    value, slope = h(W)
    assert value > 1e-3
    for i, j in itertools.product(range(5), repeat=2):
        step = np.zeros((5, 5))
        step[i, j] = 1e-6
        assert (h(W + step)[0] - h(W - step)[0]) / 2e-6 == pytest.approx(slope[i, j], abs=1e-6)


def test_outside_the_m_matrices_there_is_no_measure() -> None:
    assert log_det(np.array([[0.0, 2.0], [2.0, 0.0]]), 1.0) is None


def test_the_way_to_a_graph_drops_the_least_edges_on_cycles() -> None:
    W = np.array([[0.0, 0.9, 0.1], [0.4, 0.0, 0.8], [0.5, 0.0, 0.0]])
    np.testing.assert_array_equal(to_dag(W, 0.3) != 0, [[False, True, False], [False, False, True], [False] * 3])
    keep = np.zeros((3, 3), dtype=bool)
    keep[2, 0] = True
    kept = to_dag(W, 0.3, keep)
    assert kept[2, 0] == 0.5
    assert topological_order(kept != 0) is not None


@pytest.mark.parametrize(
    ("method", "options"), [("notears", {}), ("colide", {"noise": "equal"}), ("colide", {"noise": "unequal"})]
)
def test_an_easy_graph_is_found(method: str, options: dict) -> None:
    X, W, _ = linear_model(6, 0, degree=1)
    if method == "colide":
        options = {**options, "warm_iterations": 2000, "last_iterations": 2000, "learning_rate": 2e-3}
    result = sk.solve(dag(X), method=method, options=options)
    assert result.termination.name == "STALLED"
    assert topological_order(result.point["W"] != 0) is not None
    assert shd(result.point["W"] != 0, W != 0) <= 1


def test_refitted_weights_are_least_squares_on_the_graph() -> None:
    X, _, _ = linear_model(6, 0, degree=1)
    W = sk.solve(dag(X), method="notears", options={"refit": True}).point["W"]
    for j in range(6):
        parents = np.flatnonzero(W[:, j])
        np.testing.assert_allclose(W[parents, j], np.linalg.lstsq(X[:, parents], X[:, j], rcond=None)[0], atol=1e-9)


@pytest.mark.parametrize("method", ["notears", "colide"])
def test_forbidden_and_required_edges_are_kept(method: str) -> None:
    X, W, order = linear_model(6, 0, degree=1)
    i, j = np.argwhere(W)[0]
    known = Knowledge.of(6, forbidden=[(int(i), int(j))], required=[(int(order[0]), int(order[5]))])
    options = (
        {"warm_iterations": 1000, "last_iterations": 1000, "refit": True} if method == "colide" else {"refit": True}
    )
    found = sk.solve(dag(X, knowledge=known), method=method, options=options)
    assert found.point["W"][i, j] == 0
    assert found.point["W"][order[0], order[5]] != 0
    assert found.certificate["knowledge"].ok


def test_noise_scales_are_the_best_for_the_residuals() -> None:
    """sigma minimizes v / sigma + sigma for each variable, or for their mean."""
    S = linear_model(5, 0)[0]
    S = S.T @ S / len(S)
    residual = np.eye(5) - 0.1 * np.triu(np.ones((5, 5)), 1)
    v = np.diag(residual.T @ S @ residual)
    unequal = Colide(ColideOptions.model_validate({"noise": "unequal"}))._sigma(S, residual)
    equal = Colide(ColideOptions.model_validate({"noise": "equal"}))._sigma(S, residual)
    for factor in (0.9, 1.1):
        assert (v / unequal + unequal <= v / (factor * unequal) + factor * unequal).all()
        assert (v / equal + equal).sum() <= (v / (factor * equal) + factor * equal).sum()


def test_a_long_step_of_colide_is_left_when_its_time_is_over() -> None:
    problem = dag(linear_model(6, 0, degree=1)[0])
    endless = {"warm_iterations": 10**7, "last_iterations": 10**7, "checkpoint": 10**7, "rtol": 0.0}
    result = sk.solve(problem, "colide", options=endless, max_time=0.1)
    assert (result.termination, result.nit) == (Termination.MAX_TIME, 0)
    assert result.timing["solve"] < 10
