"""The lower level solved again: quadratic programs, grids, local solves, and what is made of their ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel import certificate, lower_solve
from solverkit.kinds.bilevel.certificate import certify
from solverkit.kinds.bilevel.lower_solve import LowerAnswer, local_solve, quadratic_label, solve_lower
from solverkit.kinds.bilevel.multipliers import lower_multipliers
from solverkit.operators.qp import Outcome
from solverkit.operators.sets import Box

from .functions import Quadratic, Smooth, at, bilevel, equations, flat, of_y, point, quadratic, rows


@pytest.mark.parametrize(("off", "ok"), [(1e-7, True), (-1e-7, True), (3e-6, False)])
def test_a_lower_level_in_large_units_is_judged_by_the_distance_to_its_solution(off, ok):
    """f = 5e7 (y - x)^2: at y off by 1e-7 the slope is 10, and that is as near as 1e-7."""
    problem = bilevel(1, 1, quadratic(np.eye(2), [0, 0]), quadratic(1e8 * np.array([[1.0, -1], [-1, 1]]), [0, 0]))
    found = certify(problem, point(0, off))["lower_kkt"]
    assert found.ok == ok
    if ok:
        assert found.note == "relative distance to the lower solution"
        assert found.value == pytest.approx(abs(off), rel=1e-6)
        assert found.tolerance == 1e-6
    else:
        assert found.note == ""


def test_a_lower_level_that_is_stationary_is_judged_by_that():
    """f = (y - x)^2 / 2 off by 1e-7: the slope itself is small enough."""
    problem = bilevel(1, 1, quadratic(np.eye(2), [0, 0]), quadratic(np.array([[1.0, -1], [-1, 1]]), [0, 0]))
    found = certify(problem, point(0, 1e-7))["lower_kkt"]
    assert found.ok
    assert found.note == ""
    assert found.value == pytest.approx(1e-7)


def test_the_gap_of_the_lower_level_is_one_of_its_value_where_that_is_large():
    """f = (y - x)^2 + 1e4 at y = x; and where no value of the solver's is known, of what f changes by."""
    f = quadratic(np.array([[2.0, -2], [-2, 2]]), [0, 0], 1e4)
    problem = bilevel(1, 1, quadratic(np.eye(2), [0, 0]), f)
    assert certify(problem, point(0, 0))["lower_gap"].scaling == pytest.approx(1e4)
    here = at(problem, 0, 0)
    unknown = LowerAnswer("none", np.inf, np.inf, [np.zeros(1)])
    assert certificate._lower_terms(here, unknown, lower_multipliers(here), 1e-6, 0)[0].scaling <= 1.0


@pytest.mark.parametrize("degree", [None, 3])
@pytest.mark.parametrize("size", [1.0, 1e-3])
def test_a_row_that_is_straight_at_the_point_alone_is_no_part_of_a_quadratic_program(degree, size):
    f = quadratic(np.diag([0.0, 1.0]), [0, -1])
    cubic = of_y(1, lambda y: size * (y**3 - 8), lambda y: 3 * size * y**2, lambda y: 6 * size * y, degree=degree)
    assert quadratic_label(at(bilevel(1, 1, f, f), 0, 0), 0) == "proved convex QP"
    assert quadratic_label(at(bilevel(1, 1, f, f, g=rows(cubic, 2)), 0, 0), 0) == ""


def test_how_a_convex_quadratic_program_is_known():
    """Rows may bend in x and not in y; degree 3 is no proof, though x y^2 is quadratic at each x."""
    f = quadratic(np.diag([0.0, 1.0]), [0, -1])
    for bend, label in ((np.diag([2.0, 0]), "proved convex QP"), (np.diag([0, 0.5]), "")):
        row = rows(quadratic(bend, [0, -1], -3.0), 2)
        assert quadratic_label(at(bilevel(1, 1, f, f, g=row), 0.5, 0), 0) == label
    for degree, label in ((None, "convex QP (probed)"), (3, "convex QP (probed)"), (2, "proved convex QP")):
        square = of_y(2, lambda y: 3 * y**2 - y, lambda y: 6 * y - 1, lambda y: 6 + 0 * y, degree=degree)
        assert quadratic_label(at(bilevel(1, 2, flat(3), square), 0, [1, -2]), 0) == label
    assert quadratic_label(at(bilevel(1, 1, f, quadratic(np.diag([0.0, -1]), [0, 0])), 0, 0), 0) == ""


