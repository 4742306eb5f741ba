"""What strategies prove of a game's value, and how far from strategies they are, by closed forms and brute force."""

from __future__ import annotations

import warnings
from itertools import combinations

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.inclusion.gap import Bracket, game_bracket, sequence_bracket
from solverkit.kinds.inclusion.structure import Game, SequenceForm

ROCK = np.array([[0.0, 1.0, -1.0], [-1.0, 0.0, 1.0], [1.0, -1.0, 0.0]])
THIRD = np.full(3, 1 / 3)


@pytest.mark.parametrize(
    ("x", "violation"),
    [
        ([0.5, 0.25, 0.25], 0.0),
        ([0.5, 0.25, 0.125], 0.125),  # the sum is short
        ([1.0, 0.25, 0.125], 0.375),  # and too large
        ([1.0, 0.25, -0.25], 0.25),  # a negative entry, and the sum is right
        ([1.0, -0.25, -0.25], 0.5),  # the sum of all entries is farther off than that of the positive ones
        ([1.5, -0.25, -0.25], 0.5),  # the other way round
        ([1.5, -0.75, 0.0], 0.75),  # the negative entry is farther off than both
        ([0.0, 0.0, 0.0], 1.0),
    ],
)
@pytest.mark.parametrize("player", [0, 1])
def test_a_mixed_strategy_is_as_far_off_as_its_worst_condition(x, violation, player):
    u = np.concatenate([x, THIRD] if player == 0 else [THIRD, x])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = game_bracket(Game(ROCK), u)
    assert found.violation == pytest.approx(violation, abs=1e-15)
    assert np.isnan(found.upper if player == 0 else found.lower) == (max(x) <= 0)


def test_what_mixed_strategies_secure_is_that_of_the_feasible_ones_near_them():
    found = game_bracket(Game(ROCK), np.array([1.0, -0.5, 1.0, 0.0, 0.0, 7.0]))
    assert found.upper == pytest.approx(0.5 * max(0 + 1, 1 - 1, -1 + 0))  # x = (1/2, 0, 1/2)
    assert found.lower == -1  # y = (0, 0, 1)
    assert found.gap == 1.5


def test_a_gap_below_zero_is_rounding():
    assert Bracket(1.0, 1.0 - 1e-16, 0.0).gap == 0
    assert Bracket(-0.25, 0.5, 0.0).gap == 0.75
    assert np.isnan([Bracket(np.nan, 0.5, 0.0).gap, Bracket(0.5, np.nan, 0.0).gap]).all()


# -- sequence form


def on_simplices(matrix, sparse=False):
    """A matrix game in sequence form."""
    A = np.asarray(matrix, dtype=float)
    kind = csr_array if sparse else np.array
    return SequenceForm(A, kind(np.ones((1, A.shape[0]))), np.ones(1), kind(np.ones((1, A.shape[1]))), np.ones(1))


def joined(game, x, y):
    """u of two plans, with multipliers that nobody reads."""
    return np.concatenate([x, np.full(len(game.f), 99.0), y, np.full(len(game.e), -99.0)])


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("size", [1e-12, 1.0, 1e9])
def test_on_simplices_both_brackets_are_one_in_any_unit_of_payoffs(size, sparse):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((4, 6))
    x, y = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(6))
    one = game_bracket(Game(A), np.concatenate([x, y]))
    game = on_simplices(size * A, sparse)
    two = sequence_bracket(game, joined(game, x, y))
    assert (two.lower, two.upper) == pytest.approx((size * one.lower, size * one.upper), rel=1e-12)
    assert two.violation == pytest.approx(0, abs=1e-15)


def test_where_nothing_is_paid_both_secure_zero():
    game = on_simplices(np.zeros((2, 3)))
    found = sequence_bracket(game, joined(game, np.array([0.5, 0.5]), THIRD))
    assert (found.lower, found.upper, found.violation) == (0, 0, 0)


def vertices(E, e):
    """Of { x >= 0, E x = e }, by trying every basis."""
    rows, n = E.shape
    for basis in combinations(range(n), rows):
        if abs(np.linalg.det(E[:, basis])) > 1e-9:
            x = np.zeros(n)
            x[list(basis)] = np.linalg.solve(E[:, basis], e)
            if x.min() >= -1e-12:
                yield x


