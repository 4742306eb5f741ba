"""LV-HBA as a method: its answers, the paper's iteration to the letter, resumption, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from lv_hba_cases import CURVED_FOLLOWER, QUADRATIC_FOLLOWER, context, coupled, shipped, solved, started, written
from pydantic import ValidationError

from solverkit.engine.driver import run
from solverkit.engine.solver import Stop
from solverkit.engine.tree import Writer
from solverkit.errors import Unsuitable
from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel.kind import BilevelKind
from solverkit_bilevel.generators import coupled_strongly_convex
from solverkit_bilevel.lv_hba import LVHBA
from solverkit_bilevel.options import LVHBAOptions
from solverkit_bilevel.plugin import solverkit_solvers

CONVEX = [
    "bard-1988-ex1",
    "colson-2002-bipa2",
    "colson-2002-bipa4",
    "coupled-merely-convex",
    "dempe-2012",
    "lampariello-sagratella-2017-ex32",
    "macal-hurter-1997",
    "sahin-ciric-1998-ex2",
    "yezza-1996-ex31",
]
NOT_CONVEX = ["kleniati-adjiman-2014-ex3", "mirrlees-1999", "mitsos-barton-2006-ex314", "paulavicius-adjiman-2017a"]


def certified(problem, start=None, **options):
    """A run under the driver with its certificate."""
    return run(problem, solverkit_solvers()[0], LVHBA(LVHBAOptions(**options)), BilevelKind(), start=start)


@pytest.mark.parametrize("name", CONVEX)
def test_convex_followers_are_certified_at_the_known_optimum(name):
    problem = shipped(name)
    result = certified(problem)
    assert result.point_status is PointStatus.CERTIFIED, result.certificate
    assert result.fun == pytest.approx(problem.expect["objective"], abs=1e-4 * (1 + abs(result.fun)))


@pytest.mark.parametrize("name", [*CONVEX[:3], *CONVEX[5:]])
def test_five_drawn_starts_end_at_answers_and_one_at_the_optimum(name):
    problem = shipped(name)
    rng, hits = np.random.default_rng(7), 0
    for _ in range(5):
        start = {"x": np.asarray(rng.uniform(-3, 8)), "y": np.asarray(rng.uniform(-3, 8))}
        result = certified(problem, start)
        assert result.certificate["lower_gap"].ok
        hits += result.point_status is PointStatus.CERTIFIED and abs(result.fun - problem.expect["objective"]) < 1e-3
    assert hits >= 1


@pytest.mark.parametrize("name", NOT_CONVEX)
def test_a_wrong_answer_on_a_nonconvex_follower_is_not_certified(name):
    problem = shipped(name)
    result = certified(problem)
    right = abs(result.fun - problem.expect["objective"]) < 1e-3
    assert right or result.point_status is not PointStatus.CERTIFIED


@pytest.mark.parametrize("n", [10, 100, 1000])
def test_merely_convex_example_before_and_after_polish(tmp_path, n):
    problem = coupled(tmp_path, n)
    _, raw = solved(problem, polish=False)
    assert np.linalg.norm(raw.w[:n] + 0.3) <= 1e-3 * 0.3 * np.sqrt(n)
    assert raw.gap <= 1e-6 * (1 + abs(raw.lower))
    _, state = solved(problem)
    assert state.polished
    np.testing.assert_allclose(state.w[:n], -0.3, atol=1e-9)
    assert state.merit < raw.merit


@pytest.mark.parametrize("inner", ["extragradient", "descent-ascent"])
def test_first_order_saddles_reach_the_same_answer(tmp_path, inner):
    _, state = solved(coupled(tmp_path, 5), inner=inner, gamma1=1.0, gamma2=1.0, polish=False, gap_tol=1e-5)
    assert np.linalg.norm(state.w[:5] + 0.3) <= 1e-2


@pytest.mark.parametrize("text", [QUADRATIC_FOLLOWER, CURVED_FOLLOWER])
def test_bounds_inequalities_and_a_coupling_equality(tmp_path, text):
    problem = written(tmp_path, text)
    result = certified(problem)
    assert result.point_status is PointStatus.CERTIFIED, result.certificate


@pytest.mark.parametrize("seed", range(5))
def test_strongly_convex_example_meets_the_reduced_problem(seed):
    """y*(x) = (P - A^+ h) x with P = I - A^+ A, so F is a function on null(B): L-BFGS there from the same start."""
    from scipy.optimize import minimize

    n = 20
    data = coupled_strongly_convex(size=n, seed=seed)
    problem = strongly_convex_problem(data, n)
    _, state = solved(problem)
    inverse = np.linalg.pinv(data["A"])
    answer = np.eye(n) - inverse @ data["A"] - inverse @ data["h"]
    null = np.linalg.svd(data["B"])[2][np.linalg.matrix_rank(data["B"]) :].T

    def reduced(u):
        x = null @ u
        return problem.upper(np.concatenate([x, answer @ x]))

    starts = [null.T @ state.w[:n], *(scale * np.ones(null.shape[1]) for scale in (1e-2, -1e-1))]
    values = [minimize(reduced, u, options={"gtol": 1e-9}).fun for u in starts]
    assert state.upper == pytest.approx(values[0], abs=1e-6)  # no descent is left
    assert state.upper <= min(values) + 1e-6


def strongly_convex_problem(data, n):
    """The example as an object, from callables of the expression language."""
    from solverkit.expressions import compile_function

    names = {"x": (n,), "y": (n,)}

    def function(text):
        return compile_function([text], names, data)

    return _bilevel(function, n)


def _bilevel(function, n):
    from solverkit.kinds.base import Block, Constraints
    from solverkit.kinds.bilevel.problem import Bilevel
    from solverkit.kinds.rows import Rows

    def rows(text):
        compiled = function(text)
        zero = np.zeros(compiled.outputs)
        names = tuple(f"r[{i}]" for i in range(compiled.outputs))
        return Rows.of(Constraints(compiled, zero, zero, names), 2 * n)

    return Bilevel(
        name="strongly-convex",
        upper_blocks=(Block("x", (n,), np.full(n, 0.05)),),
        lower_blocks=(Block("y", (n,), np.full(n, 0.05)),),
        upper_function=function("sin(dot(c, x) + dot(d, y)) + log(normsq(x + y) + 1)"),
        lower_function=function("0.5*normsq(x - y)"),
        upper_constraints=rows("B @ x"),
        lower_constraints=rows("A @ y + h @ x"),
    )


@pytest.mark.parametrize("bound", [1000.0, 0.3])
def test_papers_schedule_is_the_papers_iteration(tmp_path, bound):
    """Against a transcription of the paper's formulas, with dense matrices and no shared code."""
    n, steps, gamma, alpha, beta, eta, c0, p = 6, 200, 10.0, 0.008, 0.02, 0.01, 0.025, 0.3
    problem = coupled(tmp_path, n)
    solver, state = started(problem, schedule="paper", block=steps, multiplier_bound=bound)
    state = solver.step(problem, state, context())

    def project(w):  # onto sum(x) + sum(y) = 0
        return w - w.sum() / len(w)

    x, y = np.split(project(np.full(3 * n, 10.0)), [n])
    t, lam, z = y.copy(), 0.0, 0.0
    for k in range(steps):
        c = c0 * (k + 1) ** p
        y1, t1, t2 = y[:n], t[:n], t[n:]
        down = np.concatenate([t1 - x, np.ones(n)]) + lam + (t - y) / gamma
        rise = -(x.sum() + t1.sum() + t2.sum()) + (lam - z) / gamma
        t, lam = t - eta * down, float(np.clip(lam - eta * rise, -bound, bound))
        d_x = (x - y[n:]) / c - y1 + t[:n] - lam
        d_y = np.concatenate([y1 - 1, y[n:] - x]) / c + np.concatenate([y1 - x, np.ones(n)]) - (y - t) / gamma
        moved = project(np.concatenate([x, y]) - alpha * np.concatenate([d_x, d_y]))
        x, y = moved[:n], moved[n:]
        z = float(np.clip(z + beta * (lam - z) / gamma, -bound, bound))
    np.testing.assert_allclose(state.w, np.concatenate([x, y]), rtol=0, atol=1e-10)
    np.testing.assert_allclose([state.lam[0], state.z[0]], [lam, z], rtol=0, atol=1e-10)
    np.testing.assert_allclose(state.w[n:] + state.d, t, rtol=0, atol=1e-10)


