"""Second-order conditions of the upper level part by part, each against what is worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.bilevel import certificate, curvature, local
from solverkit.kinds.bilevel.certificate import certify
from solverkit.kinds.bilevel.consistency import _significant
from solverkit.kinds.bilevel.curvature import Curvature, Probe
from solverkit.kinds.bilevel.lower_solve import LowerAnswer, solve_lower
from solverkit.kinds.bilevel.multipliers import lower_multipliers
from solverkit.kinds.bilevel.optimistic import best_upper
from solverkit.kinds.bilevel.stationarity import Split, Stationarity
from solverkit.kinds.oracles import Oracle
from solverkit.operators.sets import Box

from .functions import Quadratic, Smooth, at, bilevel, flat, of_y, point, quadratic, rows

FOLLOWS = np.array([[1.0, -1], [-1, 1]])
"""Hessian of (y - x)^2 / 2: the lower level answers y = x."""


def test_the_lagrangian_s_hessian_has_multipliers_of_rows_of_length_one():
    """F'' + alpha G'' / ||G'|| + beta g'' / ||g'|| at (x, y) = (3, 4), where both rows' gradients are known."""
    disc = quadratic(np.diag([2.0, 2.0]), [0, 0], -25.0)  # gradient (6, 8), length 10
    bowl = quadratic(np.diag([0.0, 6.0]), [0, 0], -48.0)  # gradient (0, 24)
    away = quadratic(np.diag([2.0, 2.0]), [0, 0], -100.0)  # not active
    F = quadratic(np.diag([1.0, 7.0]), [0, 0])
    for G, shares in ((disc, 5.0), (away, 0.0)):
        here = at(bilevel(1, 1, F, quadratic(FOLLOWS, [0, 0]), G=G, g=bowl), 3, 4)
        found = Stationarity("S", 0.0, 0, alpha=np.array([5.0]), beta=np.array([12.0]))
        expected = np.diag([1 + shares * 2 / 10, 7 + shares * 2 / 10 + 12 * 6 / 24])
        np.testing.assert_allclose(curvature._lagrangian(here, found).toarray(), expected, rtol=1e-12)


def test_the_moves_that_are_kept_are_those_of_the_lower_kkt_system():
    """(y - x)^2 / 2 over y >= 0 pressed at x = -1: (L_yx, L_yy, g_y') and the row itself, each of length one."""
    floor = rows(quadratic(np.zeros((2, 2)), [0, -1]), 2)
    here = at(
        bilevel(1, 1, flat(2), quadratic(FOLLOWS, [0, 0]), g=floor, G=quadratic(np.zeros((2, 2)), [3, 0], 3)), -1, 0
    )
    found = lower_multipliers(here)
    none = np.zeros((0, 2))
    tangent, strong = curvature._tangent(here, found, Split.of(here, found), none, np.zeros(0, int))
    assert strong.tolist() == [0]
    third = 1 / np.sqrt(3)
    np.testing.assert_allclose(tangent.toarray(), [[-third, third, -third], [0, -1, 0]], atol=1e-12)
    tangent, _ = curvature._tangent(here, found, Split.of(here, found), np.array([[0.0, 2.0]]), here.active_upper)
    np.testing.assert_allclose(
        tangent.toarray(), [[-third, third, -third], [0, -1, 0], [1, 0, 0], [0, 1, 0]], atol=1e-12
    )


def test_how_gradients_of_rows_move_with_their_multipliers():
    """g_0 = x y_0, g_1 = y_1^2: columns g_zy w."""
    g0 = np.zeros((3, 3))
    g0[0, 1] = g0[1, 0] = 1.0
    g = Quadratic([csr_array(g0), csr_array(np.diag([0.0, 0, 2]))], np.zeros((2, 3)), np.zeros(2))
    here = at(bilevel(1, 2, flat(3), flat(3), g=rows(g, 3)), 1, [0, 0])
    found = curvature._cross(here, np.array([5.0, 7.0]), np.array([0, 1])).toarray()
    np.testing.assert_allclose(found, [[5, 0], [0, 0], [0, 14]])
    assert curvature._cross(here, np.array([5.0, 7.0]), np.array([], int)).shape == (3, 0)


