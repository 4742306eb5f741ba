"""`vr-halpern`: the paper's algorithms literally, its guards, the rule, and the rates of what it falls back to."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.optimize import lsq_linear
from vr_cases import Ledger, algorithm_1, algorithm_3, context, gaussian, least_squares, linear, run

import solverkit as sk
from solverkit.engine.solver import Stop
from solverkit.kinds.inclusion.build import game
from solverkit.kinds.inclusion.generators import policeman_burglar
from solverkit_halpern.variance_reduced.method import VRHalpern
from solverkit_halpern.variance_reduced.options import VRHalpernOptions
from solverkit_halpern.variance_reduced.page import anchoring, batch_of, probabilities


def rotation(angle: float) -> np.ndarray:
    """T = I - F is a rotation by this angle: nonexpansive, with the fixed point 0."""
    c, s = math.cos(angle), math.sin(angle)
    return np.eye(2) - np.array([[c, -s], [s, c]])


# -- the paper, literally


def test_paper_mode_is_algorithm_1_with_the_same_draws() -> None:
    n, steps, eta = 16, 60, 0.02
    A = policeman_burglar(n)
    options = {"mode": "paper", "algorithm": "page", "guard": "off", "step": eta, "block": steps}
    problem = game(A)
    solver, state, _, _ = run(VRHalpern, problem, options, 1)
    ledger = Ledger(problem)
    ctx = context(ledger)
    other = VRHalpern(VRHalpernOptions(**options))
    other.init(ledger, problem.start(ctx.rng), ctx)  # draws what `init` draws
    coins = ctx.rng.random(steps)
    batches = other._components(problem, ctx).draw(ctx.rng, steps, 4)[..., 0]
    expected = algorithm_1(A, eta, coins, batches)
    np.testing.assert_allclose(state.u, expected[-1], rtol=1e-9, atol=1e-12)
    assert any(np.allclose(problem.flat(solver.point(state)), u, rtol=1e-9) for u in expected)


def test_paper_mode_is_algorithm_2_with_the_same_draws() -> None:
    n, eta, tau, inner = 10, 0.4, 0.05, 3.0
    A = np.random.default_rng(1).standard_normal((n, n))
    options = {"mode": "paper", "algorithm": "forb", "step": eta, "inner_step": tau, "inner": inner}
    options["probability"] = 0.2
    problem = game(A)
    _, state, _, _ = run(VRHalpern, problem, options, 4)
    ledger = Ledger(problem)
    ctx = context(ledger)
    other = VRHalpern(VRHalpernOptions(**options))
    other.init(ledger, problem.start(ctx.rng), ctx)
    parts, u, moved = other._components(problem, ctx), np.full(2 * n, 1 / n), 0
    for k in range(4):
        steps = int(inner * n * math.log(k + 2))
        picks = parts.draw(ctx.rng, steps, 1)[:, 0, 0]
        moves = ctx.rng.random(steps) < 0.2
        moved += moves.sum()
        v = algorithm_3(A, u, eta, tau, 0.2, picks, moves)
        u = np.full(2 * n, 1 / n) / (k + 2) + (k + 1) / (k + 2) * v
    assert moved > 10
    np.testing.assert_allclose(state.u, u, rtol=1e-9, atol=1e-12)


def test_paper_parameters_are_the_paper_s() -> None:
    paper = VRHalpernOptions(mode="paper")
    k = np.arange(60)
    p = probabilities(k, 500, paper)
    assert p[:2].tolist() == [1.0, 1.0]
    assert p[10] == pytest.approx(4 / 14)
    assert p[23] == pytest.approx(4 / 27)  # 22 <= sqrt(500) < 23
    assert p[24] == pytest.approx(4 / (math.sqrt(500) + 5))
    assert anchoring(3, 2).tolist() == [2 / 7, 2 / 8]
    assert batch_of(500, paper) == 23
    problem = gaussian(20, 20)
    parts_L = math.sqrt(20 * max((problem.bilinear.matrix**2).sum(axis=a).max() for a in (0, 1)))
    _, page, _, _ = run(VRHalpern, problem, {"mode": "paper", "algorithm": "page"}, 0)
    _, forb, _, _ = run(VRHalpern, problem, {"mode": "paper"}, 0)
    assert page.step == pytest.approx(1 / (4 * parts_L))
    assert (forb.algorithm, forb.step) == ("forb", pytest.approx(math.sqrt(20) / parts_L))
    assert forb.inner_step == pytest.approx(math.sqrt(0.05 * 0.95) / (2 * (math.sqrt(20) + 1)))


def test_page_with_p_1_is_halpern_bit_for_bit() -> None:
    problem = least_squares(90, 5)
    options = {"mode": "paper", "algorithm": "page", "probability": 1.0, "step": 0.05, "block": 40, "guard": "off"}
    _, state, ledger, _ = run(VRHalpern, problem, options, 1)
    u = anchor = np.zeros(5)
    for k in range(40):
        weight = 2.0 / (k + 4)
        u = problem.resolvent(weight * anchor + (1.0 - weight) * u - 0.05 * problem.operator(u), 0.05)
    np.testing.assert_array_equal(state.u, u)
    assert ledger.counts["ncomp"] == 0


# -- counts


@pytest.mark.parametrize("algorithm", ["page", "forb"])
def test_what_kernels_charge_is_what_the_oracles_would_count(algorithm: str) -> None:
    problem = gaussian(25, 25)
    options = {"mode": "paper", "algorithm": algorithm, "guard": "off", "step": 0.01, "probability": 0.3}
    _, state, ledger, _ = run(VRHalpern, problem, options, 6)
    if algorithm == "page":
        total = state.total
        assert ledger.counts["ncomp"] == 2 * 5 * (total - ledger.counts["nop"])  # b = 5
        return
    steps = sum(int(0.05 * 25 * math.log(k + 2)) for k in range(6))
    assert ledger.counts["ncomp"] == 2 * steps


# -- cocoercive sums


@pytest.mark.parametrize("algorithm", ["auto", "page", "full"])
@pytest.mark.parametrize("known", [True, False])
def test_least_squares_reach_the_bounded_solution(algorithm: str, known: bool) -> None:
    problem = least_squares(known=known)
    solver, state, _, _ = run(VRHalpern, problem, {"algorithm": algorithm}, 400, tol=1e-5)
    assert solver.converged(state)
    part = problem.part
    exact = lsq_linear(part.A, part.b, bounds=(-1, 1), tol=1e-14).x  # type: ignore[attr-defined]
    assert np.abs(exact).max() == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(solver.point(state)["w"], exact, atol=2e-4)


def test_components_beat_full_evaluations_on_a_cocoercive_sum() -> None:
    problem = least_squares(2000, 12, seed=2, decades=1.0)
    work = {}
    for algorithm in ("page", "full"):
        solver, state, ledger, _ = run(VRHalpern, problem, {"algorithm": algorithm, "block": 5}, 4000, tol=1e-5)
        assert solver.converged(state)
        work[algorithm] = ledger.counts["ncomp"] + problem.count * ledger.counts["nop"]
    assert work["page"] < work["full"]


# -- full evaluations


@pytest.mark.parametrize("angle", [0.1, 1.0, 3.0])
def test_the_rate_of_lieder_on_rotations(angle: float) -> None:
    """||u_k - T u_k|| <= 2 ||u_0 - u*|| / (k + 1), and the potential that proves it holds all the way."""
    F, start = rotation(angle), np.array([3.0, -1.0])
    problem = linear(F, start, cocoercive=True, lipschitz=1.0)
    options = {"algorithm": "full", "step": 1.0, "restart": 0.0, "block": 1}
    ledger = Ledger(problem)
    log: list[str] = []
    ctx = context(ledger, tol=1e-14, log=log)
    solver = VRHalpern(VRHalpernOptions(**options))
    state = solver.init(ledger, problem.start(ctx.rng), ctx)
    for k in range(1, 300):
        state = solver.step(ledger, state, ctx)
        assert state.k == k
        assert np.linalg.norm(F @ state.u) <= 2 * np.linalg.norm(start) / (k + 1) * (1 + 1e-12)
    assert not any("potential" in line for line in log)


def test_a_step_beyond_2_over_L_breaks_the_potential_and_is_halved() -> None:
    F = np.diag([1.0, 0.1])
    problem = linear(F, np.ones(2), cocoercive=True, lipschitz=1.0)
    solver, state, _, log = run(VRHalpern, problem, {"algorithm": "full", "step": 7.0}, 40, tol=1e-8)
    assert any("potential" in line for line in log)
    assert state.step <= 2.0
    assert solver.converged(state)


# -- guards and choices


def skew(n: int = 150) -> object:
    """A game whose stable rank is high: Algorithm 1 runs away on it."""
    return gaussian(n, n, seed=0)


def test_unguarded_algorithm_1_runs_away_on_a_skew_operator_and_the_guard_sees_it() -> None:
    problem = skew()
    step = 3 / np.linalg.norm(problem.bilinear.matrix)
    common = {"algorithm": "page", "step": step, "sampling": "uniform", "centre": False}
    _, loose, _, _ = run(VRHalpern, problem, {**common, "guard": "off", "restart": 0.0}, 100)
    _, kept, _, log = run(VRHalpern, problem, common, 100)
    assert kept.quality.residual < loose.quality.residual / 3
    assert any("runs away" in line for line in log)
    assert any("heuristic" in line for line in log)
    with pytest.raises(Stop, match=r"Algorithm 1 runs away.*algorithm=forb"):
        run(VRHalpern, problem, {**common, "mode": "paper"}, 100)


def test_the_guard_goes_on_with_algorithm_2_where_halving_does_not_help() -> None:
    problem = skew(80)
    options = {"algorithm": "page", "step": 200 / np.linalg.norm(problem.bilinear.matrix), "centre": False}
    _, state, _, log = run(VRHalpern, problem, options, 25)
    assert state.algorithm == "forb"
    assert any("on with Algorithm 2" in line for line in log)
    assert np.isfinite(state.quality.merit)


def test_high_rank_is_left_to_full_evaluations_and_said() -> None:
    solver, state, _, log = run(VRHalpern, gaussian(40, 40), {}, 200, tol=1e-4)
    assert state.algorithm == "full"
    assert solver.converged(state)
    assert any("full evaluations" in line and "stable rank" in line for line in log)


def test_low_rank_draws_components() -> None:
    rng = np.random.default_rng(7)
    A = np.outer(rng.standard_normal(600), rng.standard_normal(600)) + 1e-3 * rng.standard_normal((600, 600))
    _, state, ledger, _ = run(VRHalpern, game(A), {}, 1, tol=1e-12)
    assert state.algorithm == "forb"
    assert ledger.counts["ncomp"] > 0


def test_algorithm_2_of_production_solves_games() -> None:
    solver, state, _, _ = run(VRHalpern, gaussian(20, 15, seed=5), {"algorithm": "forb"}, 600, tol=3e-3)
    assert solver.converged(state)


def test_an_inner_step_that_diverges_is_halved() -> None:
    options = {"algorithm": "forb", "inner_scale": 60.0}
    _, state, _, log = run(VRHalpern, gaussian(40, 40, seed=1), options, 8)
    assert any("tau halved" in line for line in log)
    assert np.isfinite(state.quality.merit)


def test_options_say_what_is_wrong() -> None:
    with pytest.raises(ValidationError, match="cost = -1 is not positive"):
        VRHalpernOptions(cost=-1.0)
    result = sk.solve(gaussian(6, 6), method="vr-halpern", options={"cost": "measured"}, tol=1e-3)
    assert result.success