def test_rounding_of_a_quadratic_in_large_units_is_none_of_its_terms():
    f = of_y(
        1,
        lambda y: 1e6 * (y**2 + 1e-11 * y**3),
        lambda y: 1e6 * (2 * y + 3e-11 * y**2),
        lambda y: 1e6 * (2 + 6e-11 * y),
    )
    assert quadratic_label(at(bilevel(1, 1, flat(2), f), 0, 0), 0) == "convex QP (probed)"


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("bend", [0.0, 1e-3, 1.0])
def test_a_quadratic_of_unknown_degree_is_seen_by_its_values_and_second_derivatives(scale, bend):
    """f = scale (5 + y^2 - 3 y + bend y^4) at y = 0, where the quartic shows in no derivative up to the second."""
    f = of_y(
        2,
        lambda y: scale * (5 + y**2 - 3 * y + bend * y**4),
        lambda y: scale * (2 * y - 3 + 4 * bend * y**3),
        lambda y: scale * (2 + 12 * bend * y**2),
    )
    label = quadratic_label(at(bilevel(1, 2, flat(3), f), 0, [0, 0]), 0)
    assert label == ("" if bend else "convex QP (probed)")


def test_a_kink_or_a_jump_beside_is_seen_by_values_alone():
    kink = of_y(1, lambda y: y**2 + np.maximum(y - 0.005, 0), lambda y: 2 * y + (y > 0.005), lambda y: 2 + 0 * y)
    jump = of_y(1, lambda y: y**2 + 1e-5 * (y > 0.005), lambda y: 2 * y, lambda y: 2 + 0 * y)
    for f in (kink, jump):
        labels = {quadratic_label(at(bilevel(1, 1, flat(2), f), 0, 0), seed) for seed in range(8)}
        assert "" in labels
        assert "proved convex QP" not in labels


def test_a_lower_level_that_falls_forever_has_no_answer():
    """f = -exp(y): every local solve runs away, and what the search itself saw is lower than the candidate."""
    f = of_y(1, lambda y: -np.exp(y), lambda y: -np.exp(y), lambda y: -np.exp(y))
    with np.errstate(all="ignore"):
        found = solve_lower(at(bilevel(1, 1, flat(2), f), 0, 0), 0)
    assert found.gap > 1


def wells(m):
    """sum (y^2 - 1)^2 + 0.3 y: two minima an entry, the left one lower."""
    return of_y(m, lambda y: (y**2 - 1) ** 2 + 0.3 * y, lambda y: 4 * y * (y**2 - 1) + 0.3, lambda y: 12 * y**2 - 4)


def test_equations_leave_no_grid():
    """y_1 + y_2 = 0 with two wells each: the answer is found all the same, and not called one of a grid."""
    one = equations(Quadratic([None], csr_array(np.array([[0.0, 1.0, 1.0]])), 0.0), 3)
    problem = bilevel(1, 2, flat(3), wells(2), g=one)
    found = solve_lower(at(problem, 0, [1.0, -1.0]), 0)
    assert found.label == "multi-start only"
    assert found.value == pytest.approx(0.0, abs=1e-9)
    assert abs(found.minimizers[0].sum()) < 1e-8


class Fragile(Smooth):
    """Raises where y is above 1/2."""

    def value(self, z):
        if z[1] > 0.5:
            raise ValueError("out of its domain")
        return super().value(z)


@pytest.mark.parametrize("kind", ["raises", "nan"])
def test_a_local_solve_that_leaves_the_domain_has_no_end(kind):
    value = {"raises": lambda z: -z[1], "nan": lambda z: -z[1] if z[1] <= 0.5 else np.nan}[kind]
    f = (Fragile if kind == "raises" else Smooth)(2, value, lambda z: [0.0, -1.0], lambda z: np.zeros((2, 2)))
    here = at(bilevel(1, 1, flat(2), f), 0, 0)
    with np.errstate(all="ignore"):
        assert local_solve(here, np.zeros(1)) is None


