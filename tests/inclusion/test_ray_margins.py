"""Rays in closed form: the margin of each proof, how far it reaches, and where rounding leaves none."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.kinds.inclusion import Inclusion, linear_program, rays
from solverkit.kinds.inclusion.certificate import certify

INF = np.inf
TINY = 2.0**-50


def facts(problem: Inclusion, x=None, **given):
    """What the blocks `infeasible` and `unbounded` prove, beside a point that solves nothing."""
    names = {"infeasible": "infeasibility_ray", "unbounded": "unboundedness_ray"}
    point = problem.start(np.random.default_rng(0))
    if x is not None:
        point["x"] = np.array(x, dtype=float)
    found = certify(problem, {**point, **{names[key]: np.asarray(ray) for key, ray in given.items()}}).facts
    return {key: found[key] for key in ("proven", "farkas_margin", "farkas_radius", "ray_fall") if key in found}


# -- no feasible point


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize(("upper", "margin"), [(1.0, 1.0), (0.0, 3.0), (1.499, 0.002), (1.5, None), (2.0, None)])
def test_bounds_below_a_row_are_proven_by_what_they_lack(size, upper, margin):
    """x1 + x2 >= 3 with x <= upper, in both ways of writing the row."""
    at_least = linear_program([0.0, 0.0], [[1.0, 1.0]], 3.0, INF, lower=-1.0, upper=upper)
    at_most = linear_program([0.0, 0.0], [[-1.0, -1.0]], -INF, -3.0, lower=-1.0, upper=upper)
    for problem, ray in ((at_least, [-size]), (at_most, [size])):
        expected = {} if margin is None else {"proven": "infeasible", "farkas_margin": pytest.approx(margin)}
        assert facts(problem, infeasible=ray) == expected
        assert facts(problem, infeasible=[-ray[0]]) == {}


def test_lower_bounds_above_a_row_are_proven_too():
    problem = linear_program([0.0, 0.0], [[1.0, 2.0]], -INF, 4.0, lower=[1.0, 2.0])
    assert facts(problem, infeasible=[1.0]) == {"proven": "infeasible", "farkas_margin": 1.0}


def test_parts_on_sides_that_are_missing_are_left_out():
    problem = linear_program([0.0], [[1.0], [1.0], [1.0]], [3.0, 0.0, -INF], [INF, INF, 9.0], upper=1.0)
    assert facts(problem, infeasible=[-1.0, 0.5, -0.5]) == {"proven": "infeasible", "farkas_margin": 2.0}


def between(low, high, **bounds):
    """x >= low and x <= high as two rows, with high below low."""
    return linear_program([0.0], [[1.0], [1.0]], [low, -INF], [INF, high], **bounds)


@pytest.mark.parametrize("bounds", [{"lower": -INF}, {"lower": -5.0}, {"lower": -INF, "upper": 5.0}])
@pytest.mark.parametrize("off", [0.0, 1e-9, -1e-9, 1e-8, -1e-8])
def test_a_ray_is_moved_to_where_rows_cancel_up_to_an_iterations_error(bounds, off):
    found = facts(between(1.0, 0.0, **bounds), infeasible=[-1.0, 1.0 + off])
    assert found["proven"] == "infeasible"
    assert found["farkas_margin"] == pytest.approx(1, rel=1e-7)


@pytest.mark.parametrize("off", [1e-3, -1e-3, 1.0])
def test_rows_that_do_not_cancel_prove_nothing_of_a_free_variable(off):
    assert facts(between(1.0, 0.0, lower=-INF), infeasible=[-1.0, 1.0 + off]) == {}


def test_what_rounding_leaves_on_free_variables_limits_how_far_the_proof_reaches():
    """x >= 1 and (1 - t) x <= 0 hold far out: from 1 / t on, the second row's weight is not enough."""
    problem = between(1.0, 0.0, lower=-INF)
    expected = {"proven": "infeasible", "farkas_margin": 1.0, "farkas_radius": 1 / TINY}
    for x in (0.0, 1.1e9, -1.1e9):
        assert facts(problem, [x], infeasible=[-1.0, 1.0 - TINY]) == expected
    for x in (1.2e9, -1.2e9):
        assert facts(problem, [x], infeasible=[-1.0, 1.0 - TINY]) == {}
    exact = {"proven": "infeasible", "farkas_margin": 1.0}
    assert facts(problem, [1e15], infeasible=[-1.0, 1.0]) == exact


