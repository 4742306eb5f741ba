"""Kernels against plain loops, and projections against sorting."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from vr_cases import Ledger, algorithm_1, algorithm_3, gaussian, projected, vr_extragradient

from solverkit.kinds.base import Block
from solverkit.kinds.inclusion.bilinear import MatrixOperator
from solverkit.kinds.inclusion.build import game
from solverkit.kinds.inclusion.generators import constrained_qp
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.sums import ColumnSum
from solverkit.operators.proximal import Box, Free
from solverkit_halpern.kernels.sets import threshold
from solverkit_halpern.sampling.compiled import CompiledComponents, compilable
from solverkit_halpern.sampling.oracles import OracleComponents

CLOSE = {"rtol": 1e-11, "atol": 1e-13}


def thinned(seed: int = 0) -> csr_array:
    """A sparse matrix with an empty row and an empty column."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((14, 11)) * (rng.random((14, 11)) < 0.3)
    A[3], A[:, 5] = 0.0, 0.0
    return csr_array(A)


def affine(sparse: bool) -> Inclusion:
    """The paper's quadratic program, n = 6 components of two columns each."""
    qp = constrained_qp(6)
    M = qp["M"] if sparse else qp["M"].toarray()
    blocks = tuple(Block(name, (6,), np.full(6, 1 / 6)) for name in "xy")
    return Inclusion("qp", blocks, ColumnSum(M, qp["q"], 6), (Free(), Box(-1.0, 0.3)))


@pytest.mark.parametrize("spread", [1e-9, 1e-3, 1.0, 1e6])
@pytest.mark.parametrize("guess", [-1e8, -1.0, 0.0, 1.0, 1e8])
def test_the_threshold_is_that_of_sorting_wherever_it_begins(spread: float, guess: float) -> None:
    rng = np.random.default_rng(1)
    for n in (1, 2, 7, 400):
        v = 1 / n + spread * rng.standard_normal(n)
        theta = threshold(v, 1.0, guess)
        found = np.maximum(v - theta, 0)
        np.testing.assert_allclose(found, projected(v), rtol=1e-9, atol=1e-9 * max(1.0, spread))
        assert abs(found.sum() - 1) <= 1e-8 * max(1.0, spread)


def test_the_threshold_ends_on_ties_and_keeps_nan() -> None:
    assert threshold(np.full(9, 0.25), 1.0, 0.25) == pytest.approx(0.25 - 1 / 9)
    parts = CompiledComponents(gaussian(5, 5), lambda *_: None)
    u = np.full(10, 0.2)
    g = np.full(10, np.nan)
    parts.page(u, u.copy(), g, u.copy(), 0.1, np.zeros(2), np.zeros((2, 1, 2), np.int64))
    assert np.isnan(u).any()


def test_page_steps_are_algorithm_1() -> None:
    n, steps = 9, 30
    A = np.random.default_rng(2).standard_normal((n, n))
    rng = np.random.default_rng(3)
    coins = np.where(np.arange(steps) == 0, 0.0, 1.0)  # one full evaluation, then batches, but for k = 1
    batches = np.array([rng.permutation(n)[:3] for _ in range(steps)])
    expected = algorithm_1(A, 0.03, np.where(np.arange(steps) <= 1, 0.0, coins), batches)
    problem = game(A)
    parts = CompiledComponents(problem, lambda *_: None, importance=False, centre=False)
    u = np.full(2 * n, 1 / n)
    anchor, previous = u.copy(), u.copy()
    for k in range(2):
        g = problem.operator(u)
        lam = 2 / (k + 4)
        previous, u = u, problem.resolvent(lam * anchor + (1 - lam) * u - 0.03 * g, 1.0)
    samples = np.stack([batches[2:], batches[2:]], axis=-1)
    parts.page(u, previous, g, anchor, 0.03, 2 / (np.arange(2, steps) + 4), samples)
    np.testing.assert_allclose(u, expected[-1], **CLOSE)


def test_reflected_steps_are_algorithm_3() -> None:
    n, eta, tau, p = 8, 0.3, 0.05, 0.1
    A = np.random.default_rng(4).standard_normal((n, n))
    rng = np.random.default_rng(5)
    picks, moves = rng.integers(0, n, 40), np.zeros(40, bool)
    moves[17] = True
    u = np.full(2 * n, 1 / n)
    expected = algorithm_3(A, u, eta, tau, p, picks, moves)
    problem = game(A)
    parts = CompiledComponents(problem, lambda *_: None, importance=False, centre=False)
    v, samples = u.copy(), np.stack([picks, picks], axis=-1)[:, None]
    parts.reflected(v, u, u, eta * problem.operator(u), eta, 1.0, tau, 1 - p, samples[:18])
    w = v.copy()
    parts.reflected(v, w, u, eta * problem.operator(w) + w - u, eta, 1.0, tau, 1 - p, samples[18:])
    np.testing.assert_allclose(v, expected, **CLOSE)
    assert np.linalg.norm(v - algorithm_3(A, u, eta, tau, p, picks, np.zeros(40, bool))) > 1e-4  # the snapshot matters


