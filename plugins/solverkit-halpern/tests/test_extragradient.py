"""`extragradient`, `forb` and `vr-extragradient`: rates, answers, steps that are found, bad oracles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from vr_cases import Ledger, context, gaussian, least_squares, linear, run

import solverkit as sk
from solverkit.engine.status import Termination
from solverkit.kinds.inclusion.build import game, inclusion, linear_program
from solverkit.kinds.inclusion.generators import policeman_burglar, quadratic_game
from solverkit.kinds.inclusion.sums import MatrixSum
from solverkit_halpern.extragradient.forb import Forb
from solverkit_halpern.extragradient.iteration import Iterate, advance
from solverkit_halpern.extragradient.merit import begin, judge, tangent
from solverkit_halpern.extragradient.method import Extragradient
from solverkit_halpern.extragradient.vr import VRExtragradient
from solverkit_halpern.variance_reduced.method import VRHalpern

ALL = [
    (Extragradient, {}),
    (Extragradient, {"anchored": True}),
    (Extragradient, {"average": True}),
    (Forb, {}),
    (VRExtragradient, {}),
    (VRExtragradient, {"method": "forb"}),
    (VRExtragradient, {"average": True}),
]


def value_of(A: np.ndarray) -> float:
    """The value of a game by a linear program."""
    p, q = A.shape
    found = linprog(
        np.eye(p + 1)[-1],
        A_ub=np.hstack([A.T, -np.ones((q, 1))]),
        b_ub=np.zeros(q),
        A_eq=[[1.0] * p + [0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * p + [(None, None)],
    )
    return float(found.fun)


@pytest.mark.parametrize(("cls", "options"), ALL)
def test_games_reach_the_value_of_the_linear_program(cls: type, options: dict) -> None:
    problem = gaussian(12, 9, seed=3)
    solver, state, _, _ = run(cls, problem, options, 4000, tol=2e-3 if cls is not VRExtragradient else 2e-2)
    assert solver.converged(state)
    u = problem.flat(solver.point(state))
    A = problem.bilinear.matrix
    lower, upper = (A @ u[12:]).min(), (A.T @ u[:12]).max()
    assert lower - 1e-9 <= value_of(A) <= upper + 1e-9
    assert upper - lower == pytest.approx(solver.report(state)["gap"], abs=1e-12)


def test_the_published_runs_are_reproduced() -> None:
    """Residuals after 100 epochs of policeman-burglar at n = 60, by the reference's formulas written out here."""
    A = policeman_burglar(60)
    step = 5 / np.linalg.norm(A, 2)
    problem = game(A)
    x = y = np.full(60, 1 / 60)
    project = problem.sets[0].prox
    for _ in range(50):
        half = project(x - step * A @ y, 1.0), project(y + step * A.T @ x, 1.0)
        x, y = project(x - step * A @ half[1], 1.0), project(y + step * A.T @ half[0], 1.0)
    solver, state, _, _ = run(Extragradient, problem, {"mode": "paper", "step": step, "block": 50}, 1)
    np.testing.assert_allclose(problem.flat(solver.point(state)), np.concatenate([x, y]), rtol=1e-10, atol=1e-13)


def test_anchored_steps_have_the_last_iterate_rate() -> None:
    """EAG: ||F(u_k)||^2 <= 260 L^2 ||u_0 - u*||^2 / (k + 1)^2 at eta = 1 / (8 L) (Yoon and Ryu 2021, Theorem 1)."""
    M = np.array([[0.0, 3.0], [-3.0, 0.0]])
    start = np.array([1.0, -2.0])
    problem = linear(M, start, lipschitz=3.0)
    quality = begin(problem, start, 1e-9)
    at = Iterate(start, M @ start, start.copy(), 1 / 24, start.copy())
    for k in range(1, 400):
        advance(problem, at, quality, anchored=True, searched=False)
        assert at.value @ at.value <= 260 * 9 * 5 / (k + 1) ** 2


def test_the_searched_step_finds_the_steepness_and_pays_for_it() -> None:
    M = np.diag([1.0, 50.0]) + np.array([[0.0, 20.0], [-20.0, 0.0]])
    problem = linear(M, np.ones(2))
    solver, state, ledger, _ = run(Extragradient, problem, {}, 60, tol=1e-8)
    assert solver.converged(state)
    assert state.at.step * np.linalg.norm(M, 2) <= 2.0
    np.testing.assert_allclose(solver.point(state)["u"], 0, atol=1e-7)
    assert ledger.counts["nop"] > 0


