"""The torch stencils on the CPU against the compiled ones, and Chebyshev iteration against its polynomial."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array, eye_array

torch = pytest.importorskip("torch")

from solverkit_sor.generators.grid import laplacian  # noqa: E402
from solverkit_sor.kernels.device import DeviceStencil  # noqa: E402
from solverkit_sor.kernels.stencil import Stencil, join, split  # noqa: E402

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")),
]


def matrix(rows: int, columns: int, varying: bool) -> csr_array:
    n = rows * columns
    inner = np.ones(n - 1)
    inner[columns - 1 :: columns] = 0.0
    A = diags_array(
        [np.full(n - columns, -0.7), -inner, np.full(n, 4.0), -1.3 * inner, np.full(n - columns, -0.9)],
        offsets=[-columns, -1, 0, 1, columns],
    )
    if varying:
        A = A.multiply(np.random.default_rng(0).uniform(0.5, 1.0, (n, 1))) + diags_array(np.full(n, 2.0))
    return csr_array(A)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(7, 9), (8, 5), (6, 6), (9, 8), (3, 2)])
@pytest.mark.parametrize("varying", [False, True])
def test_sweeps_are_the_compiled_ones(device: str, shape: tuple[int, int], varying: bool) -> None:
    rng = np.random.default_rng(1)
    A = matrix(*shape, varying)
    b, start = rng.standard_normal(shape), rng.standard_normal(shape)
    compiled, ours = Stencil.of(A, shape), DeviceStencil.of(A, shape, device)
    reference, rhs = split(start), split(b / compiled.centre)
    x, scaled = ours.colours(start), ours.colours(b / compiled.centre)
    assert float(ours.norm(x, scaled)) == pytest.approx(compiled.norm(reference, rhs), rel=1e-12)
    compiled.sweep(reference, rhs, 1.4, 10)
    ours.sweep(x, scaled, 1.4, 10)
    expected = join(*reference, shape)
    assert np.abs(ours.grid(x) - expected).max() <= 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("device", DEVICES)
def test_chebyshev_reduces_by_its_polynomial(device: str) -> None:
    """After k steps an error component at eigenvalue t is multiplied by T_k((theta - t)/delta) / T_k(theta/delta)."""
    m, alpha, low, high, count = 9, 3.0, 0.3, 1.9, 7
    A = csr_array(eye_array(m * m) + alpha * laplacian(m))
    values, vectors = np.linalg.eigh(A.toarray() / (1 + 4 * alpha))
    ours = DeviceStencil.of(A, (m, m), device)
    exact = np.random.default_rng(2).standard_normal(m * m)
    b = (A @ exact).reshape(m, m)
    x, scaled = ours.colours(np.zeros((m, m))), ours.colours(b / (1 + 4 * alpha))
    ours.chebyshev(x, scaled, low, high, count)
    theta, delta = (high + low) / 2, (high - low) / 2
    T = np.polynomial.Chebyshev.basis(count)
    factors = T((theta - values) / delta) / T(theta / delta)
    expected = exact - vectors @ (factors * (vectors.T @ exact))
    assert ours.grid(x).ravel() == pytest.approx(expected, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("device", DEVICES)
def test_a_solve_to_a_tolerance(device: str) -> None:
    m = 30
    A = csr_array(eye_array(m * m) + 20.0 * laplacian(m))
    b = np.random.default_rng(3).standard_normal((m, m))
    ours = DeviceStencil.of(A, (m, m), device)
    x, scaled = ours.colours(np.zeros((m, m))), ours.colours(b / 81.0)
    target = 1e-8 * float(np.linalg.norm(b))
    count, norm = ours.solve_sor(x, scaled, 1.7, target, 5000)
    assert count % 16 == 0
    true = np.linalg.norm(b.ravel() - A @ ours.grid(x).ravel())
    assert true <= target * 1.000001
    assert norm == pytest.approx(true, rel=1e-5)
    assert ours.solve_sor(ours.colours(np.zeros((m, m))), scaled, 1.7, target, 5)[0] == 5


def test_float32() -> None:
    A = csr_array(laplacian(8) + eye_array(64))
    ours = DeviceStencil.of(A, (8, 8), "cpu", torch.float32)
    b = np.ones((8, 8))
    x, scaled = ours.colours(np.zeros((8, 8))), ours.colours(b / 5.0)
    ours.sweep(x, scaled, 1.2, 60)
    assert x[0].dtype == torch.float32
    assert A @ ours.grid(x).ravel() == pytest.approx(np.ones(64), abs=1e-5)
