"""The projection onto polyhedra: its KKT conditions, other algorithms' answers, and the hard cases."""

from __future__ import annotations

import pickle
from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import isotonic_regression
from scipy.sparse import csr_array, diags_array, random_array, vstack

from solverkit.operators import polyhedral_projection
from solverkit.operators.polyhedral_projection import PolyhedralProjector
from solverkit.operators.qp import Outcome
from solverkit.operators.sets import Polyhedron


def check(A, lower, upper, u, found, tol=1e-11):
    """w - u + A'y = 0, lower <= A w <= upper, y >= 0 at `upper`, <= 0 at `lower`, 0 between."""
    norms = np.sqrt((np.asarray(A) ** 2).sum(axis=1)) if not hasattr(A, "tocsr") else np.sqrt(A.power(2).sum(axis=1))
    norms = np.where(norms > 0, norms, 1.0)
    w, y, image = found.point, found.multiplier, (A @ found.point) / norms
    size = tol * (1 + np.abs(u).max())
    assert found.outcome is Outcome.SOLVED
    assert np.abs(w - u + A.T @ (y / norms)).max() <= size
    assert np.maximum(lower / norms - image, image - upper / norms).max() <= size
    assert np.all(np.where(y > size, np.abs(image - upper / norms), 0) <= size)
    assert np.all(np.where(y < -size, np.abs(image - lower / norms), 0) <= size)


def enumerated(A, lower, upper, u):
    """The nearest feasible point among the projections onto all faces of up to n rows."""
    best, distance = None, np.inf
    sides = [(i, b) for i in range(len(A)) for b in {lower[i], upper[i]} if np.isfinite(b)]
    for count in range(min(len(sides), len(u)) + 1):
        for face in combinations(sides, count):
            rows = A[[i for i, _ in face]]
            w = u - np.linalg.pinv(rows) @ (rows @ u - np.array([b for _, b in face])) if count else u
            if np.all(A @ w >= lower - 1e-9) and np.all(A @ w <= upper + 1e-9) and np.linalg.norm(w - u) < distance:
                best, distance = w, np.linalg.norm(w - u)
    return best


@pytest.mark.parametrize("seed", range(8))
def test_against_every_face(seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(5, 3))
    middle = A @ rng.normal(size=3)
    lower = np.where(rng.random(5) < 0.4, -np.inf, middle - rng.random(5))
    upper = np.where(rng.random(5) < 0.3, np.inf, middle + rng.random(5))
    if seed % 2:
        lower[0] = upper[0] = middle[0]
    projector = PolyhedralProjector(csr_array(A), lower, upper)
    for u in 3 * rng.normal(size=(4, 3)):
        found = projector.project(u)
        check(A, lower, upper, u, found)
        np.testing.assert_allclose(found.point, enumerated(A, lower, upper, u), atol=1e-9)