def test_convexity_is_looked_at_where_the_lower_level_has_a_value():
    """f = -log(y): no value for y <= 0, convex where it has one; y^4 - y^2 is not convex about 0."""
    log = of_y(1, lambda y: -np.log(y), lambda y: -1 / y, lambda y: 1 / y**2)
    with np.errstate(all="ignore"):
        assert lower_solve.negative_curvature(at(bilevel(1, 1, flat(2), log), 0, 1), 0) == 0.0
    bent = of_y(1, lambda y: y**4 - y**2, lambda y: 4 * y**3 - 2 * y, lambda y: 12 * y**2 - 2)
    assert lower_solve.negative_curvature(at(bilevel(1, 1, flat(2), bent), 0, 0), 0) == pytest.approx(1.0)


@pytest.mark.parametrize("m", [3, 70])
@pytest.mark.parametrize("start", [0.9, 0.05, -3.0])
def test_local_solves_end_at_a_minimizer_small_or_large(m, start):
    """Up to 60 lower variables by SLSQP, then by Newton steps: the same minima, with rows and without."""
    left, right = sorted(root.real for root in np.roots([4, 0, -4, 0.3]) if abs(root.real) > 0.5)
    free = at(bilevel(1, m, flat(1 + m), wells(m)), 0, np.zeros(m))
    end = local_solve(free, np.full(m, start))
    assert np.minimum(abs(end - left), abs(end - right)).max() < 1e-6
    inside = at(bilevel(1, m, flat(1 + m), wells(m), Y=Box(-0.5, 0.5)), 0, np.zeros(m))
    end = local_solve(inside, np.full(m, np.clip(start, -0.4, 0.4)))
    np.testing.assert_allclose(np.abs(end), 0.5, atol=1e-7)
    sum_is_half = equations(Quadratic([None], csr_array(np.concatenate([[0.0], np.ones(m)])[None, :]), -0.5), 1 + m)
    bowl = of_y(m, lambda y: np.cosh(y), np.sinh, np.cosh)
    end = local_solve(at(bilevel(1, m, flat(1 + m), bowl, g=sum_is_half), 0, np.zeros(m)), np.full(m, start))
    np.testing.assert_allclose(end, 0.5 / m, atol=1e-7)


def test_a_local_solve_that_is_slow_ends_on_the_way():
    """Of sum y^40 each of the forty steps of Newton takes 1/39 of the way."""
    steep = of_y(70, lambda y: y**40, lambda y: 40 * y**39, lambda y: 1560 * y**38)
    end = local_solve(at(bilevel(1, 70, flat(71), steep), 0, np.zeros(70)), np.full(70, 3.0))
    np.testing.assert_allclose(end, 3 * (38 / 39) ** 40, rtol=1e-6)


def test_a_local_solve_whose_model_has_no_answer_ends_where_it_is(monkeypatch):
    steep = of_y(70, lambda y: y**40, lambda y: 40 * y**39, lambda y: 1560 * y**38)
    answers, real = [], lower_solve.lower_qp

    def fails_at_last(*given):
        answers.append(real(*given))
        return answers[-1] if len(answers) < 3 else replace(answers[-1], outcome=Outcome.UNBOUNDED)

    monkeypatch.setattr(lower_solve, "lower_qp", fails_at_last)
    end = local_solve(at(bilevel(1, 70, flat(71), steep), 0, np.zeros(70)), np.full(70, 3.0))
    np.testing.assert_allclose(end, 3 * (38 / 39) ** 2, rtol=1e-6)


@pytest.mark.parametrize("m", [3, 70])
def test_a_local_solve_without_a_feasible_point_has_no_end(m):
    table = np.zeros((2, 1 + m))
    table[0, 1], table[1, 1] = 1.0, -1.0
    nowhere = rows(Quadratic([None, None], csr_array(table), np.array([1.0, 1.0])), 1 + m)  # y_1 <= -1 and y_1 >= 1
    assert local_solve(at(bilevel(1, m, flat(1 + m), wells(m), g=nowhere), 0, np.zeros(m)), np.zeros(m)) is None


# -- points to begin from