@pytest.mark.parametrize(("alpha", "pressed"), [(2.0, [0]), (-2.0, [0]), (0.5, []), (-0.5, [])])
def test_a_row_is_pressed_by_more_than_the_scale_of_f_leaves_open(alpha, pressed):
    problem = bilevel(1, 1, quadratic(np.zeros((2, 2)), [100.0, 0]), flat(2), G=quadratic(np.zeros((2, 2)), [-1, 0]))
    here = at(problem, 0, 0)
    found = Stationarity("S", 0.0, 0, alpha=np.array([alpha * here.width * 100.0, 9.0]))
    assert curvature._pressed(here, found).tolist() == pressed


def measured(F, *z, **more):
    here = at(bilevel(1, len(z) - 1, F, quadratic(FOLLOWS, [0, 0]), **more), *z)
    multipliers = lower_multipliers(here)
    found = Stationarity("S", 0.0, 0, w=np.zeros(1), alpha=np.zeros(here.upper.rows.count), beta=np.zeros(0))
    return curvature.reduced_curvature(here, multipliers, found, np.zeros((0, 2)))


def test_curvature_is_relative_to_the_largest_second_derivative():
    """F = (4 y^2 - x^2) / 2 is convex along y = x, and y^2 / 2 - x^2 is not."""
    assert measured(quadratic(np.diag([-1.0, 4]), [0, 0]), 0, 0).value == 0.0
    found = measured(quadratic(np.diag([-2.0, 1]), [0, 0]), 0, 0)
    assert found.value == pytest.approx(0.5 / 2)
    assert found.how == "reduced Hessian"
    assert np.abs(found.direction) == pytest.approx(np.sqrt([0.5, 0.5]))
    assert measured(quadratic(np.diag([2.0, 1]), [0, 0]), 0, 0).how == "Lagrangian convex"


def test_curvature_on_the_moves_that_are_kept_has_every_part():
    """Against the whole matrix [[W + B, C], [C', 0]] on the null space of the tangent rows, dense and by Lanczos."""
    rng = np.random.default_rng(1)
    W, B, C, tangent = (rng.normal(size=shape) for shape in ((4, 4), (4, 4), (4, 2), (2, 6)))
    W, B = W + W.T, B + B.T
    tangent = np.linalg.qr(tangent.T)[0].T
    whole = np.block([[W + B, C], [C.T, np.zeros((2, 2))]])
    basis = np.linalg.svd(tangent)[2][2:].T
    least = -np.linalg.eigvalsh(basis.T @ whole @ basis)[0] / 1e3
    assert least > 0
    parts = csr_array(W), csr_array(C), lambda d: B @ d, csr_array(tangent), 1e3
    dense = curvature._dense(*parts)
    assert dense.value == pytest.approx(least, rel=1e-9)
    assert len(dense.soft) == 2
    assert 0.5 * least < curvature._lanczos(*parts).value <= least * (1 + 1e-9)
    none = curvature._dense(*parts[:3], csr_array(np.eye(6)), 1e3)
    assert (none.value, none.how) == (0.0, "no free direction")


def test_curvature_of_what_the_lower_level_makes_of_x():
    """f = exp(y) - x y, so y = log(x), and F = -x^2 + 2 y: F(x, y(x)) has curvature -4 at x = 1, along (1, 1)."""
    f = Smooth(
        2,
        lambda z: np.exp(z[1]) - z[0] * z[1],
        lambda z: [-z[1], np.exp(z[1]) - z[0]],
        lambda z: [[0, -1], [-1, np.exp(z[1])]],
    )
    here = at(bilevel(1, 1, quadratic(np.diag([-2.0, 0]), [0, 2]), f), 1, 0)
    found = Stationarity("S", 0.0, 0, w=np.array([-2.0]))
    seen = curvature.reduced_curvature(here, lower_multipliers(here), found, np.zeros((0, 2)))
    assert seen.value == pytest.approx(2 / 2, rel=1e-6)


