"""`penalty`: answers of all finishes, refusals, reports; the paper's loops against a transcription; resume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from penalty_cases import context, exact_answer, hypergradient, identity, quadratic, quadratic_data, tasks

import solverkit as sk
from solverkit.errors import Unsuitable
from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel.build import bilevel
from solverkit_bilevel.penalty.domains import own_rows
from solverkit_bilevel.penalty.method import Penalty, first_s
from solverkit_bilevel.penalty.options import PenaltyOptions

PROBLEMS = Path(__file__).parents[3] / "problems" / "bilevel"
FINISHES = ["auto", "implicit", "extrapolate", "extrapolate-answer"]


@pytest.mark.parametrize("finish", FINISHES)
def test_the_quadratic_is_certified(finish):
    result = sk.solve(quadratic(), method="penalty", options={"finish": finish})
    assert result.point_status is PointStatus.CERTIFIED, str(result)
    np.testing.assert_allclose(result.point["x"], exact_answer(quadratic_data()), atol=3e-5)


@pytest.mark.parametrize(
    ("problem", "method"), [(quadratic(), "penalty"), (tasks(6, k=2)[0], "bsvrb")], ids=["penalty", "bsvrb"]
)
def test_float32_oracles_and_a_float64_certificate(problem, method):
    result = sk.solve(problem, method=method, dtype="float32", tol=1e-4)
    assert result.point_status is PointStatus.CERTIFIED, str(result)


@pytest.mark.parametrize("finish", FINISHES)
def test_the_identity_ends_at_one_half(finish):
    result = sk.solve(identity(), method="penalty", options={"finish": finish})
    assert result.point_status is PointStatus.CERTIFIED
    np.testing.assert_allclose(result.point["x"], 0.5, atol=1e-5)
    np.testing.assert_allclose(result.point["y"], 0.5, atol=1e-5)


def test_no_finish_leaves_the_bias_of_the_last_s():
    """psi_s of the identity is smallest at x = 1 / (2 + s)."""
    result = sk.solve(identity(), method="penalty", options={"finish": "none", "s0": 0.1, "s_min": 1.0, "settle": 1e-6})
    np.testing.assert_allclose(result.point["x"], 1 / 2.1, atol=1e-5)
    assert result.point_status is PointStatus.FEASIBLE


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ({"lower": -0.2, "upper": 0.2}, {}),
        ({"set": "simplex", "start": 0.25}, {}),
        ({"set": {"ball": {"radius": 0.3}}}, {}),
        ({}, {"lower": 0.0, "upper": 3.0}),
        ({"lower": -1, "upper": 1}, {"set": "simplex", "start": 1 / 6}),
    ],
    ids=["x box", "x simplex", "x ball", "y box", "y simplex"],
)
def test_sets(x, y):
    """Certified, or where y* has kinks at least no worse than what SciPy finds of psi from many starts."""
    result = sk.solve(quadratic(x=x, y=y), method="penalty", max_time=20)
    assert result.point_status is PointStatus.CERTIFIED, str(result)


def test_rows_of_one_level_join_its_set():
    problem = bilevel(
        upper={
            "variables": {"x": {"shape": 2}},
            "minimize": "normsq(x - 1) + normsq(y)",
            "subject_to": {"a": "x[0] + x[1] <= 1"},
        },
        lower={
            "variables": {"y": {"shape": 2}},
            "minimize": "normsq(y - x)",
            "subject_to": {"b": "y[0] - y[1] == 0"},
            "convex": True,
        },
    )
    result = sk.solve(problem, method="penalty")
    assert result.point_status is PointStatus.CERTIFIED, str(result)
    np.testing.assert_allclose(result.point["x"], 0.5, atol=1e-5)


@pytest.mark.parametrize(
    ("level", "row", "words"),
    [
        ("lower", "y[0] + x[0] <= 1", "couples them in the lower row"),
        ("upper", "y[0] + x[0] <= 1", "couples them in the upper row"),
        ("lower", "y[0]**2 + y[1]**2 <= 1", "curved lower rows"),
    ],
)
def test_coupled_and_curved_rows_are_refused(level, row, words):
    levels = {
        "upper": {"variables": {"x": {"shape": 2}}, "minimize": "normsq(x - 1) + normsq(y)"},
        "lower": {"variables": {"y": {"shape": 2}}, "minimize": "normsq(y - x)"},
    }
    levels[level]["subject_to"] = {"row": row}
    problem = bilevel(**levels)
    with pytest.raises(Unsuitable, match=words):
        own_rows(problem, "penalty")
    with pytest.raises(Unsuitable, match="needs 'uncoupled'"):
        sk.solve(problem, method="penalty")


def test_among_many_lower_solutions_the_best_for_the_leader():
    """f does not see y[1]; y_s does, and its limit is returned."""
    problem = bilevel(
        upper={"variables": {"x": {"shape": []}}, "minimize": "(y[0] - 1)**2 + (y[1] - 2)**2 + x**2"},
        lower={"variables": {"y": {"shape": 2, "start": 5}}, "minimize": "(y[0] - x)**2", "convex": True},
    )
    result = sk.solve(problem, method="penalty")
    assert result.point_status is PointStatus.CERTIFIED, str(result)
    np.testing.assert_allclose(result.point["y"], [0.5, 2.0], atol=1e-4)


def test_a_lower_level_whose_minimum_jumps_is_warned_of():
    """f = y^4/4 - y^2/2 - x y: the global minimum jumps at x = 0, and the leader drives x across."""
    problem = bilevel(
        upper={
            "variables": {"x": {"shape": [], "start": 1, "lower": -2, "upper": 2}},
            "minimize": "(x + 0.02)**2 + 0.5*y",
        },
        lower={
            "variables": {"y": {"shape": [], "start": 1, "lower": -2, "upper": 2}},
            "minimize": "0.25*y**4 - 0.5*y**2 - x*y",
        },
    )
    said: list[str] = []
    solver, ctx = Penalty(PenaltyOptions()), context(log=said.append)
    state = solver.init(problem, problem.start(ctx.rng), ctx)
    for _ in range(60):
        if solver.converged(state):
            break
        state = solver.step(problem, state, ctx)
    assert any("psi_s" in message and "extrapolated" in message for message in said)
    state = solver.finish(problem, state, ctx)
    z = problem.flat(solver.point(state))
    grid = np.linspace(-2, 2, 4001)
    values = 0.25 * grid**4 - 0.5 * grid**2 - z[0] * grid
    assert problem.lower(z) <= values.min() + 1e-6  # y_0 is the global minimum, not the branch it started on


@pytest.mark.parametrize("name", ["kleniati-adjiman-2014-ex3", "paulavicius-adjiman-2017a", "mirrlees-1999"])
def test_lower_levels_with_several_minima(name):
    """The follower's answer is the global one; x is a local answer, as the certificate finds."""
    result = sk.solve(PROBLEMS / name / "problem.yaml", method="penalty")
    assert result.point_status is PointStatus.CERTIFIED, str(result)


