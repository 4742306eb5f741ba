"""Descent of Phi over simple sets, against SciPy on the closed form; saddle points; accuracy that follows."""

from __future__ import annotations

import numpy as np
import pytest
from hypergradient_cases import answer_by_newton, curved, tail
from scipy.optimize import LinearConstraint, minimize

from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit.kinds.bilevel.build import bilevel
from solverkit.operators.sets import Ball, Box, Free, Product, Simplex
from solverkit_bilevel.hypergradient.bounds import as_box
from solverkit_bilevel.hypergradient.reduced import Effort, Reduced
from solverkit_bilevel.hypergradient.saddle import _curved
from solverkit_bilevel.hypergradient.settle import Settler


def settled(problem, region, steps=300, **choices):
    """(walk, messages) of a run to the claim."""
    settler = Settler.of(Reduced("cg"), region, problem.n, "float64", **choices)
    messages: list[str] = []
    start = problem.flat(problem.start(np.random.default_rng(0)))
    settling = settler.begin(problem, start, Effort(1, 1), 1e-7)
    for _ in range(steps):
        if settling.claimed:
            break
        settler.advance(problem, settling, messages.append)
    assert settling.claimed
    return settling.walk, messages


@pytest.mark.parametrize("quasi_newton", [True, False])
@pytest.mark.parametrize(
    ("region", "bounds", "rows"),
    [
        (Free(), None, []),
        (Box(-0.2, np.array([0.1, 0.3, 0.2, 5.0])), [(-0.2, 0.1), (-0.2, 0.3), (-0.2, 0.2), (-0.2, 5.0)], []),
        (Simplex(1.0, 4), [(0, None)] * 4, [LinearConstraint(np.ones(4), 1, 1)]),
    ],
)
def test_simple_sets_against_scipy_on_the_closed_form(region, bounds, rows, quasi_newton):
    case = tail(4, 5)
    walk, _ = settled(case.problem, region, quasi_newton=quasi_newton)
    other = minimize(
        case.value, region.project(np.full(4, 0.2)), jac=case.gradient, bounds=bounds, constraints=rows,
        method="SLSQP", options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    assert walk.upper == pytest.approx(other.fun, abs=1e-8)
    np.testing.assert_allclose(walk.z[:4], other.x, atol=1e-4)
    np.testing.assert_allclose(walk.z[4:], case.answer(walk.z[:4]), atol=1e-7)
    np.testing.assert_allclose(walk.gradient, case.gradient(walk.z[:4]), atol=1e-7)


def test_a_ball_by_its_optimality_condition():
    case = tail(4, 5)
    walk, _ = settled(case.problem, Ball(np.zeros(4), 0.1))
    x, g = walk.z[:4], case.gradient(walk.z[:4])
    assert np.linalg.norm(x) == pytest.approx(0.1)
    np.testing.assert_allclose(g, -np.linalg.norm(g) * x / 0.1, atol=1e-5)


def test_a_product_of_boxes_is_one_box():
    region = as_box(Product([(slice(0, 2), Box(0.0, 1.0)), (slice(3, 4), Box(-1.0, np.inf))]), 4)
    assert isinstance(region, Box)
    np.testing.assert_array_equal(region.lower, [0, 0, -np.inf, -1])
    np.testing.assert_array_equal(region.upper, [1, 1, np.inf, np.inf])
    kept = Product([(slice(0, 2), Ball(0.0, 1.0))])
    assert as_box(kept, 4) is kept


def saddle(n=3):
    """Phi = x_0^4 - x_0^2 + x_1^2 + ...: stationary at 0, which is no minimum. y*(x) = x."""
    return bilevel(
        upper={"variables": {"x": {"shape": n}}, "minimize": "y[0]**4 - y[0]**2 + sum(y[1:3]**2)"},
        lower={"variables": {"y": {"shape": n}}, "minimize": "0.5*sum((y - x)**2)"},
    )


def test_a_saddle_point_is_left_and_otherwise_claimed():
    walk, messages = settled(saddle(), Free())
    assert abs(walk.z[0]) == pytest.approx(np.sqrt(0.5), abs=1e-5)
    assert "saddle" in messages[0]
    stays, _ = settled(saddle(), Free(), second_order=0)
    assert stays.z[0] == 0


def test_second_derivatives_of_phi_meet_differences():
    problem = curved()
    settler = Settler.of(Reduced("cg"), Free(), 4, "float64")
    walk = settler.begin(problem, problem.flat(problem.start(np.random.default_rng(0))), Effort(1, 1), 1e-7).walk
    settler.descent.refresh(problem, walk, 1e-12)

    def phi(x):
        return problem.upper(np.concatenate([x, answer_by_newton(problem, x)]))

    h, x, unit = 1e-3, walk.z[:4], np.eye(4)
    second = np.array(
        [
            [
                (phi(x + h * (d + e)) - phi(x + h * (d - e)) - phi(x - h * (d - e)) + phi(x - h * (d + e))) / (4 * h**2)
                for e in unit
            ]
            for d in unit
        ]
    )
    ours = np.array([_curved(problem, settler.descent, walk, e) for e in unit])
    np.testing.assert_allclose(ours, second, atol=1e-4 * np.abs(second).max())


def test_an_upper_level_without_a_bound_is_told():
    problem = bilevel(
        upper={"variables": {"x": {"shape": 2, "start": 1.0}}, "minimize": "sum(y)"},
        lower={"variables": {"y": {"shape": 2}}, "minimize": "sum((y - x)**2)"},
    )
    with pytest.raises(Stop, match="has fallen to") as stop:
        settled(problem, Free())
    assert stop.value.termination is Termination.UNBOUNDED


def test_a_lower_level_without_curvature_stops_the_run():
    problem = bilevel(
        upper={"variables": {"x": {"shape": 1, "start": 1.0}}, "minimize": "sum(y) + x[0]**2"},
        lower={"variables": {"y": {"shape": 2}}, "minimize": "(y[0] - x[0])**2"},
    )
    with pytest.raises(Stop, match="not strongly convex"):
        settled(problem, Free())
