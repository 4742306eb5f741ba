"""Derivatives of solution maps against finite differences, closed forms and unrolled solvers."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import solverkit as sk  # noqa: E402
from solverkit.implicit import (  # noqa: E402
    KKT,
    FixedPoint,
    ProjectedGradient,
    ProximalGradient,
    Stationarity,
    quadratic_program,
)
from solverkit.implicit import jvp as known_jvp  # noqa: E402
from solverkit.implicit import vjp as known_vjp  # noqa: E402
from solverkit.operators.proximal import L1, Box, GroupL2, NonNegative, PSDCone, Simplex  # noqa: E402
from tests.implicit.slopes import check_slopes  # noqa: E402

N, ROWS = 5, 12
pytestmark = pytest.mark.filterwarnings("error::solverkit.implicit.ImplicitWarning")


def tensor(*shape, seed=0, grad=True):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=grad)


X, TARGET, PENALTY = tensor(ROWS, N, seed=1), tensor(ROWS, seed=2), tensor(N, seed=3)


def ridge_loss(w, penalty, X, target):
    return 0.5 * ((X @ w - target) ** 2).sum() + 0.5 * (torch.exp(penalty) * w**2).sum()


def ridge(penalty, X, target):
    return torch.linalg.solve(X.T @ X + torch.diag(torch.exp(penalty)), X.T @ target)


def iterate(step, y, rounds=200):
    for _ in range(rounds):
        y = step(y)
    return y


def gradcheck(function, inputs, **settings):
    return torch.autograd.gradcheck(function, inputs, check_forward_ad=True, rtol=1e-5, atol=1e-7, **settings)


LINEAR = ["auto", "dense", "cg", "gmres", "normal"]


@pytest.mark.parametrize("linear", LINEAR)
def test_least_squares(linear):
    solution = sk.implicit(ridge, Stationarity(ridge_loss), linear=linear)
    if linear == "auto":
        assert gradcheck(lambda *theta: solution(theta[0], X, theta[1]), (PENALTY, TARGET))
    exact = torch.func.jacrev(ridge, argnums=(0, 1, 2))(PENALTY, X, TARGET)
    for mode in (torch.func.jacrev, torch.func.jacfwd):
        for found, want in zip(mode(solution, argnums=(0, 1, 2))(PENALTY, X, TARGET), exact, strict=True):
            np.testing.assert_allclose(found.detach(), want.detach(), atol=1e-10)


def test_higher_derivatives():
    solution = sk.implicit(ridge, Stationarity(ridge_loss))
    assert torch.autograd.gradgradcheck(
        lambda penalty: solution(penalty, X.detach(), TARGET.detach()), (PENALTY,), check_fwd_over_rev=True
    )

    def outer(map):
        return lambda penalty: (map(penalty, X, TARGET) ** 3).sum()

    found = torch.func.hessian(outer(solution))(PENALTY)
    np.testing.assert_allclose(found.detach(), torch.func.hessian(outer(ridge))(PENALTY).detach(), atol=1e-10)
    third = torch.func.jacrev(torch.func.hessian(outer(solution)))(PENALTY)[..., 1].detach()
    shift = 1e-5 * torch.eye(N)[1]
    ahead, behind = (torch.func.hessian(outer(ridge))(PENALTY.detach() + s * shift) for s in (1, -1))
    np.testing.assert_allclose(third, (ahead - behind).detach() / 2e-5, atol=1e-8)


@pytest.mark.parametrize("start", [0.3, 4.0])
def test_a_scalar_root_has_its_gradient(start):
    """One number, no axis: an iteration limit of n - 1 would give 0."""
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    for linear in LINEAR:
        root = sk.implicit(lambda t: t.sqrt(), lambda y, t: y * y - t, linear=linear)
        (slope,) = torch.autograd.grad(root(theta), theta)
        assert slope.item() == pytest.approx(0.5 / start**0.5, rel=1e-12)
        (bend,) = torch.autograd.grad(torch.autograd.grad(root(theta), theta, create_graph=True)[0], theta)
        assert bend.item() == pytest.approx(-0.25 / start**1.5, rel=1e-10)


def test_each_argument_gets_its_own_gradient():
    """F = a y - b + 0 c: dy/da, dy/db and dy/dc in the places of a, b and c, also by name and in trees."""
    a, b, c = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (2.0, 3.0, 5.0))

    def solver(first, rest, note):
        assert note == "text"
        return {"y": rest["b"] / first}

    def residual(y, first, rest, note):
        return {"y": first * y["y"] - rest["b"] + 0.0 * rest["more"][0]}

    y = sk.implicit(solver, residual)(a, rest={"b": b, "more": [c, 7, None]}, note="text")
    assert list(y) == ["y"]
    found = torch.autograd.grad(y["y"], (a, b, c))
    np.testing.assert_allclose([part.item() for part in found], [-0.75, 0.5, 0.0])
    parts = known_vjp(residual, {"y": b / a}, (a, {"b": b, "more": [c, 7, None]}, "text"), {"y": torch.ones_like(a)})
    assert (parts[0].item(), parts[1]["b"].item(), parts[2]) == (-0.75, 0.5, None)
    change = known_jvp(
        residual, {"y": b / a}, (a, {"b": b, "more": [c]}, "text"), (None, {"b": a, "more": [None]}, None)
    )
    assert change["y"].item() == 1.0


def box_problem():
    """Three coordinates of five end at a bound."""
    Q, lower, upper = tensor(N, N, seed=4), tensor(N, seed=5), torch.full((N,), 0.4, dtype=torch.float64)
    return Q, lower, upper


def quadratic(y, Q, c):
    return 0.5 * ((Q @ y) ** 2).sum() + 0.5 * (y**2).sum() + c @ y


SETS = {
    "box": Box(-0.1, 0.2),
    "nonnegative": NonNegative(),
    "simplex": Simplex(1.0),
}


@pytest.mark.parametrize(("name", "step"), [("box", 0.3), ("nonnegative", 0.03), ("simplex", 0.3)])
def test_projected_fixed_points(name, step):
    Q, c = tensor(N, N, seed=4), tensor(N, seed=5)
    domain = SETS[name]

    def solver(Q, c):
        return iterate(lambda y: domain.project(y - 0.03 * (Q.T @ (Q @ y) + y + c)), torch.zeros(N).double())

    solution = sk.implicit(solver, ProjectedGradient(quadratic, domain, step), refine=3)
    y = solution(Q, c)
    inside = (y > -0.1 + 1e-6) & (y.abs() > 1e-6) & ((y < 0.2 - 1e-6) | (name != "box"))
    assert 0 < int(inside.sum()) < N
    assert gradcheck(lambda c: solution(Q, c), (c,))
    check_slopes(solution, (Q, c))


def test_a_box_whose_bounds_are_the_parameters():
    Q, lower, upper = box_problem()
    c = tensor(N, seed=6, grad=False)

    def clip(v, lower, upper, Q):
        return torch.minimum(torch.maximum(v, lower), upper)

    def loss(y, lower, upper, Q):
        return quadratic(y, Q, c)

    def solver(lower, upper, Q):
        return iterate(lambda y: clip(y - 0.03 * (Q.T @ (Q @ y) + y + c), lower, upper, Q), torch.zeros(N).double())

    low = (lower.detach() * 0.2 - 0.3).requires_grad_()
    solution = sk.implicit(solver, ProjectedGradient(loss, clip, 0.1), refine=3)
    y = solution(low, upper.requires_grad_(), Q)
    assert 0 < int(((y == low) | (y == upper)).sum()) < N
    check_slopes(solution, (low, upper, Q))


def test_lasso():
    """The weight of the l1 norm is a parameter; the support stays what it is."""
    weight = torch.tensor(2.3, dtype=torch.float64, requires_grad=True)

    def loss(w, weight, X, target):
        return 0.5 * ((X @ w - target) ** 2).sum()

    def solver(weight, X, target):
        step = 1 / torch.linalg.matrix_norm(X, 2) ** 2
        return iterate(lambda w: L1().prox(w - step * X.T @ (X @ w - target), step * weight), torch.zeros(N).double())

    residual = ProximalGradient(loss, lambda v, step, weight, X, target: L1().prox(v, step * weight), 0.05)
    solution = sk.implicit(solver, residual, refine=3)
    assert 0 < int((solution(weight, X, TARGET) != 0).sum()) < N
    assert gradcheck(lambda weight: solution(weight, X, TARGET), (weight,))
    check_slopes(solution, (weight, X, TARGET))


@pytest.mark.parametrize(("h", "size"), [(L1(0.3), N), (GroupL2([[0, 1], [2, 3, 4]], 0.4), N), (PSDCone(), 4)])
def test_proximal_fixed_points(h, size):
    target, skew = tensor(size, seed=8), tensor(size, size, seed=9)

    def loss(y, target, skew):
        return 0.5 * ((y - target) ** 2).sum() + 0.1 * ((skew @ y) ** 2).sum()

    def solver(target, skew):
        return iterate(lambda y: h.prox(y - 0.2 * (y - target + 0.2 * skew.T @ (skew @ y)), 0.2), target * 0)

    check_slopes(sk.implicit(solver, ProximalGradient(loss, h), refine=3), (target, skew))


def test_fixed_point_of_a_contraction():
    W, c = tensor(N, N, seed=10), tensor(N, seed=11)

    def step(y, W, c):
        return torch.tanh(0.3 * W @ y + c)

    solution = sk.implicit(lambda W, c: iterate(lambda y: step(y, W, c), c * 0, 100), FixedPoint(step))
    check_slopes(solution, (W, c))
    found = torch.func.hessian(lambda c: solution(W, c).sum())(c)
    want = torch.func.hessian(lambda c: iterate(lambda y: step(y, W, c), c * 0, 100).sum())(c)
    np.testing.assert_allclose(found.detach(), want.detach(), atol=1e-10)


def test_quadratic_program():
    """Active and inactive inequalities, equalities, all six parameters, against finite differences."""
    rng = np.random.default_rng(0)
    L, q, A = tensor(N, N, seed=12), tensor(N, seed=13), tensor(1, N, seed=14)
    b = torch.tensor(rng.normal(size=1), requires_grad=True)
    G, h = tensor(4, N, seed=15), torch.tensor([-1.0, -0.5, 3.0, 0.1], dtype=torch.float64, requires_grad=True)
    program = quadratic_program()

    def solved(L, q, A, b, G, h):
        return program(L @ L.T + torch.eye(N), q, A, b, G, h)

    active = solved(L, q, A, b, G, h)["inequality"] > 1e-6
    assert 0 < int(active.sum()) < 4
    assert gradcheck(lambda q, b, h: tuple(solved(L, q, A, b, G, h).values()), (q, b, h))
    check_slopes(lambda *theta: torch.cat(list(solved(*theta).values())), (L, q, A, b, G, h))
    alone = program(L @ L.T + torch.eye(N), q)
    np.testing.assert_allclose(alone["x"].detach(), -torch.linalg.solve(L @ L.T + torch.eye(N), q).detach(), atol=1e-9)


def test_kkt_of_a_curved_problem():
    """The nearest point of the unit circle, in a half-plane: x = cos, sin of an angle that is known."""
    target = torch.tensor([0.3, 0.4], dtype=torch.float64, requires_grad=True)
    condition = KKT(
        lambda x, t: 0.5 * ((x - t) ** 2).sum(),
        equalities=lambda x, t: (x**2).sum(dim=-1, keepdim=True) - 1,
        inequalities=lambda x, t: x[:1] - 2.0,
    )

    def solver(t):
        size = t.norm()
        return {"x": t / size, "equality": ((size - 1) / 2).reshape(1), "inequality": torch.zeros(1).double()}

    solution = sk.implicit(solver, condition)
    found = torch.func.jacrev(lambda t: solution(t)["x"])(target)
    np.testing.assert_allclose(found.detach(), torch.func.jacrev(lambda t: t / t.norm())(target).detach(), atol=1e-12)


def test_against_unrolling():
    """The gradient through all steps of a converged solver is the implicit one."""
    step = 0.9 / float(torch.linalg.matrix_norm((X.T @ X + torch.diag(torch.exp(PENALTY))).detach(), 2))

    def unrolled(penalty):
        w = torch.zeros(N, dtype=torch.float64)
        return iterate(lambda w: w - step * (X.T @ (X @ w - TARGET) + torch.exp(penalty) * w), w, 1500)

    solution = sk.implicit(ridge, Stationarity(ridge_loss))
    (want,) = torch.autograd.grad((unrolled(PENALTY) ** 2).sum(), PENALTY)
    (found,) = torch.autograd.grad((solution(PENALTY, X, TARGET) ** 2).sum(), PENALTY)
    np.testing.assert_allclose(found, want, rtol=1e-9)