def test_papers_constants_leave_at_n_100_and_an_exact_saddle_stays():
    problem = shipped("coupled-merely-convex")
    errors = {}
    for inner, more in (("descent-ascent", {}), ("exact", {"c0": 10.0, "power": 0.49, "alpha": 0.1, "beta": 0.5})):
        solver, state = started(problem, schedule="paper", inner=inner, **more)
        for _ in range(5):
            state = solver.step(problem, state, context())
        errors[inner] = np.linalg.norm(state.w[:100] + 0.3) / 3
    assert errors["descent-ascent"] > 10
    assert errors["exact"] < 0.1


@pytest.mark.parametrize("name", ["coupled-merely-convex", "bard-1988-ex1", "colson-2002-bipa4"])
@pytest.mark.parametrize("schedule", ["production", "paper"])
def test_a_restored_state_repeats_every_bit(name, schedule):
    import copy

    problem = shipped(name)
    solver, state = started(problem, schedule=schedule, block=2)
    for _ in range(2):
        state = solver.step(problem, state, context())
    Writer().write(state)  # nothing in it that a checkpoint cannot hold
    fresh, other = LVHBA(solver.options), copy.deepcopy(state)
    for _ in range(4):
        state, other = solver.step(problem, state, context()), fresh.step(problem, other, context())
    state, other = solver.finish(problem, state, context()), fresh.finish(problem, other, context())
    assert state.w.tobytes() == other.w.tobytes()
    assert fresh.report(other) == solver.report(state)


