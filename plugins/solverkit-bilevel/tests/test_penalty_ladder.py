"""psi_s, its gradient and extrapolation; the minimizer over simple sets; the exact hypergradient."""

from __future__ import annotations

import numpy as np
import pytest
from penalty_cases import identity, quadratic, quadratic_data
from scipy.optimize import minimize as reference

from solverkit.kinds.bilevel.build import bilevel
from solverkit.operators.sets import Ball, Box, Free, Simplex
from solverkit_bilevel.penalty.exact import read_exact
from solverkit_bilevel.penalty.ladder import Ladder
from solverkit_bilevel.penalty.projected import Domain, Walk, minimize


def reading(problem, x, s, order=3, eta=1e-9):
    Y = Domain(problem.lower_set, problem.m)
    start = Walk(Y.project(np.zeros(problem.m)), np.nan, np.zeros(problem.m))
    return Ladder(problem, Y, 1e-11, 3000, 10).read(problem, x, [start], s, order, eta, 1.0)


# -- minimization over a set


@pytest.mark.parametrize(
    "simple", [Free(), Box(-0.2, 0.3), Ball(np.zeros(8), 0.4), Simplex(1.0, 8)], ids=["free", "box", "ball", "simplex"]
)
def test_minimizer_over_a_set(simple):
    """A quadratic of condition 1e3: v - g projects onto v, and a general solver finds no lower value."""
    rng = np.random.default_rng(1)
    Q = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    H, b = Q @ np.diag(np.geomspace(1e-2, 10, 8)) @ Q.T, rng.standard_normal(8)

    def evaluate(v):
        return 0.5 * v @ H @ v - b @ v, H @ v - b

    domain = Domain(simple, 8)
    v = domain.project(np.full(8, 0.1))
    walk, steps = minimize(evaluate, domain, Walk(v, *evaluate(v)), 1e-10, 5000, 1e-11)
    assert domain.residual(walk.v, walk.gradient) <= (1e-10 if domain.boxed else 1e-8), steps
    assert simple.violation(walk.v) <= 1e-12
    for _ in range(20):  # no point of the set that is near or far is lower
        other = domain.project(walk.v + rng.standard_normal(8) * 10 ** rng.uniform(-6, 1))
        assert evaluate(other)[0] >= walk.value - 1e-12


def test_minimizer_meets_nan_and_stops():
    """A function that is NaN but at the start: no step is taken, nothing is raised."""
    start = np.zeros(2)

    def evaluate(v):
        return (0.0, np.ones(2)) if np.array_equal(v, start) else (np.nan, np.full(2, np.nan))

    walk, _ = minimize(evaluate, Domain(Free(), 2), Walk(start, *evaluate(start)), 1e-8, 50, 1e-11)
    np.testing.assert_array_equal(walk.v, start)


# -- psi_s


@pytest.mark.parametrize("s", [1.0, 0.1, 1e-3])
def test_psi_of_the_identity_is_its_formula(s):
    x = np.linspace(-1, 2, 50)
    found = reading(identity(), x, s)
    for j, weight in enumerate((s, s / 2, s / 4)):
        expected = 0.5 * x @ x + 0.5 * (x - 1) @ (x - 1) / (1 + weight)
        assert found.psi[j] == pytest.approx(expected, rel=1e-9)
        np.testing.assert_allclose(found.slopes[j], x + (x - 1) / (1 + weight), atol=1e-7)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(
    "sets", [{}, {"lower": -0.4, "upper": 0.5}, {"set": "simplex"}], ids=["free", "box", "simplex"]
)
def test_gradients_are_those_of_the_values(sets, order):
    """Central differences of psi and of its extrapolations, y in a set."""
    problem = quadratic(y=sets)
    x = np.array([0.3, -0.2, 0.5, 0.1])
    gradient = reading(problem, x, 0.1, eta=1e-10).gradient(order)
    step, differences = 1e-5, []
    for unit in np.eye(4):
        ends = [reading(problem, x + sign * step * unit, 0.1, eta=1e-10).value(order) for sign in (1, -1)]
        differences.append((ends[0] - ends[1]) / (2 * step))
    np.testing.assert_allclose(gradient, differences, atol=2e-5)


