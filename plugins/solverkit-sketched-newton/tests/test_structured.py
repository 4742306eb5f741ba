"""Which solver a structure gets, the hand-over to a direct one, and whole solves of the structured problem files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array, eye_array, hstack
from scipy.sparse.linalg import spsolve

import solverkit as sk
from solverkit_sketched_newton.generators import breast_cancer_logistic, dense_constraints, sphere_logistic
from solverkit_sketched_newton.inner import structured
from solverkit_sketched_newton.inner.base import NewtonSystem
from solverkit_sketched_newton.inner.structured import Structured

PROBLEMS = Path(__file__).parents[3] / "problems" / "nonlinear"


def system_of(B, J, products_only=False):
    return NewtonSystem(None if products_only else B, lambda v: B @ v, np.zeros(J.shape[1]), J)


def test_what_each_structure_gets(monkeypatch):
    monkeypatch.setattr(structured, "CONDENSED_ROWS", 100)
    rng = np.random.default_rng(0)
    diagonal = csr_array(diags_array(rng.uniform(1, 2, 200)))
    band = csr_array(diagonal + diags_array([np.full(199, 0.1)], offsets=[1], shape=(200, 200)))
    wide, sparse = rng.normal(size=(10, 200)), csr_array(eye_array(40, 200)) + csr_array(eye_array(40, 200, k=1))
    owned = csr_array(hstack([csr_array(rng.normal(size=(100, 100))), eye_array(100)]))
    for expected, B, J, products in (
        ("Schur", diagonal, wide, False),
        ("Schur", diagonal, csr_array(wide), False),
        ("Condensed", band, csr_array(owned), False),
        ("SparseLDL", band, csr_array(sparse), False),
        ("Dense", band, wide, False),
        ("Dense", csr_array(np.ones((200, 200)) + 200 * np.eye(200)), wide, False),
        ("NystromCG", band, wide, True),
    ):
        solver = Structured()
        solver.prepare(system_of(B, J, products))
        assert type(solver.chosen).__name__ == expected
    monkeypatch.setattr(structured, "DENSE_ROWS", 100)
    solver = Structured()
    solver.prepare(system_of(np.eye(200), wide))
    assert type(solver.chosen).__name__ == "NystromCG"


def test_a_direct_solver_takes_over(monkeypatch):
    """Conjugate gradients that do not converge: the answer is right all the same."""
    monkeypatch.setattr(structured, "DENSE_ROWS", 10)
    rng = np.random.default_rng(1)
    half = rng.normal(size=(60, 60)) * 10.0 ** np.linspace(0, -2, 60)
    B, J = half.T @ half + 1e-4 * np.eye(60), rng.normal(size=(5, 60))
    solver = Structured()
    solver._held["nystrom"] = structured.NystromCG(rank=0, max_iter=3)
    solver.prepare(system_of(B, J))
    r_x, r_c = rng.normal(size=60), rng.normal(size=5)
    found = solver.solve(r_x, r_c, 1e-8)
    assert type(solver.chosen).__name__ == "SparseLDL"
    K = np.block([[B, J.T], [J, np.zeros((5, 5))]])
    d = np.concatenate([found.dx, found.dy])
    assert np.linalg.norm(K @ d + np.concatenate([r_x, r_c])) < 1e-6 * np.linalg.norm(r_x)


def test_poisson_control_file():
    """Against the condensed linear system (I + 0.1 L'L) w = target, z = -L w."""
    problem = sk.load(PROBLEMS / "poisson-control" / "problem.yaml")
    result = sk.solve(problem, method="sketched-newton")
    assert result.point_status.name == "CERTIFIED"
    L, target = problem.jacobian(np.zeros(problem.n))[:, :400], -problem.gradient(np.zeros(problem.n))[:400]
    w = spsolve((eye_array(400) + 0.1 * L.T @ L).tocsc(), target)
    np.testing.assert_allclose(result.point["w"], w, atol=1e-8)
    best = 0.5 * np.sum((w - target) ** 2) + 0.05 * np.sum((L @ w) ** 2)
    assert result.fun == pytest.approx(best, rel=1e-9)
    assert problem.expected["objective"] == pytest.approx(best, rel=1e-8)


def test_large_poisson_control_by_condensation():
    problem = sk.load(PROBLEMS / "poisson-control" / "problem.yaml", parameters={"N": 110})
    result = sk.solve(problem, method="sketched-newton")
    direct = sk.solve(problem, method="sketched-newton", options={"inner": "sparse"})
    assert result.point_status.name == direct.point_status.name == "CERTIFIED"
    assert result.fun == pytest.approx(direct.fun, rel=1e-8)
    np.testing.assert_allclose(result.point["w"], direct.point["w"], atol=1e-6)


@pytest.mark.parametrize("name", ["dense-constraints", "dense-constraints-gram"])
def test_dense_constraints_files(name):
    """Against a plain dense Newton method on the Schur complement."""
    problem = sk.load(PROBLEMS / name / "problem.yaml")
    result = sk.solve(problem, method="sketched-newton")
    assert result.point_status.name == "CERTIFIED"
    x, y = np.zeros(problem.n), np.zeros(problem.m)
    for _ in range(30):
        J, H = np.asarray(_array(problem.jacobian(x))), _array(problem.hessian(x, y))
        inverse = np.linalg.inv(H)
        top, bottom = problem.gradient(x) + J.T @ y, problem.constraints(x) - problem.lower
        dy = np.linalg.solve(J @ inverse @ J.T, bottom - J @ inverse @ top)
        x, y = x - inverse @ (top + J.T @ dy), y + dy
    np.testing.assert_allclose(result.point["x"], x, atol=1e-6)
    assert result.fun == pytest.approx(problem.value(x), rel=1e-8)
    assert problem.expected["objective"] == pytest.approx(problem.value(x), rel=1e-8)


def test_products_only(monkeypatch):
    """The Gram problem without its Hessian: the same answer from products."""
    from solverkit.expressions import composed

    monkeypatch.setattr(composed, "MOST", 100)
    problem = sk.load(PROBLEMS / "dense-constraints-gram" / "problem.yaml")
    assert "hessian" not in problem.provides
    result = sk.solve(problem, method="sketched-newton", options={"dense_size": 100})
    assert result.point_status.name == "CERTIFIED"
    assert result.fun == pytest.approx(problem.expected["objective"], rel=1e-8)
    assert result.counts["nhev"] == 0
    assert result.counts["nhvp"] > 0


def test_logistic_files():
    problem = sk.load(PROBLEMS / "logistic-breast-cancer" / "problem.yaml")
    result = sk.solve(problem, method="sketched-newton")
    assert result.point_status.name == "CERTIFIED"
    assert result.fun == pytest.approx(problem.expected["objective"], rel=1e-6)
    small = sk.load(PROBLEMS / "logistic-w8a-shape" / "problem.yaml", parameters={"samples": 3000, "features": 40})
    result = sk.solve(small, method="sketched-newton")
    assert result.point_status.name == "CERTIFIED"


def test_generators_keep_their_word():
    data = dense_constraints(200, 7, 3, samples=50)
    again = dense_constraints(200, 7, 3, samples=50)
    np.testing.assert_array_equal(data["G"], again["G"])
    assert (data["X"] != again["X"]).nnz == 0
    assert data["G"].shape == (7, 200)
    np.testing.assert_allclose(data["G"] @ np.linalg.lstsq(data["G"], data["b"], rcond=None)[0], data["b"])
    shape = sphere_logistic(2000, 100)
    assert shape["X"].shape == (2000, 100)
    assert 5 < shape["X"].nnz / 2000 < 12  # repeated words count once
    assert np.mean(shape["label"] > 0) == pytest.approx(0.03, abs=0.005)
    for made in (shape, breast_cancer_logistic()):
        assert np.linalg.norm(np.linalg.lstsq(made["A"], made["b"], rcond=None)[0]) < 0.91


def _array(matrix):
    return matrix.toarray() if hasattr(matrix, "toarray") else matrix