def test_an_empty_joint_set_is_infeasible(tmp_path):
    text = QUADRATIC_FOLLOWER.replace("y[1] - 2*y[2] + x[1] <= 0.5", "y[0] + y[1] + x[0] >= 2")
    with pytest.raises(Stop, match="joint feasible set C is empty"):
        started(written(tmp_path, text))


def test_single_precision_oracles_reach_single_precision(tmp_path):
    problem = coupled(tmp_path, 20).to("cpu", "float32")
    solver, ctx = LVHBA(LVHBAOptions(gap_tol=1e-4, polish=False)), context(dtype="float32")
    state = solver.init(problem, problem.start(ctx.rng), ctx)
    for _ in range(20):
        if not solver.converged(state):
            state = solver.step(problem, state, ctx)
    assert np.linalg.norm(state.w[:20] + 0.3) <= 1e-2 * 0.3 * np.sqrt(20)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"power": 0.6}, "power"),
        ({"schedule": "fast"}, "schedule"),
        ({"gamma1": 0.0}, "gamma1"),
        ({"c0": 1e9}, "c_max"),
        ({"step": 1.0}, "step"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        LVHBAOptions(**options)


def test_a_ball_with_rows_through_it_is_refused(tmp_path):
    from dataclasses import replace

    from solverkit.operators.sets import Ball

    problem = replace(written(tmp_path, QUADRATIC_FOLLOWER), upper_set=Ball(np.zeros(2), 1.0))
    with pytest.raises(Unsuitable, match="rows through variables of a ball"):
        started(problem)
    curved = replace(coupled(tmp_path, 2), lower_set=Ball(np.zeros(4), 1.0))
    with pytest.raises(Unsuitable):
        started(curved)