def test_a_grid_has_the_local_minima_best_first():
    """(y^2 - 1)^2 + 0.3 y has two wells, an entry, and -y^2 its minima at the ends; a constant has them everywhere."""
    points, label = lower_solve._grid(at(bilevel(1, 1, flat(2), wells(1), Y=Box(-3, 3)), 0, 0))
    assert label == "grid"
    assert np.ravel(points) == pytest.approx([-1.036, 0.960], abs=4e-3)
    points, _ = lower_solve._grid(at(bilevel(1, 2, flat(3), wells(2), Y=Box(-3, 3)), 0, [0, 0]))
    assert np.sign(points).astype(int).tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    hill = of_y(1, lambda y: -(y**2), lambda y: -2 * y, lambda y: -2 + 0 * y)
    points, _ = lower_solve._grid(at(bilevel(1, 1, flat(2), hill, Y=Box(-1, 2)), 0, 0))
    assert np.ravel(points) == pytest.approx([2.0, -1.0])
    points, _ = lower_solve._grid(at(bilevel(1, 1, flat(2), flat(2), Y=Box(-1, 2)), 0, 0))
    assert len(points) == 24


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_equal_minima_of_a_grid_are_put_in_the_order_of_the_upper_level(side):
    even = of_y(1, lambda y: (y**2 - 1) ** 2, lambda y: 4 * y * (y**2 - 1), lambda y: 12 * y**2 - 4)
    F = quadratic(np.zeros((2, 2)), [0, side])
    points, _ = lower_solve._grid(at(bilevel(1, 1, F, even, Y=Box(-2, 2)), 0, 0))
    assert np.ravel(points) == pytest.approx([-side, side])


def test_a_grid_has_no_points_outside_of_the_rows_or_the_domain():
    """y <= 1/2, known to 1e-8 of its length and bound; sqrt(y) from 0 on alone."""
    f = quadratic(np.zeros((2, 2)), [0, -1])
    for scale, beyond, end in ((1.0, 1e-9, 0.5), (1e3, 1e-9, 0.5), (1e3, 1e-6, 0.498)):
        half = rows(quadratic(np.diag([0, 1e-14]), [0, 2 * scale], -scale * (1 - beyond)), 2)
        ((best,), *_), _ = lower_solve._grid(at(bilevel(1, 1, flat(2), f, g=half, Y=Box(-1, 1)), 0, 0))
        assert best == pytest.approx(end, abs=1e-9)
    root = of_y(1, np.sqrt, lambda y: 0.5 / np.sqrt(y), lambda y: -0.25 * y**-1.5)
    with np.errstate(all="ignore"):
        points, _ = lower_solve._grid(at(bilevel(1, 1, flat(2), root, Y=Box(-1, 1)), 0, 0.5))
    assert np.ravel(points) == pytest.approx([0.0], abs=3e-3)


def test_the_range_of_the_lower_variables_is_that_of_the_rows_that_are_known_to_be_affine():
    """y_0 + y_1 <= 3 and y >= 0; what is open reaches 10 (1 + |y|) away; a curved row says nothing."""
    sum_below = rows(Quadratic([None], csr_array(np.array([[0.0, 1.0, 1.0]])), -3.0), 3)
    low, high, bounded = lower_solve.lower_range(at(bilevel(1, 2, flat(3), flat(3), g=sum_below), 0, [0.5, -2]))
    assert (low.tolist(), high.tolist(), bounded) == ([-14.5, -32.0], [15.5, 28.0], False)
    problem = bilevel(1, 2, flat(3), flat(3), g=sum_below, Y=Box(0, np.inf))
    low, high, bounded = lower_solve.lower_range(at(problem, 0, [0.5, 1]))
    assert low == pytest.approx([0, 0], abs=1e-9)
    assert high == pytest.approx([3, 3])
    assert bounded
    line = equations(Quadratic([None], csr_array(np.array([[0.0, 1.0, 1.0]])), -3.0), 3)
    low, high, bounded = lower_solve.lower_range(
        at(bilevel(1, 2, flat(3), flat(3), g=line, Y=Box(1, np.inf)), 0, [1, 2])
    )
    assert low == pytest.approx([1, 1])
    assert high == pytest.approx([2, 2])
    assert bounded
    disc = rows(quadratic(np.diag([0.0, 2, 2]), [0, 0, 0], -1.0), 3)
    low, high, bounded = lower_solve.lower_range(at(bilevel(1, 2, flat(3), flat(3), g=disc), 0, [0.5, 0]))
    assert (low.tolist(), high.tolist(), bounded) == ([-14.5, -10.0], [15.5, 10.0], False)


