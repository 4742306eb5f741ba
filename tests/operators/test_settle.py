"""Vectors moved to where sums vanish: only where they all but do, and only by little."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.operators.settle import ROUNDING, settled


@pytest.mark.parametrize("form", [np.asarray, csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("seed", range(6))
def test_an_iterations_error_is_taken_out(seed, form):
    rng = np.random.default_rng(seed)
    A, v = rng.normal(size=(8, 12)), rng.normal(size=12)
    v[rng.random(12) < 0.2] = 0.0
    A[:4] -= np.outer(A[:4] @ v, v) / (v @ v)  # four rows vanish at v
    noisy = v * (1 + 1e-8 * rng.normal(size=12))
    found = settled(form(A), noisy, np.zeros(8, bool))
    assert np.all(np.abs(A[:4] @ found) <= ROUNDING * (np.abs(A[:4]) @ np.abs(found)))
    assert np.all(found[v == 0] == 0)
    assert np.abs(found - v).max() <= 1e-6


def test_a_row_twice():
    A = np.array([[1.0, -1.0, 0.0], [2.0, -2.0, 0.0], [0.0, 1.0, -1.0]])
    found = settled(A, np.array([1.0, 1 + 1e-9, 1 - 1e-9]), np.zeros(3, bool))
    assert np.abs(A @ found).max() <= 1e-14


def test_what_does_not_vanish_is_left():
    A = np.array([[1.0, -1.0], [1.0, 1.0]])
    v = np.array([1.0, 1.0 + 1e-4])
    assert settled(A, v, np.zeros(2, bool)) is v


def test_rows_that_may_differ_are_left():
    v = np.array([1.0, 1.0 + 1e-9])
    assert settled(np.array([[1.0, -1.0]]), v, np.ones(1, bool)) is v


@pytest.mark.parametrize("gap", [2.0**-33, 2.0**-24])
def test_two_rows_that_vanish_together_at_zero_alone(gap):
    """Both sums are small beside their terms, and no vector near by makes them both 0."""
    v = np.ones(2)
    assert settled(np.array([[1.0, gap - 1], [-1.0, 1.0]]), v, np.zeros(2, bool)) is v
