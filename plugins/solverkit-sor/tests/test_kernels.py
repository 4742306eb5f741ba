"""Sweeps, CG and SSOR-CG against dense algebra; a pattern's parts against what they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array, random_array

from solverkit.errors import UsageError
from solverkit_sor.generators.grid import laplacian
from solverkit_sor.kernels.cg import cg, smallest_ritz
from solverkit_sor.kernels.csr import BROKEN, CAPPED, CONVERGED, DIVERGED, sor, sor_sweep, ssor_sweep
from solverkit_sor.kernels.eisenstat import ssor_cg, true_norm
from solverkit_sor.kernels.splitting import Pattern, PatternCache, Splitting
from solverkit_sor.kernels.ssor_pcg import ssor_pcg


def spd(n: int, seed: int, spread: float = 1.0) -> csr_array:
    """A random sparse SPD matrix whose diagonal varies by `spread` decades."""
    rng = np.random.default_rng(seed)
    B = random_array((n, n), density=4 / n, rng=rng)
    scale = diags_array(10.0 ** rng.uniform(-spread / 2, spread / 2, n))
    A = csr_array(scale @ (B @ B.T + diags_array(np.full(n, 0.3))) @ scale)
    A.sum_duplicates()
    return A


def nonsymmetric(n: int, seed: int) -> csr_array:
    """A random sparse matrix with a diagonal of both signs."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], n)
    A = csr_array(random_array((n, n), density=4 / n, rng=rng) + diags_array(signs * rng.uniform(2, 5, n)))
    A.sum_duplicates()
    return A


def split(A: csr_array) -> Splitting:
    return Splitting.of(Pattern.of(A.indptr, A.indices), A.data)


def dense_sor(A: np.ndarray, b: np.ndarray, x: np.ndarray, w: float) -> np.ndarray:
    """x + (D/w + L)^{-1} (b - A x)."""
    M = np.diag(np.diag(A)) / w + np.tril(A, -1)
    return x + np.linalg.solve(M, b - A @ x)


MATRICES = [spd(40, 1), spd(40, 2, 4.0), nonsymmetric(40, 3), laplacian(6), csr_array(np.array([[2.0]]))]


@pytest.mark.parametrize("A", MATRICES)
@pytest.mark.parametrize("w", [0.5, 1.0, 1.7])
def test_one_sweep_is_the_dense_update(A: csr_array, w: float) -> None:
    rng = np.random.default_rng(0)
    n = A.shape[0]
    b, x = rng.standard_normal(n), rng.standard_normal(n)
    pattern, dense = Pattern.of(A.indptr, A.indices), A.toarray()
    forward = dense_sor(dense, b, x, w)
    backward = dense_sor(dense[::-1, ::-1], b[::-1], forward[::-1], w)[::-1]
    arrays = (pattern.indptr, pattern.indices, A.data, pattern.diagonal, 1 / A.diagonal(), b)
    y = x.copy()
    sor_sweep(*arrays, y, w)
    assert y == pytest.approx(forward, rel=1e-12, abs=1e-13 * np.abs(forward).max())
    y = x.copy()
    ssor_sweep(*arrays, y, w)
    assert y == pytest.approx(backward, rel=1e-12, abs=1e-13 * np.abs(backward).max())


def test_sor_of_a_published_example() -> None:
    """pyamg issue 410, where a blend of a Gauss-Seidel sweep passed for SOR: first iterate with w = 1/2."""
    A = csr_array(np.array([[4.0, -1, -6, 0], [-5, -4, 10, 8], [0, 9, 4, -2], [1, 0, -7, 5]]))
    x, pattern = np.zeros(4), Pattern.of(A.indptr, A.indices)
    b = np.array([2.0, 21, -12, -6])
    sor_sweep(pattern.indptr, pattern.indices, A.data, pattern.diagonal, 1 / A.diagonal(), b, x, 0.5)
    assert x == pytest.approx([0.25, -2.78125, 1.6289062, 0.5152344], abs=1e-7)


@pytest.mark.parametrize("A", [spd(40, 1), spd(40, 2, 4.0), laplacian(6)])
def test_sor_counts_and_iterates_are_those_of_the_dense_loop(A: csr_array) -> None:
    n, dense, parts = A.shape[0], A.toarray(), split(A)
    b = np.random.default_rng(4).standard_normal(n)
    start = float(np.linalg.norm(b))
    for w in (1.0, 1.4):
        x, norms = np.zeros(n), [start]
        while norms[-1] > 1e-8 * start:
            x = dense_sor(dense, b, x, w)
            norms.append(float(np.linalg.norm(b - dense @ x)))
        for cap, target, ended in ((10_000, 1e-8 * start, CONVERGED), (5, 1e-300, CAPPED), (6, 1e-300, CAPPED)):
            y = np.zeros(n)
            arguments = (1 / parts.left, parts.left * b, y, start, target, cap)
            count, norm, code = sor(*parts.lower, *parts.upper, w, *arguments)
            assert code == ended
            assert count == (len(norms) - 1 if ended == CONVERGED else cap)
            assert norm == pytest.approx(norms[count], rel=1e-6)
            assert np.linalg.norm(b - dense @ (parts.right * y)) == pytest.approx(norms[count], rel=1e-6)


def test_sor_says_that_it_diverges() -> None:
    A = csr_array(np.array([[1.0, 9.0], [9.0, 1.0]]))
    parts = split(A)
    b = np.ones(2)
    count, _, code = sor(*parts.lower, *parts.upper, 1.9, 1 / parts.left, b, np.zeros(2), np.sqrt(2), 1e-8, 10_000)
    assert code == DIVERGED
    assert count < 20