def test_random_points_are_near_and_far_in_turn_and_in_their_set():
    y = np.linspace(-3, 3, 200)
    here = at(bilevel(1, 200, flat(201), flat(201)), 0, y)
    drawn = lower_solve.random_points(here, np.random.default_rng(0), 4)
    furthest = [float((np.abs(each - y) / (1 + np.abs(y))).max()) for each in drawn]
    assert furthest == pytest.approx([0.1, 1.0, 10.0, 0.1], rel=0.05)
    boxed = at(bilevel(1, 200, flat(201), flat(201), Y=Box(-1, 1)), 0, 0 * y)
    assert all(np.abs(each).max() <= 1 for each in lower_solve.random_points(boxed, np.random.default_rng(0), 3))


@pytest.mark.parametrize(
    ("m", "convex", "drawn"), [(2, None, 8), (3, None, 8), (60, None, 8), (61, None, 2), (2, True, 2)]
)
def test_how_many_points_are_drawn_and_which_levels_have_a_grid(monkeypatch, m, convex, drawn):
    counts, grids = [], []
    monkeypatch.setattr(lower_solve, "random_points", lambda local, rng, count: counts.append(count) or [])
    monkeypatch.setattr(lower_solve, "_grid", grids.append)
    found = solve_lower(at(bilevel(1, m, flat(1 + m), wells(m), convex=convex), 0, np.zeros(m)), 0)
    assert counts == [drawn]
    assert len(grids) == (m <= 2)
    assert found.label == ("declared convex, no counterexample" if convex else "multi-start only")
    assert (found.quadratic, found.unique, found.note) == (False, None, "")


def test_points_apart_by_a_hundred_thousandth_are_two():
    at_nine = [np.array([9.0, 0.0]), np.array([9.00009, 0.0]), np.array([9.00011, 0.0])]
    assert lower_solve.distinct(at_nine) == [at_nine[0], at_nine[2]]
    assert len(lower_solve.distinct([np.array([0.0]), np.array([1.5e-5])])) == 2
    assert len(lower_solve.distinct([np.array([float(k)]) for k in range(30)])) == 24


def test_the_way_to_a_point_is_cut_where_the_rows_hold():
    """100 (y - 1) <= 0 from y = 0: violations are relative to the row's length and bound."""
    here = at(bilevel(1, 1, flat(2), flat(2), g=rows(quadratic(np.zeros((2, 2)), [0, 100], -100.0), 2)), 0, 0)
    assert lower_solve._inside(here, np.array([1 + 5e-9])).z[1] == 1 + 5e-9
    assert lower_solve._inside(here, np.array([1 + 1e-6])).z[1] == pytest.approx(0.5, abs=1e-5)
    assert lower_solve._inside(here, np.array([3.0])).z[1] == 0.75
    outside = at(here.problem, 0, 2)
    assert lower_solve._inside(outside, np.array([5.0])) is outside


# -- what is made of the ends


def test_values_of_points_that_break_rows_are_infinite():
    f = of_y(1, lambda y: -np.log(y), lambda y: -1 / y, lambda y: 1 / y**2)
    here = at(bilevel(1, 1, flat(2), f, Y=Box(-np.inf, 2.0)), 0, 1)
    with np.errstate(all="ignore"):
        values = [lower_solve._value(here, np.array([y])) for y in (1.0, 2 + 1e-8, 2.1, -1.0)]
    assert values == [0.0, pytest.approx(-np.log(2)), np.inf, np.inf]


def test_both_wells_of_equal_depth_are_minimizers_and_all_ends_are_starts():
    even = of_y(1, lambda y: (y**2 - 1) ** 2, lambda y: 4 * y * (y**2 - 1), lambda y: 12 * y**2 - 4)
    found = solve_lower(at(bilevel(1, 1, flat(2), even), 0, 3), 0)
    assert sorted(np.ravel(found.minimizers)) == pytest.approx([-1, 1], abs=1e-6)
    assert found.gap == pytest.approx(64.0)
    assert found.value == pytest.approx(0.0, abs=1e-12)
    found = solve_lower(at(bilevel(1, 1, flat(2), wells(1)), 0, 0.96), 0)
    assert np.ravel(found.minimizers) == pytest.approx([-1.0357], abs=1e-3)
    assert {-1, 1} <= set(np.sign(np.ravel(found.starts)))
    again = solve_lower(at(bilevel(1, 1, flat(2), wells(1)), 0, 0.96), 0, starts=[])
    assert np.ravel(again.minimizers) == pytest.approx([0.96], abs=1e-2)  # from there alone
    assert again.label == "multi-start only"