def test_curvature_with_a_multiplier_that_moves():
    """(y_0 - 1)^2 / 2 + y_1^2 / 2 + y_1 under x y_0 <= y_1: y_0 = (1 - x) / (1 + x^2), y_1 = x y_0, multiplier 1 + y_1.

    F = y_1 + 0.16 x is stationary at x = 1/2; beta = 0.8 and w = (-0.4, -0.2) solve the adjoint system by hand.
    """

    def answers(x):
        y = (1 - x) / (1 + x * x)
        return np.array([x, y, x * y, 1 + x * y])

    f = quadratic(np.diag([0.0, 1, 1]), [0, -1, 1])
    g = quadratic(np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]]), [0, 0, -1])
    here = at(bilevel(1, 2, quadratic(np.zeros((3, 3)), [0.16, 0, 1]), f, g=rows(g, 3)), answers(0.5)[:3])
    norm = np.sqrt(0.4**2 + 0.5**2 + 1)  # of the row's gradient: multipliers are for rows of length one
    found = Stationarity("S", 0.0, 0, w=np.array([-0.4, -0.2]), beta=np.array([0.8 * norm]))
    seen = curvature.reduced_curvature(here, lower_multipliers(here), found, np.zeros((0, 3)))
    h = 1e-4
    speed = (answers(0.5 + h) - answers(0.5 - h)) / (2 * h)
    second = (answers(0.5 + h) - 2 * answers(0.5) + answers(0.5 - h))[2] / h**2
    assert second < 0
    assert seen.value == pytest.approx(-second / (speed @ speed) / max(0.8, -second / (speed @ speed)), rel=1e-4)


def test_the_bend_of_rows_counts_with_their_multipliers():
    """f = -y under exp(y) - 1 <= 0: the multiplier is 1 at y = 0, and the third derivative of the row exp(0) w."""
    row = rows(of_y(1, lambda y: np.exp(y) - 1, np.exp, np.exp), 2)
    here = at(bilevel(1, 1, flat(2), quadratic(np.zeros((2, 2)), [0, -1]), g=row), 0, 0)
    apply = curvature._bend(here, lower_multipliers(here), np.array([0.7]))
    np.testing.assert_allclose(apply(np.array([3.0, 2.0])), [0, 1.4], atol=1e-6)


@pytest.mark.parametrize(("degree", "quadratic_one"), [(None, False), (1, True), (2, True), (3, False)])
def test_an_upper_level_is_quadratic_up_to_degree_two(degree, quadratic_one):
    F = of_y(1, lambda y: y**2, lambda y: 2 * y, lambda y: 2 + 0 * y, degree=degree)
    assert curvature._quadratic_upper(at(bilevel(1, 1, F, flat(2)), 0, 0)) is quadratic_one
    bent = quadratic(np.diag([1.0, 1]), [0, 0], -9)
    assert not curvature._quadratic_upper(at(bilevel(1, 1, F, flat(2), G=bent), 0, 0))


def test_what_is_not_quadratic_has_soft_directions_though_it_is_convex():
    quartic = of_y(1, lambda y: y**2 + y**4, lambda y: 2 * y + 4 * y**3, lambda y: 2 + 12 * y**2)
    found = measured(quartic, 0, 0)
    assert (found.value, found.how) == (0.0, "Lagrangian convex")
    assert len(found.soft) == 1
    assert measured(quadratic(np.diag([0.0, 2]), [0, 0]), 0, 0).soft == ()


