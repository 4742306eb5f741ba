"""Sketches, Nystrom approximations and sketched factors: unbiasedness, distortion, conditioning, on both libraries."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import hadamard as hadamard_matrix

from solverkit.operators.randomized.nystrom import NystromPreconditioner, nystrom
from solverkit.operators.randomized.sketch_qr import least_squares, sketched_triangle
from solverkit.operators.randomized.sketches import HadamardSketch, SparseSignSketch, hadamard, sketch

KINDS = ("gaussian", "sparse-sign", "hadamard")


def dense(drawn):
    return drawn.apply(np.eye(drawn.columns))


def orthonormal(n, d, rng, coherent=False):
    if coherent:  # d rows carry the whole subspace: the worst case for sampling
        return np.eye(n)[:, rng.choice(n, d, replace=False)]
    return np.linalg.qr(rng.normal(size=(n, d)))[0]


@pytest.mark.parametrize("kind", KINDS)
def test_mean_of_the_gram_matrix_is_the_identity(kind):
    rng = np.random.default_rng(0)
    draws = 2000
    mean = np.mean([(S := dense(sketch(kind, 8, 13, rng))).T @ S for _ in range(draws)], axis=0)
    np.testing.assert_allclose(mean, np.eye(13), atol=5 * np.sqrt(2 / 8 / draws))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("coherent", [False, True])
def test_distortion_of_a_subspace(kind, coherent):
    """Singular values of S U near 1 +- 1/sqrt(gamma), gamma = rows / dimension, also for spiky subspaces."""
    rng = np.random.default_rng(1)
    d, n = 40, 3000
    for gamma in (4, 16):
        U = orthonormal(n, d, rng, coherent)
        values = np.linalg.svd(sketch(kind, gamma * d, n, rng).apply(U), compute_uv=False)
        slack = 1.35 / np.sqrt(gamma)
        assert values[0] < 1 + slack
        assert values[-1] > 1 - slack


@pytest.mark.parametrize("kind", KINDS)
def test_adjoint_vectors_and_seeds(kind):
    rng = np.random.default_rng(2)
    drawn, again = (sketch(kind, 9, 21, np.random.default_rng(5)) for _ in range(2))
    S = dense(drawn)
    np.testing.assert_array_equal(S, dense(again))
    A, B = rng.normal(size=(21, 3)), rng.normal(size=(9, 2))
    np.testing.assert_allclose(drawn.apply(A), S @ A, atol=1e-14)
    np.testing.assert_allclose(drawn.apply(A[:, 0]), S @ A[:, 0], atol=1e-14)
    np.testing.assert_allclose(drawn.adjoint(B), S.T @ B, atol=1e-14)
    np.testing.assert_allclose(drawn.adjoint(B[:, 0]), S.T @ B[:, 0], atol=1e-14)
    for of_torch, of_numpy in ((drawn.apply(torch.tensor(A)), S @ A), (drawn.adjoint(torch.tensor(B)), S.T @ B)):
        np.testing.assert_allclose(of_torch.numpy(), of_numpy, atol=1e-14)
    assert drawn.apply(torch.tensor(A[:, 0])).shape == (9,)
    assert drawn.apply(torch.tensor(A, dtype=torch.float32)).dtype == torch.float32


def test_a_sparse_sketch_in_blocks(monkeypatch):
    drawn = SparseSignSketch(7, 50, np.random.default_rng(0), nonzeros=3)
    A = np.asfortranarray(np.random.default_rng(1).normal(size=(50, 4)))
    whole = drawn.apply(A)
    monkeypatch.setattr("solverkit.operators.randomized.sketches.BLOCK", 30)
    np.testing.assert_allclose(drawn.apply(A), whole, atol=1e-14)
    assert np.all(np.diff(drawn.transposed.indptr) == 3)
    assert all(len(set(drawn.transposed.indices[3 * j : 3 * j + 3])) == 3 for j in range(50))


def test_hadamard_against_the_matrix():
    A = np.random.default_rng(3).normal(size=(32, 2))
    np.testing.assert_allclose(hadamard(A), hadamard_matrix(32) @ A, atol=1e-12)
    np.testing.assert_allclose(hadamard(torch.tensor(A)).numpy(), hadamard_matrix(32) @ A, atol=1e-12)
    with pytest.raises(ValueError, match="power of two"):
        hadamard(A[:31])


def test_what_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="unknown sketch 'coin'"):
        sketch("coin", 2, 3, rng)
    with pytest.raises(ValueError, match="at most 4 rows"):
        HadamardSketch(5, 3, rng)
    with pytest.raises(ValueError, match="rows >= 1"):
        sketch("gaussian", 0, 3, rng)
    with pytest.raises(ValueError, match="0 <= rank <= 3"):
        nystrom(lambda V: V, np.zeros(3), 4, rng)
    with pytest.raises(ValueError, match="not positive semidefinite"):
        nystrom(lambda V: -V, np.zeros(3), 2, rng)
    with pytest.raises(ValueError, match="full column rank"):
        least_squares(np.ones((9, 2)), np.ones(9), rng)


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("decay", [1.0, 2.0])
def test_nystrom_error_and_preconditioner(library, decay):
    """The error in expectation below the bound of the paper, condition below its bound, for power-law spectra."""
    n, rank, shift = 300, 60, 1e-4
    rng = np.random.default_rng(4)
    spectrum = np.arange(1, n + 1) ** -decay
    Q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    A = (Q * spectrum) @ Q.T
    held = torch.tensor(A) if library == "torch" else A
    errors = []
    for seed in range(5):
        made = nystrom(lambda V: held @ V, held[0], rank, np.random.default_rng(seed))
        basis, values = np.asarray(made.basis), np.asarray(made.values)
        np.testing.assert_allclose(basis.T @ basis, np.eye(rank), atol=1e-10)
        left = A - (basis * values) @ basis.T
        errors.append(np.linalg.norm(left, 2))
        assert np.linalg.eigvalsh(left).min() > -1e-10  # A_nys never exceeds A
        estimate = made.error(lambda v: held @ v, np.random.default_rng(1))
        assert 0.5 * errors[-1] < estimate <= errors[-1] * (1 + 1e-10)
    bounds = [
        (1 + 2 * k / (rank - k - 1)) * spectrum[k] + 2 * np.e**2 * rank / ((rank - k) ** 2 - 1) * spectrum[k:].sum()
        for k in range(1, rank - 2)
    ]
    assert np.mean(errors) < min(bounds)
    preconditioner = NystromPreconditioner(made, shift)
    inverse = np.asarray(preconditioner.solve(torch.eye(n, dtype=torch.float64) if library == "torch" else np.eye(n)))
    np.testing.assert_allclose(inverse, inverse.T, atol=1e-8)
    values = np.linalg.eigvals(inverse @ (A + shift * np.eye(n))).real
    condition = values.max() / values.min()
    assert condition <= (preconditioner.level + errors[-1]) / shift * (1 + 1e-8)
    assert condition < 0.5 * (spectrum[0] + shift) / (spectrum[-1] + shift)


def test_nystrom_of_exact_low_rank_and_of_nothing():
    rng = np.random.default_rng(6)
    half = rng.normal(size=(50, 5))
    made = nystrom(lambda V: half @ (half.T @ V), half[:, 0], 9, rng)
    np.testing.assert_allclose(made.apply(np.eye(50)), half @ half.T, atol=1e-6)
    assert np.all(made.values[5:] < 1e-6)
    zero = nystrom(lambda V: 0 * V, np.zeros(4), 3, rng)
    np.testing.assert_allclose(zero.apply(np.ones(4)), 0, atol=1e-12)
    none = NystromPreconditioner(nystrom(lambda V: V, np.zeros(4), 0, rng), 0.0)
    np.testing.assert_allclose(none.solve(np.arange(4.0)), np.arange(4.0))


@pytest.mark.parametrize("kind", KINDS)
def test_condition_after_sketching(kind):
    """A R^-1 has condition about (1 + 1/2) / (1 - 1/2) for 4 rows a column, whatever the condition of A."""
    rng = np.random.default_rng(7)
    n, d = 1500, 30
    A = rng.normal(size=(n, d)) @ np.diag(10.0 ** np.linspace(0, -9, d)) @ np.linalg.qr(rng.normal(size=(d, d)))[0]
    R = sketched_triangle(A, sketch(kind, 4 * d, n, rng))
    np.testing.assert_array_equal(R, np.triu(R))
    assert np.linalg.cond(A) > 1e8
    assert np.linalg.cond(np.linalg.solve(R.T, A.T)) < 4.5


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("kind", KINDS)
def test_least_squares_is_as_good_as_lapack(library, kind):
    rng = np.random.default_rng(8)
    n, d = 1000, 25
    A = rng.normal(size=(n, d)) @ np.diag(10.0 ** np.linspace(0, -10, d)) @ np.linalg.qr(rng.normal(size=(d, d)))[0]
    b = A @ rng.normal(size=d) + 1e-3 * rng.normal(size=n)
    given = (torch.tensor(A), torch.tensor(b)) if library == "torch" else (A, b)
    found = least_squares(*given, rng, kind)
    x = np.asarray(found.x)
    best = np.linalg.lstsq(A, b, rcond=None)[0]
    assert found.iterations < 100
    assert np.linalg.norm(A @ x - b) <= np.linalg.norm(A @ best - b) * (1 + 1e-8)  # ||x|| is 1e7 times that
    reached = np.linalg.norm(A.T @ (A @ best - b)) / (np.linalg.norm(A) * np.linalg.norm(A @ best - b))
    assert found.residual < 50 * reached
    np.testing.assert_allclose(x, best, rtol=0, atol=1e-5 * np.linalg.norm(best))


def test_a_floor_makes_the_triangle_invertible():
    rng = np.random.default_rng(9)
    A = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 6))
    for given in (A, torch.tensor(A)):
        R = np.asarray(sketched_triangle(given, sketch("sparse-sign", 24, 200, rng), floor=1e-6))
        values = np.linalg.svd(R, compute_uv=False)
        assert values[2] / values[0] > 1e-3
        assert values[3] / values[0] == pytest.approx(1e-6, rel=1.0)
