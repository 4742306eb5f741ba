"""Functions of a user's own: one evaluation a point, whoever asks, in several threads too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.nonlinear.arguments import _Both
from solverkit.kinds.nonlinear.callables import HostFunction

THREADS, ROUNDS = 8, 300


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def cube(sparse: bool = False) -> HostFunction:
    """sum x_i^3, with everything told."""
    made = csr_array if sparse else np.asarray
    return HostFunction(
        lambda x: np.sum(x**3), np.zeros(3), 1, "f", lambda x: 3 * x**2, lambda x, w: made(np.diag(6 * w[0] * x))
    )


@pytest.mark.parametrize("sparse", [False, True])
def test_threads_get_what_belongs_to_their_own_point(hurried, sparse):
    function = cube(sparse)
    one = np.ones(1)

    def asked(k: int) -> bool:
        z = np.full(3, float(k))
        for _ in range(ROUNDS):
            right = (
                function.value(z)[0] == 3 * k**3,
                np.array_equal(function.gradient(z), 3 * z**2),
                np.array_equal(function.hvp(z, one, np.ones(3)), 6 * z),
            )
            if not all(right):
                return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(asked, range(1, THREADS + 1)))


def test_threads_get_the_value_and_the_gradient_of_their_own_point(hurried):
    both = _Both(lambda x: (x @ x, 2 * x), ())

    def asked(k: int) -> bool:
        z = np.full(3, float(k))
        return all(both.value(z) == 3 * k**2 and both.gradient(z)[0] == 2 * k for _ in range(ROUNDS))

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(asked, range(1, THREADS + 1)))


def test_products_at_one_point_evaluate_its_hessian_once():
    calls = []

    def hessian(x, w):
        calls.append((x, w))
        return np.diag(6 * w[0] * x)

    function = HostFunction(lambda x: np.sum(x**3), np.zeros(3), 1, "f", lambda x: 3 * x**2, hessian)
    calls.clear()  # the constructor asks once what it is given
    z, one = np.arange(3.0), np.ones(1)
    for direction in np.eye(3):
        np.testing.assert_array_equal(function.hvp(z, one, direction), 6 * z * direction)
    assert len(calls) == 1
    np.testing.assert_array_equal(function.hvp(z, 2 * one, np.ones(3)), 12 * z)
    np.testing.assert_array_equal(function.hvp(z + 1, one, np.ones(3)), 6 * (z + 1))
    assert len(calls) == 3


def test_a_hessian_that_was_given_out_can_be_written_to():
    function = cube()
    z, one = np.arange(3.0), np.ones(1)
    function.hessian(z, one)[:] = 7.0
    np.testing.assert_array_equal(function.hessian(z, one), np.diag(6 * z))
