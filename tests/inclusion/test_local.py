"""What an inclusion looks like near a point: of affine operators in closed form, of others by what was asked."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.base import PointStatus
from solverkit.kinds.inclusion import game
from solverkit.kinds.inclusion.bilinear import MatrixOperator
from solverkit.kinds.inclusion.certificate import certify
from solverkit.kinds.inclusion.local import defined, inside, look
from tests.inclusion.called import MANY, called

DISTANCES = (1.0, 1.0, 1e-2, 1e-4)


def steps(problem, u):
    """Where F was asked beside u, relative to it."""
    first, *rest = problem.part.asked
    assert np.array_equal(first, u)
    return [v - u for v in rest]


def turning(n, along, across):
    """`along` times the identity, and `across` times a rotation by a right angle of pairs of coordinates."""
    M = along * np.eye(n)
    for k in range(0, n - 1, 2):
        M[k, k + 1], M[k + 1, k] = across, -across
    return M


# -- where F is asked


def test_twelve_evaluations_show_what_many_variables_do():
    problem, u = called(lambda v: np.tanh(v) + 0.1 * v, MANY), np.linspace(-2, 3, MANY)
    look(problem, u)
    assert len(problem.part.asked) == 12
    assert look(problem, u).value == pytest.approx(np.tanh(u) + 0.1 * u, rel=1e-15)


@pytest.mark.parametrize("seed", range(3))
def test_four_probes_are_near_by_in_each_coordinate_and_on_either_side(seed):
    problem, u = called(lambda v: v, MANY), np.linspace(-20, 30, MANY)
    look(problem, u, seed)
    for step, distance in zip(steps(problem, u), DISTANCES, strict=False):
        relative = step / (1 + np.abs(u))
        assert np.all((np.abs(relative) >= 0.499 * distance) & (np.abs(relative) <= 1.001 * distance))
        assert min((relative > 0).sum(), (relative < 0).sum()) >= 5


def test_one_probe_follows_minus_F_and_six_the_change_that_was_seen():
    M = np.random.default_rng(0).standard_normal((MANY, MANY))
    problem, u = called(lambda v: M @ v + 1, MANY), np.linspace(-2, 3, MANY)
    look(problem, u)
    first, *_, downhill, one, two, three, four, five, six = steps(problem, u)
    reach = np.linalg.norm(1 + np.abs(u))
    assert downhill == pytest.approx(-reach * (M @ u + 1) / np.linalg.norm(M @ u + 1), rel=1e-9)
    for before, after in pairwise((first, one, two, three, four, five, six)):
        assert after == pytest.approx(reach * (M @ before) / np.linalg.norm(M @ before), rel=1e-9)


def test_the_same_seed_asks_at_the_same_points():
    problem, u = called(lambda v: v, MANY), np.ones(MANY)
    for seed in (0, 0, 1):
        look(problem, u, seed)
    one, two, other = (np.array(problem.part.asked[k : k + 12]) for k in (0, 12, 24))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_F_is_asked_within_the_sets_alone():
    form = {"a": {"shape": MANY - 3, "lower": 0, "upper": 2}, "b": {"shape": 3, "set": {"ball": {"radius": 0.5}}}}
    problem = called(lambda v: v - 1, MANY, form)
    look(problem, np.concatenate([np.linspace(0, 2, MANY - 3), [0.5, 0, 0]]))
    for v in problem.part.asked:
        assert np.all((v[:-3] >= 0) & (v[:-3] <= 2))
        assert np.linalg.norm(v[-3:]) <= 0.5 + 1e-12


def test_what_is_inside_is_the_nearest_point():
    form = {"a": {"shape": 2, "lower": 0}, "b": {"shape": 2, "set": {"ball": {"radius": 0.5}}}}
    assert inside(called(lambda v: v, 4, form), np.array([-1.0, 2.0, 3.0, 4.0])) == pytest.approx([0, 2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("value", "payoff", "holds"),
    [
        ([1.0, 2.0], None, True),
        ([1.0, np.nan], None, False),
        ([1.0, np.inf], None, False),
        ([1.0, 2.0], 3.0, True),
        ([1.0, 2.0], np.nan, False),
        ([1.0, 2.0], -np.inf, False),
        ([np.nan, 2.0], 3.0, False),
    ],
)
def test_F_ends_where_it_or_its_payoff_is_not_finite(value, payoff, holds):
    given = {} if payoff is None else {"payoff": lambda v: payoff}
    assert defined(called(lambda v: v, 2, **given), np.zeros(2), np.array(value)) is holds


# -- steepness


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("exact", [False, True])
def test_few_variables_show_the_norm_of_their_jacobian(seed, exact):
    n = seed + 1
    M = np.random.default_rng(seed).standard_normal((n, n))
    symmetric = np.linalg.eigvalsh((M + M.T) / 2)
    given = {"jacobian": lambda v: csr_array(M)} if exact else {}
    near = look(called(lambda v: M @ v - 3, n, **given), np.full(n, 1.0), seed)
    norm = np.linalg.norm(M, 2)
    assert near.lipschitz == pytest.approx(norm, rel=1e-9)
    assert near.step == pytest.approx(1 / norm, rel=1e-9)
    assert max(0.0, -symmetric[0] / norm) - 1e-9 <= near.bend <= 1
    assert (near.where == "") is (near.bend == 0)


@pytest.mark.parametrize("place", [0.0, 1.0, -1.0, 1e6])
def test_differences_are_taken_in_the_unit_of_each_coordinate(place):
    near = look(called(lambda v: np.array([2.0, 3.0]) * v, 2), np.full(2, place))
    assert near.lipschitz == pytest.approx(3, rel=1e-8)


def test_differences_are_as_exact_as_curvature_lets_them():
    assert look(called(np.tanh, 1), np.zeros(1)).lipschitz == pytest.approx(1.0, rel=1e-9)


def test_a_jacobian_is_formed_up_to_400_variables_and_by_differences_up_to_40():
    asked = []

    def jacobian(v):
        asked.append(v)
        return csr_array((len(v), len(v)))

    for n in (400, 401):
        look(called(lambda v: v, n, jacobian=jacobian), np.ones(n))
    assert [len(v) for v in asked] == [400, 400, 400]
    for n, count in ((MANY - 1, 12 + 3 * 2 * (MANY - 1)), (MANY, 12)):
        problem = called(lambda v: v, n)
        look(problem, np.ones(n))
        assert len(problem.part.asked) == count


def test_a_jacobian_is_looked_at_here_and_at_both_far_probes():
    asked = []

    def jacobian(v):
        asked.append(v)
        return csr_array(np.eye(MANY))

    problem, u = called(lambda v: v, MANY, jacobian=jacobian), np.ones(MANY)
    look(problem, u)
    assert [list(v) for v in asked] == [list(v) for v in problem.part.asked[:3]]


def test_what_is_monotone_by_its_form_has_no_jacobian_formed(monkeypatch):
    asked, value = [], MatrixOperator.value
    monkeypatch.setattr(MatrixOperator, "value", lambda self, u: asked.append(u) or value(self, u))
    near = look(game(np.eye(3)), np.full(6, 1 / 3))
    assert len(asked) <= 12
    assert near.bend == 0


def test_steep_ways_among_many_variables_are_followed_to_the_norm():
    slopes = np.where(np.arange(100) == 17, 50.0, 1.0)
    near = look(called(lambda v: slopes * (v - 1), 100), np.ones(100))  # F is 0 here: the change alone shows the way
    assert near.lipschitz == pytest.approx(50, rel=1e-6)
    assert near.step == pytest.approx(1 / 50, rel=1e-6)


def test_the_way_that_F_points_is_probed():
    """Steep beyond 1 along F(u) alone: no other probe goes so far in that coordinate."""

    def wall(v):
        return np.append(np.zeros(MANY - 1), -1.0 - 1e6 * max(v[-1] - 4.0, 0.0))

    assert look(called(wall, MANY), np.zeros(MANY)).lipschitz > 1e5


@pytest.mark.parametrize("unit", [2.0**-60, 1.0, 2.0**60])
@pytest.mark.parametrize("n", [3, MANY])
def test_everything_follows_the_unit_of_F(unit, n):
    M = turning(n, 0.1, 1.0) + np.diag(np.linspace(-0.5, 1, n))

    def cubic(v):
        return M @ v + v**3

    u = np.linspace(-0.2, 0.3, n)
    one, other = look(called(cubic, n), u), look(called(lambda v: unit * cubic(v), n), u)
    assert other.lipschitz == unit * one.lipschitz
    assert other.step == one.step / unit
    assert np.array_equal(other.scales, unit * one.scales)
    assert other.bend == pytest.approx(one.bend, rel=1e-12)
    assert other.where == one.where


def test_a_change_that_is_rounding_is_no_slope():
    rng = np.random.default_rng(0)
    noisy = look(called(lambda v: 1e9 * (1 + 4e-16 * rng.standard_normal(MANY)), MANY), np.ones(MANY))
    assert (noisy.lipschitz, noisy.step, noisy.bend) == (0, 1, 0)


def test_a_change_beyond_rounding_is_one_whatever_stands_beside_it():
    near = look(called(lambda v: 1e9 + 1e-3 * v, MANY), np.zeros(MANY))
    assert near.lipschitz == pytest.approx(1e-3, rel=0.1)


def test_what_does_not_change_has_no_steepness():
    for n in (2, MANY):
        near = look(called(np.zeros_like, n), np.ones(n))
        assert (near.lipschitz, near.step, near.bend, near.where) == (0, 1, 0, "")
        assert list(near.scales) == [1] * n


# -- scales


def test_a_scale_is_the_largest_value_or_change_that_was_seen():
    slopes = 10.0 ** np.linspace(-4, 4, MANY)

    def affine(v):
        return slopes * (v - 1)

    problem, u = called(affine, MANY), np.linspace(-1, 3, MANY)
    near = look(problem, u)
    values = np.array([affine(v) for v in problem.part.asked])
    expected = np.maximum(np.abs(values), np.abs(values - affine(u))).max(axis=0)
    assert near.scales == pytest.approx(np.maximum(expected, 1e-9 * expected.max()), rel=1e-12)


def test_a_coordinate_that_is_always_zero_has_a_billionth_of_the_largest_scale():
    problem, u = called(lambda v: np.append(7 * v[:-1], 0.0), 3), np.ones(3)
    near = look(problem, u)
    assert near.scales[2] == 1e-9 * max(near.scales[:2])


@pytest.mark.parametrize("unit", [1e-20, 1.0, 1e20])
def test_beyond_all_measure_scales_and_steps_are_those_of_close_by(unit):
    """exp grows by a factor 1e8 on the way: what two probes at 1e-2 and 1e-4 see, times 100, is the limit."""

    def growing(v):
        return unit * np.exp(20 * v)

    problem, u = called(growing, MANY), np.linspace(0.5, 1, MANY)
    near = look(problem, u)
    close = list(zip(DISTANCES, steps(problem, u), strict=False))[2:]
    slopes = [np.linalg.norm(growing(u + d) - growing(u)) / np.linalg.norm(d) for _, d in close]
    changes = [np.abs(growing(u + d) - growing(u)) / distance for distance, d in close]
    seen = np.max([growing(v) for v in problem.part.asked], axis=0)
    limit = 100 * np.maximum(growing(u), np.max(changes, axis=0))
    assert (seen > limit).sum() > MANY / 2
    assert near.scales == pytest.approx(np.minimum(seen, limit), rel=1e-9)
    assert near.step == pytest.approx(1 / (100 * max(slopes)), rel=1e-9)
    assert near.lipschitz > 1e3 * max(slopes)


def test_what_is_flat_close_by_is_as_large_as_it_is_farther_off():
    def hinge(v):
        return np.maximum(v - 1.5, 0.0)

    problem, u = called(hinge, MANY), np.ones(MANY)
    near = look(problem, u)
    values = np.array([hinge(v) for v in problem.part.asked]).max(axis=0)
    assert near.scales == pytest.approx(np.where(values > 0, values, 1e-9 * values.max()), rel=1e-12)
    assert near.step == 1 / near.lipschitz


# -- where F ends


def test_points_where_F_is_not_finite_are_passed_over():
    """The logarithm's derivative: half of the probes are beyond its end."""

    def ends(v):
        with np.errstate(all="ignore"):
            return np.where(v > 0, 3 - 1 / v, np.nan)

    for n in (1, MANY):
        problem = called(ends, n)
        near = look(problem, np.full(n, 0.5))
        assert np.isfinite(near.scales).all()
        assert 0 < near.lipschitz < np.inf
        assert near.bend == 0


