"""The square root of the Gram matrix: where it comes from, and that it keeps what S has lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solverkit.kinds.dag import dag
from solverkit.kinds.dag.root import exact_root, left_over, root
from tests.dag.cases import problem

UNITS = [np.ones(5), 10.0 ** np.array([-8, 8, 0, 3, -3])]


def nearly_dependent(size, unit):
    """The last column is the first two's difference, up to `size`."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    X[:, 4] = X[:, 0] - X[:, 1] + size * rng.normal(size=60)
    return dag(X * unit)


@pytest.mark.parametrize("unit", UNITS)
def test_the_samples_are_asked_where_correlations_are_nearly_singular_whatever_the_units(unit):
    assert exact_root(nearly_dependent(1e-3, unit)) is None
    subject = nearly_dependent(1e-7, unit)
    R, size = exact_root(subject), np.sqrt(np.diag(subject.gram))
    np.testing.assert_allclose(R.T @ R / np.outer(size, size), subject.gram / np.outer(size, size), atol=1e-13)
    assert R.shape == (5, 5)
    np.testing.assert_array_equal(root(subject), R)


def test_without_samples_or_where_s_is_good_it_is_cholesky():
    subject = problem()
    for given in (subject, replace(subject, samples=None)):
        assert exact_root(given) is None
        np.testing.assert_allclose(root(given), np.linalg.cholesky(subject.gram).T, rtol=1e-12)
    with pytest.raises(np.linalg.LinAlgError):
        root(replace(subject, gram=np.ones((5, 5)), samples=None))


def test_fewer_samples_than_variables_leave_as_many_rows():
    subject = dag(np.random.default_rng(0).normal(size=(3, 5)), center=False)
    R = exact_root(subject)
    assert R.shape == (3, 5)
    np.testing.assert_allclose(R.T @ R, subject.gram, atol=1e-14)


@pytest.mark.parametrize("unit", UNITS)
def test_what_is_left_of_a_variable_keeps_its_digits(unit):
    """Noise of 1e-7 has a square of 1e-14: rounding in S, and two digits of it at least in the root."""
    subject = nearly_dependent(1e-7, unit)
    R = exact_root(subject)
    plain = nearly_dependent(1e-7, np.ones(5)).samples
    for j, parents in ((4, [0, 1, 2]), (4, [0]), (0, [4, 1]), (2, [])):
        A = plain[:, parents]
        left = plain[:, j] - A @ np.linalg.lstsq(A, plain[:, j], rcond=None)[0]
        found = left_over(R, j, np.array(parents, dtype=int))
        assert found == pytest.approx(float((left**2).mean()) * unit[j] ** 2, rel=1e-5)
    copy = np.column_stack([R[:, 0], R[:, 0], R[:, 1]])
    assert left_over(copy, 2, np.array([0, 1])) == pytest.approx(left_over(copy, 2, np.array([0])), rel=1e-9)
