"""Classes of problems on which a Newton method goes wrong easily, each in a small form."""

from __future__ import annotations

import numpy as np
import pytest
from nonlinear_cases import context, small, solve

from solverkit.kinds.nonlinear.problem import MULTIPLIERS
from solverkit.plugin import PointStatus
from solverkit_sketched_newton import restoration
from solverkit_sketched_newton.options import SketchedNewtonOptions
from solverkit_sketched_newton.production import Production

FREE = 1e30


@pytest.mark.parametrize("wall", [1e3, 1e4])
def test_along_a_curved_valley_the_gradient_may_grow(wall):
    """Around a circle with steep walls, from one end of its diameter to the other: f falls, |grad f| does not."""
    result = solve(small(2, f"x[0] + {wall}*(normsq(x) - 1)**2", [1.1, 0.1]), tol=1e-6)
    assert result.point_status is PointStatus.CERTIFIED
    np.testing.assert_allclose(result.x, [-1, 0], atol=1.0 / wall)


def test_a_valley_is_followed_whatever_the_units_of_f():
    result = solve(small(2, "1e6*(x[0] + 1000*(normsq(x) - 1)**2)", [1.1, 0.1]), tol=1e-6)
    assert result.point_status is PointStatus.CERTIFIED
    np.testing.assert_allclose(result.x, [-1, 0], atol=1e-3)


def test_a_system_of_equations_has_no_multipliers():
    """From a point where the Jacobian is singular, and from one where Newton's step is much too long."""
    result = solve(small(2, "0", [1.0, 1.0], a="x[0]*x[1] == 1", b="sum(x) == 2.5"))
    assert result.point_status is PointStatus.CERTIFIED
    assert result.nit <= 15
    np.testing.assert_array_equal(result.point[MULTIPLIERS], 0)
    result = solve(small(1, "0", 30.0, a="atan(x[0]) == 0"))
    assert result.point_status is PointStatus.CERTIFIED


def test_an_objective_that_is_flat_at_the_start_is_none_of_these():
    """grad f = 0 there, but f bends: one step with the multipliers solves it."""
    result = solve(small(2, "normsq(x)", 0.0, a="x[0] + 2*x[1] == 5"))
    assert result.nit == 1
    np.testing.assert_allclose(result.point[MULTIPLIERS], [-2], atol=1e-8)


@pytest.mark.parametrize("objective", ["normsq(x)", "0"])
def test_rows_whose_gradients_vanish_are_followed_to_their_points(objective):
    """c >= 0 touches 0 at one point: c is small long before that is near."""
    result = solve(small(2, objective, [2.0, -1.0], a="0.001*(x[0] - x[1])**2 + 0.001*(x[1] + 2*x[0])**2 == 0"), 1e-6)
    assert result.point_status is PointStatus.CERTIFIED
    np.testing.assert_allclose(result.x, 0, atol=1e-5)


def test_large_bounds_are_kept_where_rows_see_it():
    """x_0 ends at its bound of 1000, and x_1 with it."""
    result = solve(small(2, "-x[0]", 1.0, upper=[1000, FREE], a="x[1] - x[0] == 0"), tol=1e-6)
    assert result.point_status is PointStatus.CERTIFIED
    np.testing.assert_allclose(result.x, 1000, atol=2e-6)
    result = solve(small(2, "-x[0]", 1e9, upper=[1e10, FREE], a="x[1]/x[0] == 1"), tol=1e-6)
    assert result.x[0] == pytest.approx(1e10)


@pytest.mark.parametrize("radius", [1.0, 30.0, 1000.0])
def test_flat_maxima_of_the_violation_are_left(radius):
    """The centre of a great circle: the violation is stationary, and falls by 1e-10 near by."""
    problem = small(2, "x[0]", 0.0, a=f"normsq(x)/{radius**2} == 1")
    method, ctx = Production(SketchedNewtonOptions()), context(1e-6)
    state = method.init(problem, problem.start(ctx.rng), ctx)
    assert restoration.vanishes(state, method._form)
    assert restoration.shaken(problem, state, method._form, ctx.rng)
    assert not restoration.vanishes(state, method._form)


def test_rows_that_are_flat_at_the_answer_keep_their_bounds():
    """Gradients of order one at the start, 1e-6 at the answer, near x = 1000: 1e-8 in the row is 0.01 in x."""
    problem = small(2, "sum(x)", 1.0, lower=1e-3, upper=1e5, a="1/x[0] + 4/x[1] <= 0.004")
    result = solve(problem, tol=1e-6)
    assert result.point_status is PointStatus.CERTIFIED
    np.testing.assert_allclose(result.x, [750, 1500], rtol=1e-6)
