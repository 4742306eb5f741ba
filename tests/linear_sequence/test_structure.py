"""Symmetry and diagonals against dense matrices, in every form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.linear_sequence.pattern import Pattern
from solverkit.kinds.linear_sequence.structure import structure
from solverkit.kinds.linear_sequence.systems import Combination, Recorded


def looked_at(dense):
    """What is found of a list of dense matrices, recorded with the pattern of all of them."""
    dense = np.array(dense, dtype=float)
    pattern, _ = Pattern.of(csr_array((np.abs(dense).sum(axis=0) > 0).astype(float)))
    table = np.array([A[pattern.rows, pattern.indices] for A in dense])
    return structure(pattern, Recorded(table))


GOOD = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 1.0]])


def changed(i, j, value):
    A = GOOD.copy()
    A[i, j] = value
    return A


def test_good_matrices():
    found = looked_at([GOOD, 2 * GOOD])
    assert (found.symmetric, found.positive_diagonal, found.nonzero_diagonal) == (True, True, True)


@pytest.mark.parametrize("value", [1.1, 0.0, 1 + 1e-11, -1.0])
def test_the_first_asymmetric_matrix_is_named(value):
    found = looked_at([GOOD, GOOD, changed(0, 1, value)])
    assert not found.symmetric
    assert found.asymmetry.startswith("system 2: a[0,1]")
    assert found.positive_diagonal


def test_rounding_is_no_asymmetry():
    assert looked_at([changed(0, 1, 1 + 4e-16), GOOD * 1e-30]).symmetric


def test_a_pattern_without_mirror_images():
    assert looked_at([np.triu(GOOD)]).asymmetry == "system 0: a[0,1] = 1, a[1,0] = 0"


@pytest.mark.parametrize(
    ("value", "positive", "nonzero"), [(-1.0, False, True), (0.0, False, False), (1e-300, True, True)]
)
def test_diagonals(value, positive, nonzero):
    found = looked_at([GOOD, changed(1, 1, value)])
    assert (found.positive_diagonal, found.nonzero_diagonal) == (positive, nonzero)
    assert positive or found.diagonal == f"system 1: a[1,1] = {value:g}"


def test_a_diagonal_that_is_not_in_the_pattern():
    found = looked_at([np.array([[0.0, 1.0], [1.0, 2.0]])])
    assert found.symmetric
    assert not found.nonzero_diagonal
    assert found.diagonal == "system 0: a[0,0] = 0"


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_combinations_are_seen_through_their_parts(sign):
    pattern, values = Pattern.of(csr_array(GOOD))
    parts = np.array([values, np.where(pattern.rows == pattern.indices, 1.0, 0.0)])
    shifts = np.array([0.0, 0.5, -1.5])  # the last makes a_22 negative where sign is positive
    made = Combination(parts, np.column_stack([np.ones(3), sign * shifts]))
    dense = [GOOD + sign * shift * np.eye(3) for shift in shifts]
    assert structure(pattern, made) == looked_at(dense)
    for t, A in enumerate(dense):
        assert np.array_equal(pattern.matrix(made.values(t)).toarray(), A)


def test_a_combination_whose_parts_cancel_is_symmetric_all_the_same():
    skew = np.array([[1.0, 1.0], [0.0, 1.0]])
    pattern, _ = Pattern.of(csr_array(np.ones((2, 2))))
    made = Combination(np.array([skew.ravel(), skew.T.ravel()]), np.ones((4, 2)))
    assert structure(pattern, made).symmetric


def test_patterns():
    messy = csr_array((np.arange(1.0, 6.0), ([0, 0, 1, 0, 1], [1, 0, 1, 1, 0])), shape=(2, 2))
    pattern, values = Pattern.of(messy)
    assert np.array_equal(pattern.matrix(values).toarray(), messy.toarray())
    assert pattern.transposed.tolist() == [0, 2, 1, 3]
    assert pattern.diagonal.tolist() == [0, 3]
    assert Pattern.of(csr_array(np.triu(np.ones((2, 2)))))[0].transposed is None
    with pytest.raises(ValueError, match="must be square"):
        Pattern.of(np.ones((2, 3)))
