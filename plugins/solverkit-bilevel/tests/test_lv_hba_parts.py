"""The parts of LV-HBA against slow, obvious versions of themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lv_hba_cases import CURVED_FOLLOWER, QUADRATIC_FOLLOWER, written
from scipy.optimize import LinearConstraint, minimize
from scipy.sparse import csr_array, eye_array

from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit.operators.qp import solve_qp
from solverkit.operators.sets import Ball
from solverkit_bilevel.envelope import ProximalLagrangian
from solverkit_bilevel.joint_set import JointSet
from solverkit_bilevel.polish import lower_solution
from solverkit_bilevel.proximal_qp import ProximalQP
from solverkit_bilevel.rows import AffineRows
from solverkit_bilevel.structure import Structure

FOLLOWERS = {"quadratic": QUADRATIC_FOLLOWER, "curved": CURVED_FOLLOWER}


@pytest.fixture(params=FOLLOWERS)
def problem(request, tmp_path):
    return written(tmp_path, FOLLOWERS[request.param])


def lagrangian(problem, inner="exact", **changes):
    given = dict(gamma1=2.0, gamma2=3.0, normalize=True, bound=None, tolerance=1e-12, iterations=200_000, eta=None)
    return ProximalLagrangian(problem, Structure.of(problem), inner=inner, **(given | changes))


def saddle(problem, model, w, z):
    d = np.zeros(model.m)
    return model.saddle(problem, w, problem.lower(w), problem.lower_gradient(w), z, np.zeros(model.k), d)


def value(problem, model, w, z):
    """v(w, z)."""
    return problem.lower(w) - saddle(problem, model, w, z).gap


def draw(problem, model, seed):
    rng = np.random.default_rng(seed)
    return 0.5 * rng.standard_normal(problem.n + problem.m), np.maximum(model.lo, rng.standard_normal(model.k))


@pytest.mark.parametrize("seed", range(3))
def test_gradient_of_the_gap_is_that_of_differences(problem, seed):
    model = lagrangian(problem)
    w, z = draw(problem, model, seed)
    found, step = saddle(problem, model, w, z), 1e-6
    for i in range(len(w)):
        ends = [saddle(problem, model, w + sign * step * np.eye(len(w))[i], z).gap for sign in (1, -1)]
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(found.slope[i], abs=2e-6)
    for i in range(model.k):
        ends = [value(problem, model, w, z + sign * step * np.eye(model.k)[i]) for sign in (1, -1)]
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx((found.lam - z)[i] / model.gamma2, abs=2e-6)


@pytest.mark.parametrize("seed", range(3))
def test_saddle_is_the_minimum_of_the_brute_force_envelope(problem, seed):
    model = lagrangian(problem)
    w, z = draw(problem, model, seed)
    found = saddle(problem, model, w, z)

    def envelope(d):
        t = np.concatenate([w[: problem.n], w[problem.n :] + d])
        lam = np.maximum(model.lo, z + model.gamma2 * model.residuals(t))
        away = lam - z
        own = problem.lower(t) + lam @ model.residuals(t)
        return own + d @ d / (2 * model.gamma1) - away @ away / (2 * model.gamma2)

    rough = minimize(envelope, np.zeros(model.m), method="BFGS", options={"gtol": 1e-9})
    assert envelope(found.d) <= rough.fun + 1e-9
    np.testing.assert_allclose(found.d, rough.x, atol=1e-5)
    assert found.gap == pytest.approx(problem.lower(w) - envelope(found.d), abs=1e-10)


@pytest.mark.parametrize("inner", ["extragradient", "descent-ascent"])
def test_first_order_saddles_end_at_the_exact_one(tmp_path, inner):
    text = CURVED_FOLLOWER.replace(", lower: -1, upper: 2}}\n  minimize: sum(exp", "}}\n  minimize: sum(exp")
    problem = written(tmp_path, text)
    exact, slow = lagrangian(problem), lagrangian(problem, inner)
    w, z = draw(problem, exact, 4)
    want, have = saddle(problem, exact, w, z), saddle(problem, slow, w, z)
    np.testing.assert_allclose(have.d, want.d, atol=1e-7)
    np.testing.assert_allclose(have.lam, want.lam, atol=1e-7)
    np.testing.assert_allclose(have.slope, want.slope, atol=1e-6)
    assert have.gap == pytest.approx(want.gap, abs=1e-8)


def test_truncated_multipliers_stay_in_their_box(problem):
    model = lagrangian(problem, bound=0.05)
    w, z = draw(problem, model, 1)
    z = model.clip(z)
    found = saddle(problem, model, w, z)
    assert np.all(np.abs(found.lam) <= 0.05)
    t = np.concatenate([w[: problem.n], w[problem.n :] + found.d])
    residual = problem.lower_gradient(t)[problem.n :] + model.AyT @ found.lam + found.d / model.gamma1
    np.testing.assert_allclose(residual, 0, atol=1e-9)
    np.testing.assert_allclose(found.lam, model.clip(z + model.gamma2 * model.residuals(t)), atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_gap_is_nonnegative_on_the_joint_set_and_zero_at_a_lower_solution(problem, seed):
    model = lagrangian(problem)
    w, z = draw(problem, model, seed)
    w[: problem.n] *= 0.2
    y, lam = lower_solution(problem, w, Structure.of(problem))
    solved = np.concatenate([w[: problem.n], y])
    assert model.rows.violation(solved) <= 1e-9
    end = saddle(problem, model, solved, lam)
    assert end.gap == pytest.approx(0, abs=1e-10)
    np.testing.assert_allclose(end.lam, lam, atol=1e-7)  # grad_z v = 0 at a multiplier
    above = solved.copy()
    joint = JointSet(model.rows)
    above[problem.n :] += 0.3
    inside, _ = joint.project(above, np.zeros(joint.multipliers))
    assert saddle(problem, model, inside, z).gap >= -1e-12


def random_rows(seed, size=12):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((9, size)) * (rng.random((9, size)) < 0.5)
    A[8] = A[7]  # a repeated equality
    inside = rng.standard_normal(size)
    b = A @ inside + np.where(np.arange(9) < 6, rng.random(9), 0.0)
    return AffineRows(csr_array(A), b, 6), rng


@pytest.mark.parametrize("seed", range(8))
def test_projection_onto_a_polyhedron_is_that_of_an_interior_point_solver(seed):
    rows, rng = random_rows(seed)
    joint = JointSet(rows)
    assert joint.shape == "polyhedron"
    warm = np.zeros(joint.multipliers)
    for _ in range(3):
        u = 3 * rng.standard_normal(12)
        w, warm = joint.project(u, warm)
        lower = np.where(np.arange(9) < 6, -np.inf, rows.b)
        want = solve_qp(csr_array(eye_array(12)), -u, rows.A, lower, rows.b, tol=1e-12)
        np.testing.assert_allclose(w, want.v, atol=1e-6)
        assert joint.rows.violation(w) <= 1e-11
        assert np.linalg.norm(w - u) <= np.linalg.norm(want.v - u) + 1e-8
        np.testing.assert_allclose(joint.project(w, np.zeros(9))[0], w, atol=1e-11)


def test_closed_forms_agree_with_the_polyhedral_projection():
    rng = np.random.default_rng(3)
    A = rng.standard_normal((4, 7))
    A[3] = A[0] + A[1]
    equal = AffineRows(csr_array(A), A @ np.ones(7), 0)
    bounds = AffineRows(csr_array(np.vstack([np.eye(7), -2 * np.eye(7)])), np.ones(14), 14)
    u = 4 * rng.standard_normal(7)
    for rows, shape in ((equal, "affine"), (bounds, "box")):
        joint = JointSet(rows)
        assert joint.shape == shape
        slow = JointSet(AffineRows.stack([rows, AffineRows(csr_array(np.ones((1, 7))), np.array([1e3]), 1)]))
        assert slow.shape == "polyhedron"
        w, _ = joint.project(u, np.zeros(0))
        np.testing.assert_allclose(w, slow.project(u, np.zeros(slow.multipliers))[0], atol=1e-9)


def test_empty_joint_set_is_proven():
    rows = AffineRows(csr_array(np.array([[1.0, 1.0], [-1.0, -1.0]])), np.array([0.0, -1.0]), 2)
    with pytest.raises(Stop, match="joint feasible set C is empty") as stop:
        JointSet(rows).first(np.zeros(2))
    assert stop.value.termination is Termination.INFEASIBLE


@pytest.mark.parametrize("seed", range(6))
def test_proximal_qp_solves_its_optimality_conditions(seed):
    rng = np.random.default_rng(seed)
    root, A = rng.standard_normal((6, 6)), rng.standard_normal((10, 6))
    M = csr_array(root @ root.T + 0.1 * np.eye(6))
    lo, hi = np.where(np.arange(10) < 7, 0.0, -1.0), np.where(np.arange(10) % 2, np.inf, 0.7)
    qp = ProximalQP(M, csr_array(A), lo, hi, 50.0)
    c, r, z = rng.standard_normal(6), rng.standard_normal(10), np.abs(rng.standard_normal(10))
    d, lam = qp.solve(c, r, z)
    np.testing.assert_allclose(M @ d + c + A.T @ lam, 0, atol=1e-8)
    np.testing.assert_allclose(lam, np.clip(z + 50 * (r + A @ d), lo, hi), atol=1e-8)


def test_lower_solution_is_that_of_a_general_solver(problem):
    w = np.zeros(problem.n + problem.m)
    w[: problem.n] = 0.4, -0.3
    y, _ = lower_solution(problem, w, Structure.of(problem))
    A = problem.lower_rows_jacobian(w).toarray()[:, problem.n :]
    b = -problem.lower_rows(np.concatenate([w[: problem.n], np.zeros(problem.m)]))
    p = problem.lower_constraints.inequalities
    rough = minimize(
        lambda t: problem.lower(np.concatenate([w[: problem.n], t])),
        np.zeros(problem.m),
        bounds=[(-1, 2)] * problem.m,
        constraints=[LinearConstraint(A[:p], -np.inf, b[:p]), LinearConstraint(A[p:], b[p:], b[p:])],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    np.testing.assert_allclose(y, rough.x, atol=1e-5)


def test_a_curved_set_beside_rows_that_do_not_touch_it_is_projected(tmp_path):
    rows = AffineRows(csr_array(np.array([[0.0, 0.0, 1.0]])), np.array([1.0]), 1)
    joint = JointSet(rows, [(slice(0, 2), Ball(np.zeros(2), 1.0))])
    w, _ = joint.project(np.array([3.0, 4.0, 5.0]), np.zeros(0))
    np.testing.assert_allclose(w, [0.6, 0.8, 1.0])


def test_equal_problems_share_nothing_mutable(problem):
    first, second = lagrangian(problem), lagrangian(replace(problem))
    w, z = draw(problem, first, 0)
    assert saddle(problem, first, w, z).gap == saddle(problem, second, w, z).gap