@pytest.mark.parametrize(
    "A", [spd(60, 5), spd(60, 6, 6.0), laplacian(20), laplacian(20) + 5 * diags_array(np.ones(400))]
)
@pytest.mark.parametrize("w", [0.7, 1.0, 1.5, 1.9])
def test_eisenstat_counts_those_of_the_textbook_form(A: csr_array, w: float) -> None:
    parts, n = split(csr_array(A)), A.shape[0]
    b = np.random.default_rng(7).standard_normal(n)
    start = float(np.linalg.norm(b))
    counts, answers = [], []
    for solve in (ssor_cg, ssor_pcg):
        x = np.zeros(n)
        arguments = (1 / parts.left, parts.left * b, x, start, 1e-8 * start, 10_000)
        count, _, code = solve(*parts.lower, *parts.upper, w, *arguments)
        assert code == CONVERGED
        assert np.linalg.norm(b - A @ (parts.right * x)) <= 1.0001e-8 * start
        counts.append(count)
        answers.append(parts.right * x)
    assert abs(counts[0] - counts[1]) <= 1
    assert np.linalg.norm(answers[0] - answers[1]) <= 1e-4 * np.linalg.norm(answers[1])


def test_residual_from_the_transformed_one() -> None:
    A, w = spd(30, 8, 3.0), 1.3
    parts = split(A)
    hat = np.random.default_rng(1).standard_normal(30)
    E = np.eye(30) + w * np.tril(parts.left[:, None] * A.toarray() * parts.right, -1)
    expected = np.linalg.norm((E @ hat / w) / parts.left)
    assert true_norm(*parts.lower, w, 1 / parts.left, hat) == pytest.approx(expected, rel=1e-12)


def test_indefinite_matrices_break_down() -> None:
    A = csr_array(np.array([[1.0, 3.0], [3.0, 1.0]]))
    parts, b = split(A), np.array([1.0, -1.0])
    start = float(np.sqrt(2))
    arguments = (1 / parts.left, b.copy(), np.zeros(2), start, 1e-8, 100)
    assert ssor_cg(*parts.lower, *parts.upper, 1.0, *arguments)[2] == BROKEN
    pattern, none = parts.pattern, np.empty(0)
    ended = cg(pattern.indptr, pattern.indices, A.data, None, b, np.zeros(2), 1e-8, 100, none, none)
    assert ended[2] == BROKEN


@pytest.mark.parametrize("jacobi", [False, True])
def test_cg_and_its_ritz_value(jacobi: bool) -> None:
    A = spd(50, 9, 2.0)
    dense = A.toarray()
    b = np.random.default_rng(2).standard_normal(50)
    inverse = 1 / A.diagonal() if jacobi else None
    pattern, x = Pattern.of(A.indptr, A.indices), np.zeros(50)
    alphas, betas = np.empty(200), np.empty(200)
    target = 1e-10 * float(np.linalg.norm(b))
    count, norm, code, kept = cg(pattern.indptr, pattern.indices, A.data, inverse, b, x, target, 5000, alphas, betas)
    assert code == CONVERGED
    assert norm <= target
    assert x == pytest.approx(np.linalg.solve(dense, b), rel=1e-6)
    M = np.sqrt(np.diag(dense)) if jacobi else np.ones(50)
    assert count == kept or kept == 200
    lowest = np.linalg.eigvalsh(dense / np.outer(M, M))[0]
    assert smallest_ritz(alphas, betas, kept) == pytest.approx(lowest, rel=1e-4)


def test_pattern_and_splitting_put_the_matrix_together_again() -> None:
    for A in (spd(30, 1, 3.0), nonsymmetric(30, 2)):
        parts = split(A)
        n = A.shape[0]
        triangles = [
            csr_array((t[2], t[1].astype(int), t[0].astype(int)), shape=(n, n)) for t in (parts.lower, parts.upper)
        ]
        unit = (triangles[0] + triangles[1]).toarray() + np.eye(n)
        assert unit / parts.left[:, None] / parts.right == pytest.approx(A.toarray(), rel=1e-12)
        assert parts.symmetric == (abs(A - A.T).max() < 1e-12)
        assert parts.positive == bool((A.diagonal() > 0).all())


def test_symmetry_is_of_values_and_of_places() -> None:
    A = laplacian(4).toarray()
    assert split(csr_array(A)).symmetric
    other = A.copy()
    other[2, 1] *= 1 + 1e-6
    assert not split(csr_array(other)).symmetric
    other[2, 1] = 0
    assert not Pattern.of(csr_array(other).indptr, csr_array(other).indices).symmetric


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1.0, 2.0], [2.0, 0.0]], "row 1 of the matrix has no diagonal"),
        ([[np.nan, 2.0], [2.0, 1.0]], "diagonal entry 0 of the matrix is nan"),
        ([[1.0, np.inf], [2.0, 1.0]], "NaN or infinite"),
    ],
)
def test_bad_matrices(values: list, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        split(csr_array(np.array(values)))


def test_unsorted_indices_are_refused() -> None:
    with pytest.raises(UsageError, match="row 0 of the matrix has unsorted"):
        Pattern.of(np.array([0, 2, 3], np.int32), np.array([1, 0, 1], np.int32))


def test_patterns_are_found_by_identity_and_by_content() -> None:
    cache, A = PatternCache(), laplacian(5)
    first = cache.pattern(A.indptr, A.indices)
    assert cache.pattern(A.indptr, A.indices) is first
    assert cache.pattern(A.indptr.copy(), A.indices.copy()) is first
    for m in (2, 3, 4, 6):
        cache.pattern(laplacian(m).indptr, laplacian(m).indices)
    assert cache.pattern(A.indptr, A.indices) is not first
