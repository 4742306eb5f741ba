"""The compiled projections against the ones that sort."""

from __future__ import annotations

import subprocess
import sys
from itertools import permutations

import numpy as np
import pytest

from solverkit.operators import proximal as pm
from tests.operators.proximal.test_extremes import VECTORS, exact_simplex

compiled = pytest.importorskip("solverkit.operators.proximal.compiled")


def projected(kernel, v, *parameters):
    out = np.empty_like(v)
    before = v.copy()
    kernel(v, *parameters, out, np.empty_like(v))
    np.testing.assert_array_equal(v, before)
    return out


@pytest.mark.parametrize("total", [1.0, 1e-8, 1e8])
@pytest.mark.parametrize("name", VECTORS)
def test_simplex_against_rational_arithmetic(name, total):
    v = VECTORS[name]
    for order in (v, v[::-1].copy(), np.random.default_rng(0).permutation(v)):
        found = projected(compiled.simplex, order, total)
        size = 4e-15 * len(v) * total + 1e-16 * min(np.abs(v).max(), 1e9)
        np.testing.assert_allclose(found, exact_simplex(order, total), rtol=1e-12, atol=size)


def test_random_vectors():
    rng = np.random.default_rng(1)
    for trial in range(300):
        n = int(rng.integers(1, 60))
        v = rng.normal(size=n) * 10.0 ** rng.integers(-3, 4)
        if trial % 3 == 0:
            v = np.round(v)  # ties
        total = float(10.0 ** rng.integers(-2, 3))
        np.testing.assert_allclose(projected(compiled.simplex, v, total), pm.Simplex(total).project(v), atol=1e-11)
        np.testing.assert_allclose(projected(compiled.l1_ball, v, total), pm.L1Ball(total).project(v), atol=1e-11)
        out = v.copy()
        compiled.soft_threshold(out, total, out)
        np.testing.assert_allclose(out, pm.L1(total).prox(v, 1.0), atol=1e-12)
        lower, upper = np.sort(rng.normal(size=(2, n)), axis=0)
        compiled.box(v, lower, upper, out)
        np.testing.assert_array_equal(out, pm.Box(lower, upper).project(v))


@pytest.mark.parametrize("n", range(1, 6))
def test_every_order_of_few_entries(n):
    """Each order parks, joins and drops entries in its own way."""
    for values in (
        np.arange(n) * 0.3,
        np.arange(n) ** 2 * 0.4,
        np.minimum(np.arange(n), 2) * 0.5,
        2.0 ** -np.arange(n),
    ):
        want = None
        for order in permutations(values):
            found = np.sort(projected(compiled.simplex, np.array(order), 1.0))
            want = exact_simplex(np.sort(values), 1.0) if want is None else want
            np.testing.assert_allclose(found, want, atol=1e-15)


def test_short_random_vectors():
    """One in a hundred of these makes an entry wait while the set that it waits for moves over it."""
    rng = np.random.default_rng(0)
    for _ in range(2000):
        v = 0.5 * rng.normal(size=rng.integers(2, 12))
        np.testing.assert_allclose(projected(compiled.simplex, v, 1.0), pm.Simplex(1.0).project(v), atol=1e-14)


def test_in_place_zero_and_nan():
    v = np.array([3.0, 1.0, -2.0])
    compiled.simplex(v, 1.0, v, np.empty(3))
    np.testing.assert_array_equal(v, [1, 0, 0])
    np.testing.assert_array_equal(projected(compiled.simplex, v, 0.0), np.zeros(3))
    assert np.isnan(projected(compiled.simplex, np.array([1.0, np.nan, 2.0]), 1.0)).all()


def test_without_numba_the_remedy_is_named():
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import solverkit.operators.proximal\n"
        "from solverkit.errors import MissingPackage\n"
        "try:\n    import solverkit.operators.proximal.compiled\n"
        "except MissingPackage as error:\n    print(error)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'solverkit[compiled]'" in found.stdout
