"""Penalized fits of the certificate against a general minimizer."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from solverkit.kinds.dag.orders import lasso


def by_bounds(S, s, l1):
    """w = u - v with u, v >= 0, by L-BFGS-B."""
    k = len(s)

    def value(uv):
        w = uv[:k] - uv[k:]
        slope = S @ w - s
        return w @ (0.5 * (S @ w) - s) + l1 * uv.sum(), np.concatenate([slope + l1, l1 - slope])

    limits = {"maxiter": 5000, "maxfun": 20_000, "ftol": 1e-15, "gtol": 1e-10}
    return minimize(
        value, np.zeros(2 * k), jac=True, method="L-BFGS-B", bounds=[(0, None)] * (2 * k), options=limits
    ).fun


def test_active_sets_end_at_the_minimum_from_any_start():
    rng = np.random.default_rng(0)
    for _ in range(60):
        k, rows = int(rng.integers(1, 9)), int(rng.integers(3, 40))  # fewer rows than columns among them
        X = rng.normal(size=(rows, k + 1)) @ rng.normal(size=(k + 1, k + 1))
        gram, l1 = X.T @ X / rows, 10 ** rng.uniform(-4, 1)
        start = rng.normal(size=k) * rng.integers(0, 2, size=k)
        value, w = lasso(gram[:k, :k], gram[:k, k], l1, start)
        expected = by_bounds(gram[:k, :k], gram[:k, k], l1)
        assert value <= expected + 1e-9 * (1 + abs(expected))
        assert value == w @ (0.5 * (gram[:k, :k] @ w) - gram[:k, k]) + l1 * np.abs(w).sum()


def test_nothing_to_fit():
    assert lasso(np.zeros((0, 0)), np.zeros(0), 1.0, np.zeros(0))[0] == 0.0