def test_many_variables_are_seen_by_products(monkeypatch):
    monkeypatch.setattr(curvature, "DENSE", 1)
    found = measured(quadratic(np.diag([-2.0, 1]), [0, 0]), 0, 0)
    assert found.how == "Lanczos"
    assert found.value == pytest.approx(0.5 / 2)
    quartic = of_y(1, lambda y: y**2 + y**4, lambda y: 2 * y + 4 * y**3, lambda y: 2 + 12 * y**2)
    assert measured(quartic, 0, 0).soft == ()


def test_soft_directions_leave_rows_that_are_not_pressed():
    """F = y^4 at the bound x >= 0: along y = x alone, which the bound without a multiplier does not stop."""
    quartic = of_y(1, lambda y: y**4, lambda y: 4 * y**3, lambda y: 12 * y**2)
    (soft,) = measured(quartic, 0, 0, X=Box(0, np.inf)).soft
    assert np.abs(soft) == pytest.approx(np.sqrt([0.5, 0.5]))
    (soft,) = measured(quartic, 0, 0).soft
    assert np.abs(soft) == pytest.approx(np.sqrt([0.5, 0.5]))


@pytest.mark.parametrize(("n", "along"), [(1, 1), (10, 10), (11, 0)])
def test_coordinates_of_few_variables_and_four_random_directions_are_tried_both_ways(n, along):
    first = np.arange(n + 2.0) + 1
    tried = curvature._directions(n, first, 0)
    assert len(tried) == 2 * (1 + along + 4)
    np.testing.assert_allclose(tried[0], first[:n] / n)
    np.testing.assert_allclose(tried[1], -first[:n] / n)
    assert {float(np.abs(d).max()) for d in tried} == {1.0}
    assert len(curvature._directions(n, None, 0)) == 2 * (along + 4)
    assert curvature._unit([np.full(n, 1e-13)]) == []
    assert len(curvature._unit([np.full(n, 1e-11)])) == 2


def moved(x, step, tol=1e-6, F=(0, 2.0), **more):
    here = at(bilevel(1, 1, quadratic(np.zeros((2, 2)), F), quadratic(FOLLOWS, [0, 0]), **more), x, x)
    return curvature._moved(here, np.array([step]), [], 0, tol)


def test_a_move_is_told_by_its_fall_and_its_distance():
    """F = 2 y and y = x: from 3 by a hundredth of 1 + 3."""
    assert moved(3, -0.01) == pytest.approx((0.08, 0.04))
    assert moved(3, 0.01) == pytest.approx((-0.08, 0.04))
    assert moved(3, -0.01, X=Box(2.99, np.inf)) == pytest.approx((0.02, 0.01))
    assert moved(3, -0.01, X=Box(3, np.inf)) is None
    assert moved(3, -0.01, X=Box(3 - 5e-10, np.inf)) is None
    assert moved(3, -0.01, X=Box(3 - 2e-9, np.inf)) is not None


@pytest.mark.parametrize(
    ("tol", "room", "told"), [(1e-6, 0.5, True), (1e-6, 3.0, False), (1e-12, 0.5, True), (1e-12, 3.0, False)]
)
def test_a_move_may_break_upper_rows_by_the_tolerance(tol, room, told):
    """-y + c <= 0, of length 1, is broken at y = 2.96 by `room` times what is allowed."""
    row = quadratic(np.zeros((2, 2)), [0, -1], 2.96 + room * max(tol, 1e-9))
    assert (moved(3, -0.01, tol, G=row) is not None) is told


def walked(monkeypatch, falls, soft=2, around=False):
    """The probe where a move by `step` makes F fall by falls[step] over that distance, and the moves made."""
    made = []

    def move(local, step, starts, seed, tol):
        made.append(step)
        size = round(float(np.abs(step).max()), 12)
        return (falls[size], size) if falls.get(size) is not None else None

    monkeypatch.setattr(curvature, "_moved", move)
    here = at(bilevel(1, 1, quadratic(np.diag([2.0, 0]), [0, 0]), quadratic(FOLLOWS, [0, 0])), 0, 0)
    bend = Curvature(0.0, "", None, (np.array([3.0, 1.0]),) * soft, around)
    return curvature.probe(here, solve_lower(here, 0), bend, 0, 1e-6), np.ravel(made)


