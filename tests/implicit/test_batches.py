"""Batches: one system a sample, one Krylov iteration for all; devices and precisions."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import solverkit as sk  # noqa: E402
from solverkit.implicit import FixedPoint, ProjectedGradient, Stationarity, linear  # noqa: E402
from solverkit.operators.proximal import Simplex  # noqa: E402
from tests.implicit.slopes import check_slopes  # noqa: E402

B, N = 4, 6
RNG = np.random.default_rng(0)
Q = torch.tensor(RNG.normal(size=(B, N, N)))
H = (Q @ Q.mT + 0.5 * torch.eye(N)).requires_grad_()
C = torch.tensor(RNG.normal(size=(B, N)), requires_grad=True)


def loss(y, H, c):
    return 0.5 * (y * (H @ y[..., None])[..., 0]).sum(dim=-1) + (c * y).sum(dim=-1)


def solver(H, c):
    return -torch.linalg.solve(0.5 * (H + H.mT), c[..., None])[..., 0]


@pytest.mark.parametrize("method", ["dense", "cg", "gmres", "normal"])
def test_a_batch_is_its_samples(method):
    batch = sk.implicit(solver, Stationarity(loss), batched=True, linear=method)
    one = sk.implicit(solver, Stationarity(loss), linear=method)
    weight = torch.tensor(RNG.normal(size=(B, N)))
    found = torch.autograd.grad((batch(H, C) * weight).sum(), (H, C))
    stacked = torch.stack([one(H[i], C[i]) for i in range(B)])
    want = torch.autograd.grad((stacked * weight).sum(), (H, C))
    exact = torch.autograd.grad((solver(H, C) * weight).sum(), (H, C))
    for a, b, c in zip(found, want, exact, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)
        np.testing.assert_allclose(a, c, atol=1e-9)


def test_a_parameter_that_all_samples_share():
    shared = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    batch = sk.implicit(
        lambda H, c, t: solver(H + t * torch.eye(N).double(), c),
        Stationarity(lambda y, H, c, t: loss(y, H, c) + 0.5 * t * (y**2).sum(dim=-1)),
        batched=True,
    )
    assert torch.autograd.gradcheck(lambda c, t: batch(H, c, t), (C, shared), check_forward_ad=True)


def test_batches_of_projected_fixed_points():
    simplex = Simplex(1.0)

    def projected(H, c):
        y = torch.full((B, N), 1 / N, dtype=torch.float64)
        for _ in range(200):
            y = simplex.project(y - 0.02 * ((H @ y[..., None])[..., 0] + c))
        return y

    solution = sk.implicit(projected, ProjectedGradient(loss, simplex, 0.1), batched=True, refine=2)
    check_slopes(lambda H, c: solution(H, c), (H, C))


def test_vmap_over_everything():
    """vmap of values, of gradients, of Jacobians; nested, with a shared argument."""
    solution = sk.implicit(solver, Stationarity(loss))
    np.testing.assert_allclose(torch.func.vmap(solution)(H, C).detach(), solver(H, C).detach(), atol=1e-12)

    def of_one(map, H, c):
        return torch.func.jacrev(lambda c: map(H, c))(c)

    for dims in ((0, 0), (None, 0), (0, None)):
        inputs = tuple(part if dim == 0 else part[0] for part, dim in zip((H, C), dims, strict=True))
        found = torch.func.vmap(lambda H, c: of_one(solution, H, c), in_dims=dims)(*inputs)
        want = torch.func.vmap(lambda H, c: of_one(solver, H, c), in_dims=dims)(*inputs)
        np.testing.assert_allclose(found.detach(), want.detach(), atol=1e-10)
    hessians = torch.func.vmap(torch.func.hessian(lambda c, H: (solution(H, c) ** 2).sum()))(C, H)
    for k in range(B):  # torch 2.13 gives wrong numbers for vmap(hessian) of its own linalg.solve
        want = torch.func.hessian(lambda c, k=k: (solver(H[k], c) ** 2).sum())(C[k])
        np.testing.assert_allclose(hessians[k].detach(), want.detach(), atol=1e-9)


@pytest.mark.parametrize("method", ["cg", "gmres", "normal"])
def test_one_iteration_serves_a_whole_jacobian(method):
    """As many products for N right-hand sides as for the hardest of them."""
    matrix = H[0].detach()
    apply = linear.Counted(lambda u: u @ matrix.T)
    found = linear.solve(apply, apply, torch.eye(N).double(), symmetric=True, tol=1e-12, method=method)
    np.testing.assert_allclose(found.u, torch.linalg.inv(matrix), atol=1e-10)
    assert found.products <= 4 * N + 8


def test_a_batch_of_none():
    c = torch.zeros(0, N, dtype=torch.float64, requires_grad=True)
    empty = sk.implicit(lambda c: -c, lambda y, c: y + c, batched=True)(c)
    empty.sum().backward()
    assert empty.shape == c.grad.shape == (0, N)


def test_single_precision():
    solution = sk.implicit(solver, Stationarity(loss), batched=True)
    single = (H.detach().float().requires_grad_(), C.detach().float().requires_grad_())
    y = solution(*single)
    assert y.dtype == torch.float32
    found = torch.autograd.grad(y.sum(), single)
    want = torch.autograd.grad(solver(H, C).sum(), (H, C))
    for a, b in zip(found, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3)


def test_many_unknowns_without_a_matrix():
    """n = 3,000, not symmetric: GMRES by default, and CGLS where GMRES stalls."""
    n = 3000
    wave = torch.linspace(0, 1, n, dtype=torch.float64)
    theta = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)

    def step(y, theta):
        return theta * torch.roll(y, 1) + wave

    def fixed(theta):
        y = wave
        for _ in range(60):
            y = step(y, theta)
        return y

    (found,) = torch.autograd.grad(sk.implicit(fixed, FixedPoint(step))(theta).sum(), theta)
    assert found.item() == pytest.approx(float(wave.sum()) / (1 - 0.4) ** 2, rel=1e-9)

    # a cyclic shift: GMRES stands still for n - 1 steps
    shifted = sk.implicit(lambda t: t * wave, lambda y, t: torch.roll(y, 1) - torch.roll(t * wave, 1))
    (found,) = torch.autograd.grad((shifted(theta) * wave).sum(), theta)
    assert found.item() == pytest.approx(float((wave**2).sum()), rel=1e-9)
