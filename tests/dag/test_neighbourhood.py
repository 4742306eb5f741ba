"""Closed forms of the certificate against factorizations from scratch."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import cholesky

from solverkit.kinds.dag.neighbourhood import Move, best_move, insertion_changes, order_score, swap_changes


def matrix(d, condition, seed):
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(d, d)))
    return Q @ np.diag(np.geomspace(1, condition, d)) @ Q.T


@pytest.mark.parametrize(("d", "condition", "digits"), [(2, 10, 1e-12), (9, 1e2, 1e-12), (14, 1e6, 1e-8)])
def test_every_swap_and_insertion(d, condition, digits):
    S, order = matrix(d, condition, d), np.random.default_rng(0).permutation(d)
    here = order_score(S, order)
    L = cholesky(S[np.ix_(order, order)], lower=True)
    swaps, (left, right) = swap_changes(L), insertion_changes(L)
    for a in range(d):
        for b in range(a + 1, d):
            for found, move in (
                (swaps[a, b], Move("swap", a, b, 0)),
                (left[a, b], Move("insert", b, a, 0)),
                (right[a, b], Move("insert", a, b, 0)),
            ):
                assert found == pytest.approx(order_score(S, move.apply(order)) - here, abs=digits * here)
    assert np.isinf(swaps[np.tril_indices(d)]).all()


@pytest.mark.parametrize("condition", [1e1, 1e12])
def test_the_best_move_is_the_best_of_all(condition):
    S, order = matrix(8, condition, 3), np.arange(8)
    every = [Move("swap", a, b, 0) for a in range(8) for b in range(a)]
    every += [Move("insert", a, b, 0) for a in range(8) for b in range(8) if a != b]
    best = min(order_score(S, move.apply(order)) for move in every)
    assert best_move(S, order).score == pytest.approx(min(best, order_score(S, order)), rel=1e-9)


def test_at_a_local_optimum_nothing_is_found():
    S, order = matrix(10, 1e3, 1), np.arange(10)
    while (move := best_move(S, order)).move != "none":
        order = move.apply(order)
    assert move.apply(order) is not order
    assert best_move(S, order).score == order_score(S, order)