def test_a_proof_reaches_a_million_times_as_far_as_the_point_and_1():
    problem = between(1e-9, 0.0, lower=-INF)
    found = facts(problem, [0.0], infeasible=[-1.0, 1.0 - TINY])
    assert found["farkas_radius"] == pytest.approx(1.126e6, rel=1e-3)
    assert "proven" in facts(problem, [0.12], infeasible=[-1.0, 1.0 - TINY])
    assert "proven" not in facts(problem, [0.13], infeasible=[-1.0, 1.0 - TINY])


def test_what_is_left_on_several_variables_adds_up():
    rows = [[1.0, 1.0], [1.0, 1.0]]
    problem = linear_program([0.0, 0.0], rows, [1.0, -INF], [INF, 0.0], lower=-INF)
    assert facts(problem, infeasible=[-1.0, 1.0 - TINY])["farkas_radius"] == 1 / (2 * TINY)


@pytest.mark.parametrize(("size", "proven"), [(1e10, True), (1e12, False)])
def test_a_margin_within_the_rounding_of_its_terms_is_none(size, proven):
    by_rows = facts(between(size + 1, size, lower=-INF), infeasible=[-1.0, 1.0])
    by_bounds = facts(linear_program([0.0], [[1.0]], size + 1, INF, upper=size), infeasible=[-1.0])
    by_both = facts(linear_program([0.0], [[1.0]], -INF, -size - 1, lower=-size), infeasible=[1.0])
    assert {"proven" in found for found in (by_rows, by_bounds, by_both)} == {proven}


@pytest.mark.parametrize("y", [[1.0, 1.0], [0.0, 1.0], [-1.0, 0.5], [1.0, -1.0]])
def test_where_nothing_is_proven_margin_and_reach_are_zero(y):
    assert rays.infeasibility(between(1.0, 0.0, lower=-INF).structure, np.array(y)) == (0, 0)


def test_a_margin_that_is_not_a_number_is_none():
    """A'y overflows, and presses on the bound 0 with no force that is known. x = 0 is feasible."""
    problem = linear_program([0.0], [[1e308], [1e308]], -INF, 5.0)
    assert facts(problem, infeasible=[1.0, 1.0]) == {}


def test_a_margin_of_zero_is_none():
    """x >= 0 and x <= 0 add up to 0 <= 0."""
    assert facts(between(0.0, 0.0, lower=-INF), infeasible=[-1.0, 1.0]) == {}


def test_a_variable_that_is_in_no_row_stands_in_the_way_of_no_proof():
    problem = linear_program([0.0, 1.0], [[1.0, 0.0], [1.0, 0.0]], [1.0, -INF], [INF, 0.0], lower=-INF)
    assert facts(problem, infeasible=[-1.0, 1.0]) == {"proven": "infeasible", "farkas_margin": 1.0}


# -- rays as they come


@pytest.mark.parametrize(
    "ray", [[-1.0, 1.0, 0.0], [-1.0], [[-1.0], [1.0]], [-np.inf, np.inf], [np.nan, 1.0], [0.0, 0.0]]
)
def test_what_is_no_ray_proves_nothing(ray):
    assert facts(between(1.0, 0.0), infeasible=ray) == {}
    down = linear_program([-1.0, 0.0], [[0.0, 1.0]], -INF, 1.0)
    assert facts(down, unbounded=[-value if np.ndim(value) == 0 else value for value in ray]) == {}


@pytest.mark.parametrize(("dust", "proven"), [(1e-16, True), (0.9e-14, True), (1.1e-14, False), (1e-3, False)])
def test_an_entry_that_rounding_left_of_zero_spoils_no_proof(dust, proven):
    """The third row holds a free variable alone."""
    rows, low, high = [[1.0, 0], [1.0, 0], [0, 1.0]], [1.0, -INF, -INF], [INF, 0.0, 1.0]
    problem = linear_program([0.0, 0.0], rows, low, high, lower=-INF)
    assert ("proven" in facts(problem, infeasible=[-1.0, 1.0, dust])) is proven