def test_soft_directions_are_walked_until_f_falls(monkeypatch):
    """Falls of 1e-9 and 1e-6 over a thousandth and a hundredth: a hundred times as fast as before, which is sudden."""
    found, made = walked(monkeypatch, {1e-3: 1e-9, 1e-2: 1e-6, 1e-1: 1.0}, soft=1)
    noise = 1e-10 * at(bilevel(1, 1, quadratic(np.diag([2.0, 0]), [0, 0]), flat(2)), 0, 0).upper_scale
    assert made.tolist() == [1e-3, 1e-2, 1e-1, -1e-3, -1e-2, -1e-1]
    assert found.value == pytest.approx((1.0 - noise) / 0.1)
    assert found.sudden == 1.0
    assert found.informative == 6


def test_a_walk_ends_where_f_has_risen(monkeypatch):
    found, made = walked(monkeypatch, {1e-3: 0.0, 1e-2: -1e-3, 1e-1: 1.0}, soft=1)
    assert made.tolist() == [1e-3, 1e-2, -1e-3, -1e-2]
    assert (found.sudden, found.informative) == (0.0, 4)
    assert found.value <= 0.0


@pytest.mark.parametrize(("second", "sudden"), [(2.9e-3, 0.0), (3.1e-3, 3.1e-3)])
def test_a_fall_is_sudden_from_three_times_as_fast_as_before(monkeypatch, second, sudden):
    """1e-4 over a thousandth, so 1e-3 over a hundredth would be as fast."""
    found, _ = walked(monkeypatch, {1e-3: 1e-4, 1e-2: second}, soft=1)
    assert found.sudden == sudden


def test_moves_around_are_of_two_lengths(monkeypatch):
    found, made = walked(monkeypatch, {1e-2: 1e-4, 1e-3: None}, soft=0, around=True)
    assert sorted(set(np.round(np.abs(made), 12))) == [1e-3, 1e-2]
    assert len(made) == 2 * 2 * (1 + 4)
    assert found.informative == 10
    assert found.value == pytest.approx(1e-2, rel=1e-5)


@pytest.mark.parametrize(
    ("told", "certified"),
    [
        (Probe(0.0, 0.0, 3), True),
        (Probe(0.0, 1e-9, 3), False),
        (Probe(9.0, 0.0, 3), False),
        (Probe(9.0, 1e-9, 3), False),
    ],
)
def test_a_sudden_fall_of_any_size_is_refused(monkeypatch, told, certified):
    monkeypatch.setattr(certificate, "probe", lambda *_: told)
    quartic = of_y(1, lambda y: y**4, lambda y: 4 * y**3, lambda y: 12 * y**2)
    found = certify(bilevel(1, 1, quartic, quadratic(FOLLOWS, [0, 0])), point(0, 0))
    assert found["probe"].ok is certified
    assert found["probe"].value == (told.sudden if told.value == 0 else told.value)
    assert found.facts["probes"] == 3.0


