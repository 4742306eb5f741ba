"""The standard form: slacks, fixed variables, dropped rows, scaling, against the definitions."""

from __future__ import annotations

import numpy as np
import pytest
from nonlinear_cases import context, small

from solverkit.kinds.nonlinear.build import nonlinear
from solverkit_sketched_newton.form import RELAX, Form, Scaling, gradient_scaling, pushed
from solverkit_sketched_newton.options import SketchedNewtonOptions
from solverkit_sketched_newton.production import Production

INF = np.inf


def mixed():
    """A fixed variable, an equality, a range, one-sided rows, and a row without bounds."""
    problem = nonlinear(
        {"x": {"shape": 4, "start": [0.5, 2, 0.3, 1], "lower": [0, 2, -1e30, -1], "upper": [1, 2, 1e30, 4]}},
        "exp(x[0]) + x[1]*x[2]**2 + x[3]**2",
        {
            "eq": "x[0]*x[1] + x[2] == 1",
            "range": "-1 <= x[0] + x[3]**2 <= 3",
            "low": "x[2]*x[3] >= -5",
            "up": "300*x[0]**2 <= 200",
        },
    )
    from dataclasses import replace

    lowest, highest = problem.lowest.copy(), problem.highest.copy()
    lowest[2], highest[2] = -INF, INF
    lower, upper = problem.lower.copy(), problem.upper.copy()
    lower[2] = -INF  # `low` has no bound any more
    return replace(problem, lowest=lowest, highest=highest, lower=lower, upper=upper)


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("scaled", [False, True])
def test_values_and_derivatives_fit_each_other(dense, scaled):
    """c, J and the Hessian of the form agree with differences of f and c of the form."""
    problem = mixed()
    form, rng = Form(problem, 1e-6, dense=dense), np.random.default_rng(0)
    assert (form.n, form.m, form.slacks) == (3 + 2, 3, 2)
    if scaled:
        form.scale(Scaling(0.3, np.array([0.5, 1.0, 0.01]), np.ones(3)))
    w, y = rng.uniform(0.2, 0.8, form.n), rng.standard_normal(form.m)
    g, jacobian = form.slopes(problem, w)
    hessian = form.hessian(problem, w, y)
    jacobian, hessian = (part.toarray() if hasattr(part, "toarray") else part for part in (jacobian, hessian))
    h = 1e-6
    for j in range(form.n):
        e = np.eye(form.n)[j] * h
        (f1, c1), (f0, c0) = form.values(problem, w + e), form.values(problem, w - e)
        assert (f1 - f0) / (2 * h) == pytest.approx(g[j], abs=1e-6)
        np.testing.assert_allclose((c1 - c0) / (2 * h), jacobian[:, j], atol=1e-6)
        ends = []
        for sign in (1, -1):
            gradient, rows = form.slopes(problem, w + sign * e)
            ends.append(gradient + rows.T @ y)
        np.testing.assert_allclose((ends[0] - ends[1]) / (2 * h), hessian[:, j], atol=1e-5)
        np.testing.assert_allclose(form.product(problem, w, y, np.eye(form.n)[j]), hessian[:, j], atol=1e-12)


def test_rows_mean_what_the_problem_says():
    """c = 0 with slacks in their bounds is feasibility; x and multipliers come back in the problem's places."""
    problem, form = mixed(), None
    form = Form(problem, 1e-6)
    form.scale(Scaling(0.5, np.array([2.0, 1.0, 0.1]), np.ones(3)))
    w = np.array([0.5, 0.1, 1.0, 0.0, 0.0])
    x = form.full(w)
    np.testing.assert_array_equal(x, [0.5, 2, 0.1, 1])
    rows = problem.constraints(x)
    w[3:] = np.array([1.0, 0.1]) * rows[[1, 3]]
    _, c = form.values(problem, w)
    np.testing.assert_allclose(c, [2.0 * (rows[0] - 1), 0, 0], atol=1e-12)
    np.testing.assert_allclose(form.low[3:], [-1, -INF], atol=2 * RELAX)
    np.testing.assert_allclose(form.high[3:], [3, 20], atol=50 * RELAX)
    np.testing.assert_allclose(form.multipliers(np.array([1.0, 2.0, 3.0])), [4, 4, 0, 0.6])


def test_a_hessian_from_products_is_the_hessian():
    """Where the problem has products alone, small Hessians are formed from them."""
    problem = mixed()
    form = Form(problem, 1e-6)
    w, y = np.array([0.5, 0.1, 1.0, 0.3, 0.2]), np.array([1.0, -2.0, 0.5])
    whole = form.hessian(problem, w, y)
    form.has_hessian = False
    np.testing.assert_allclose(form.hessian(problem, w, y), whole, atol=1e-12)


def test_slack_resets_only_move_slacks_inwards():
    """A slack moves away from its only bound to close its row; one with two bounds stays."""
    problem = small(2, "x[0]", 1.0, a="x[0] >= 0", b="x[1] <= 5", c="0 <= x[0] + x[1] <= 9")
    form = Form(problem, 1e-6)
    w = np.array([3.0, 1.0, 2.0, 2.0, 3.5])
    _, c = form.values(problem, w)
    form.reset_slacks(w, c)
    np.testing.assert_allclose(w[2:], [3.0, 1.0, 3.5])
    np.testing.assert_allclose(c, [0.0, 0.0, 0.5])
    w = np.array([3.0, 1.0, 4.0, 0.5, 3.5])  # the rows lie nearer to their bounds than the slacks
    _, c = form.values(problem, w)
    form.reset_slacks(w, c)
    np.testing.assert_allclose(w[2:], [4.0, 0.5, 3.5])


def test_starts_are_pushed_off_their_bounds():
    low, high = np.array([0.0, -INF, 0.0, -INF]), np.array([INF, 100.0, 1e-3, INF])
    w = pushed(np.array([-5.0, 100.0, 0.0, 7.0]), low, high, 1e-2)
    np.testing.assert_allclose(w, [0.01, 99.0, 1e-5, 7.0])


def test_gradient_scaling():
    scaling = gradient_scaling(np.array([1e4, 1.0]), np.array([[1e6, 0.0], [0.1, 0.2], [0.0, 0.0]]))
    assert scaling.f == pytest.approx(1e-2)
    np.testing.assert_allclose(scaling.rows, [1e-4, 1.0, 1.0])
    np.testing.assert_allclose(scaling.units, [1.0, 0.2, 1.0])
    for size, factor in ((1e-3, 1e3), (1e-9, 1.0), (0.0, 1.0), (5.0, 1.0), (1e12, 1e-8)):
        assert gradient_scaling(np.array([size]), np.zeros((0, 1))).f == pytest.approx(factor)


def test_the_first_state_scales_what_it_evaluated():
    """Scaling at the start reuses the oracles' values: the state equals a fresh evaluation in the scaled form."""
    problem, ctx = mixed(), context(1e-6)
    method = Production(SketchedNewtonOptions())
    state = method.init(problem, problem.start(ctx.rng), ctx)
    form = Form(problem, 1e-6)
    form.scale(state.scaling)
    assert state.scaling.rows.min() < 1.0
    f, c = form.values(problem, state.at.w)
    g, jacobian = form.slopes(problem, state.at.w)
    assert state.at.f == pytest.approx(f)
    np.testing.assert_allclose(state.at.c, c, atol=1e-12)
    np.testing.assert_allclose(state.at.g, g)
    np.testing.assert_allclose(state.at.jacobian, jacobian)