def test_simplices_hide_the_common_part_of_a_game() -> None:
    A = np.random.default_rng(5).standard_normal((20, 20))
    plain, shifted = game(A), game(A + 300.0 + 50 * np.arange(20))
    change = np.random.default_rng(6).standard_normal(40)
    assert abs(tangent(plain, change)[:20].sum()) < 1e-12
    ends = [run(Extragradient, each, {}, 200, tol=1e-4) for each in (plain, shifted)]
    assert all(solver.converged(state) for solver, state, _, _ in ends)


def test_forb_evaluates_once_an_iteration() -> None:
    problem = linear(np.array([[1.0, 2.0], [-2.0, 1.0]]), np.ones(2), lipschitz=np.sqrt(5.0))
    _, _, ledger, _ = run(Forb, problem, {"mode": "paper", "block": 7}, 1)
    assert ledger.counts["nop"] == 4 + 1 + 7  # scales around the start, the start, the steps


def test_snapshots_cost_a_full_evaluation_and_two_components_lie_between() -> None:
    problem = gaussian(30, 30)
    solver, _, ledger, _ = run(VRExtragradient, problem, {"sampling": "uniform"}, 25)
    assert ledger.counts["nop"] == 1 + 25
    assert ledger.counts["ncomp"] % 2 == 0
    assert 25 * 2 * 15 / 3 < ledger.counts["ncomp"] < 25 * 2 * 15 * 3  # 1 / p = 15 steps between snapshots, on average
    assert isinstance(solver, VRExtragradient)


def test_a_step_that_is_too_long_is_halved_and_said() -> None:
    solver, state, _, log = run(VRExtragradient, gaussian(40, 40), {"scale": 40.0}, 300)
    assert sum("halved" in line for line in log) >= 2
    assert np.isfinite(state.quality.merit)
    assert solver.report(state)["step"] < 40 * 0.99 * np.sqrt(2 / 40) / 40


@pytest.mark.parametrize(("cls", "options"), ALL)
def test_sums_of_matrices_are_certified(cls: type, options: dict) -> None:
    data = quadratic_game(30, 3, seed=1, strength=1.0)
    problem = inclusion(MatrixSum(data["M"], data["q"]), {"u": {"shape": 6, "start": 0}})
    solver, state, _, _ = run(cls, problem, options, 3000, tol=1e-3)
    assert solver.converged(state)
    assert np.abs(solver.point(state)["u"] - data["u"]).max() < 2e-2


@pytest.mark.parametrize(("cls", "options"), [*ALL, (VRHalpern, {}), (VRHalpern, {"algorithm": "forb"})])
def test_nan_from_an_oracle_shows_in_the_merit(cls: type, options: dict) -> None:
    problem = linear(np.array([[1.0, 2.0], [-2.0, 1.0]]), np.ones(2))
    ledger = Ledger(problem)
    ctx = context(ledger, tol=1e-12)
    solver = cls(cls.Options(**options))
    state = solver.init(ledger, problem.start(ctx.rng), ctx)
    problem.part.M[:] = np.nan  # type: ignore[attr-defined]
    with np.errstate(invalid="ignore"):
        state = solver.step(ledger, state, ctx)
    assert np.isnan(solver.report(state)["merit"])
    assert not solver.converged(state)


def test_a_claim_rests_on_scales_taken_at_the_point() -> None:
    problem = least_squares(50, 4)
    start = np.full(4, 0.9)
    quality = begin(problem, start, 1e-6)
    quality.scales *= 1e9  # as if F had been huge on the way
    judge(problem, quality, start, problem.operator(start))
    assert quality.looks == 1
    assert quality.merit > 1e-3


def test_runs_of_one_seed_are_equal_and_of_two_are_not() -> None:
    problem = gaussian(20, 20)
    ends = [run(VRExtragradient, problem, {}, 5, seed=seed)[1].v for seed in (0, 0, 1)]
    np.testing.assert_array_equal(ends[0], ends[1])
    assert np.abs(ends[0] - ends[2]).max() > 0


def test_the_engine_s_counts_add_up() -> None:
    """Two projections for two components of a step, and one for each snapshot's residual."""
    counts = sk.solve(gaussian(15, 15), method="vr-extragradient", max_iter=6, tol=1e-9).counts
    assert counts["nop"] == 7
    assert counts["nprox"] == counts["ncomp"] + counts["nop"] + 1


@pytest.mark.parametrize("method", ["extragradient", "forb", "vr-halpern"])
@pytest.mark.filterwarnings("error")
def test_iterates_that_run_away_end_the_run_before_they_overflow(method: str) -> None:
    """min -x over x >= 0 under a row of zeros: each step is longer than the one before."""
    problem = linear_program([-1.0], [[0.0]], [-np.inf], [1.0], [0.0], [np.inf])
    result = sk.solve(problem, method, max_iter=5000, max_time=60)
    assert result.termination is Termination.STALLED
    assert "the iterates run away" in result.message
    assert not result.success
