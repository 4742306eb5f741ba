"""Quadratic programs, signed least squares and the test of definiteness, against slow references."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.sparse import block_diag, csr_array, eye_array

from solverkit.operators.least_squares import positive_definiteness, signed_least_squares
from solverkit.operators.qp import Outcome, solve_qp


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_qp_kkt(scale):
    rng = np.random.default_rng(0)
    n, k = 6, 9
    factor = rng.normal(size=(n, n))
    P, q, A = csr_array(factor @ factor.T), rng.normal(size=n), rng.normal(size=(k, n))
    lower, upper = np.append(np.full(k - 1, -0.3), 0.1), np.append(np.full(k - 1, 0.2), 0.1)
    A, lower, upper = scale * A, scale * lower, scale * upper
    found = solve_qp(P, q, csr_array(A), lower, upper)
    activity = A @ found.v
    assert found.outcome is Outcome.SOLVED
    np.testing.assert_allclose(P @ found.v + q + A.T @ found.multiplier, 0, atol=1e-8)
    assert np.all(activity <= upper + 1e-9 * scale)
    assert np.all(activity >= lower - 1e-9 * scale)
    slack = np.where(found.multiplier > 0, upper - activity, activity - lower)
    np.testing.assert_allclose(found.multiplier * slack, 0, atol=1e-8)
    assert found.value == pytest.approx(0.5 * found.v @ P @ found.v + q @ found.v, abs=1e-9)
    assert found.bound == pytest.approx(found.value, abs=1e-8)


def test_qp_outcomes():
    one = csr_array(np.ones((1, 1)))
    assert solve_qp(None, np.ones(1), one, np.array([-np.inf]), np.array([0.0])).outcome is Outcome.UNBOUNDED
    two = csr_array(np.array([[1.0], [1.0]]))
    wrong = solve_qp(None, np.ones(1), two, np.array([1.0, -np.inf]), np.array([np.inf, 0.0]))
    assert wrong.outcome is Outcome.INFEASIBLE
    assert solve_qp(one, np.ones(1), csr_array((0, 1)), np.zeros(0), np.zeros(0)).v == pytest.approx([-1.0])


@pytest.mark.parametrize("seed", range(10))
def test_signed_least_squares_finds_exact_fits(seed):
    """Where nonnegative multipliers fit exactly they are found, dependent columns or not."""
    rng = np.random.default_rng(seed)
    M = rng.normal(size=(8, 6)) @ np.diag(10.0 ** rng.uniform(-6, 6, 6))
    M = np.hstack([M, M[:, :2] + M[:, 2:4]])
    signs = rng.random(8) < 0.7
    u = rng.normal(size=8)
    u[signs] = np.maximum(u[signs], 0)
    c = -M @ u
    fit = signed_least_squares(csr_array(M), c, csr_array((0, 8)), signs)
    assert np.all(fit.u[signs] >= 0)
    np.testing.assert_allclose(fit.residual, 0, atol=1e-7 * np.abs(c).max())
    rest = rng.normal(size=8)
    fit = signed_least_squares(csr_array(M), rest, csr_array((0, 8)), np.ones(8, bool))
    assert np.abs(fit.residual).max() <= np.abs(M @ nnls(M, -rest)[0] + rest).max() * (1 + 1e-6)


@pytest.mark.parametrize("n", [5, 500])
def test_signed_least_squares_keeps_equations(n):
    """min ||u - t|| s.t. sum u = 0, twice the same row: t minus its mean, dense and sparse alike."""
    t = np.random.default_rng(1).normal(size=n)
    fit = signed_least_squares(csr_array(eye_array(n)), -t, csr_array(np.ones((2, n))), np.zeros(n, bool))
    np.testing.assert_allclose(fit.u, t - t.mean(), atol=1e-8)
    assert fit.broken <= 1e-8


@pytest.mark.parametrize("copies", [1, 200])
def test_definiteness(copies):
    def big(block):
        return csr_array(block_diag([block] * copies))

    assert positive_definiteness(big([[2, -1, 0], [-1, 2, -1], [0, -1, 2]])) > 0
    assert positive_definiteness(big([[1, 2, 0], [2, 1, 0], [0, 0, 1]])) < -1e-3
    assert abs(positive_definiteness(big([[1, -1, 0], [-1, 1, 0], [0, 0, 0]]))) < 1e-9
    assert abs(positive_definiteness(big(np.ones((3, 3))))) < 1e-9
    assert positive_definiteness(big([[0, 1, 0], [1, 0, 0], [0, 0, 1]])) < -1e-3
    assert positive_definiteness(csr_array((3, 3))) == 0