@pytest.mark.parametrize(("bend", "around"), [(0.0, False), (1.0, True)])
def test_moves_around_are_for_points_that_multipliers_do_not_settle(monkeypatch, bend, around):
    """y^2 + y^4 where (y - x)^2 / 2 + bend (y - x)^4 makes y = x: a quadratic program, and a level of any sort."""
    seen = []
    monkeypatch.setattr(certificate, "probe", lambda local, answer, bend, *_: seen.append(bend) or Probe(0.0, 0.0, 1))
    quartic = of_y(1, lambda y: y**2 + y**4, lambda y: 2 * y + 4 * y**3, lambda y: 2 + 12 * y**2)
    follows = Smooth(
        2,
        lambda z: (z[1] - z[0]) ** 2 / 2 + bend * (z[1] - z[0]) ** 4,
        lambda z: (z[1] - z[0] + 4 * bend * (z[1] - z[0]) ** 3) * np.array([-1, 1]),
        lambda z: (1 + 12 * bend * (z[1] - z[0]) ** 2) * FOLLOWS,
        degree=4 if bend else 2,
    )
    certify(bilevel(1, 1, quartic, follows), point(0, 0))
    assert [bend.around for bend in seen] == [around]


# -- scales, and oracles where rounding decides


def test_the_scale_of_an_objective_is_its_gradient_and_up_to_one_of_its_curvature():
    none = np.zeros(2)
    assert local._scale(none, 0.5, none) == 0.5
    assert local._scale(none, 0.25, np.array([-1.0, 0.5])) == 0.5
    assert local._scale(none, 30.0, none) == 1.0
    assert local._scale(np.array([2.0, -7.0]), 0.25, np.array([-1.0, 0.5])) == 7.5
    assert 0 < local._scale(none, 0.0, none) <= 1e-300


def significant(size, z, along=None):
    """Which entries of an oracle with derivative diag(size) count, x and y of two entries each."""
    size = np.asarray(size, float)
    slope = size if along is None else np.asarray(along, float)
    oracle = Oracle("Hessian of F", lambda z: np.arange(4.0) + size * z, lambda z, d: slope * d)
    return _significant(oracle, 2, np.asarray(z, float), 0).along(np.zeros(4), np.ones(4)).tolist()


@pytest.mark.parametrize("z", [[0, 0, 0, 0], [1, -1, 1, 1], [3, 3, 3, 3]])
def test_what_is_a_millionth_of_the_others_of_its_level_is_left_to_rounding(z):
    assert significant([1, 5e-7, 5e-10, 1e-3], z) == [1, 1e-3]
    assert significant([1, 2e-6, 5e-10, 1e-3], z) == [1, 2e-6, 1e-3]
    assert significant([1, 1, 1, 1], z) == [1, 1, 1, 1]
    assert significant([1, 1, 0, 0], z) == [1, 1, 0, 0]


def test_either_differences_or_the_oracle_may_say_that_an_entry_counts():
    assert significant([1, 1e-9, 1, 1], [0, 0, 0, 0], along=[1, 1, 1, 1]) == [1, 1, 1, 1]
    assert significant([1, 1, 1, 1], [0, 0, 0, 0], along=[1, 0, 1, 1]) == [1, 0, 1, 1]
    far = [0, 1e4, 0, 0]  # moved by 1e4 times as much there
    assert significant([1, 1e-9, 1, 1], far, along=[0, 0, 1, 1]) == [0, 0, 1, 1]


@pytest.mark.parametrize(("unique", "exact"), [(True, True), (None, False)])
def test_the_best_of_one_solution_is_known_and_that_of_several_is_compared(unique, exact):
    here = at(bilevel(1, 1, quadratic(np.zeros((2, 2)), [0, 1.0]), flat(2)), 0, 0)
    answer = LowerAnswer("grid", 0.0, 0.0, [np.array([2.0]), np.array([-3.0])], unique=unique)
    best = best_upper(here, answer)
    assert best.exact is exact
    assert best.y.tolist() == ([2.0] if unique else [-3.0])
    assert best.value == best.y[0]
    root = of_y(1, np.sqrt, lambda y: 0.5 / np.sqrt(y), lambda y: -0.25 * y**-1.5)
    with np.errstate(all="ignore"):
        unknown = best_upper(at(bilevel(1, 1, root, flat(2)), 0, 1), replace(answer, minimizers=[np.array([-3.0])]))
    assert np.isnan(unknown.value)
