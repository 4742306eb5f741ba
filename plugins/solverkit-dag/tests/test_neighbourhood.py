"""The closed forms against one refit of every neighbour, in extended precision."""

from __future__ import annotations

import numpy as np
import pytest
from dag_cases import inserted, linear_model, swapped, variances

from solverkit.errors import UsageError
from solverkit_dag.kernels.factor import factor, least_squares, walks, weights
from solverkit_dag.kernels.moves import best_place, disjoint, insert, mask_swaps, swap, sweep
from solverkit_dag.kernels.neighbourhood import insertions, swaps


def ill_conditioned(d: int) -> np.ndarray:
    """Condition number 1e9, scales over four decades."""
    rng = np.random.default_rng(5)
    Q, _ = np.linalg.qr(rng.normal(size=(d, d)))
    scale = np.logspace(-2, 2, d)
    return (Q * np.logspace(0, -5, d)) @ Q.T * np.outer(scale, scale)


GRAMS = {
    "model": (lambda X: X.T @ X / len(X))(linear_model(12, 0)[0]),
    "ill": ill_conditioned(12),
    "one": np.array([[2.0]]),
    "two": np.array([[2.0, 1.0], [1.0, 3.0]]),
}


@pytest.mark.parametrize("name", GRAMS)
def test_swaps_and_insertions_equal_refits(name: str) -> None:
    gram = GRAMS[name]
    d = len(gram)
    order = np.random.default_rng(3).permutation(d)
    upper, inverse = factor(gram, order)
    before = variances(gram, order)
    change, moved = swaps(upper), insertions(upper, inverse)
    for a in range(d):
        for b in range(d):
            if a < b:
                exact = (variances(gram, swapped(order, a, b)) - before).sum()
                assert abs(change[a, b] - exact) <= 1e-10 * before.sum()
            if a != b:
                exact = (variances(gram, inserted(order, a, b)) - before).sum()
                assert abs(moved[a, b] - exact) <= 1e-10 * before.sum()


def test_the_score_is_that_of_refits() -> None:
    order = np.random.default_rng(3).permutation(12)
    upper, _ = factor(GRAMS["ill"], order)
    exact = float(variances(GRAMS["ill"], order).sum()) / 2
    assert least_squares(upper) == pytest.approx(exact, rel=1e-10)


def test_weights_are_the_regressions_on_all_before() -> None:
    X = linear_model(9, 1)[0]
    order = np.random.default_rng(0).permutation(9)
    W = weights(order, *factor(X.T @ X / len(X), order))
    for k, j in enumerate(order):
        exact = np.zeros(9)
        exact[order[:k]] = np.linalg.lstsq(X[:, order[:k]], X[:, j], rcond=None)[0]
        np.testing.assert_allclose(W[:, j], exact, atol=1e-11)


def test_walks_are_an_inverse() -> None:
    X = linear_model(9, 1)[0]
    order = np.random.default_rng(0).permutation(9)
    W = weights(order, *factor(X.T @ X / len(X), order))
    np.testing.assert_allclose(walks(order, W), np.linalg.inv(np.eye(9) - abs(W)).T, atol=1e-12 * abs(W).sum() ** 3)


@pytest.mark.parametrize(("i", "j"), [(0, 11), (11, 0), (3, 7), (7, 3), (4, 5), (5, 4), (6, 6)])
def test_a_rotated_factor_is_the_factor_of_the_new_order(i: int, j: int) -> None:
    gram = GRAMS["model"]
    order = np.random.default_rng(3).permutation(12)
    upper, inverse = factor(gram, order)
    wanted = inserted(order, i, j)
    insert(order, upper, inverse, i, j)
    np.testing.assert_array_equal(order, wanted)
    exact = factor(gram, wanted)
    np.testing.assert_allclose(upper, exact[0], atol=1e-11 * abs(exact[0]).max())
    np.testing.assert_allclose(inverse, exact[1], atol=1e-11 * abs(exact[1]).max())


def test_disjoint_swaps_add_up() -> None:
    gram = GRAMS["model"]
    order = np.random.default_rng(3).permutation(12)
    upper, inverse = factor(gram, order)
    change, before = swaps(upper), least_squares(upper)
    for a, b in ((0, 3), (4, 5), (7, 11)):
        swap(order, upper, inverse, a, b)
    expected = before + (change[0, 3] + change[4, 5] + change[7, 11]) / 2
    assert least_squares(upper) == pytest.approx(expected, rel=1e-12)
    assert least_squares(factor(gram, order)[0]) == pytest.approx(expected, rel=1e-12)


def test_the_best_place_is_the_best_insertion() -> None:
    gram = GRAMS["model"]
    order = np.random.default_rng(3).permutation(12)
    upper, inverse = factor(gram, order)
    moved = insertions(upper, inverse)
    free = np.zeros((12, 12), dtype=bool)
    for j in range(12):
        place, change = best_place(j, order, upper, inverse, free)
        assert change == pytest.approx(moved[:, j].min(), abs=1e-10)
        assert moved[place, j] == pytest.approx(change, abs=1e-10)


def test_a_sweep_keeps_what_must_come_before() -> None:
    gram = GRAMS["model"]
    order = np.arange(12)
    before = np.zeros((12, 12), dtype=bool)
    before[2, 9] = before[2, 4] = before[4, 9] = True
    upper, inverse = factor(gram, order)
    start = least_squares(upper)
    _, change = sweep(order, upper, inverse, before, 1e-12)
    place = np.argsort(order)
    assert place[2] < place[4] < place[9]
    assert least_squares(factor(gram, order)[0]) == pytest.approx(start + change / 2, rel=1e-11)


def test_masked_swaps_are_those_that_break_the_order() -> None:
    order = np.random.default_rng(3).permutation(8)
    before = np.zeros((8, 8), dtype=bool)
    before[order[1], order[4]] = before[order[3], order[6]] = True
    change = np.zeros((8, 8))
    mask_swaps(change, order, before)
    for a in range(8):
        for b in range(a + 1, 8):
            place = np.argsort(swapped(order, a, b))
            kept = place[order[1]] < place[order[4]] and place[order[3]] < place[order[6]]
            assert (change[a, b] == 0.0) == kept


def test_intervals_that_meet_are_not_taken() -> None:
    taken = disjoint(np.array([2, 0, 5, 6]), np.array([4, 2, 6, 7]), 8)
    np.testing.assert_array_equal(taken, [True, False, True, False])


def test_a_singular_gram_matrix_is_named() -> None:
    with pytest.raises(UsageError, match="not positive definite"):
        factor(np.ones((3, 3)), np.arange(3))
