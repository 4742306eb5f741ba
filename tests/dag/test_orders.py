"""Penalized fits of the certificate against a general minimizer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from solverkit.kinds.dag.orders import lasso


def by_bounds(S, s, l1):
    """w = u - v with u, v >= 0, by L-BFGS-B, in units in which every variable has size 1."""
    k, size = len(s), np.sqrt(np.diag(S))
    S, s, price = S / np.outer(size, size), s / size, l1 / size

    def value(uv):
        w = uv[:k] - uv[k:]
        slope = S @ w - s
        return w @ (0.5 * (S @ w) - s) + np.tile(price, 2) @ uv, np.concatenate([slope + price, price - slope])

    limits = {"maxiter": 5000, "maxfun": 20_000, "ftol": 1e-15, "gtol": 1e-10}
    return minimize(
        value, np.zeros(2 * k), jac=True, method="L-BFGS-B", bounds=[(0, None)] * (2 * k), options=limits
    ).fun


@pytest.mark.parametrize("decades", [0, 4])
def test_active_sets_end_at_the_minimum_from_any_start_in_any_units(decades):
    rng = np.random.default_rng(0)
    for _ in range(60):
        k, rows = int(rng.integers(1, 9)), int(rng.integers(3, 40))  # fewer rows than columns among them
        X = rng.normal(size=(rows, k + 1)) @ rng.normal(size=(k + 1, k + 1))
        X[:, :k] *= 10 ** rng.uniform(-decades, decades, k)
        gram, l1 = X.T @ X / rows, 10 ** rng.uniform(-4, 1)
        start = rng.normal(size=k) * rng.integers(0, 2, size=k)
        value, w = lasso(gram[:k, :k], gram[:k, k], l1, start)
        expected = by_bounds(gram[:k, :k], gram[:k, k], l1)
        assert value <= expected + 1e-9 * (1 + abs(expected))
        assert value == w @ (0.5 * (gram[:k, :k] @ w) - gram[:k, k]) + l1 * np.abs(w).sum()


def test_a_column_that_is_nearly_another_does_no_harm():
    """Then rounding is all that is left of some steps: the fit is no worse than without the column, nor too good."""
    rng = np.random.default_rng(0)
    for _ in range(400):
        k, rows = int(rng.integers(2, 6)), int(rng.integers(2, 10))
        X = rng.normal(size=(rows, k + 1))
        X[:, -2] = X[:, 0] + 10.0 ** rng.integers(-9, -2) * X[:, -2]
        gram, l1 = X.T @ X / rows, 10 ** rng.uniform(-8, 1)
        start = rng.normal(size=k) * rng.integers(0, 2, size=k)
        value, _ = lasso(gram[:k, :k], gram[:k, k], l1, start)
        without, _ = lasso(gram[: k - 1, : k - 1], gram[: k - 1, k], l1, np.zeros(k - 1))
        assert -0.5 * gram[k, k] - 1e-9 <= value <= without + 1e-6 * (1 + abs(without))


def test_next_to_no_penalty_leaves_least_squares_in_any_units():
    rng = np.random.default_rng(0)
    for unit in (1e-9, 1.0, 1e9):
        X = rng.normal(size=(30, 5)) @ rng.normal(size=(5, 5))
        left = X[:, 4] - X[:, :4] @ np.linalg.lstsq(X[:, :4], X[:, 4], rcond=None)[0]
        X[:, :4] *= unit ** np.array([1.0, 0.5, 0.0, 0.2])
        gram = X.T @ X / 30
        value, _ = lasso(gram[:4, :4], gram[:4, 4], 1e-18, np.zeros(4))
        assert value + 0.5 * gram[4, 4] == pytest.approx(0.5 * (left**2).mean(), rel=1e-6)


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_the_unit_of_the_score_does_not_matter(scale):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(20, 5)) @ rng.normal(size=(5, 5))
    S, s, start = X[:, :4].T @ X[:, :4], X[:, :4].T @ X[:, 4], rng.normal(size=4)
    for l1 in (0.1, 3.0, 20.0):
        value, w = lasso(S, s, l1, start)
        other, v = lasso(scale * S, scale * s, scale * l1, start)
        np.testing.assert_allclose(v, w, atol=1e-9)
        assert other == pytest.approx(scale * value, rel=1e-9)


def test_a_penalty_above_every_correlation_leaves_nothing():
    """The least penalty of which w = 0 is the minimizer is the largest correlation."""
    S, s = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([0.5, -1.5])
    for start in (np.zeros(2), np.array([0.3, -2.0])):
        np.testing.assert_array_equal(lasso(S, s, 1.5, start)[1], 0.0)
        assert lasso(S, s, 1.4, start)[1] == pytest.approx([0.0, -0.1 / 3], abs=1e-15)


def test_a_variable_without_variance_has_no_weight():
    S, s = np.diag([0.0, 2.0]), np.array([0.0, 1.0])
    value, w = lasso(S, s, 0.5, np.array([7.0, 0.0]))
    np.testing.assert_allclose(w, [0.0, 0.25], atol=1e-15)
    assert value == pytest.approx(-0.0625)


def test_nothing_to_fit():
    assert lasso(np.zeros((0, 0)), np.zeros(0), 1.0, np.zeros(0))[0] == 0.0