def test_extragradient_steps_are_the_paper_s() -> None:
    n = 8
    A = np.random.default_rng(6).standard_normal((n, n))
    picks = np.random.default_rng(7).integers(0, n, 25)
    problem = game(A)
    parts = CompiledComponents(problem, lambda *_: None, importance=False, centre=False)
    w = np.full(2 * n, 1 / n)
    v, total = w.copy(), np.zeros(2 * n)
    parts.extragradient(v, w, problem.operator(w), total, 0.02, 0.9, np.stack([picks, picks], axis=-1)[:, None])
    np.testing.assert_allclose(v, vr_extragradient(A, 0.02, 0.1, picks), **CLOSE)
    np.testing.assert_allclose(total.sum(), 2 * len(picks), rtol=1e-12)  # half steps are strategies


def dense_or_sparse() -> list:
    A = thinned()
    start = np.full(25, 0.1)
    blocks = Block("x", (14,), start[:14]), Block("y", (11,), start[14:])
    boxes = Box(-1.0, np.linspace(0, 1, 14)), Box(-0.5, 1.0)
    return [Inclusion("boxes", blocks, MatrixOperator.of(A), boxes), game(A), affine(sparse=True)]


@pytest.mark.parametrize("problem", dense_or_sparse(), ids=lambda problem: problem.name)
def test_sparse_rows_do_what_dense_ones_do(problem: Inclusion) -> None:
    part = problem.part
    if isinstance(part, ColumnSum):
        other = affine(sparse=False)
    else:
        dense = MatrixOperator.of(part.matrix.toarray())  # type: ignore[attr-defined]
        other = Inclusion(problem.name, problem.variables, dense, problem.sets, form=problem.form)
    ends = []
    for each in (problem, other):
        parts = CompiledComponents(each, lambda *_: None, centre=False)
        rng = np.random.default_rng(8)
        u = each.flat(each.start(rng))
        ends.append(everything(each, parts, u, rng))
    np.testing.assert_allclose(ends[0], ends[1], **CLOSE)


def everything(problem: Inclusion, parts: CompiledComponents, u: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The ends of all three kernels."""
    g = problem.operator(u)
    one, two, three, total = u.copy(), u.copy(), u.copy(), np.zeros_like(u)
    previous, estimate = u + 0.01, g.copy()
    parts.page(one, previous, estimate, u, 0.02, np.full(12, 0.1), parts.draw(rng, 12, 3))
    parts.reflected(two, u, u + 0.01, g, 0.7, 1.0, 0.02, 0.9, parts.draw(rng, 12, 1))
    parts.extragradient(three, u, g, total, 0.02, 0.9, parts.draw(rng, 12, 1))
    return np.concatenate([one, previous, estimate, two, three, total])


def test_kernels_are_the_loop_over_the_problem_s_components() -> None:
    problem = affine(sparse=True)
    rng = np.random.default_rng(9)
    u = rng.standard_normal(12)
    samples = rng.integers(0, 6, (10, 4))
    ends = []
    for parts in (CompiledComponents(problem, lambda *_: None), OracleComponents(problem)):
        v, previous, g = u.copy(), u - 0.1, problem.operator(u)
        picked = samples[..., None] if isinstance(parts, CompiledComponents) else samples
        parts.page(v, previous, g, u, 0.1, np.full(10, 0.2), picked)
        w, total = v.copy(), np.zeros(12)
        parts.reflected(v, w, u, g, 0.5, 1.0, 0.1, 0.8, picked[:, :1])
        parts.extragradient(v, w, g, total, 0.1, 0.8, picked[:, :1])
        ends.append(np.concatenate([v, previous, g, total]))
    np.testing.assert_allclose(ends[0], ends[1], **CLOSE)


def test_charges_are_what_the_loop_of_calls_counts() -> None:
    problem = affine(sparse=True)
    samples = np.zeros((7, 3), np.int64)
    u = np.zeros(12)
    called, charged = Ledger(problem), Ledger(problem)
    for parts, picked in (
        (OracleComponents(called), samples),  # type: ignore[arg-type]
        (CompiledComponents(problem, charged.charge), samples[..., None]),
    ):
        parts.page(u.copy(), u.copy(), u.copy(), u, 0.1, np.zeros(7), picked)
        parts.reflected(u.copy(), u, u, u.copy(), 1.0, 1.0, 0.1, 0.9, picked[:, :1])
        parts.extragradient(u.copy(), u, u.copy(), u.copy(), 0.1, 0.9, picked[:, :1])
    assert called.counts == charged.counts == {"nop": 0, "ncomp": 2 * (21 + 7 + 7), "nprox": 7 + 7 + 14, "nmul": 0}


def test_what_the_kernels_cannot_run_is_left_to_the_oracles() -> None:
    problem = gaussian(4, 5)
    assert compilable(problem)
    assert not compilable(problem.to("cpu", "float32"))
