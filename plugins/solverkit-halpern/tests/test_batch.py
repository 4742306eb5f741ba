"""Batches of games: each as it would be alone."""

from __future__ import annotations

import numpy as np
import pytest
from halpern_cases import burglar, gaussian, value_of

from solverkit.errors import UsageError

pytest.importorskip("torch")

from solverkit_halpern.batch import solve_games


def test_every_game_is_solved_to_its_own_gap():
    payoffs = np.stack(
        [gaussian(9, 7, 1), 100 * gaussian(9, 7, 2), gaussian(9, 7, 3) + 50, np.ones((9, 7)), burglar(9, 4)[:, :7]]
    )
    found = solve_games(payoffs, 1e-5)
    assert found.converged.all()
    for k, payoff in enumerate(payoffs):
        x, y = found.x[k], found.y[k]
        assert x.min() >= 0
        assert y.min() >= 0
        assert x.sum() == pytest.approx(1)
        assert y.sum() == pytest.approx(1)
        gap = (payoff.T @ x).max() - (payoff @ y).min()
        assert gap == pytest.approx(found.gaps[k], abs=1e-12)
        assert gap <= 1e-5
        assert found.values[k] == pytest.approx(value_of(payoff), abs=1e-5)


def test_games_do_not_disturb_each_other():
    payoffs = np.random.default_rng(0).standard_normal((6, 20, 20))
    together = solve_games(payoffs, 1e-4)
    for k in range(6):
        alone = solve_games(payoffs[k : k + 1], 1e-4)
        assert abs(int(alone.iterations[0]) - int(together.iterations[k])) <= 2
        np.testing.assert_allclose(alone.x[0], together.x[k], atol=1e-3)
    chunks = solve_games(payoffs, 1e-4, chunk=2)
    np.testing.assert_allclose(chunks.x, together.x, atol=1e-3)


def test_against_the_single_solver():
    import solverkit as sk
    from solverkit.kinds.inclusion import game

    payoffs = np.random.default_rng(1).standard_normal((5, 60, 40))
    found = solve_games(payoffs, 1e-5)
    for k, payoff in enumerate(payoffs):
        single = sk.solve(game(payoff), method="halpern", tol=1e-6)
        assert single.success
        assert found.values[k] == pytest.approx(single.fun, abs=2e-5)
        assert 2 * found.iterations[k] < 2.5 * single.counts["nmul"]


def test_games_that_are_not_done_say_so():
    found = solve_games(np.random.default_rng(2).standard_normal((3, 40, 40)), 1e-9, max_iter=30)
    assert not found.converged.any()
    assert (found.gaps > 1e-9).all()
    assert (found.iterations == 30).all()


def test_a_loose_gap_is_met_without_iterations():
    found = solve_games(np.random.default_rng(2).standard_normal((2, 4, 4)), 1e3)
    assert found.converged.all()
    assert (found.iterations <= 1).all()


@pytest.mark.parametrize(
    ("payoffs", "keywords", "message"),
    [
        (np.ones((3, 3)), {}, "B, p, q"),
        (np.ones((2, 0, 3)), {}, "at least 1"),
        (np.full((1, 2, 2), np.nan), {}, "finite"),
        (np.ones((1, 2, 2)), {"tol": 0.0}, "positive gap"),
        (np.ones((1, 2, 2)), {"device": "tpu"}, "cpu or cuda"),
    ],
)
def test_what_cannot_be_solved(payoffs, keywords, message):
    with pytest.raises(UsageError, match=message):
        solve_games(payoffs, **keywords)