@pytest.mark.parametrize("seed", range(3))
def test_the_one_dimensional_toy_of_value_gap_descent(seed):
    """The toy of Shen and Chen (ICML 2023): y* = -x, so F(x, -x) is a curve; the answer is a local minimum of it."""
    rng = np.random.default_rng(seed)
    problem = bilevel(
        upper={
            "variables": {"x": {"shape": [], "start": rng.uniform(0, 3), "lower": 0, "upper": 3}},
            "minimize": "cos(4*y + 2)/(1 + exp(2 - 4*x)) + 0.5*log((4*x - 2)**2 + 1)",
        },
        lower={
            "variables": {"y": {"shape": [], "start": rng.uniform(-5, 8)}},
            "minimize": "(x + y)**2 + x*sin(x + y)**2",
        },
    )
    result = sk.solve(problem, method="penalty")
    x, y = float(result.point["x"]), float(result.point["y"])
    assert y == pytest.approx(-x, abs=1e-6)

    def curve(x):
        return np.cos(-4 * x + 2) / (1 + np.exp(2 - 4 * x)) + 0.5 * np.log((4 * x - 2) ** 2 + 1)

    near = np.clip(x + np.linspace(-1e-2, 1e-2, 201), 0, 3)
    assert curve(x) <= curve(near).min() + 1e-8