def test_bias_falls_as_the_order_says():
    """psi_s -> psi with errors s, s^2, s^3 for the three orders, in value and gradient."""
    data = quadratic_data()
    problem, x = quadratic(), np.array([0.3, -0.2, 0.5, 0.1])
    y = data["M"] @ x
    value = 0.5 * (y - data["b"]) @ (y - data["b"]) + 0.05 * x @ x
    gradient = data["M"].T @ (y - data["b"]) + 0.1 * x
    for order in (1, 2, 3):
        far, near = (reading(problem, x, s, eta=1e-11) for s in (0.08, 0.04))
        for one, two in (
            (abs(far.value(order) - value), abs(near.value(order) - value)),
            (np.linalg.norm(far.gradient(order) - gradient), np.linalg.norm(near.gradient(order) - gradient)),
        ):
            assert np.log2(one / two) == pytest.approx(order, abs=0.35)


def test_psi_is_below_the_true_value_and_grows_as_s_falls():
    """min_y s F + f <= its value at y_0: psi_s <= F(x, y_0), and psi decreases in s."""
    problem = quadratic(y={"lower": -0.4, "upper": 0.5})
    x = np.array([0.3, -0.2, 0.5, 0.1])
    values = [reading(problem, x, s, order=1).psi[0] for s in (1.0, 0.3, 0.1, 0.01)]
    found = reading(problem, x, 0.01, order=1)
    assert np.all(np.diff(values) > 0)
    assert values[-1] <= found.rungs[0].upper


def test_a_rung_begins_again_where_another_found_less():
    """f has two minima; y_0 starts in the worse one, y_s is pushed into the better, and y_0 follows."""
    problem = bilevel(
        upper={"variables": {"x": {"shape": []}}, "minimize": "10*(y - 1)**2 + x**2"},
        lower={"variables": {"y": {"shape": [], "start": -1}}, "minimize": "(y**2 - 1)**2 - 0.3*y + 0*x"},
    )
    Y = Domain(problem.lower_set, 1)
    start = Walk(np.array([-1.0]), np.nan, np.zeros(1))
    found = Ladder(problem, Y, 1e-11, 500, 10).read(problem, np.zeros(1), [start], 1.0, 1, 1e-8, 1.0)
    assert found.restarted
    assert found.rungs[0].walk.v[0] > 0.9


# -- the exact finish


@pytest.mark.parametrize("sets", [{}, {"lower": -0.4, "upper": 0.5}], ids=["free", "box"])
def test_exact_hypergradient(sets):
    """Against central differences of F(x, y*(x)), y* by SciPy; free: against the closed form to 1e-8."""
    problem, data = quadratic(y=sets), quadratic_data()
    x = np.array([0.3, -0.2, 0.5, 0.1])
    Y = Domain(problem.lower_set, problem.m)
    start = Walk(np.zeros(problem.m), np.nan, np.zeros(problem.m))
    found = read_exact(problem, Y, x, start, np.zeros(problem.m), 1e-11, 2000, 1e-11)
    bounds = [(sets.get("lower"), sets.get("upper"))] * problem.m

    def outer(x):
        def lower(y):
            d = y - data["M"] @ x
            return 0.5 * d @ data["Q"] @ d, data["Q"] @ d

        tight = {"ftol": 1e-16, "gtol": 1e-12}
        y = reference(lower, np.zeros(problem.m), jac=True, method="L-BFGS-B", bounds=bounds, options=tight).x
        return 0.5 * (y - data["b"]) @ (y - data["b"]) + 0.05 * x @ x

    differences = [(outer(x + 1e-4 * e) - outer(x - 1e-4 * e)) / 2e-4 for e in np.eye(4)]
    np.testing.assert_allclose(found.gradient, differences, atol=1e-5)
    if not sets:
        closed = data["M"].T @ (data["M"] @ x - data["b"]) + 0.1 * x
        np.testing.assert_allclose(found.gradient, closed, atol=1e-8)


def test_no_curvature_below_is_said():
    problem = bilevel(
        upper={"variables": {"x": {"shape": 2}}, "minimize": "normsq(y - 1) + normsq(x)"},
        lower={"variables": {"y": {"shape": 2}}, "minimize": "0.5*(y[0] - x[0])**2 + 0*x[1]"},
    )
    Y = Domain(problem.lower_set, 2)
    start = Walk(np.zeros(2), np.nan, np.zeros(2))
    assert read_exact(problem, Y, np.zeros(2), start, np.zeros(2), 1e-11, 100, 1e-11) is None
