"""The descent of F(x, y*(x)): its follower, its gradient, when it takes over and where it ends."""

from __future__ import annotations

import copy
from contextlib import suppress

import numpy as np
import pytest
from lv_hba_cases import CURVED_FOLLOWER, QUADRATIC_FOLLOWER, context, coupled, shipped, started, written
from scipy.optimize import minimize

from solverkit.engine.driver import run
from solverkit.engine.limits import Limits
from solverkit.engine.solver import Stop
from solverkit.engine.tree import Writer
from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel.kind import BilevelKind
from solverkit_bilevel.follower import Follower
from solverkit_bilevel.lv_hba import LVHBA
from solverkit_bilevel.options import LVHBAOptions
from solverkit_bilevel.plugin import solverkit_solvers
from solverkit_bilevel.polish import lower_solution
from solverkit_bilevel.structure import Structure

# F has a kink where x = 0.5, which is its minimum over the follower's answers y = x
KINKED = """
upper:
  variables: {x: {shape: 3, start: 2, lower: -3, upper: 3}}
  minimize: sum(leaky_relu(y - 0.5, 0.1)) - 0.4*sum(y) + 0.01*normsq(x)
lower:
  variables: {y: {shape: 3, start: 0}}
  minimize: 0.5*normsq(y - x) + 0.1*sum(exp(-y))
  subject_to: {a: y - 5 <= 0}
  convex: true
"""


@pytest.fixture(params=["quadratic", "curved"])
def problem(request, tmp_path):
    return written(tmp_path, QUADRATIC_FOLLOWER if request.param == "quadratic" else CURVED_FOLLOWER)


def answered(problem, x):
    follower = Follower(problem, Structure.of(problem))
    return follower, follower.answer(problem, x, np.zeros(problem.m), np.zeros(follower.rows.count))


@pytest.mark.parametrize("seed", range(6))
def test_answer_and_hypergradient(problem, seed):
    """The proximal method of multipliers finds the same y; central differences of F(x, y*(x)) the same gradient."""
    x = np.random.default_rng(seed).uniform(-0.6, 0.6, problem.n)
    follower, found = answered(problem, x)
    start = np.concatenate([x, np.zeros(problem.m)])
    slow, _ = lower_solution(problem, start, Structure.of(problem))
    np.testing.assert_allclose(found.w[problem.n :], slow, atol=1e-8)
    assert follower.regular(problem, found)
    step, differences = 1e-6, []
    for unit in np.eye(problem.n):
        ends = [problem.upper(answered(problem, x + sign * step * unit)[1].w) for sign in (1, -1)]
        differences.append((ends[0] - ends[1]) / (2 * step))
    np.testing.assert_allclose(follower.hypergradient(problem, found), differences, atol=1e-6)


def test_an_x_without_an_answer_has_none(problem):
    assert answered(problem, np.array([9.0, 0.0]))[1] is None  # y[0] + y[1] <= -8 below the bounds of y


def test_many_answers_are_refused_and_nothing_changes(tmp_path):
    problem = coupled(tmp_path, 5)
    outcomes = []
    for handover in (1, 0):
        solver, state = started(problem, handover=handover, block=3)
        state = solver.step(problem, state, context())
        assert state.descent is None
        outcomes.append(state.w)
    np.testing.assert_array_equal(*outcomes)


def handed_over(problem, **options):
    """A state just after the handover."""
    solver, state = started(problem, handover=1, block=1, settle=1e-12, gap_tol=1e-12, **options)
    for _ in range(10):
        if state.descent is None:
            state = solver.step(problem, state, context())
    assert state.descent is not None
    return solver, state


def descend(solver, problem, state):
    """To the end of the descent: a claim, or Stop at a kink. F never rises."""
    while not solver.converged(state):
        last = state.upper
        state = solver.step(problem, state, context())
        assert state.upper <= last + 1e-12


def test_descent_and_polish_end_at_the_brute_force_minimum(problem):
    """Here the minimum is at a kink of y*: the descent stops close by, Newton's method with held rows arrives."""
    solver, state = handed_over(problem)
    with suppress(Stop):
        descend(solver, problem, state)
    state = solver.finish(problem, state, context())

    def reduced(x):
        found = answered(problem, x)[1]
        return 1e3 if found is None else problem.upper(found.w)

    starts = np.random.default_rng(0).uniform(-1, 1, (3, 2))
    bounds = [(-2, 2)] * 2
    best = min(minimize(reduced, x, bounds=bounds, method="Nelder-Mead", tol=1e-8).fun for x in starts)
    assert state.upper == pytest.approx(best, abs=1e-6)
    assert state.merit <= 1e-5


def test_a_kink_is_reached_and_named(tmp_path):
    problem = written(tmp_path, KINKED)
    solver, state = handed_over(problem)
    with pytest.raises(Stop, match="kink"):
        descend(solver, problem, state)
    np.testing.assert_allclose(state.w[3:], 0.5, atol=1e-4)
    assert state.ended
    assert not solver.converged(state)


def test_a_restored_descent_repeats_every_bit(problem):
    solver, state = handed_over(problem)
    Writer().write(state)
    fresh, other = LVHBA(solver.options), copy.deepcopy(state)
    for _ in range(3):
        state, other = solver.step(problem, state, context()), fresh.step(problem, other, context())
    assert state.w.tobytes() == other.w.tobytes()


def certified(name, **limits):
    options = LVHBAOptions()
    return run(shipped(name), solverkit_solvers()[0], LVHBA(options), BilevelKind(), limits=Limits(**limits))


def test_sample_weights_of_a_support_vector_machine_are_certified():
    result = certified("svm-breast-cancer")
    assert result.point_status is PointStatus.CERTIFIED, result.certificate
    assert result.fun <= -1.48


def test_a_run_cut_short_answers_its_x():
    """Before the handover the lower gap is open: finish puts y*(x) in its place, in less than a step's time."""
    result = certified("svm-breast-cancer", max_iter=1)
    assert result.certificate["lower_gap"].ok
    assert result.counts["nhev"] < 200


def test_an_open_gap_outweighs_any_gradient(tmp_path):
    _, state = started(coupled(tmp_path, 5))
    state.gap, state.residual = 1.0, 0.0
    solved = copy.deepcopy(state)
    solved.gap, solved.residual = 0.0, 1e6
    assert solved.merit < state.merit
