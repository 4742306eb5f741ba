"""Multipliers of many sparse rows: as good as rounding lets them be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_array, random_array

from solverkit.kinds.nonlinear.multipliers import _proximal

EPS = float(np.finfo(float).eps)


def uneven(seed: int) -> csc_array:
    """Columns of length one, (60, 30), whose rows differ by five orders of magnitude."""
    rng = np.random.default_rng(seed)
    dense = random_array((60, 30), density=0.2, rng=rng).toarray() * 10.0 ** rng.uniform(-5, 0, 60)[:, None]
    return csc_array(dense / np.linalg.norm(dense, axis=0))


@pytest.mark.parametrize("seed", range(6))
def test_a_system_that_can_be_met_is_met_to_rounding(seed):
    M = uneven(seed)
    c = -(M @ np.random.default_rng(seed).standard_normal(30))
    assert np.abs(M @ _proximal(M, c) + c).max() <= 20 * EPS


def test_dependent_columns_leave_the_residual_of_dense_least_squares():
    M = uneven(0).toarray()
    M[:, 29] = (M[:, 0] + M[:, 1]) / np.linalg.norm(M[:, 0] + M[:, 1])
    c = np.random.default_rng(1).standard_normal(60)
    residual = M @ _proximal(csc_array(M), c) + c
    np.testing.assert_allclose(residual, c + M @ np.linalg.lstsq(M, -c)[0], atol=1e-8)
    assert np.abs(M.T @ residual).max() <= 1e-10
