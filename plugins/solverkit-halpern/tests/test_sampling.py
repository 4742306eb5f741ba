"""Draws have the probabilities they should, estimates are unbiased, constants are what they say."""

from __future__ import annotations

import numpy as np
import pytest
from vr_cases import Ledger, context, gaussian, least_squares

from solverkit.errors import UsageError
from solverkit.kinds.inclusion.build import game
from solverkit_halpern.sampling.alias import AliasTable
from solverkit_halpern.sampling.build import mean_lipschitz
from solverkit_halpern.sampling.compiled import CompiledComponents, centred
from solverkit_halpern.sampling.oracles import OracleComponents
from solverkit_halpern.sampling.subsets import subsets
from solverkit_halpern.variance_reduced.options import VRHalpernOptions
from solverkit_halpern.variance_reduced.rule import decide, steepness


@pytest.mark.parametrize("weights", [[1.0], [0.0, 1.0, 3.0], [1e-12, 1.0, 0.0, 5.0, 2.0], [2.0, 2.0, 2.0]])
def test_the_table_holds_the_probabilities_exactly(weights: list[float]) -> None:
    table, n = AliasTable.of(np.array(weights)), len(weights)
    held = table.keep / n
    np.add.at(held, table.other, (1 - table.keep) / n)
    np.testing.assert_allclose(held, np.array(weights) / sum(weights), atol=1e-15)


def test_a_weight_of_zero_is_never_drawn() -> None:
    drawn = AliasTable.of(np.array([0.0, 1.0, 0.0, 2.0])).draw(np.random.default_rng(0), (5000,))
    assert set(drawn.tolist()) == {1, 3}


@pytest.mark.parametrize("weights", [[1.0, -1.0], [np.nan, 1.0], [0.0, 0.0], [np.inf, 1.0]])
def test_bad_weights_are_named(weights: list[float]) -> None:
    with pytest.raises(UsageError, match=r"weight \d is|all weights are zero"):
        AliasTable.of(np.array(weights))


def test_subsets_have_no_repetition_and_are_uniform() -> None:
    drawn = subsets(np.random.default_rng(0), 6000, 2, 5)
    assert (drawn[:, 0] != drawn[:, 1]).all()
    counts = np.zeros((5, 5))
    np.add.at(counts, (drawn[:, 0], drawn[:, 1]), 1)
    off = counts[~np.eye(5, dtype=bool)]
    assert np.abs(off - 300).max() < 5 * np.sqrt(300)
    assert sorted(subsets(np.random.default_rng(1), 1, 7, 7)[0]) == list(range(7))


def mean_change(parts: CompiledComponents, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean of single differences over many draws, and their mean square."""
    rng, found = np.random.default_rng(0), []
    for sample in parts.draw(rng, 40_000, 1):
        g = np.zeros_like(u)
        parts.page(u.copy(), v.copy(), g, u, 0.0, np.zeros(1), sample[None])
        found.append(g)
    return np.mean(found, axis=0), float(np.mean([g @ g for g in found]))


@pytest.mark.parametrize("importance", [True, False])
def test_differences_are_unbiased_and_within_their_constant(importance: bool) -> None:
    problem = gaussian(4, 3, seed=1)
    parts = CompiledComponents(problem, lambda *_: None, importance=importance, centre=False)
    rng = np.random.default_rng(2)
    u, v = rng.random(7), rng.random(7)
    mean, square = mean_change(parts, u, v)
    true = problem.operator(u) - problem.operator(v)
    assert parts.mean_lipschitz is not None
    assert np.linalg.norm(mean - true) <= 5 * np.sqrt(square / 40_000)
    assert square <= 1.02 * parts.mean_lipschitz**2 * float((u - v) @ (u - v))


def test_importance_gives_the_frobenius_norm_and_centring_lowers_it() -> None:
    A = np.random.default_rng(3).standard_normal((6, 6)) + 10.0
    raw = CompiledComponents(game(A), lambda *_: None, centre=False)
    centre = CompiledComponents(game(A), lambda *_: None)
    assert raw.mean_lipschitz == pytest.approx(np.linalg.norm(A))
    assert centre.mean_lipschitz == pytest.approx(np.linalg.norm(centred(A)))
    np.testing.assert_allclose(centred(A).sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(centred(A).sum(axis=1), 0, atol=1e-12)


def test_unknown_constants_are_probed_and_paid_for() -> None:
    problem = least_squares(60, 5, known=False)
    ledger, log = Ledger(problem), []
    parts = OracleComponents(ledger)  # type: ignore[arg-type]
    found = mean_lipschitz(ledger, parts, np.zeros(5), context(ledger, log=log))  # type: ignore[arg-type]
    A = problem.part.A  # type: ignore[attr-defined]
    fourth = np.linalg.norm((A * (A**2).sum(axis=1, keepdims=True)).T @ A / len(A), 2) ** 0.5
    assert 0.3 * fourth <= found <= 3 * fourth
    assert ledger.counts["nop"] == 6
    assert ledger.counts["ncomp"] == 2 * 5 * 8
    assert "6 evaluations of F" in log[0]


def test_the_rule_sees_the_rank_that_projections_see() -> None:
    rng = np.random.default_rng(4)
    one = np.outer(rng.random(80), rng.standard_normal(80)) * 30
    low, high = one + rng.standard_normal((80, 1)) * 40, rng.standard_normal((80, 80))
    verdicts = []
    for A in (low, high):
        ledger = Ledger(game(A))
        ctx = context(ledger)
        parts = CompiledComponents(ledger.problem, ledger.charge)
        u = np.full(160, 1 / 80)
        steep = steepness(ledger, u, ctx)  # type: ignore[arg-type]
        assert steep == pytest.approx(np.linalg.norm(centred(A), 2), rel=0.1)
        options = VRHalpernOptions(rank=0.05)
        assert parts.mean_lipschitz is not None
        verdicts.append(decide(ledger, parts, u, parts.mean_lipschitz, steep, options, ctx))  # type: ignore[arg-type]
    assert verdicts[0].pays
    assert not verdicts[1].pays
    assert verdicts[0].stable_rank == pytest.approx(1.0, rel=0.1)
