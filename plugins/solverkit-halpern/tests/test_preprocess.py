"""Centring and scaling: inverse maps, norms, and the same answers with and without."""

from __future__ import annotations

import numpy as np
import pytest
from halpern_cases import burglar, gaussian
from scipy.sparse import csr_array

from solverkit_halpern.preprocess.centring import centre, double_centred
from solverkit_halpern.preprocess.scaling import Scaling, equilibrated, rescaled


@pytest.mark.parametrize("layout", [np.asarray, csr_array])
def test_centred_products_are_those_of_the_formed_matrix(layout):
    A = burglar(30, 0)[:, :20]
    centred = double_centred(layout(A))
    K = A - A.mean(1, keepdims=True) - A.mean(0) + A.mean()
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal(30), rng.standard_normal(20)
    np.testing.assert_allclose(centred.forward(y), K @ y, atol=1e-12)
    np.testing.assert_allclose(centred.adjoint(x), K.T @ x, atol=1e-12)
    np.testing.assert_allclose(centre(A @ centre(y)), K @ y, atol=1e-12)


def test_the_centred_game_has_the_same_value_at_every_pair_of_strategies():
    A = burglar(25, 2)
    centred = double_centred(A)
    rng = np.random.default_rng(3)
    for _ in range(20):
        x, y = rng.dirichlet(np.ones(25)), rng.dirichlet(np.ones(25))
        assert centred.value(x, y) == pytest.approx(x @ A @ y, abs=1e-13)


def test_centring_takes_the_rank_one_part_out_of_the_norm():
    A = burglar(200, 4)
    K = A - A.mean(1, keepdims=True) - A.mean(0) + A.mean()
    assert np.linalg.norm(K, 2) < 0.05 * np.linalg.norm(A, 2)
    G = gaussian(200, 200, 4)
    assert np.linalg.norm(G - G.mean(1, keepdims=True) - G.mean(0) + G.mean(), 2) > 0.95 * np.linalg.norm(G, 2)


def badly_scaled(layout):
    rng = np.random.default_rng(5)
    A = rng.standard_normal((12, 8)) * (rng.random((12, 8)) < 0.6)
    A = 10 ** rng.uniform(-4, 4, (12, 1)) * A * 10 ** rng.uniform(-4, 4, 8)
    A[3], A[:, 2] = 0.0, 0.0
    return layout(A)


@pytest.mark.parametrize("layout", [np.asarray, csr_array])
def test_equilibrated(layout):
    A = badly_scaled(layout)
    before = np.abs(np.asarray(A.toarray() if hasattr(A, "toarray") else A))
    scaling = equilibrated(A, pock_chambolle=False)
    after = scaling.matrix(A)
    after = np.abs(after.toarray() if hasattr(after, "toarray") else after)
    for axis in (0, 1):
        largest = after.max(axis)[before.max(axis) > 0]
        assert largest.min() > 0.3
        assert largest.max() < 3.5
    assert scaling.rows[3] == 1
    assert scaling.columns[2] == 1


def test_maps_back_are_exact():
    A = badly_scaled(np.asarray)
    rng = np.random.default_rng(6)
    c, sides = rng.standard_normal(8), rng.standard_normal(12)
    s = rescaled(equilibrated(A), c, sides)
    x, y = rng.standard_normal(8), rng.standard_normal(12)
    np.testing.assert_array_equal(s.x_back(s.x_scaled(x)), x)
    np.testing.assert_array_equal(s.y_back(s.y_scaled(y)), y)
    # the scaled program is the given one in other units: c'x, and A x against its sides
    tilde = s.x_scaled(x)
    assert (s.dual * s.columns * c) @ tilde == pytest.approx(s.primal * s.dual * (c @ x), rel=1e-14)
    np.testing.assert_allclose(s.matrix(A) @ tilde, s.primal * s.rows * (A @ x), rtol=1e-12)


def test_alpha_and_beta_bring_sides_and_objective_to_about_unit_norm():
    s = rescaled(Scaling(np.ones(3), np.ones(3)), np.full(3, 1e6), np.full(3, 1e-6))
    assert 0.5 < s.dual * 1e6 * np.sqrt(3) < 2
    assert s.primal == 1
