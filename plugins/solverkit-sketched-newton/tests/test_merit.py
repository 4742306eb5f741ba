"""The exact augmented Lagrangian: its gradient, its slope along Newton steps, and the descent test."""

from __future__ import annotations

import numpy as np
import pytest
from nonlinear_cases import context, shipped, small

from solverkit_sketched_newton.barrier import Distances
from solverkit_sketched_newton.form import Form
from solverkit_sketched_newton.merit import Slope, lower_part, slope_along, upper_part
from solverkit_sketched_newton.options import SketchedNewtonOptions
from solverkit_sketched_newton.production import Production

ETA1, ETA2, MU = 3.7, 0.23, 0.05


def merit(problem, form, w, y, mu, eta1=ETA1, eta2=ETA2):
    """L_eta of the barrier problem, from its definition."""
    f, c = form.values(problem, w)
    g, jacobian = form.slopes(problem, w)
    weight = None
    if form.bounded:
        distances = Distances.of(form, w)
        f, g = f + distances.value(mu), g + distances.gradient(form, mu)
        weight, _ = distances.weights(form)
    return lower_part(f, y, c, eta1) + upper_part(g + jacobian.T @ y, weight, eta2)


def parts(problem, form, w, y, dx, dy, mu):
    """`slope_along` at (w, y)."""
    g, jacobian = form.slopes(problem, w)
    _, c = form.values(problem, w)
    turned = form.hessian(problem, w, y) @ dx + jacobian.T @ dy
    weight = sign = None
    if form.bounded:
        distances = Distances.of(form, w)
        weight, sign = distances.weights(form)
        g = g + distances.gradient(form, mu)
        turned = turned + distances.spread(form, mu / distances.below**2, mu / distances.above**2) * dx
    return slope_along(dx, dy, g + jacobian.T @ y, turned, c, jacobian @ dx, weight, sign), g + jacobian.T @ y, c


@pytest.mark.parametrize("name", ["bt11", "hs77", "mwright"])
def test_gradient_against_differences(name):
    """grad L_eta' d, with the Hessian of the Lagrangian in it, is the derivative of L_eta."""
    problem, rng = shipped(name), np.random.default_rng(0)
    form = Form(problem, 1e-8)
    w, y = problem.flat(problem.start(rng)) + 0.1, rng.standard_normal(form.m)
    for _ in range(5):
        dx, dy = rng.standard_normal(form.n), rng.standard_normal(form.m)
        slope, _, _ = parts(problem, form, w, y, dx, dy, 0.0)
        h = 1e-6
        ends = [merit(problem, form, w + s * h * dx, y + s * h * dy, 0.0) for s in (1, -1)]
        assert slope.at(ETA1, ETA2) == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-6, abs=1e-6)


def test_gradient_with_barrier_against_differences():
    """The same with bounds near and far, where D is not the identity."""
    problem = small(
        3, "x[0]**2 + x[1]*x[2] + exp(x[2])", [0.3, 0.9, 5], lower=[0, 0, -1], upper=[1, 4, 9], a="x[0]*x[1] <= 2"
    )
    form, rng = Form(problem, 1e-8), np.random.default_rng(1)
    w, y = np.array([0.3, 3.7, 5.0, 1.5]), rng.standard_normal(1)
    for _ in range(5):
        dx, dy = rng.standard_normal(4), rng.standard_normal(1)
        slope, _, _ = parts(problem, form, w, y, dx, dy, MU)
        h = 1e-6
        ends = [merit(problem, form, w + s * h * dx, y + s * h * dy, MU) for s in (1, -1)]
        assert slope.at(ETA1, ETA2) == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-6, abs=1e-6)


def test_slope_along_an_exact_step():
    """grad L_eta' d = g_L'dx + c'dy - eta1 |c|^2 - eta2 |g_L|^2 - eta2 g_L'(B - W)dx for any B."""
    problem, rng = shipped("hs77"), np.random.default_rng(2)
    form = Form(problem, 1e-8)
    w, y = problem.flat(problem.start(rng)), rng.standard_normal(form.m)
    g, jacobian = form.slopes(problem, w)
    _, c = form.values(problem, w)
    W, pulled = form.hessian(problem, w, y), g + jacobian.T @ y
    for shift in (0.0, 2.5):
        B = W + shift * np.diag(1 + rng.random(form.n))
        K = np.block([[B, jacobian.T], [jacobian, np.zeros((form.m, form.m))]])
        d = np.linalg.solve(K, -np.concatenate([pulled, c]))
        dx, dy = d[: form.n], d[form.n :]
        slope, _, _ = parts(problem, form, w, y, dx, dy, 0.0)
        expected = pulled @ dx + c @ dy - ETA1 * c @ c - ETA2 * pulled @ pulled - ETA2 * pulled @ ((B - W) @ dx)
        assert slope.at(ETA1, ETA2) == pytest.approx(expected, rel=1e-9)


def test_descent_test_moves_eta():
    """eta1 grows by nu^2 and eta2 falls by nu until the slope is steep enough; impossible slopes give None."""
    slope = Slope(base=5.0, penalty=-1.0, pull=-1.0, infeasibility=1.0, stationarity=1.0)
    eta1, eta2 = slope.weights(1.0, 0.1, 1.5)
    assert slope.descends(eta1, eta2)
    assert not slope.descends(eta1 / 1.5**2, eta2 * 1.5)
    assert np.log(eta1) / np.log(1.5**2) == pytest.approx(-np.log(eta2 / 0.1) / np.log(1.5))
    assert Slope(5.0, 0.0, 0.0, 1.0, 1.0).weights(1.0, 0.1, 1.5) is None


@pytest.mark.parametrize("name", ["bt11", "hs77", "hs100lnp", "hs7"])
def test_accepted_steps_descend_or_contract(name):
    """Each step lowers L_eta with the eta that accepted it, or the KKT error by a tenth."""
    problem, ctx = shipped(name), context()
    method = Production(SketchedNewtonOptions(scaling=False))
    state = method.init(problem, problem.start(ctx.rng), ctx)
    form = Form(problem, 1e-8)
    while not method.converged(state):
        w, y, error = state.at.w, state.y, state.error
        state = method.step(problem, state, ctx)
        before = merit(problem, form, w, y, 0.0, state.eta1, state.eta2)
        after = merit(problem, form, state.at.w, state.y, 0.0, state.eta1, state.eta2)
        assert after <= before + 1e-12 * (1 + abs(before)) or state.error <= 0.9 * error
