"""`implicit-gradient` as a method: its answers, the published iterations, samples, resumption, refusals."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypergradient_cases import answer_by_newton, context, curved, sampled, tail
from pydantic import ValidationError

import solverkit as sk
from solverkit.engine.status import Termination
from solverkit.engine.tree import Writer
from solverkit.errors import Unsuitable, UsageError
from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel.build import bilevel
from solverkit.operators.sampling import Sampler
from solverkit_bilevel.implicit_gradient.method import ImplicitGradient
from solverkit_bilevel.implicit_gradient.options import ImplicitGradientOptions

METHOD = "implicit-gradient"


def started(problem, ctx=None, **options):
    """A solver and its first state."""
    solver, ctx = ImplicitGradient(ImplicitGradientOptions(**options)), ctx or context()
    return solver, solver.init(problem, problem.start(ctx.rng), ctx), ctx


@pytest.mark.parametrize("solver", ["cg", "neumann", "unroll"])
@pytest.mark.parametrize("make", [lambda: tail(4, 5).problem, curved])
def test_each_system_ends_certified(solver, make):
    result = sk.solve(make(), method=METHOD, options={"solver": solver})
    assert result.point_status is PointStatus.CERTIFIED, result.certificate


@pytest.mark.parametrize(
    "x", [{"lower": -0.1, "upper": 0.2}, {"set": {"simplex": 1.0}}, {"set": {"ball": {"radius": 0.2}}}]
)
def test_sets_of_the_leader_are_kept_and_answers_certified(x):
    problem = tail(4, 5, start=0.25, **x).problem
    result = sk.solve(problem, method=METHOD)
    assert result.point_status is PointStatus.CERTIFIED, result.certificate


def test_the_fifty_dimensional_quadratic_is_exact():
    problem = bilevel(
        upper={"variables": {"x": {"shape": 50}}, "minimize": "0.5*sum((y - 1)**2) + 0.5*sum(x**2)"},
        lower={"variables": {"y": {"shape": 50}}, "minimize": "0.5*sum((y - x)**2)"},
    )
    result = sk.solve(problem, method=METHOD)
    assert result.point_status is PointStatus.CERTIFIED
    np.testing.assert_allclose(result.x, 0.5, atol=1e-9)


def test_samples_first_and_full_oracles_after():
    problem = sampled()
    result = sk.solve(
        problem, method=METHOD, options={"oracles": "samples", "solver": "neumann", "stochastic_steps": 60, "batch": 8}
    )
    exact = sk.solve(problem, method=METHOD)
    assert result.point_status is exact.point_status is PointStatus.CERTIFIED
    assert result.fun == pytest.approx(exact.fun, abs=1e-8)
    assert result.oracles["lower_batch_gradient"] == 600
    assert result.oracles["upper_batch_gradient"] == 60


def test_aid_and_itd_are_the_published_iterations():
    """Against a transcription with dense matrices and no shared code."""
    case, steps, alpha, beta, inner, products = tail(3, 4, start=0.1), 15, 0.02, 0.01, 4, 4
    problem, n = case.problem, 3
    for solver in ("cg", "unroll"):
        method, state, ctx = started(
            problem, mode="paper", solver=solver, lower_step=alpha, upper_step=beta, inner_steps=inner,
            adjoint_products=products, block=steps,
        )  # fmt: skip
        state = method.step(problem, state, ctx)
        x, y = np.full(3, 0.1), np.zeros(4)
        for _ in range(steps):
            jacobian = np.zeros((4, 3))
            for _ in range(inner):
                y = y - alpha * case.Q @ (y - case.M @ x)
                jacobian = jacobian - alpha * case.Q @ (jacobian - case.M)
            if solver == "cg":  # as many products as the order of Q: exact
                jacobian = case.M
            x = x - beta * (2 * np.sinh(case.a @ x) * case.a + jacobian.T @ (y - case.b))
        np.testing.assert_allclose(state.z[:n], x, atol=1e-9)
        np.testing.assert_allclose(state.z[n:], y, atol=1e-12)


def test_stochastic_steps_are_the_published_iteration():
    problem, batch, inner, terms, alpha, beta = sampled(), 8, 3, 5, 0.05, 0.02
    method, state, ctx = started(
        problem, mode="paper", oracles="samples", solver="neumann", batch=batch, inner_steps=inner,
        adjoint_products=terms, lower_step=alpha, upper_step=beta, block=10,
    )  # fmt: skip
    n, z, rng = problem.n, problem.flat(problem.start(ctx.rng)), copy.deepcopy(ctx.rng)
    state = method.step(problem, state, ctx)
    first, second, third = (Sampler(60, batch) for _ in range(3))
    for _ in range(10):
        for _ in range(inner):
            z[n:] -= alpha * problem.lower_batch_gradient(z, second.draw(rng))[n:]
        slope = problem.upper_batch_gradient(z, first.draw(rng))
        samples = third.draw(rng)
        H = np.array([problem.lower_batch_hvp(z, e, samples) for e in np.eye(n + problem.m)])
        series = alpha * sum(np.linalg.matrix_power(np.eye(4) - alpha * H[n:, n:], j) @ slope[n:] for j in range(terms))
        z[:n] = problem.upper_set.project(z[:n] - beta * (slope[:n] - H[:n, n:] @ series))
    np.testing.assert_allclose(state.z, z, atol=1e-10)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"direction": "spectral"},
        {"solver": "unroll"},
        {"oracles": "samples", "solver": "neumann", "block": 2, "stochastic_steps": 6},
    ],
)
def test_a_restored_state_repeats_every_bit(options):
    problem = sampled()
    solver, state, ctx = started(problem, **options)
    for _ in range(2):
        state = solver.step(problem, state, ctx)
    Writer().write(state)
    fresh, other, later = ImplicitGradient(solver.options), copy.deepcopy(state), copy.deepcopy(ctx)
    for _ in range(4):
        state, other = solver.step(problem, state, ctx), fresh.step(problem, other, later)
    assert state.z.tobytes() == other.z.tobytes()
    assert solver.report(state) == fresh.report(other)


def test_single_precision_oracles_reach_single_precision():
    case = tail(4, 5)
    result = sk.solve(case.problem, method=METHOD, dtype="float32", max_iter=200)
    exact = sk.solve(case.problem, method=METHOD)
    assert result.fun == pytest.approx(exact.fun, rel=1e-5)


def test_answers_are_those_of_a_search_over_x():
    problem = curved()
    from scipy.optimize import minimize

    other = minimize(lambda x: problem.upper(np.concatenate([x, answer_by_newton(problem, x)])), np.full(4, 0.3))
    result = sk.solve(problem, method=METHOD)
    assert result.fun <= other.fun + 1e-7


def test_units_of_both_objectives_do_not_decide():
    for upper, lower in ((1e-6, 1.0), (1.0, 1e-6), (1e4, 1e4)):
        problem = bilevel(
            upper={
                "variables": {"x": {"shape": 3, "start": 1.0}},
                "minimize": f"{upper}*(sum((y - 1)**2) + sum(x**4))",
            },
            lower={"variables": {"y": {"shape": 3}}, "minimize": f"{lower}*(sum((y - x)**2) + sum(exp(y)))"},
        )
        result = sk.solve(problem, method=METHOD)
        assert result.point_status is PointStatus.CERTIFIED, (upper, lower, result.certificate)
        if upper == 1e-6:
            answer = result.x
        np.testing.assert_allclose(result.x, answer, atol=2e-4)


def test_what_it_is_not_made_for_is_refused_with_the_remedy():
    constrained = bilevel(
        upper={"variables": {"x": {"shape": 1}}, "minimize": "(y[0] - 1)**2 + x[0]**2"},
        lower={"variables": {"y": {"shape": 1, "lower": 0}}, "minimize": "(y[0] - x[0])**2"},
    )
    with pytest.raises(UsageError, match="unconstrained-lower"):
        sk.solve(constrained, method=METHOD)
    with pytest.raises(Unsuitable, match="affine-constraints"):
        started(constrained)
    rows = bilevel(
        upper={"variables": {"x": {"shape": 2}}, "minimize": "sum(x**2)", "subject_to": {"a": "sum(x) + y[0] >= 1"}},
        lower={"variables": {"y": {"shape": 1}}, "minimize": "(y[0] - x[0])**2"},
    )
    with pytest.raises(Unsuitable, match="1 upper rows"):
        started(rows)
    with pytest.raises(Unsuitable, match="mean over samples"):
        started(tail(3, 3).problem, oracles="samples")


def test_a_singular_lower_level_is_told_and_not_claimed():
    singular = bilevel(
        upper={"variables": {"x": {"shape": 1, "start": 1.0}}, "minimize": "y[1] + (y[0] - 2)**2 + x[0]**2"},
        lower={"variables": {"y": {"shape": 2}}, "minimize": "(y[0] - x[0])**2"},
    )
    result = sk.solve(singular, method=METHOD)
    assert result.termination is Termination.STALLED
    assert "not strongly convex" in result.message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "lu"}, "solver"),
        ({"terms": 10, "most_terms": 5}, "most_terms"),
        ({"oracles": "samples", "solver": "unroll"}, "unroll"),
        ({"inner_tol": 0.0}, "inner_tol"),
        ({"stepsize": 1.0}, "stepsize"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        ImplicitGradientOptions(**options)
