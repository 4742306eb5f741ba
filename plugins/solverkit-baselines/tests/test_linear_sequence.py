"""How the peers for linear sequences behave: what they count, keep, refuse and admit."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array

import solverkit as sk
from solverkit.engine.status import PointStatus, Termination
from solverkit.errors import MissingPackage, Unsuitable
from solverkit.kinds.linear_sequence import linear_sequence

PROBLEMS = Path(__file__).parents[3] / "problems" / "linear-sequence"
PEERS = ("scipy-cg", "pyamg", "superlu")


def shipped(name, **parameters):
    return sk.load(PROBLEMS / name / "problem.yaml", parameters=parameters)


def chain(scales, n=40, rhs=None):
    """scale tridiag(-1, 2, -1) for each scale."""
    A = csr_array(diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n, n)))
    b = np.ones(n) if rhs is None else rhs
    return linear_sequence(((s * A, b) for s in scales), rtol=1e-9)


@pytest.fixture(autouse=True)
def pyamg_or_not(request):
    method = request.node.callspec.params.get("method", "") if hasattr(request.node, "callspec") else ""
    if method == "pyamg" or "pyamg" in request.node.name:
        pytest.importorskip("pyamg")


@pytest.mark.parametrize("method", PEERS)
@pytest.mark.parametrize(
    ("name", "small"),
    [
        ("mesh-heat", {"points": 225, "steps": 30}),
        ("heat-heterogeneous", {"nx": 16, "steps": 25}),
        ("newton-p-laplace", {"points": 100, "loads": 3}),
    ],
)
def test_every_system_is_solved(method, name, small):
    result = sk.solve(shipped(name, **small), method=method)
    assert result.success, result.message
    assert result.termination is Termination.CONVERGED
    assert result.certificate.facts["unsolved"] == 0


def test_cg_counts_what_the_textbook_counts():
    problem = chain([1.0, 2.0])
    result = sk.solve(problem, method="scipy-cg")
    assert result.counts["niter"] == 2 * 20  # 40 distinct eigenvalues, and a symmetric load sees half of them
    assert result.point["cost"].tolist() == [20, 20]
    assert result.counts["nsys"] == 2


def test_the_diagonal_helps_where_it_varies():
    weights = np.logspace(0, 6, 40)
    A = csr_array(diags_array([np.full(39, -0.1), weights, np.full(39, -0.1)], offsets=[-1, 0, 1]))
    problem = linear_sequence([(A, np.ones(40))], rtol=1e-9)
    plain, scaled = (
        sk.solve(problem, method="scipy-cg", options={"preconditioner": name}) for name in ("none", "jacobi")
    )
    assert plain.success
    assert scaled.success
    assert scaled.counts["niter"] < plain.counts["niter"] / 3


@pytest.mark.parametrize(("first", "fewer"), [("zero", False), ("previous", True), ("extrapolated", True)])
def test_a_good_first_iterate_saves_iterations(first, fewer):
    A = csr_array(diags_array([-1.0, 3.0, -1.0], offsets=[-1, 0, 1], shape=(40, 40)))
    waves = np.random.default_rng(0).standard_normal((2, 40))
    problem = linear_sequence(((A, waves[0] + 1e-3 * t * waves[1]) for t in range(6)), rtol=1e-6)
    result = sk.solve(problem, method="scipy-cg", options={"first": first})
    assert result.success
    cold = sk.solve(problem, method="scipy-cg").counts["niter"]
    assert (result.counts["niter"] < 0.9 * cold) is fewer
    if first == "extrapolated":  # the solutions lie on a line
        assert result.point["cost"][2:].max() <= 1


def test_a_cap_leaves_the_system_unsolved_and_says_so():
    result = sk.solve(chain([1.0, 1.0, 1.0]), method="scipy-cg", options={"max_inner": 5})
    assert result.termination is Termination.STALLED
    assert result.point_status is PointStatus.INFEASIBLE
    assert "3 of 3 systems were not solved, the first is 0" in result.message
    assert result.counts["niter"] == 15


@pytest.mark.parametrize("method", ["pyamg", "superlu"])
def test_one_matrix_is_prepared_once(method):
    assert sk.solve(chain([1.0] * 5), method=method).counts["nsetup"] == 1


@pytest.mark.parametrize(("refresh", "built"), [("every", 5), ("never", 1)])
def test_pyamg_builds_as_it_is_told(refresh, built):
    result = sk.solve(chain([1.0, 1.1, 1.2, 1.3, 1.4]), method="pyamg", options={"refresh": refresh})
    assert result.success
    assert result.counts["nsetup"] == built


def test_pyamg_lazy_follows_its_rule():
    """The buildings of a run, found again from its costs alone."""
    problem = shipped("mesh-heat", points=225, steps=60)
    result = sk.solve(problem, method="pyamg", options={"setup_cost": 4.0})
    assert result.success
    built, spent, solves = [0], 0.0, 0
    for t, cost in enumerate(result.point["cost"]):
        if t:
            last = result.point["cost"][t - 1] - (4.0 if built[-1] == t - 1 else 0.0)
            if last > spent / solves:
                built.append(t)
                spent, solves = 0.0, 0
        spent, solves = spent + cost, solves + 1
    assert result.counts["nsetup"] == len(built)
    assert 1 < len(built) < 60
    assert result.point["cost"].sum() == result.counts["niter"] + 4.0 * len(built)


def test_superlu_factors_each_matrix_that_differs_from_the_one_before():
    assert sk.solve(chain([1.0, 1.0, 2.0, 2.0, 1.0]), method="superlu").counts["nsetup"] == 3


def test_superlu_takes_matrices_without_symmetry():
    A = np.random.default_rng(0).standard_normal((6, 6))
    problem = linear_sequence([(A, np.ones(6)), (2 * A, np.ones(6))])
    assert sk.solve(problem, method="superlu").success
    for method in ("scipy-cg", "pyamg"):
        with pytest.raises(Unsuitable, match="needs 'symmetric'"):
            sk.solve(problem, method=method)


def test_superlu_survives_a_singular_matrix():
    problem = linear_sequence([(np.ones((3, 3)), np.array([1.0, 2, 3])), (np.eye(3) + np.ones((3, 3)), np.ones(3))])
    result = sk.solve(problem, method="superlu")
    assert result.termination is Termination.STALLED
    assert "1 of 2 systems" in result.message
    assert result.point["x"][1] == pytest.approx(0.25)


def test_an_indefinite_matrix_is_never_certified_by_mistake():
    A = csr_array(diags_array([3.0, 1.0, 3.0], offsets=[-1, 0, 1], shape=(40, 40)))
    result = sk.solve(linear_sequence([(A, np.ones(40))], rtol=1e-9), method="scipy-cg", options={"max_inner": 200})
    x = result.point["x"][0]
    solved = np.linalg.norm(A @ x - 1) <= 1.01e-9 * np.sqrt(40)
    assert (result.point_status is PointStatus.CERTIFIED) is bool(solved)


def test_without_pyamg_the_pip_line_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyamg", None)
    with pytest.raises(MissingPackage, match=r"pip install .*pyamg"):
        sk.solve(chain([1.0]), method="pyamg")
