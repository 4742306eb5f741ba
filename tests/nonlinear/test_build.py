"""Problems from files and from Python: sets, names, dense and sparse rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import LinearConstraint
from scipy.sparse import csr_array, issparse, random_array

import solverkit as sk
from solverkit.kinds.nonlinear import Nonlinear, nonlinear

RNG = np.random.default_rng(0)
A, S = RNG.normal(size=(40, 300)), csr_array(random_array((40, 300), density=0.02, rng=np.random.default_rng(1)))
B = RNG.normal(size=(500, 300))  # its products are dense work enough for torch
LOSS = "sum(logistic(B @ x)) + sum(x**2)"


def build(rows, minimize=LOSS, **data):
    return nonlinear({"x": {"shape": 300}, "y": {"shape": 2}}, minimize, rows, {"A": A, "B": B, "S": S, **data})


FILE = """
solverkit: 1
kind: nonlinear
name: small
parameters: {n: 3}
variables: {x: {shape: n, lower: 0, start: 1}, y: {shape: 2, set: {ball: {radius: 2}}}}
minimize: sum((x - 2)**2) + y[0]
subject_to: {budget: sum(x) <= 3, link: "x[0] == y[1]"}
expect: {objective: 0.0, point: {x: 1}, tolerance: n*1e-6}
"""


def test_a_file(tmp_path):
    path = tmp_path / "problem.yaml"
    path.write_text(FILE)
    problem = sk.load(path)
    assert isinstance(problem, Nonlinear)
    assert problem.row_names == ("budget", "link", "set[0]")
    assert problem.lowest == pytest.approx([0, 0, 0, -np.inf, -np.inf])
    assert problem.upper == pytest.approx([3, 0, 4])
    x = np.array([1.0, 0.5, 2.0, 1.5, -0.5])
    assert problem.constraints(x) == pytest.approx([3.5, 1.5, 1.5**2 + 0.5**2])
    assert problem.expected["point"]["x"] == pytest.approx([1, 1, 1])
    assert problem.expected["tolerance"] == pytest.approx(3e-6)
    assert problem.provides == {"gradient", "jacobian", "hvp", "hessian", "quadratic-objective"}


def test_a_file_with_defects(tmp_path):
    path = tmp_path / "problem.yaml"
    path.write_text(FILE.replace("y[0]", "z").replace("y: {shape", "multipliers: {shape").replace("y[1]", "x[1]"))
    with pytest.raises(sk.InvalidProblem) as caught:
        sk.load(path)
    assert [defect.line for defect in caught.value.defects] == [6, 7]
    assert "a block of the answer's own" in str(caught.value)
    assert "unknown name 'z'" in str(caught.value)


def test_a_simplex_is_bounds_and_one_row():
    problem = nonlinear({"x": {"shape": 4, "set": "simplex"}}, "sum(x**2)")
    assert problem.m == 1
    assert problem.lowest == pytest.approx(0)
    assert (problem.lower[0], problem.upper[0]) == (1, 1)


def test_dense_rows_are_the_data_itself():
    problem = build({"r": "A @ x == 0"}, b=np.ones(40))
    x = RNG.normal(size=302)
    assert problem.constraints(x) == pytest.approx(A @ x[:300])
    assert problem.vjp(x, np.ones(40)) == pytest.approx([*A.sum(axis=0), 0, 0])
    assert isinstance(problem.jacobian(x), np.ndarray)


def big(rows, m=400):
    """With a matrix of 120,000 entries, so that torch would do the arithmetic."""
    C = np.random.default_rng(2).normal(size=(m, 300))
    return C, nonlinear({"y": {"shape": 2}, "x": {"shape": 300}}, "sum(x**2)", rows, {"C": C, "c": C.sum(axis=1)})


def test_large_dense_rows_are_not_copied():
    C = np.random.default_rng(2).normal(size=(400, 300))
    problem = nonlinear({"x": {"shape": 300}}, "sum(x**2)", {"r": "C @ x <= 1"}, {"C": C})
    assert np.shares_memory(problem.jacobian(np.zeros(300)), C)
    C, problem = big({"r": "C @ x <= 1", "ball": "sum(x**2) <= 9", "t": "y[0] - C[0, 1]*x[3] <= 2"})
    z = RNG.normal(size=302)
    expected = [*(C @ z[2:]), z[2:] @ z[2:], z[0] - C[0, 1] * z[5]]
    assert problem.constraints(z) == pytest.approx(expected)
    assert problem.row_names[399:] == ("r[399]", "ball", "t")
    jacobian = problem.jacobian(z)
    assert isinstance(jacobian, np.ndarray)
    assert jacobian[:400, 2:] == pytest.approx(C)
    assert jacobian[400] == pytest.approx([0, 0, *(2 * z[2:])])
    weights = RNG.normal(size=402)
    assert problem.vjp(z, weights) == pytest.approx(jacobian.T @ weights)
    assert problem.jvp(z, z) == pytest.approx(jacobian @ z)
    ball = np.diag([0, 0, *np.full(300, 2 * weights[400])])
    assert problem.hvp(z, weights, z, 0.0) == pytest.approx(ball @ z)
    hessian = problem.hessian(z, weights, 0.0)
    assert (hessian.toarray() if issparse(hessian) else hessian) == pytest.approx(ball)


def test_affine_rows_that_are_no_plain_product():
    C, problem = big({"r": "C @ x - c <= 1"})
    z = RNG.normal(size=302)
    assert problem.constraints(z) == pytest.approx(C @ z[2:] - C.sum(axis=1))
    assert isinstance(problem.jacobian(z), np.ndarray)
    assert "affine-constraints" in problem.provides


def test_sparse_rows_stay_sparse():
    problem = build({"r": "S @ x == 0"})
    assert issparse(problem.jacobian(np.zeros(302)))


def test_matrices_beside_formulas():
    rows = {"ball": "sum(y**2) <= 1", "m": LinearConstraint(np.eye(3, 302), -1, 1)}
    problem = build(rows)
    assert problem.row_names == ("ball", "m[0]", "m[1]", "m[2]")
    z = RNG.normal(size=302)
    assert problem.constraints(z) == pytest.approx([z[300:] @ z[300:], *z[:3]])


def test_torch_functions():
    problem = nonlinear(
        {"x": {"shape": 2}, "y": {}},
        lambda x, y: (x**2).sum() + y,
        {"inequality": lambda x, y: x.sum() - y, "equality": lambda x, y: x[0] * y - 1},
    )
    z = np.array([1.0, 2.0, 3.0])
    assert problem.value(z) == pytest.approx(8)
    assert problem.constraints(z) == pytest.approx([0, 2])
    assert problem.lower == pytest.approx([-np.inf, 0])


def test_fingerprints_see_what_is_asked():
    one = build({"r": "A @ x == 0"}).fingerprint()
    assert one == build({"r": "A @ x == 0"}).fingerprint()
    assert one != build({"r": "A @ x <= 0"}).fingerprint()
    assert one != build({"r": "A @ x == 0"}, A=A + 1e-9).fingerprint()
    assert one != build({"r": "A @ x == 0"}, LOSS + " + y[0]").fingerprint()


def test_check_shows_every_oracle():
    from solverkit.kinds.nonlinear.kind import NonlinearKind

    problem = build({"r": "A @ x == 0", "c": "y[0]*y[1] <= 3"})
    terms = NonlinearKind().check(problem, problem.start(RNG), 0)
    assert all(term.ok for term in terms)
    assert [term.name for term in terms][:1] == ["gradient of f"]
    assert {"Jacobian of c", "jvp of c", "vjp of c", "Hessian products of c"} <= {term.name for term in terms}