def test_an_entry_that_is_small_since_its_row_is_large_counts():
    problem = linear_program([0.0], [[1.0], [2.0**60]], [1.0, -INF], [INF, 0.0], lower=-INF)
    assert facts(problem, infeasible=[-1.0, 2.0**-60])["proven"] == "infeasible"


def test_a_ray_of_unboundedness_without_its_dust_is_one_too():
    problem = linear_program([-1.0, 0.0], [[0.0, 1.0]], 0.0, 1.0, lower=-INF)
    for dust, proven in ((1e-16, True), (-0.9e-14, True), (1.1e-14, False)):
        assert ("proven" in facts(problem, unbounded=[1.0, dust])) is proven


# -- no least value


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_a_ray_falls_by_what_a_unit_of_it_gains(size):
    problem = linear_program([-2.0, 1.0], [[1.0, -1.0]], -INF, 2.0)
    assert facts(problem, unbounded=[size, size]) == {"proven": "unbounded", "ray_fall": 1.0}


@pytest.mark.parametrize(
    ("lower", "upper", "d", "proven"),
    [
        (0.0, INF, 1.0, True),
        (0.0, INF, -1.0, False),
        (-INF, 0.0, -1.0, True),
        (-INF, 0.0, 1.0, False),
        (-INF, INF, 1.0, True),
        (-INF, INF, -1.0, True),
        (0.0, 1.0, 1.0, False),
        (0.0, 1.0, -1.0, False),
        (0.0, INF, -1e-7, True),  # what an iteration leaves of 0
        (0.0, INF, -1e-5, False),
        (-INF, 0.0, 1e-7, True),
        (-INF, 0.0, 1e-5, False),
        (0.0, 1.0, 1e-7, True),
        (0.0, 1.0, -1e-7, True),
    ],
)
def test_a_ray_keeps_every_bound(lower, upper, d, proven):
    """x1 falls for ever; x2 has these bounds, no row and no cost."""
    problem = linear_program([-1.0, 0.0], [[1.0, 0.0]], 0.0, INF, lower=[0.0, lower], upper=[INF, upper])
    assert ("proven" in facts(problem, unbounded=[1.0, d])) is proven


@pytest.mark.parametrize(
    ("low", "high", "d", "proven"),
    [
        (-INF, 3.0, -1.0, True),
        (-INF, 3.0, 1.0, False),
        (-3.0, INF, 1.0, True),
        (-3.0, INF, -1.0, False),
        (-INF, INF, 1.0, True),
        (-INF, INF, -1.0, True),
        (-3.0, 3.0, 1.0, False),
        (-3.0, 3.0, -1.0, False),
    ],
)
def test_a_ray_keeps_every_row(low, high, d, proven):
    """x1 falls for ever; the row is x2."""
    problem = linear_program([-1.0, 0.0], [[0.0, 1.0]], low, high, lower=-INF)
    assert ("proven" in facts(problem, unbounded=[1.0, d])) is proven


@pytest.mark.parametrize("off", [1e-9, -1e-9])
@pytest.mark.parametrize("row", [(0.0, 0.0), (-INF, 0.0), (0.0, INF)])
def test_a_ray_of_unboundedness_is_moved_onto_its_rows(off, row):
    problem = linear_program([-2.0, 1.0], [[1.0, -1.0]], *row)
    found = facts(problem, unbounded=[1.0, 1.0 + off])
    assert found["ray_fall"] == pytest.approx(1, rel=1e-6)
    if row == (0.0, 0.0):
        assert facts(problem, unbounded=[1.0, 1.0 + 1e-3]) == {}


def test_what_rounding_leaves_in_a_row_breaks_it_not():
    problem = linear_program([-2.0, 1.0], [[1.0 + TINY, -1.0], [0.0, -1.0]], -INF, 0.0)
    assert facts(problem, unbounded=[1.0, 1.0]) == {"proven": "unbounded", "ray_fall": 1.0}


