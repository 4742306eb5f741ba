"""Projections where floating point is not the real line: huge, tiny, tied and far away."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from solverkit.operators import proximal as pm

torch = pytest.importorskip("torch")


def exact_simplex(v: np.ndarray, total: float) -> np.ndarray:
    """The projection in rational arithmetic, rounded at the end."""
    ordered = sorted((Fraction(float(x)) for x in v), reverse=True)
    sums, theta = Fraction(0), None
    for k, entry in enumerate(ordered, start=1):
        sums += entry
        trial = (sums - Fraction(total)) / k
        if entry > trial:
            theta = trial
    return np.array([float(max(Fraction(float(x)) - theta, 0)) for x in v])


VECTORS = {
    "one": np.array([7.0]),
    "two": np.array([-3.0, 5.0]),
    "all equal": np.full(7, 1e16),
    "huge": np.array([1e300, 1e300, -1e300, 3.0]),
    "tiny": np.array([1e-300, 2e-300, 0.0]),
    "tiny and huge": np.array([1e-300, 1e300]),
    "powers": -(2.0 ** np.arange(60)),
    "far from zero": 1e9 + np.linspace(0, 1, 11),
    "at the boundary": np.array([1.0, 0.0, 0.0]),
    "ties at the threshold": np.array([1.5, 0.5, 0.5, 0.5]),
    "slow for Michelot": np.cumsum(1 / np.arange(1, 400.0)),
}


@pytest.mark.parametrize("total", [1.0, 1e-8, 1e8])
@pytest.mark.parametrize("name", VECTORS)
def test_simplex_against_rational_arithmetic(name, total):
    v = VECTORS[name]
    want = exact_simplex(v, total)
    size = 4e-15 * len(v) * total
    for found in (
        pm.Simplex(total).project(v),
        pm.Simplex(total).project(np.stack([v, v]))[1],
        pm.Simplex(total).project(torch.tensor(v)).numpy(),
    ):
        # spacing: where v itself is coarser than the total, no arithmetic resolves the answer better
        np.testing.assert_allclose(found, want, rtol=1e-12, atol=size + 1e-16 * min(np.abs(v).max(), 1e9))
        assert abs(found.sum() - total) <= 1e-13 * len(v) * total


@pytest.mark.parametrize("library", [np.asarray, torch.tensor])
def test_norms_do_not_overflow(library):
    v = library(np.array([3e300, 4e300]))
    np.testing.assert_allclose(np.asarray(pm.L2Ball(1.0).project(v)), [0.6, 0.8], rtol=1e-14)
    np.testing.assert_allclose(np.asarray(pm.L2(1.0).prox(v, 1.0)), np.asarray(v), rtol=1e-14)
    np.testing.assert_allclose(np.asarray(pm.L1Ball(1.0).project(v)), [0, 1], atol=1e-14)
    np.testing.assert_allclose(np.asarray(pm.SecondOrderCone().project(v)), [3.5e300, 3.5e300], rtol=1e-14)
    tiny = library(np.array([3e-300, 4e-300]))
    np.testing.assert_allclose(np.asarray(pm.L2Ball(1e-300).project(tiny)), [6e-301, 8e-301], rtol=1e-14)
    np.testing.assert_allclose(float(pm.L2(1.0).value(tiny)), 5e-300, rtol=1e-14)


@pytest.mark.parametrize("library", [np.asarray, torch.tensor])
def test_vectors_of_length_one(library):
    v = library(np.array([[-2.0], [0.0], [2.0]]))
    for h, want in (
        (pm.Simplex(3.0), [3, 3, 3]),
        (pm.L1Ball(0.5), [-0.5, 0, 0.5]),
        (pm.L2Ball(0.5), [-0.5, 0, 0.5]),
        (pm.LInf(0.5), [-1.5, 0, 1.5]),
        (pm.L2(0.5), [-1.5, 0, 1.5]),
        (pm.SecondOrderCone(), [0, 0, 2]),
        (pm.PSDCone(), [0, 0, 2]),
        (pm.GroupL2([[0]], 0.5), [-1.5, 0, 1.5]),
    ):
        np.testing.assert_allclose(np.asarray(h.prox(v, 1.0)).ravel(), want, atol=1e-15, err_msg=h.digest())


def test_single_precision_keeps_the_total_of_many_entries():
    v = np.random.default_rng(0).normal(size=100_000).astype(np.float32)
    for total in (1.0, 1e4):
        want = pm.Simplex(total).project(v.astype(float))
        for found in (pm.Simplex(total).project(v), pm.Simplex(total).project(v[None])[0]):
            np.testing.assert_allclose(found, want, atol=5e-6)
            assert abs(found.astype(float).sum() - total) <= 1e-4 * total


def test_positive_semidefinite_matrices_with_repeated_eigenvalues_have_a_derivative():
    rng = np.random.default_rng(1)
    basis = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    matrix = basis @ np.diag([2.0, 2.0, 2.0, -1.0, -1.0]) @ basis.T
    v = torch.tensor(matrix.ravel(), requires_grad=True)
    assert torch.autograd.gradcheck(pm.PSDCone().project, v, check_forward_ad=True)
    assert torch.func.jacrev(pm.PSDCone().project)(v).allclose(torch.func.jacfwd(pm.PSDCone().project)(v))


def test_nothing_waits_for_the_device():
    """On the meta device a read of a value raises: what runs there cannot wait."""
    v = torch.zeros((4, 9), device="meta")
    step = torch.ones(4, device="meta")
    for h in (
        pm.Free(),
        pm.Box(0, np.ones(9)),
        pm.Simplex(2.0),
        pm.L1Ball(1.0),
        pm.L2Ball(1.0),
        pm.SecondOrderCone(),
        pm.Affine(np.ones((1, 9)), np.ones(1)),
        pm.Halfspace(np.ones(9), 1.0),
        pm.L1(np.ones(9)),
        pm.L2(1.0),
        pm.LInf(1.0),
        pm.GroupL2([[0, 1], [4]]),
        pm.SquaredL2(),
        pm.Conjugate(pm.Product([(slice(0, 4), pm.Simplex()), (slice(5, 9), pm.L1())])),
    ):
        assert h.prox(v, step).shape == v.shape
        assert h.value(v).shape == (4,)
        assert h.conjugate(v).shape == (4,)
    assert pm.EntropySimplex().mirror(v, v, step).shape == v.shape