def sparse_case(n, seed=0):
    rng = np.random.default_rng(seed)
    A = csr_array(random_array((n // 2, n), density=6 / n, rng=rng, data_sampler=rng.standard_normal))
    inside = rng.normal(size=n)
    upper = A @ inside + 0.1 * rng.random(n // 2)
    lower = np.where(np.arange(n // 2) < n // 20, A @ inside, -np.inf)
    upper[: n // 20] = lower[: n // 20]
    return A, lower, upper, inside + rng.normal(size=n)


@pytest.mark.parametrize("n", [40, 3000])
def test_warm_starts_change_the_work_and_not_the_answer(n):
    A, lower, upper, u = sparse_case(n)
    projector = PolyhedralProjector(A, lower, upper)
    first = projector.project(u)
    check(A, lower, upper, u, first)
    near = u + 1e-3 * np.random.default_rng(1).normal(size=n)
    cold, warm = projector.project(near), projector.project(near, first.multiplier)
    check(A, lower, upper, near, warm)
    np.testing.assert_allclose(warm.point, cold.point, atol=1e-11)
    assert warm.steps < cold.steps
    again = PolyhedralProjector(A, lower, upper).project(near, first.multiplier)
    np.testing.assert_array_equal(again.point, warm.point)  # nothing but the multipliers is carried over
    copied = pickle.loads(pickle.dumps(projector)).project(near, first.multiplier)
    np.testing.assert_array_equal(copied.point, warm.point)


@pytest.mark.parametrize(("n", "band"), [(30, 1e8), (1200, 1e8), (1200, 0)])
def test_monotone_cone(n, band, monkeypatch):
    """v_1 <= v_2 <= ...: isotonic regression. Its Gram matrix is a chain, too hard for conjugate gradients."""
    A = csr_array(diags_array([np.ones(n - 1), -np.ones(n - 1)], offsets=[0, 1], shape=(n - 1, n)))
    u = -np.linspace(0, 5, n) + np.random.default_rng(0).normal(size=n)  # against the order: everything pools
    monkeypatch.setattr(polyhedral_projection, "BAND", band)
    calls = []
    sparse = PolyhedralProjector._sparse
    monkeypatch.setattr(PolyhedralProjector, "_sparse", lambda *args: calls.append(1) or sparse(*args))
    projector = PolyhedralProjector(A, np.full(n - 1, -np.inf), np.zeros(n - 1))
    found = projector.project(u)
    np.testing.assert_allclose(found.point, isotonic_regression(u).x, atol=1e-10)
    assert projector.thin == (n > polyhedral_projection.FEW and band > 0)
    assert bool(calls) == (n > polyhedral_projection.DENSE)


def test_rows_that_depend_on_each_other_and_badly_scaled_ones():
    rng = np.random.default_rng(3)
    A = rng.normal(size=(4, 6))
    A = np.vstack([A, A, A[0] + A[1], 1e-8 * A[2], 1e8 * A[3], np.zeros(6)])
    inside = rng.normal(size=6)
    upper = A @ inside + 0.1 * np.abs(A).max(axis=1)
    projector = PolyhedralProjector(csr_array(A), np.full(len(A), -np.inf), upper)
    for size in (1.0, 1e6):
        u = inside + size * rng.normal(size=6)
        check(A, np.full(len(A), -np.inf), upper, u, projector.project(u), tol=1e-10)


def test_an_empty_polyhedron_is_said_to_be_empty():
    A = np.array([[1.0, 1.0], [1.0, 1.0]])
    found = PolyhedralProjector(csr_array(A), np.array([1.0, -np.inf]), np.array([np.inf, 0.0])).project(np.zeros(2))
    assert found.outcome is Outcome.INFEASIBLE
    rows = vstack([sparse_case(400)[0], np.ones((1, 400)), -np.ones((1, 400))])
    with pytest.raises(ValueError, match="infeasible"):
        Polyhedron(rows, -np.inf, np.append(np.full(200, np.inf), [-1.0, -1.0])).project(np.zeros(400))


def test_where_the_iteration_gives_up_an_interior_point_solver_helps(monkeypatch):
    A, lower, upper, u = sparse_case(40)
    want = PolyhedralProjector(A, lower, upper).project(u).point
    monkeypatch.setattr(polyhedral_projection, "NEWTON_STEPS", 1)
    monkeypatch.setattr(polyhedral_projection, "ROUNDS", 1)
    found = PolyhedralProjector(A, lower, upper).project(u)
    assert found.outcome in (Outcome.SOLVED, Outcome.INEXACT)
    np.testing.assert_allclose(found.point, want, atol=1e-6)


def test_nan_comes_back():
    A, lower, upper, u = sparse_case(40)
    u[0] = np.nan
    assert np.isnan(PolyhedralProjector(A, lower, upper).project(u).point).any()


def test_joint_sets_of_bilevel_problems_agree_in_both_sizes(monkeypatch):
    """The dense and the sparse path of LV-HBA's set C: one answer, multipliers that start each other."""
    joint_set = pytest.importorskip("solverkit_bilevel.joint_set")
    rows = pytest.importorskip("solverkit_bilevel.rows")
    A, lower, upper, u = sparse_case(100)
    equal = lower == upper
    case = rows.AffineRows(
        csr_array(vstack([A[~equal], A[equal]])), np.append(upper[~equal], upper[equal]), int(sum(~equal))
    )
    dense = joint_set.JointSet(case)
    monkeypatch.setattr(joint_set, "SMALL", 0)
    sparse = joint_set.JointSet(case)
    (w, y), (v, z) = dense.first(u), sparse.first(u)
    np.testing.assert_allclose(v, w, atol=1e-10)
    np.testing.assert_allclose(sparse.project(u + 0.01, y)[0], dense.project(u + 0.01, z)[0], atol=1e-10)
    empty = rows.AffineRows(csr_array([[1.0, 1.0], [-1.0, -1.0]]), np.array([0.0, -1.0]), 2)
    with pytest.raises(Exception, match="joint feasible set C is empty"):
        joint_set.JointSet(empty).first(np.zeros(2))