def test_first_s_is_free_of_units():
    """s F has the units of f: F times 1e6 gives s times 1e-6, f times 1e6 s times 1e6."""
    found = []
    for F, f in ((1, 1), (1e6, 1), (1, 1e6)):
        problem = bilevel(
            upper={"variables": {"x": {"shape": 3}}, "minimize": f"{F}*(normsq(y - 1) + normsq(x))"},
            lower={"variables": {"y": {"shape": 3}}, "minimize": f"{f}*normsq(y - x)"},
        )
        found.append(first_s(problem, np.zeros(6), np.random.default_rng(0)))
    np.testing.assert_allclose(np.array(found) / found[0], [1, 1e-6, 1e6], rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_units_of_the_objectives_do_not_matter(scale):
    problem = bilevel(
        upper={"variables": {"x": {"shape": 3}}, "minimize": "normsq(y - 1) + normsq(x)"},
        lower={"variables": {"y": {"shape": 3}}, "minimize": f"{scale}*normsq(y - x)", "convex": True},
    )
    result = sk.solve(problem, method="penalty")
    assert result.point_status is PointStatus.CERTIFIED, str(result)
    np.testing.assert_allclose(result.point["x"], 0.5, atol=1e-5)


# -- the paper's loops


def transcribed(problem, options, count):
    """Both loops of the paper on full gradients, without the classes of the plugin."""
    n = problem.n
    x, y = np.zeros(n), np.zeros(problem.m)
    z, d = y.copy(), None

    def F(x, y):
        return problem.upper_gradient(np.concatenate([x, y]))

    def f(x, y):
        return problem.lower_gradient(np.concatenate([x, y]))

    def brackets(x, y, z, s):
        return F(x, y)[:n] + (f(x, y)[:n] - f(x, z)[:n]) / s, s * F(x, y)[n:] + f(x, y)[n:], f(x, z)[n:]

    before = None
    for k in range(count):
        s, fall = options.s0 * (k + 1) ** -options.s_power, (k + 1) ** -options.step_power
        alpha, gamma = options.alpha * fall, options.gamma * fall
        if options.loop == "double":
            anchor_y, anchor_z = y, z
            for _ in range(options.inner):
                y, z = (
                    y - gamma * (s * F(x, y)[n:] + f(x, y)[n:] + (y - anchor_y) / options.rho),
                    z - gamma * (f(x, z)[n:] + (z - anchor_z) / options.rho),
                )
            x = x - alpha * brackets(x, y, z, s)[0]
            continue
        fresh = brackets(x, y, z, s)
        if before is not None:
            eta = (k + 1) ** -options.momentum_power
            fresh = tuple(g + (1 - eta) * (m - o) for g, m, o in zip(fresh, d, brackets(*before), strict=True))
        d, before = fresh, (x, y, z, s)
        x, y, z = x - alpha * d[0], y - gamma * d[1], z - gamma * d[2]
    return np.concatenate([x, z])


@pytest.mark.parametrize("loop", ["double", "single"])
def test_paper_mode_is_the_paper(loop):
    problem = quadratic()
    options = PenaltyOptions(mode="paper", loop=loop, s0=0.5, alpha=0.05, gamma=0.1, rho=2.0, inner=3, block=40)
    solver, ctx = Penalty(options), context()
    state = solver.step(problem, solver.init(problem, problem.start(ctx.rng), ctx), ctx)
    np.testing.assert_allclose(problem.flat(solver.point(state)), transcribed(problem, options, 40), rtol=1e-10)


@pytest.mark.parametrize("loop", ["double", "single"])
def test_sampled_paper_mode_comes_near(loop):
    """From samples; the full gradient of F(x, y*(x)) falls to a third of its first size."""
    problem, data = tasks(20)
    steps = {"alpha": 0.3, "gamma": 2.0, "step_power": 0.0, "batch": 10, "s0": 0.2, "inner": 5, "block": 60}
    options = PenaltyOptions(mode="paper", loop=loop, **steps)
    solver, ctx = Penalty(options), context(1)
    state = solver.init(problem, problem.start(ctx.rng), ctx)
    first = np.linalg.norm(hypergradient(state.x.v, data)[1])
    for _ in range(1 if loop == "double" else 3):
        state = solver.step(problem, state, ctx)
    assert np.linalg.norm(hypergradient(state.x.v, data)[1]) < first / 3


def test_the_difference_takes_the_same_samples_for_y_and_z(monkeypatch):
    """Of each iteration's calls of the lower oracle the last two, which 1/s multiplies, share their samples."""
    problem, _ = tasks(20)
    options = PenaltyOptions(mode="paper", batch=5, inner=2, block=1)
    solver, ctx = Penalty(options), context()
    state = solver.init(problem, problem.start(ctx.rng), ctx)
    calls: list[np.ndarray] = []
    genuine = type(problem).lower_batch_gradient

    def seen(self, z, samples):
        calls.append(samples.copy())
        return genuine(self, z, samples)

    monkeypatch.setattr(type(problem), "lower_batch_gradient", seen)
    solver.step(problem, state, ctx)
    assert len(calls) == 6
    np.testing.assert_array_equal(calls[-1], calls[-2])
    assert any(not np.array_equal(calls[-1], other) for other in calls[:-2])
