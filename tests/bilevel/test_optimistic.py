"""The best upper value over many lower solutions: no local minimum of F among them is taken for the best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel import optimistic
from solverkit.kinds.bilevel.build import bilevel as problem
from solverkit.kinds.bilevel.certificate import certify
from solverkit.kinds.bilevel.lower_solve import LowerAnswer
from solverkit.kinds.bilevel.optimistic import Solutions, best_upper
from solverkit.operators.qp import Outcome
from solverkit.operators.sets import Box

from .functions import Quadratic, at, bilevel, equations, flat, of_y, quadratic

MANY = LowerAnswer("proved convex QP", 0.0, 0.0, [np.zeros(1)], quadratic=True)
"""Every y is a lower solution."""


def quartic(lean=0.0):
    """y^2 - y^4 / 2 + lean y^3: a minimum at 0, and lower ends of an interval."""
    return of_y(
        1,
        lambda y: y**2 - 0.5 * y**4 + lean * y**3,
        lambda y: 2 * y - 2 * y**3 + 3 * lean * y**2,
        lambda y: 2 - 6 * y**2 + 6 * lean * y,
    )


def corners(here):
    return Solutions.of(here, here).corners(0)


@pytest.mark.parametrize("f", ["0*y[0]*x[0] + y[1]**2", "(y[0] + y[1] - x[0])**2"])
@pytest.mark.parametrize("F", ["x[0]**2 + y[0]**2 - y[0]**4", "x[0]**2 - cos(3*y[0]) + 0.2*y[0]"])
def test_a_local_minimum_of_f_among_the_lower_solutions_is_not_certified(F, f):
    lower = {"variables": {"y": {"shape": 2, "lower": -3, "upper": 3}}, "minimize": f}
    found = certify(
        problem({"variables": {"x": {"shape": 1}}, "minimize": F}, lower), {"x": np.zeros(1), "y": np.zeros(2)}
    )
    assert found.status is PointStatus.FEASIBLE
    assert not found["optimistic"].ok
    assert "local minimum" in found["optimistic"].note


def test_the_best_one_is():
    """F = (x - 1)^2 + (y_0^2 - 1)^2 + y_0 / 4 over y_0 + y_1 = x: the left well."""
    F = "(x[0] - 1)**2 + (y[0]**2 - 1)**2 + y[0]/4"
    lower = {"variables": {"y": {"shape": 2, "lower": -3, "upper": 3}}, "minimize": "(y[0] + y[1] - x[0])**2"}
    both = problem({"variables": {"x": {"shape": 1}}, "minimize": F}, lower)
    left, right = sorted(root.real for root in np.roots([4, 0, -4, 0.25]) if abs(root.real) > 0.5)
    for well, status in ((left, PointStatus.CERTIFIED), (right, PointStatus.FEASIBLE)):
        assert certify(both, {"x": np.ones(1), "y": np.array([well, 1 - well])}).status is status


def test_only_a_search_leaves_the_nearest_minimum():
    here = at(bilevel(1, 1, quartic(), flat(2), Y=Box(-2, 3)), 0, 0)
    near = best_upper(here, MANY)
    assert (near.value, near.y[0], near.exact) == (0.0, 0.0, False)
    best = best_upper(here, MANY, seed=0)
    assert best.y[0] == pytest.approx(3.0)
    assert best.value == pytest.approx(9 - 81 / 2)
    assert not best.exact


def test_a_search_looks_on_the_way_too_and_as_far_as_ten_times_y_where_nothing_ends():
    """-exp(-(y - 4)^2) / 9 beside a bowl of curvature 0.02: the well at 4 is lower than both ends of -10 to 10."""
    dip = of_y(
        1,
        lambda y: 0.01 * y**2 - np.exp(-((y - 4) ** 2)),
        lambda y: 0.02 * y + 2 * (y - 4) * np.exp(-((y - 4) ** 2)),
        lambda y: 0.02 + (2 - 4 * (y - 4) ** 2) * np.exp(-((y - 4) ** 2)),
    )
    here = at(bilevel(1, 1, dip, flat(2)), 0, 0)
    best = best_upper(here, MANY, seed=0)
    assert best.y[0] == pytest.approx(4.0, abs=0.1)
    found = np.ravel(list(corners(here)))
    assert sorted(set(np.round(found, 6))) == [-10.0, 10.0]
    assert len(found) == 8 + 2


@pytest.mark.parametrize("drawn", [0, 8])
def test_corners_are_those_of_the_lower_solutions(monkeypatch, drawn):
    """y_0 + y_1 = 1 in the box from -3 to 3, from (1, 0) and from (-1, 2)."""
    monkeypatch.setattr(optimistic, "CORNERS", drawn)
    line = equations(Quadratic([None], csr_array(np.array([[0.0, 1.0, 1.0]])), -1.0), 3)
    for y in ([1.0, 0.0], [-1.0, 2.0]):
        here = at(bilevel(1, 2, flat(3), flat(3), g=line, Y=Box(-3, 3)), 0, y)
        found = np.round(np.array(list(corners(here))), 6)
        assert {tuple(corner) for corner in found.tolist()} == {(-2.0, 3.0), (3.0, -2.0)}
        assert len(found) == drawn + 4


@pytest.mark.parametrize(("m", "count"), [(10, 8 + 20), (11, 8)])
def test_corners_of_each_coordinate_are_for_few(m, count):
    here = at(bilevel(1, m, flat(1 + m), flat(1 + m), Y=Box(-1, 1)), 0, np.zeros(m))
    found = list(corners(here))
    assert len(found) == count
    assert all(np.abs(corner).max() <= 1 + 1e-9 for corner in found)


@pytest.mark.parametrize(("size", "lean", "told"), [(0, 1e-12, False), (1e3, 2.5e-7, False), (1e3, 2.5e-6, True)])
def test_what_is_no_lower_by_more_than_rounding_changes_nothing(size, lean, told):
    """Two wells, of which the other one is lower by twice the lean; F is known to 1e-9 of its size."""
    even = of_y(
        1,
        lambda y: size + (y**2 - 1) ** 2 - lean * y,
        lambda y: 4 * y * (y**2 - 1) - lean,
        lambda y: 12 * y**2 - 4,
    )
    here = at(bilevel(1, 1, even, flat(2), Y=Box(-3, 3)), 0, -1)
    answer = replace(MANY, minimizers=[np.array([-1.0])])
    assert best_upper(here, answer, seed=0).y[0] == pytest.approx(1.0 if told else -1.0, abs=1e-5)


@pytest.mark.parametrize(("F", "exact"), [(quadratic(np.diag([0.0, 2]), [0, -2], 5.0), True), (quartic(), False)])
def test_a_convex_quadratic_alone_is_known_to_have_one_minimum(F, exact):
    """At a point where a step gains nothing, too."""
    here = at(bilevel(1, 1, F, flat(2)), 0, 1 if exact else 0)
    best = best_upper(here, replace(MANY, minimizers=[here.z[1:]]))
    assert best.exact is exact
    assert (best.note == "") is exact


@pytest.mark.parametrize("lean", [0.1, -0.1])
def test_a_concave_quadratic_is_followed_to_an_end(lean):
    """-y^2 - lean y from 0: each shifted step of Newton goes a part of the way to the end that it falls to."""
    here = at(bilevel(1, 1, quadratic(np.diag([0.0, -2]), [0, -lean]), flat(2), Y=Box(-2, 2)), 0, 0)
    best = best_upper(here, MANY)
    assert best.y[0] == pytest.approx(2 * np.sign(lean))
    assert best.value == pytest.approx(-4.2)
    assert not best.exact


def test_f_without_a_least_value_among_the_lower_solutions_says_so():
    here = at(bilevel(1, 1, quadratic(np.zeros((2, 2)), [0, 1]), flat(2)), 0, 0)
    best = best_upper(here, MANY)
    assert best.value == -np.inf
    assert best.exact
    assert "unbounded" in best.note.lower()


def test_lower_solutions_that_no_program_finds_leave_the_first(monkeypatch):
    here = at(bilevel(1, 1, quadratic(np.diag([0.0, 2]), [0, -2], 5.0), flat(2)), 0, 0)
    real = optimistic.solve_qp
    monkeypatch.setattr(optimistic, "solve_qp", lambda *given: replace(real(*given), outcome=Outcome.FAILED))
    best = best_upper(here, MANY)
    assert (best.value, best.y[0], best.exact) == (5.0, 0.0, False)
    assert list(corners(here)) == []


# -- under rows of the upper level


def row(*slopes, at_most=0.0):
    return Quadratic([None], csr_array([slopes]), -at_most)


@pytest.mark.parametrize("units", [1e-3, 1.0, 1e3])
def test_the_upper_rows_choose_among_the_lower_solutions(units):
    """F = -y_0 over y_1 = 0 and the box from -3 to 3: with y_0 <= 1 in any units it is -1, and at y_0 = 0 not."""
    lower = {"variables": {"y": {"shape": 2, "lower": -3, "upper": 3}}, "minimize": "y[1]**2"}
    upper = {"variables": {"x": {"shape": 1}}, "minimize": "x[0]**2 - y[0]"}
    free, held = problem(upper, lower), problem(upper | {"subject_to": {"G": f"{units}*y[0] <= {units}"}}, lower)
    for which, y, status in (
        (held, 1, "CERTIFIED"),
        (held, 0, "FEASIBLE"),
        (free, 3, "CERTIFIED"),
        (free, 1, "FEASIBLE"),
    ):
        found = certify(which, {"x": np.zeros(1), "y": np.array([y, 0.0])})
        assert found.status.name == status, (y, found)
    found = certify(held, {"x": np.zeros(1), "y": np.array([1.0, 0.0])})
    assert found.facts["best_upper_value"] == pytest.approx(-1.0)


def test_equations_and_curved_rows_of_the_upper_level_choose_too():
    """F = -y_0 - y_1 over the box from -3 to 3: on y_0 = 2 it is -5, in the disc of radius 1 it is -sqrt(2)."""
    F = quadratic(np.zeros((3, 3)), [0, -1, -1])
    many = replace(MANY, minimizers=[np.zeros(2)])
    line = equations(Quadratic([None], csr_array(np.array([[0.0, 1.0, 0.0]])), -2.0), 3)
    best = best_upper(at(bilevel(1, 2, F, flat(3), G=line, Y=Box(-3, 3)), 0, [2, 0]), many)
    assert best.exact
    assert best.y == pytest.approx([2, 3])
    disc = quadratic(np.diag([0.0, 2, 2]), [0, 0, 0], -1.0)
    for start in ([0.0, 0.0], [0.9, -0.2], [-0.6, -0.8]):
        here = at(bilevel(1, 2, F, flat(3), G=disc, Y=Box(-3, 3)), 0, start)
        best = best_upper(here, replace(MANY, minimizers=[np.array(start)]), seed=0)
        assert not best.exact
        assert -np.sqrt(2) - 1e-7 <= best.value < -1.3


def test_rows_of_x_alone_are_for_x_to_meet():
    """x <= 0 is broken at x = 1e-7, at either level, and says nothing about y."""
    F = quadratic(np.diag([0.0, 2]), [0, -2], 1.0)
    for level in ("G", "g"):
        here = at(bilevel(1, 1, F, flat(2), **{level: row(1.0, 0.0)}), 1e-7, 0)
        best = best_upper(here, MANY)
        assert best.exact
        assert best.y[0] == pytest.approx(1.0)


@pytest.mark.parametrize(("broken", "value"), [(1e-5, -1e-5), (1.0, 0.0)])
def test_lower_solutions_that_miss_upper_rows_by_a_little_are_taken_as_they_are(broken, value):
    """y_0 = 0 is the lower solution, F = -y_0 + y_1^2 and y_0 >= `broken`: the candidate itself misses the row."""
    f, F = quadratic(np.diag([0.0, 1, 0]), [0, 0, 0]), quadratic(np.diag([0.0, 0, 2]), [0, -1, 0])
    here = at(bilevel(1, 2, F, f, G=row(0.0, -1.0, 0.0, at_most=-broken)), 0, [0, 0.5])
    best = best_upper(here, replace(MANY, minimizers=[np.array([0.0, 0.5])]))
    if broken == 1.0:
        assert best.value == here.upper_value
        assert not best.exact
        assert "no lower solution" in best.note
    else:
        assert best.y == pytest.approx([0, 0], abs=1e-6)
        assert best.exact


@pytest.mark.parametrize(("limit", "y"), [(0.5, -1.0), (2.0, 1.0), (-2.0, None)])
def test_minimizers_that_were_found_are_compared_where_the_upper_rows_allow_them(limit, y):
    """F = -y at the wells -1 and 1, under y <= limit; the candidate is 0.3."""
    here = at(bilevel(1, 1, row(0.0, -1.0), flat(2), G=row(0.0, 1.0, at_most=limit)), 0, 0.3)
    answer = LowerAnswer("grid", 0.0, 0.0, [np.array([-1.0]), np.array([1.0])])
    best = best_upper(here, answer)
    assert not best.exact
    assert best.y[0] == (0.3 if y is None else y)
    assert best.value == -best.y[0]
    assert ("no lower solution" in best.note) is (y is None)
