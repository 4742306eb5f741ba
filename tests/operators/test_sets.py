"""Projections by what defines them: the variational inequality, and nothing copied from the code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from solverkit.operators.polyhedra import Affine, Polyhedron
from solverkit.operators.sets import Ball, Box, Free, Product, Simplex

N = 6
RNG = np.random.default_rng(7)
A = RNG.normal(size=(3, N))
DEPENDENT = np.vstack([A, A[0] + A[1], np.zeros(N)])
INSIDE = RNG.normal(size=N)
WIDE = np.vstack([np.eye(N), A, 1e-8 * A[:1], 1e8 * A[1:2]])

NEAR = 1e-6  # projections onto many faces are right to 1e-7, as the machine rounds
SETS = {
    "free": Free(),
    "box": Box(-0.5, np.linspace(0.1, 1, N)),
    "half-open box": Box(np.zeros(N), np.inf),
    "fixed box": Box(np.ones(N), np.ones(N)),
    "ball": Ball(np.linspace(-1, 1, N), 1.5),
    "point": Ball(np.ones(N), 0.0),
    "simplex": Simplex(2.0, N),
    "affine": Affine(A, A @ INSIDE),
    "dependent rows": Affine(DEPENDENT, DEPENDENT @ INSIDE),
    "badly scaled rows": Affine(np.diag([1e-8, 1.0, 1e8]) @ A, np.diag([1e-8, 1.0, 1e8]) @ A @ INSIDE),
    "polyhedron": Polyhedron(A, A @ INSIDE - 0.3, A @ INSIDE + 0.1),
    "many faces": Polyhedron(WIDE, WIDE @ INSIDE - 0.1 * np.abs(WIDE).max(axis=1), WIDE @ INSIDE + 0.5),
    "equal and open rows": Polyhedron(A, A @ INSIDE, np.array([A[0] @ INSIDE, np.inf, A[2] @ INSIDE + 1])),
    "product": Product([(slice(0, 2), Box(0, 1)), (slice(3, 6), Ball(np.zeros(3), 1))]),
    "product of affine sets": Product([(slice(2, 6), Simplex(1.0, 4)), (slice(0, 2), Box(0, 1))]),
}


@pytest.mark.parametrize("name", SETS)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([1e-3, 1.0, 1e4]))
def test_projection(name, seed, size):
    simple = SETS[name]
    rng = np.random.default_rng(seed)
    v, w = size * rng.normal(size=N), size * rng.normal(size=N)
    before = v.copy()
    p, q = simple.project(v), simple.project(w)
    exact = 1e-9 * (1 + size)
    np.testing.assert_array_equal(v, before)
    assert simple.violation(p) <= exact * (1e8 if "scaled" in name or name == "many faces" else 10)
    assert (v - p) @ (q - p) <= exact * (1 + np.linalg.norm(v - p)) * (1 + np.linalg.norm(q - p))
    assert np.linalg.norm(p - q) <= np.linalg.norm(v - w) * (1 + 1e-9) + exact
    assert np.linalg.norm(simple.project(p) - p) <= exact
    assert p is not v


@pytest.mark.parametrize("name", SETS)
def test_descriptions_agree(name):
    """Inside and outside by `violation`, by `affine`, by `rows`; and rows' derivatives by differences."""
    simple = SETS[name]
    rng = np.random.default_rng(1)
    function, lower, upper = simple.rows(N)
    affine = simple.affine(N)
    for k in range(20):
        v = rng.normal(size=N)
        v = simple.project(v) if k % 2 else v
        values = function.value(v)
        inside = bool(np.all(values >= lower - NEAR) and np.all(values <= upper + NEAR))
        assert inside == (simple.violation(v) <= NEAR)
        if affine is not None:
            matrix, low, high = affine
            assert inside == bool(np.all(matrix @ v >= low - NEAR) and np.all(matrix @ v <= high + NEAR))
        d, weights = rng.normal(size=N), rng.normal(size=function.outputs)
        slope = (function.value(v + 1e-6 * d) - function.value(v - 1e-6 * d)) / 2e-6
        size = 1e-4 * (1 + np.abs(slope))
        assert np.all(np.abs(function.jvp(v, d) - slope) <= size)
        assert np.all(np.abs(function.jacobian(v) @ d - slope) <= size)
        assert np.isclose(function.vjp(v, weights) @ d, weights @ function.jvp(v, d))
        bend = (function.vjp(v + 1e-6 * d, weights) - function.vjp(v - 1e-6 * d, weights)) / 2e-6
        np.testing.assert_allclose(function.hvp(v, weights, d), bend, atol=1e-2 if "faces" in name else 1e-5)
        np.testing.assert_allclose(function.hessian(v, weights) @ d, function.hvp(v, weights, d), atol=1e-12)


def test_digests_tell_sets_apart():
    digests = [simple.digest() for simple in SETS.values()]
    assert len(set(digests)) == len(digests)
    assert Box(0, np.ones(2)).digest() == Box(0, np.ones(2)).digest()
    assert Affine(csr_array(A), A @ INSIDE).digest() == SETS["affine"].digest()


def test_a_polyhedron_does_not_depend_on_its_history():
    fresh, used = (Polyhedron(WIDE, WIDE @ INSIDE - 0.1, WIDE @ INSIDE + 0.5) for _ in range(2))
    rng = np.random.default_rng(3)
    for _ in range(10):
        used.project(5 * rng.normal(size=N))
    v = 5 * rng.normal(size=N)
    np.testing.assert_allclose(fresh.project(v), used.project(v), atol=1e-11)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Box(1, 0),
        lambda: Box(np.nan, 0),
        lambda: Ball(np.zeros(2), -1),
        lambda: Simplex(-1, 3),
        lambda: Affine([[1.0, 1.0], [1.0, 1.0]], [0.0, 1.0]),
        lambda: Polyhedron(np.eye(2), 1, 0),
        lambda: Product([(slice(0, 2), Free()), (slice(1, 3), Free())]),
        lambda: Polyhedron([[1.0], [1.0]], [1.0, -np.inf], [np.inf, 0.0]).project(np.zeros(1)),
    ],
)
def test_what_is_empty_or_ill_defined_is_refused(make):
    with pytest.raises(ValueError):
        make()


def test_simplex_far_away():
    """The total survives a v of 1e12."""
    p = Simplex(1.0, 3).project(np.array([1e12, 1e12, -1e12]))
    np.testing.assert_allclose(p, [0.5, 0.5, 0])
