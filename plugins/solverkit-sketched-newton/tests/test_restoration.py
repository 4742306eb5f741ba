"""Restoration and the way out of saddle points, on their own."""

from __future__ import annotations

import numpy as np
import pytest
from nonlinear_cases import context, small
from scipy.optimize import least_squares

from solverkit_sketched_newton import restoration
from solverkit_sketched_newton.escape import escape
from solverkit_sketched_newton.options import SketchedNewtonOptions
from solverkit_sketched_newton.production import Production


def started(problem, **options):
    """A method and its first state."""
    method, ctx = Production(SketchedNewtonOptions(**options)), context(1e-6)
    return method, method.init(problem, problem.start(ctx.rng), ctx), ctx


def restored(problem, steps=200):
    """The state after restoration until it succeeds or stands still."""
    method, state, _ = started(problem, scaling=False)
    form, inner = method._form, method._newton.regularizer.inner
    restoration.begin(state, form)
    for _ in range(steps):
        if not restoration.advance(problem, state, form, inner) or restoration.vanishes(state, form):
            break
        if np.abs(state.at.c).max() <= 1e-10:
            break
    return state, form


def test_the_violation_falls_to_a_feasible_point():
    """Bounds, an equality and an inequality that the start breaks."""
    problem = small(2, "x[0]", [3.0, -2.0], lower=[-1, -5], upper=[4, 5], a="x[0]**2 + x[1]**2 == 1", b="x[1] >= 0.5")
    state, form = restored(problem)
    x = form.answer(state.at.w)
    assert x @ x == pytest.approx(1.0, abs=1e-8)
    assert x[1] >= 0.5 - 1e-7


def test_its_limit_is_a_least_squares_solution():
    """Where no point is feasible, the violation's minimum within the bounds is that of SciPy's least squares."""
    problem = small(
        2,
        "x[0]",
        [2.0, 1.0],
        lower=[0.3, -4],
        upper=[5, 4],
        a="x[0]**2 + x[1] == -1",
        b="x[0]*x[1] == 2",
        c="exp(x[1]) == 9",
    )
    state, form = restored(problem)
    assert restoration.vanishes(state, form, 1e-6)
    reference = least_squares(
        lambda x: problem.constraints(x) - problem.lower, [2.0, 1.0], bounds=([0.3, -4], [5, 4]), xtol=1e-14, ftol=1e-14
    )
    np.testing.assert_allclose(form.answer(state.at.w), reference.x, atol=1e-5)
    assert 0.5 * state.at.c @ state.at.c == pytest.approx(reference.cost, rel=1e-8)


def test_slacks_take_their_best_values():
    """An inequality that holds has no violation left after a step, wherever its slack was."""
    problem = small(2, "x[0]", [1.0, 1.0], a="x[0] + x[1] <= 100", b="x[0]*x[1] == 4")
    state, _ = restored(problem, 1)
    assert state.at.c[0] == 0.0


def test_a_run_goes_on_after_restoration():
    """From the centre of a circle, where its violation is stationary but greatest, to the answer."""
    problem = small(2, "x[0] + x[1]", [0.0, 0.0], a="x[0]**2 + x[1]**2 == 2", b="x[0] - x[1] <= 0.5")
    method, state, ctx = started(problem)
    restoration.begin(state, method._form)
    steps = 0
    while not method.converged(state):
        state = method.step(problem, state, ctx)
        steps += 1
        assert steps < 100
    np.testing.assert_allclose(method.point(state)["x"], [-1, -1], atol=1e-5)


def test_escape_finds_the_direction_of_least_curvature():
    """At a saddle of a quadratic: down along the negative eigenvector; at a minimum: nowhere."""
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    for values, leaves in (([-1.0, 2.0, 3.0, 4.0], True), ([1.0, 2.0, 3.0, 4.0], False), ([0.0, 2.0, 3.0, 4.0], False)):
        H = Q @ np.diag(values) @ Q.T
        text = " + ".join(f"({float(0.5 * H[i, j])!r})*x[{i}]*x[{j}]" for i in range(4) for j in range(4))
        method, state, ctx = started(small(4, text), scaling=False)
        problem = small(4, text)
        found = escape(problem, state, method._newton, method._jacobian(state), ctx.rng)
        assert (found is not None) == leaves
        if leaves:
            w = found[0].w
            assert abs(w @ Q[:, 0]) == pytest.approx(np.linalg.norm(w), rel=1e-3)
            assert found[0].f < 0
