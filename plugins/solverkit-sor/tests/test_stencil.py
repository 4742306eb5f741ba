"""Red-black stencil sweeps against a loop over points; the interleaved order against plain sweeps; orderings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array, eye_array, kron

from solverkit.errors import UsageError
from solverkit_sor.generators.grid import laplacian, weighted_laplacian
from solverkit_sor.kernels import stencil as kernel
from solverkit_sor.kernels.stencil import Stencil, join, split
from solverkit_sor.solvers.gridded import GridSOR
from solverkit_sor.solvers.relaxed import SOR, SSORCG


def rectangle(rows: int, columns: int, varying: bool, seed: int = 0) -> csr_array:
    """A diffusion operator plus reaction on a grid, with coefficients that vary from point to point where asked."""
    line = lambda m: diags_array([-1.0, 2.5, -1.0], offsets=[-1, 0, 1], shape=(m, m))  # noqa: E731
    A = kron(line(rows), eye_array(columns)) + 0.7 * kron(eye_array(rows), line(columns))
    if varying:
        scale = diags_array(np.random.default_rng(seed).uniform(0.5, 2.0, rows * columns))
        A = scale @ A @ scale
    return csr_array(A)


def by_points(A: csr_array, b: np.ndarray, x: np.ndarray, w: float, sweeps: int, shape: tuple[int, int]) -> np.ndarray:
    """SOR point by point: reds first, then blacks."""
    i, j = np.indices(shape)
    colour = ((i + j) % 2).ravel()
    dense, y = A.toarray(), x.ravel().copy()
    for _ in range(sweeps):
        for point in np.argsort(colour, kind="stable"):
            y[point] += w * (b.ravel()[point] - dense[point] @ y) / dense[point, point]
    return y.reshape(shape)


@pytest.mark.parametrize("shape", [(7, 9), (8, 5), (6, 6), (9, 8), (1, 5), (5, 1), (1, 1), (3, 40)])
@pytest.mark.parametrize("varying", [False, True])
def test_sweeps_are_those_of_the_loop(shape: tuple[int, int], varying: bool) -> None:
    rng = np.random.default_rng(1)
    A = rectangle(*shape, varying)
    b, x = rng.standard_normal(shape), rng.standard_normal(shape)
    stencil = Stencil.of(A, shape)
    assert (stencil.coloured is None) == (not varying) or min(shape) == 1 == max(shape)
    colours, rhs = split(x), split(b / stencil.centre)
    residual = np.linalg.norm(b.ravel() - A @ x.ravel())
    assert stencil.norm(colours, rhs) == pytest.approx(residual, rel=1e-12)
    stencil.sweep(colours, rhs, 1.3, 11)  # a whole block of sweeps, and three more
    expected = by_points(A, b, x, 1.3, 11, shape)
    assert join(*colours, shape) == pytest.approx(expected, rel=1e-12, abs=1e-13)


def test_threads_make_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "THREADS_FROM", 1)
    shape = (31, 22)
    stencil = Stencil.of(rectangle(*shape, varying=False), shape)
    b = np.random.default_rng(2).standard_normal(shape)
    one, two = split(np.zeros(shape)), split(np.zeros(shape))
    stencil.sweep(one, split(b), 1.6, 9)
    stencil.sweep(two, split(b), 1.6, 9, n_jobs=2)
    assert join(*two, shape) == pytest.approx(join(*one, shape), rel=1e-14)


def test_other_matrices_are_refused() -> None:
    with pytest.raises(UsageError, match="does not live on a grid"):
        Stencil.of(laplacian(4), (4, 5))
    with pytest.raises(UsageError, match="four neighbours"):
        Stencil.of(csr_array(laplacian(4) @ laplacian(4)), (4, 4))
    wrapped = laplacian(4).tolil()
    wrapped[3, 4] = wrapped[4, 3] = -1.0  # the end of a row with the beginning of the next
    with pytest.raises(UsageError, match="four neighbours"):
        Stencil.of(csr_array(wrapped), (4, 4))


def test_grid_sor_solves_what_sor_solves() -> None:
    k = np.exp(np.random.default_rng(3).standard_normal((22, 22)))
    A = csr_array(weighted_laplacian(k) + 0.1 * eye_array(400))
    b = np.ones(400)
    ours, plain = GridSOR(grid=(20, 20)).solve(A, b), SOR().solve(A, b)
    assert ours.converged
    assert ours.x == pytest.approx(plain.x, rel=1e-5)
    assert not GridSOR(grid=(20, 20)).solve(A, b, cap=5).converged


def red_black(rows: int, columns: int) -> np.ndarray:
    """Numbers of the red points, then those of the black ones."""
    i, j = np.indices((rows, columns))
    return np.argsort(((i + j) % 2).ravel(), kind="stable")


@pytest.mark.parametrize(
    ("alpha", "natural", "coloured"),
    [
        (5, (19, 16, 12, 15, 20, 28, 38), (26, 28, 34, 40, 44, 49, 51)),
        (500, (83, 69, 51, 39, 34, 32, 41), (118, 125, 153, 183, 202, 222, 234)),
    ],
)
def test_ordering_decides_whether_w_matters(alpha: float, natural: tuple[int, ...], coloured: tuple[int, ...]) -> None:
    """SSOR-CG on I + alpha L, 100 x 100, at w = 1, 1.2, 1.5, 1.7, 1.8, 1.9, 1.95; the solution is 1 with noise."""
    A = csr_array(eye_array(10_000) + alpha * laplacian(100))
    b = A @ (1 + np.random.default_rng(0).standard_normal(10_000))
    order = red_black(100, 100)
    for rows, counts in ((np.arange(10_000), natural), (order, coloured)):
        matrix, solver = csr_array(A[rows][:, rows]), SSORCG()
        for w, count in zip((1.0, 1.2, 1.5, 1.7, 1.8, 1.9, 1.95), counts, strict=True):
            assert abs(solver.solve(matrix, b[rows], parameters={"w": w}).iterations - count) <= 2
