"""The methods against the theory and Clarabel: the potential at every step, the bounds, bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sliding_cases import answer, free, fused, portfolio

import solverkit as sk
from solverkit.engine.status import Termination
from solverkit.errors import UsageError
from solverkit.kinds.composite import bound
from solverkit_sliding import recursion
from solverkit_sliding.smoothed import smoothed_value

SLIDING = ("gradient-sliding", "accelerated-gradient-sliding")
ALL = (*SLIDING, "condat-vu", "smoothed-fista", "restarted-sliding")


@pytest.mark.parametrize("mode", ["paper", "production"])
@pytest.mark.parametrize("method", SLIDING)
@pytest.mark.parametrize("case", ["fused", "portfolio"])
def test_the_potential_never_rises(case: str, method: str, mode: str) -> None:
    problem = fused() if case == "fused" else portfolio()
    _, x = answer(case)
    steps = 60 if method == "accelerated-gradient-sliding" else 15
    start = {"x": problem.variable.start, "reference": x}
    options = {"mode": mode, "verify": True}
    result = sk.solve(problem, method=method, options=options, tol=1e-12, max_iter=steps, start=start)
    assert result.termination is Termination.MAX_ITER, result.error


@pytest.mark.parametrize("method", SLIDING)
def test_the_potential_holds_while_l_is_found(method: str) -> None:
    _, x = answer("fused")
    options = {"verify": True, "backtracking": True, "lipschitz": 1e-3}
    problem = fused()
    start = {"x": problem.variable.start, "reference": x}
    result = sk.solve(problem, method=method, options=options, tol=1e-12, max_iter=20, start=start)
    assert result.termination is Termination.MAX_ITER, result.error
    assert result.trace[-1]["report"]["lipschitz"] > 0.01


def test_the_assertion_can_fail() -> None:
    """With an L that is too small the inequality breaks, and the run says so."""
    _, x = answer("fused")
    problem = fused()
    start = {"x": problem.variable.start, "reference": x}
    options = {"verify": True, "lipschitz": 0.01}
    result = sk.solve(problem, method=SLIDING[1], options=options, tol=1e-12, max_iter=60, start=start)
    assert result.termination is Termination.SOLVER_FAILED
    assert "potential" in result.error


def test_restarted_sliding_halves_the_gap_each_phase() -> None:
    value, x = answer("fused")
    problem = fused()
    first = problem.objective(problem.start(np.random.default_rng(0))) - value
    options = {"verify": True, "initial_gap": first}
    start = {"x": problem.variable.start, "reference": x}
    result = sk.solve(problem, method="restarted-sliding", options=options, tol=1e-12, max_iter=52, start=start)
    assert result.termination is Termination.MAX_ITER, result.error
    assert result.trace[-1]["report"]["phase"] >= 2


@pytest.mark.parametrize("method", ALL)
def test_bounds_never_pass_the_minimum_and_claims_hold(method: str) -> None:
    tol = {"gradient-sliding": 3e-2, "restarted-sliding": 1e-1, "smoothed-fista": 1e-2}.get(method, 1e-5)
    for seed in range(3):
        problem, (value, _) = fused(seed=seed), answer("fused", seed=seed)
        result = sk.solve(problem, method=method, tol=tol, max_iter=600)
        assert result.termination is Termination.CONVERGED, result.message
        assert result.success
        assert result.fun >= value - 1e-9
        for record in result.trace:
            report = record.get("report", {})
            if np.isfinite(report.get("objective", np.inf)):
                assert report["objective"] - report["merit"] <= value + 1e-9


@pytest.mark.parametrize("method", ["accelerated-gradient-sliding", "condat-vu"])
def test_logistic_losses_are_claimed_by_the_bound_of_the_core(method: str) -> None:
    result = sk.solve(fused(loss="logistic"), method=method, tol=1e-5, max_iter=600)
    assert result.termination is Termination.CONVERGED
    assert result.success, result.certificate


@pytest.mark.parametrize("method", ["accelerated-gradient-sliding", "condat-vu"])
def test_chi_without_strong_convexity(method: str) -> None:
    result = sk.solve(free(), method=method, tol=1e-4, max_iter=2000)
    best = sk.solve(free(), method="condat-vu", tol=1e-9, max_iter=3000)
    assert result.fun <= best.fun + 1e-4 * (1 + abs(best.fun))


def test_the_smoothed_value_is_the_maximum() -> None:
    """Against a grid of y, coordinate by coordinate as g is separable, and the bracket around h."""
    problem, rng = portfolio(), np.random.default_rng(5)
    structured: Any = problem.structured
    z, centre = rng.standard_normal(5), 0.1 * rng.uniform(-1, 1, 5)
    smooth = smoothed_value(problem, z, 0.7, centre)
    y = np.linspace(-0.1, 0.1, 20001)[:, None]
    sampled = (y * z - 0.35 * (y - centre) ** 2).max(axis=0).sum()
    h = float(structured.outer.value(z))
    assert sampled <= smooth + 1e-12
    assert smooth - sampled <= 1e-8
    assert h - 4 * 0.7 * structured.diameter <= smooth <= h + 1e-12


@pytest.mark.parametrize("mu", [1e-4, 0.3])
@pytest.mark.parametrize("delta", [0.0, 0.2, 1.0])
def test_the_recursion_satisfies_its_condition_with_equality(mu: float, delta: float) -> None:
    weight = 2.0
    for _ in range(5000):
        gamma = recursion.next_gamma(1.5, mu, delta, weight)
        left = (1 + delta) * (1.5 * gamma**2 + mu * gamma) - mu * gamma
        assert left == pytest.approx((1 - gamma) * weight, rel=1e-9)
        weight = gamma * (1.5 * gamma + mu) * (1 + delta)
    assert gamma == pytest.approx(recursion.fixed_point(1.5, mu, delta), rel=1e-2)


def test_gradients_are_fewer_than_products() -> None:
    result = sk.solve(fused(), method="accelerated-gradient-sliding", tol=1e-6, max_iter=600)
    assert result.success
    assert result.counts["njev"] * 4 < result.counts["nmul"]
    assert result.counts["njev"] == result.nit


def test_growing_batches_end_in_full_gradients() -> None:
    options = {"batch": 2, "lipschitz": 1.0}
    result = sk.solve(fused(), method="accelerated-gradient-sliding", options=options, tol=1e-4, max_iter=800)
    assert result.success
    assert result.counts["ncomp"] > 0


@pytest.mark.parametrize("answer_", ["average", "last"])
def test_either_iterate_is_certified(answer_: str) -> None:
    options = {"answer": answer_}
    result = sk.solve(fused(), method="accelerated-gradient-sliding", options=options, tol=1e-4, max_iter=800)
    assert result.success


def test_auto_says_what_it_takes() -> None:
    result = sk.solve(fused(), method="composite-auto", tol=1e-3, max_iter=400)
    assert result.success
    assert any("taking condat-vu" in note or "taking accelerated" in note for note in result.notes)
    dear = sk.solve(fused(), method="composite-auto", options={"break_even": 1e-9}, tol=1e-3, max_iter=400)
    assert any("taking accelerated" in note for note in dear.notes)


def test_what_cannot_be_done_is_refused_with_a_remedy() -> None:
    from dataclasses import replace

    from solverkit.operators.proximal import SquaredL2

    problem = fused()
    structured: Any = problem.structured
    unbounded = replace(problem, structured=type(structured)(structured.linear, SquaredL2(1.0)))
    with pytest.raises(UsageError, match="condat-vu"):
        sk.solve(unbounded, method="accelerated-gradient-sliding")
    with pytest.raises(UsageError, match="strongly"):
        sk.solve(free(), method="restarted-sliding")


def test_the_inner_bound_matches_the_core() -> None:
    """The dual and anchor of an answer give the bound that the method stopped by."""
    result = sk.solve(fused(), method="accelerated-gradient-sliding", tol=1e-5, max_iter=600)
    problem = fused()
    line = bound.Linearized.at(problem, result.point["anchor"])
    low = bound.with_dual(problem, line, bound.inside(problem, result.point["dual"]))
    report = result.trace[-1]["report"]
    assert low >= report["objective"] - report["merit"] - 1e-9


def test_without_h_one_exact_step_solves_the_inner_problem() -> None:
    """Then the method is Nesterov's on f + chi, and the answer solves the normal equations."""
    from dataclasses import replace

    problem = replace(free(strong=0.01), structured=None)
    smooth: Any = problem.smooth
    options = {"verify": True}
    result = sk.solve(problem, method="gradient-sliding", options=options, tol=1e-10, max_iter=400)
    assert result.success, result.message
    A, b = smooth.A, smooth.b
    expected = np.linalg.solve(smooth.scale * A.T @ A + 0.01 * np.eye(problem.n), smooth.scale * A.T @ b)
    assert result.x == pytest.approx(expected, abs=1e-4)
    assert result.trace[-1]["report"]["inner"] == result.nit