@pytest.mark.parametrize(("gain", "proven"), [(1e-8, True), (1e-10, False), (0.0, False), (-1e-3, False)])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_fall_within_the_rounding_of_its_terms_is_none(gain, proven, unit):
    problem = linear_program([-unit, unit], [[1.0, 1.0]], 0.0, INF)
    assert ("proven" in facts(problem, unbounded=[1.0, 1.0 - gain])) is proven


# -- a ray needs a point to start from


@pytest.mark.parametrize(
    ("row", "bounds", "feasible"),
    [
        ((1.0, INF), (-INF, INF), True),
        ((-INF, -1.0), (-INF, INF), True),
        ((1.0, INF), (0.0, 1.0), True),  # they touch
        ((1.0, INF), (0.0, 0.5), False),
        ((1.0, INF), (-INF, 0.5), False),
        ((-INF, -1.0), (0.0, INF), False),
        ((-INF, -1.0), (-1.0, 0.0), True),
        ((2.0, 2.0), (0.0, 2.0), True),
        ((2.0, 2.0), (0.0, 1.0), False),
        ((-2.0, -2.0), (0.0, 1.0), False),
        ((-1.0, 3.0), (2.0, 9.0), True),
        ((-1.0, 3.0), (4.0, 9.0), False),
        ((1.0, INF), (0.0, 1.0 - 5e-10), False),  # by little, but by more than its rounding
    ],
)
def test_a_ray_proves_what_a_feasible_point_lets_it(row, bounds, feasible):
    """x1 falls for ever from wherever x2 is within its row and its bounds."""
    problem = linear_program([-1.0, 0.0], [[0.0, 1.0]], *row, lower=[0.0, bounds[0]], upper=[INF, bounds[1]])
    assert ("proven" in facts(problem, [0.0, 77.0], unbounded=[1.0, 0.0])) is feasible


@pytest.mark.parametrize(
    ("x", "proven"),
    [([0.0, 1.0], True), ([0.0, 0.0], False), ([0.0, 0.9e6], True), ([0.0, 1.1e6], False), ([3e6, 1.0], True)],
)
def test_in_a_large_program_the_point_at_hand_is_to_be_feasible_and_not_too_large(monkeypatch, x, proven):
    problem = linear_program([-1.0, 0.0], [[0.0, 1.0]], 1.0, INF)
    monkeypatch.setattr(rays, "MAX_LP", 1)
    assert ("proven" in facts(problem, x, unbounded=[1.0, 0.0])) is proven


def test_a_broken_row_in_a_small_unit_leaves_a_large_program_without_a_point(monkeypatch):
    rows = [[0.0, 1e5], [1e-6, 0.0]]
    problem = linear_program([-1.0, 0.0], rows, [1e5, 1e-6], INF)
    point = [0.5, 1.0]
    monkeypatch.setattr(rays, "MAX_LP", 1)
    broken = certify(problem, {"x": np.array(point), "y": np.zeros(2)})
    assert (broken["primal"].ok, broken["rows"].ok) == (True, False)
    assert facts(problem, point, unbounded=[1.0, 0.0]) == {}
    assert facts(problem, [1.0, 1.0], unbounded=[1.0, 0.0])["proven"] == "unbounded"


def test_a_program_of_the_largest_size_has_its_point_sought(monkeypatch):
    problem = linear_program([-1.0, 0.0], [[0.0, 1.0]], 1.0, INF)
    for largest, proven in ((2, True), (1, False)):
        monkeypatch.setattr(rays, "MAX_LP", largest)
        assert ("proven" in facts(problem, [0.0, 0.0], unbounded=[1.0, 0.0])) is proven


def test_both_rays_may_be_given():
    problem = linear_program([-1.0, 0.0], [[0.0, 1.0]], 1.0, INF)
    found = facts(problem, infeasible=[1.0], unbounded=[1.0, 0.0])
    assert found == {"proven": "unbounded", "ray_fall": 1.0}