@pytest.mark.parametrize("F", [math.sqrt, lambda v: v / float(v >= 0)])
def test_a_function_that_fails_outside_of_the_sets_is_no_obstacle(F):
    """Differences at the end of the set step out of it, where Python raises an error."""
    problem = called(lambda v: np.array([F(float(v[0])) + v[0] + 1]), 1, {"u": {"shape": 1, "lower": 0}})
    near = look(problem, np.zeros(1))
    assert 0 < near.lipschitz < np.inf
    assert certify(problem, {"u": np.zeros(1)}).status is PointStatus.CERTIFIED


def test_where_F_is_finite_nowhere_else_nothing_is_seen():
    u = np.ones(MANY)
    near = look(called(lambda v: np.where(np.array_equal(v, u), 2.0, np.nan) * u, MANY), u)
    assert (near.lipschitz, near.step, near.bend, near.where) == (0, 1, 0, "")
    assert list(near.scales) == [2] * MANY


def test_F_that_changes_at_one_point_is_not_steep_there():
    """The set is the point 1, where every probe from 0 ends."""
    calls = iter(range(100))
    form = {"u": {"shape": MANY, "lower": 1, "upper": 1}}
    near = look(called(lambda v: v + next(calls), MANY, form), np.zeros(MANY))
    assert near.lipschitz < 100