@pytest.mark.parametrize("seed", range(5))
def test_best_responses_are_the_best_vertices(seed):
    """Two rounds each: x_0 = 1 splits into two, one of which splits again."""
    rng = np.random.default_rng(seed)
    E = np.array([[1.0, 1, 0, 0], [-1.0, 0, 1, 1]])
    e = np.array([1.0, 0])
    A = rng.standard_normal((4, 4))
    corners = list(vertices(E, e))
    x, y = (rng.dirichlet(np.ones(len(corners))) @ np.array(corners) for _ in range(2))
    game = SequenceForm(A, E, e, E, e)
    found = sequence_bracket(game, joined(game, x, y))
    assert found.lower == pytest.approx(min(corner @ A @ y for corner in corners), abs=1e-9)
    assert found.upper == pytest.approx(max(x @ A @ corner for corner in corners), abs=1e-9)


ONE_POINT = (np.eye(2), np.array([0.5, 0.25]))  # the polytope of one plan


@pytest.mark.parametrize("player", [0, 1])
@pytest.mark.parametrize(
    ("polytope", "x", "violation"),
    [
        (ONE_POINT, [0.5, 0.25], 0.0),
        (ONE_POINT, [0.75, 0.25], 0.25 / 1.75),
        (ONE_POINT, [0.5, 1.25], 1.0 / 2.25),
        (ONE_POINT, [0.5, 0.0], 0.25 / 1.5),
        (ONE_POINT, [-0.5, 0.25], 0.5 / 1.5),
        (ONE_POINT, [0.5, 0.25 + 1e-9], 1e-9 / 1.5),
        (ONE_POINT, [0.5 - 1e-7, 0.25 + 1e-7], 1e-7 / 1.5),
        ((np.array([[1.0, 1.0]]), np.ones(1)), [-0.5, 1.0], 0.5 / 2),  # no equation is broken, a sign is
        ((np.array([[1.0, 1.0]]), np.ones(1)), [-0.5, 0.875], 0.5 / 1.875),
        ((1e6 * np.eye(2), np.array([5e5, 2.5e5])), [0.5, 0.5], 0.25 / 1.5),  # whatever the unit of an equation
        ((1e-6 * np.eye(2), np.array([5e-7, 2.5e-7])), [0.5, 0.5], 0.25 / 1.5),
    ],
)
def test_a_plan_is_as_far_off_as_the_nearest_one(polytope, x, violation, player):
    A = np.array([[3.0, 1.0], [0.0, 2.0]])
    simplex = (np.ones((1, 2)), np.ones(1))
    half = np.array([0.5, 0.5])
    first, second = (polytope, simplex) if player == 0 else (simplex, polytope)
    game = SequenceForm(A, *first, *second)
    plans = (np.array(x), half) if player == 0 else (half, np.array(x))
    found = sequence_bracket(game, joined(game, *plans))
    assert found.violation == pytest.approx(violation, rel=1e-6, abs=1e-15)
    if polytope[0].shape[0] == 2:  # what it secures is what the only plan does, to the last digits
        only = np.array([0.5, 0.25])
        secured = (only @ A).max() if player == 0 else (A @ only).min()
        assert (found.upper if player == 0 else found.lower) == pytest.approx(secured, rel=1e-12)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_plan_that_is_right_up_to_rounding_is_left_as_it_is(unit):
    plans, rounded = np.random.default_rng(0).dirichlet(np.ones(4), 40), 0
    E, e = unit * np.array([[1.0, 1, 0, 0], [0.0, 0, 1, 1]]), np.full(2, unit / 2)
    for plan in plans:
        x = plan / np.repeat([2 * plan[:2].sum(), 2 * plan[2:].sum()], 2)
        rounded += bool((e - E @ x).any())
        assert sequence_bracket(SequenceForm(np.eye(4), E, e, E, e), np.concatenate([x, e, x, e])).violation == 0
    assert rounded > 5


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_plan_is_the_nearest_in_the_1_norm(seed):
    """The brackets hold the value only if what is near is feasible: they are those of a point of the polytope."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((3, 3))
    game = on_simplices(A)
    off = rng.dirichlet(np.ones(3)) + 0.05 * rng.standard_normal(3)
    found = sequence_bracket(game, joined(game, off, THIRD))
    low, high = sorted((0.0, float(1 - np.maximum(off, 0).sum())))
    assert max(found.violation * (1 + np.abs(off).max()), 1e-15) <= max(high - low, -off.min()) + 1e-12
    reachable = (np.maximum(off, 0) @ A).max()
    assert abs(found.upper - reachable) <= (high - low) * np.abs(A).max() + 1e-12
