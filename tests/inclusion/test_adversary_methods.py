"""Hard cases for the default modes: no wrong claim, no silent failure, no answer where there is none."""

from __future__ import annotations

import numpy as np
import pytest

import solverkit as sk
from solverkit.engine.status import Termination
from solverkit.kinds.inclusion import game, linear_program
from solverkit.kinds.inclusion.build import sequence_form
from solverkit.kinds.inclusion.generators import random_poker
from solverkit.kinds.inclusion.operator import is_bilinear
from solverkit.kinds.inclusion.structure import payoff_scale
from tests.figures.inclusion import unseen_games, unseen_lps

EASY_GAMES = {
    "1 x 1",
    "7 x 1",
    "constant 1e9",
    "zero 5 x 5",
    "one entry",
    "rank one",
    "integers",
    "pure saddle 300 x 10",
    "wide 5 x 800",
    "payoffs 1e9",
    "payoffs 1e-9",
    "payoffs 1e-200",
    "plus 1e6",
    "doubled both",
    "Blotto 10 on 3",
    "auction 80",
}
PROGRAMS = ("infeasible", "unbounded", "clutter (10", "free row", "Klee", "sides", "n = 1", "empty", "shortest path 5")


@pytest.mark.parametrize("name", sorted(EASY_GAMES))
def test_unseen_games_are_certified_at_their_value(name: str) -> None:
    matrix = dict(unseen_games.payoffs())[name]
    value, size = unseen_games.value_of(matrix)
    problem = game(matrix)
    found = sk.solve(problem, method="halpern", tol=1e-6, max_iter=500)
    assert found.success
    assert abs(found.fun - value) <= 1e-6 * payoff_scale(matrix) + 1e-9 * size


@pytest.mark.parametrize("scale", [1e-150, 1e-60, 1e60, 1e150])
def test_single_precision_products_take_payoffs_of_any_size(scale: float) -> None:
    payoff = scale * np.random.default_rng(4).standard_normal((120, 90))
    found = sk.solve(game(payoff), method="halpern", options={"precision": "mixed"}, tol=1e-4, max_iter=200)
    assert found.success


def test_unseen_programs_get_the_verdict_of_highs() -> None:
    for name, problem in unseen_lps.programs():
        if not name.startswith(PROGRAMS) or problem.size > 300:
            continue
        expected, verdict, _, off = unseen_lps.judged(problem, "halpern", {})
        assert verdict == expected, name
        assert not off > 1e-4, name


@pytest.mark.parametrize("method", ["extragradient", "forb", "vr-extragradient", "vr-halpern"])
def test_baselines_claim_no_program_that_the_certificate_refuses(method: str) -> None:
    for name, problem in unseen_lps.tiny():
        found = sk.solve(problem, method=method, tol=1e-6, max_iter=20)
        assert found.success == (found.termination is Termination.CONVERGED), name


def test_the_gap_decides_in_sequence_form() -> None:
    for seed in (5, 6):
        data = random_poker(cards=5, bets=2, seed=seed)
        problem = sequence_form(data["A"], data["E"], data["e"], data["F"], data["f"])
        found = sk.solve(problem, method="halpern", tol=1e-6, max_iter=3000)
        assert found.success


def test_sums_that_are_far_from_their_steepest_are_certified_by_default() -> None:
    problem = sk.load("problems/inclusion/fair-classification/problem.yaml")
    found = sk.solve(problem, tol=1e-5, max_iter=200)
    assert found.success


def test_nothing_is_worked_out_to_see_what_an_operator_is() -> None:
    problem = game(np.random.default_rng(0).standard_normal((30, 40)))
    assert is_bilinear(problem.part)
    assert problem.bilinear is problem.part
    assert not {"lipschitz", "weights", "mean_lipschitz", "row_norms"} & set(vars(problem.part))
    program = linear_program([1.0], [[1.0]], 1.0, 2.0)
    assert is_bilinear(program.part)