def test_a_set_of_one_point_shows_nothing():
    form = {"u": {"shape": MANY, "lower": 1, "upper": 1}}
    problem = called(lambda v: 3 * v, MANY, form)
    near = look(problem, np.ones(MANY))
    assert (near.lipschitz, near.step, list(near.scales)) == (0, 1, [3] * MANY)
    assert len(problem.part.asked) == 1


# -- bends


@pytest.mark.parametrize("across", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("shift", [0.0, 1e3])
def test_the_bend_is_the_cosine_of_the_angle_beyond_a_right_one(across, unit, shift):
    n = MANY + 1
    M = turning(n, -1.0, across)
    near = look(called(lambda v: unit * (M @ v + shift), n), np.ones(n))
    assert near.bend == pytest.approx(1 / np.hypot(1, across), rel=1e-6)
    assert near.where == "between random points"


@pytest.mark.parametrize("far", [1e-6, 1.0, 1e6])
def test_a_right_angle_is_monotone_though_rounding_is_on_either_side(far):
    M = turning(MANY + 1, 0.0, 1.0)
    problem = called(lambda v: M @ v + 1e4, MANY + 1)
    for seed in range(10):
        assert look(problem, far * np.random.default_rng(seed).standard_normal(MANY + 1), seed).bend == 0


def test_a_bend_between_two_probes_counts_though_none_is_seen_from_the_point():
    """v / (1e-4 + v^2) for v >= 0 rises to its top at 1/100: from 0 everything lies higher."""
    form = {"u": {"shape": 200, "lower": 0}}
    problem, u = called(lambda v: v / (1e-4 + v**2), 200, form), np.zeros(200)
    near = look(problem, u)
    values = [problem.part.function(v) for v in problem.part.asked]
    assert all(value @ v >= 0 for v, value in zip(problem.part.asked, values, strict=True))
    points = list(zip(problem.part.asked, values, strict=True))[1:5]
    cosines = [(g - f) @ (w - v) / np.linalg.norm(g - f) / np.linalg.norm(w - v)
               for (v, f), (w, g) in combinations(points, 2)]  # fmt: skip
    assert near.bend == pytest.approx(-min(cosines), rel=1e-9)
    assert near.bend > 1e-2


@pytest.mark.parametrize("place", [0.0, 1.0, -1.0, 10.0])
def test_one_bent_direction_among_ten_is_seen_by_the_jacobian_at_the_point(place):
    """It bends at the point alone, where a cubic has the slope -1/1000."""

    def bent(v):
        w = v - place
        return np.append(w[:-1], w[-1] ** 3 - 1e-3 * w[-1])

    near = look(called(bent, 10), np.full(10, place))
    assert near.bend == pytest.approx(1e-3, rel=1e-3)
    assert near.where == "by the symmetric part of its Jacobian"


def test_a_jacobian_that_is_not_finite_shows_nothing():
    near = look(called(lambda v: v, 2, jacobian=lambda v: csr_array(np.full((2, 2), np.nan))), np.ones(2))
    assert near.lipschitz == pytest.approx(1)
    assert near.bend == 0