@pytest.mark.parametrize(("broken", "kept"), [(0.5e-8, True), (3e-8, False)])
def test_the_candidate_is_an_answer_too_where_it_is_feasible(monkeypatch, broken, kept):
    """Where local solves end higher than the candidate, which breaks y >= 0 by so much, its value counts."""
    monkeypatch.setattr(lower_solve, "local_solve", lambda local, start: np.array([0.1]))
    f = of_y(1, lambda y: np.exp(y) - 1, np.exp, np.exp)
    here = at(bilevel(1, 1, flat(2), f, Y=Box(0, np.inf)), 0, -broken)
    found = solve_lower(here, 0, starts=[])
    assert found.value == pytest.approx(-broken if kept else np.exp(0.1) - 1, rel=1e-6)
    assert found.gap == here.lower_value - found.value


def test_a_quadratic_program_says_whether_its_solution_is_unique_and_whether_its_values_agree(monkeypatch):
    """f = (y_0 - 1)^2 / 2 at y = 3: the gap is 2; y_1 is free in the second form."""
    one = quadratic(np.diag([0.0, 1, 1]), [0, -1, 0], 0.5)
    free = quadratic(np.diag([0.0, 1, 0]), [0, -1, 0], 0.5)
    for f, unique in ((one, True), (free, None)):
        found = solve_lower(at(bilevel(1, 2, flat(3), f), 0, [3, 0]), 0)
        assert (found.unique, found.quadratic, found.note, found.starts) == (unique, True, "", [])
        assert found.gap == pytest.approx(2.0)
        assert found.value == pytest.approx(0.0, abs=1e-9)
        assert found.minimizers[0][0] == pytest.approx(1.0)
    real = lower_solve.lower_qp
    for apart, told in ((2e-7, False), (3.5e-7, True)):  # f = 2 there: 3e-7 are allowed
        monkeypatch.setattr(lower_solve, "lower_qp", lambda local, d=apart: replace(real(local), bound=-2 - d))
        found = solve_lower(at(bilevel(1, 2, flat(3), one), 0, [3, 0]), 0)
        assert found.gap == pytest.approx(2 + apart, abs=1e-12)
        assert ("differ" in found.note) is told


@pytest.mark.parametrize(("least", "unique"), [(5e-10, True), (5e-11, None)])
def test_a_solution_is_unique_where_curvature_is_more_than_rounding(least, unique):
    found = solve_lower(at(bilevel(1, 2, flat(3), quadratic(np.diag([0, 1, least]), [0, 0, 0])), 0, [0, 0]), 0)
    assert found.unique is unique


@pytest.mark.parametrize(("tilt", "count"), [(2e-9, 2), (2e-8, 1)])
def test_wells_count_as_equally_deep_up_to_rounding_of_f(tilt, count):
    """(y^2 - 1)^2 + tilt y, whose wells differ by twice the tilt; the scale of f at y = 3 is 97."""
    even = of_y(1, lambda y: (y**2 - 1) ** 2 + tilt * y, lambda y: 4 * y * (y**2 - 1) + tilt, lambda y: 12 * y**2 - 4)
    found = solve_lower(at(bilevel(1, 1, flat(2), even, Y=Box(-4, 4)), 0, 3), 0)
    assert len(found.minimizers) == count


@pytest.mark.parametrize(("fall", "told"), [(2e-5, False), (4e-4, True)])
def test_a_point_of_the_search_counts_where_it_is_lower_than_every_end(monkeypatch, fall, told):
    """f = 1e3 + fall (tanh(y) ...), no local solve ends: what the search saw must be lower by 1e-7 of f's size."""
    f = of_y(1, lambda y: 1e3 - fall * np.tanh(y) ** 3, lambda y: 0 * y, lambda y: 0 * y + (np.abs(y) > 30))
    monkeypatch.setattr(lower_solve, "local_solve", lambda local, start: None)
    found = lower_solve._solve_general(at(bilevel(1, 1, flat(2), f), 0, 0), 0, [np.array([25.0])])
    if told:
        assert found.gap == pytest.approx(fall)
        assert found.minimizers[0][0] == 25.0
        assert "no least value" in found.note
    else:
        assert np.isnan(found.gap)
        assert np.isnan(found.value)
        assert "no local solve" in found.note


@pytest.mark.parametrize("constant", [0.0, 7.0])
def test_of_a_constant_every_point_is_a_solution(constant):
    """F = (x - 1)^2 + (y - x)^2 over -2 <= y <= 2, which f leaves open."""
    f = quadratic(np.zeros((2, 2)), [0, 0], constant)
    problem = bilevel(1, 1, quadratic(np.array([[4.0, -2], [-2, 2]]), [-2, 0], 1), f, Y=Box(-2, 2))
    found = solve_lower(at(problem, 0.3, 2.0), 0)
    assert (found.gap, found.value, found.unique, found.quadratic) == (0.0, constant, None, True)
    assert certify(problem, point(1, 1)).status is PointStatus.CERTIFIED
    assert certify(problem, point(1, 0.9)).status is PointStatus.FEASIBLE


def test_of_a_constant_the_solution_is_a_point_that_the_rows_allow():
    """x <= y <= 2 at x = 1, from y = 0; and none where x = 3."""
    floor = rows(Quadratic([None], csr_array(np.array([[1.0, -1.0]])), np.zeros(1)), 2)
    problem = bilevel(1, 1, flat(2), flat(2), g=floor, Y=Box(-2, 2))
    found = solve_lower(at(problem, 1, 0), 0)
    assert (found.gap, found.value) == (0.0, 0.0)
    assert 1 - 1e-6 <= found.minimizers[0][0] <= 2 + 1e-6
    assert np.isnan(solve_lower(at(problem, 3, 0), 0).gap)


def test_a_quadratic_program_without_an_answer_has_no_gap():
    falls = quadratic(np.zeros((2, 2)), [0, 1])
    found = solve_lower(at(bilevel(1, 1, flat(2), falls), 0, 0), 0)
    assert found.gap == np.inf
    assert "UNBOUNDED" in found.note.upper()
    nowhere = rows(Quadratic([None, None], csr_array([[0.0, 1.0], [0.0, -1.0]]), np.array([1.0, 1.0])), 2)
    found = solve_lower(at(bilevel(1, 1, flat(2), falls, g=nowhere), 0, 0), 0)
    assert np.isnan(found.gap)
    assert found.quadratic


def test_what_breaks_rows_is_added_up_in_the_merit():
    """f = y_0; y_0 <= 0 broken by 2, y_1 <= 0 not, y_0 + y_1 = 3 missed by 4."""
    f = quadratic(np.zeros((3, 3)), [0, 1, 0])
    table = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    below = rows(Quadratic([None, None], csr_array(table), np.zeros(2)), 3)
    assert lower_solve._merit(at(bilevel(1, 2, flat(3), f, g=below), 0, [2, -3]), 10.0) == 2 + 20
    line = equations(Quadratic([None], csr_array(np.array([[0.0, 1.0, 1.0]])), -3.0), 3)
    assert lower_solve._merit(at(bilevel(1, 2, flat(3), f, g=line), 0, [2, -3]), 10.0) == 2 + 40


def test_rows_that_bend_the_wrong_way_are_no_convex_level():
    """1 - y^2 <= 0 is the outside of an interval; as an equation nobody asks it to be convex."""
    ring = quadratic(np.diag([0.0, -2.0]), [0, 0], 1.0)
    bowl = quadratic(np.diag([0.0, 1.0]), [0, 0])
    assert lower_solve.negative_curvature(at(bilevel(1, 1, flat(2), bowl, g=rows(ring, 2)), 0, 2), 0) == 1.0
    assert lower_solve.negative_curvature(at(bilevel(1, 1, flat(2), bowl, g=equations(ring, 2)), 0, 1), 0) == 0.0
    for size, told in ((0.5e-8, 0.0), (3e-8, 3e-8)):
        bent = quadratic(np.diag([0.0, 1.0, -size]), [0, 0, 0])
        assert lower_solve.negative_curvature(at(bilevel(1, 2, flat(3), bent), 0, [0, 0]), 0) == told
