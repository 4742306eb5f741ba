"""The certificate from Hessian-vector products: against dense algebra, and at points that are no solutions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

torch = pytest.importorskip("torch")

from solverkit.kinds.base import PointStatus  # noqa: E402
from solverkit.kinds.bilevel import by_products, local  # noqa: E402
from solverkit.kinds.bilevel.build import bilevel  # noqa: E402
from solverkit.kinds.bilevel.certificate import certify  # noqa: E402
from solverkit.kinds.bilevel.local import Local  # noqa: E402
from solverkit.kinds.bilevel.spectrum import conjugate_gradients, lanczos  # noqa: E402

N, M = 5, 9
RNG = np.random.default_rng(2)
DATA = {"A": RNG.normal(size=(40, M)), "C": RNG.normal(size=(M, N)), "b": RNG.normal(size=M), "t": RNG.normal(size=40)}


def tail(x, y):
    return 0.5 * ((y - tensor("b", y)) ** 2).sum() + 0.5 * (x**2).sum() + 0.1 * torch.sin(x).sum()


def lower(x, y):
    margins = torch.nn.functional.softplus(tensor("t", y) * (tensor("A", y) @ y)).mean()
    return margins + 0.5 * (torch.exp(tensor("C", y) @ x) * y**2).sum()


def tensor(name, like):
    return torch.tensor(DATA[name], dtype=like.dtype)


def problem(upper=tail, lower=lower, n=N, m=M, convex=True):
    return bilevel(
        {"variables": {"x": {"shape": n}}, "minimize": upper},
        {"variables": {"y": {"shape": m}}, "minimize": lower, "convex": convex},
    )


@pytest.fixture
def small_is_large(monkeypatch):
    monkeypatch.setattr(local, "LARGE", 0)


def dense(made, x, y):
    """(z with y solved, gradient of Phi) by Newton's method and dense algebra."""
    n = made.n
    for _ in range(40):
        z = np.concatenate([x, y])
        step = np.linalg.solve(made.lower_hessian(z).toarray()[n:, n:], made.lower_gradient(z)[n:])
        y = y - step
        if np.abs(step).max() <= 1e-13:
            break
    z = np.concatenate([x, y])
    H, F = made.lower_hessian(z).toarray(), made.upper_gradient(z)
    return z, F[:n] - H[:n, n:] @ np.linalg.solve(H[n:, n:], F[n:])


def solution(made, bounds=None):
    """min Phi by L-BFGS-B on the dense hypergradient."""

    def both(x):
        z, gradient = dense(made, x, np.zeros(made.m))
        return made.upper(z), gradient

    options = {"gtol": 1e-9, "ftol": 0}
    found = minimize(both, np.zeros(made.n), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return dense(made, found.x, np.zeros(made.m))[0]


@pytest.fixture(scope="module")
def solved():
    made = problem()
    return made, solution(made)


def test_it_is_taken_for_large_free_lower_levels(monkeypatch):
    made = problem()
    z = made.flat(made.start(RNG))
    assert not Local(made, z, 1e-4).by_products
    monkeypatch.setattr(local, "LARGE", 0)
    assert Local(made, z, 1e-4).by_products
    rows = bilevel(
        {"variables": {"x": {"shape": 1}}, "minimize": lambda x, y: (y**2).sum()},
        {"variables": {"y": {"shape": 1, "lower": 0}}, "minimize": lambda x, y: ((x - y) ** 2).sum()},
    )
    assert not Local(rows, np.zeros(2), 1e-4).by_products


def test_derivatives_against_dense_algebra(solved):
    """grad Phi and Phi'' from products, against the dense hypergradient and its differences."""
    made, z = solved
    x = z[:N] + 0.3 * np.random.default_rng(1).normal(size=N)
    z, gradient = dense(made, x, z[N:])
    reduced = by_products.Reduced(Local(made, z, 1e-4))
    assert np.allclose(reduced.gradient, gradient, atol=1e-9)
    for d in np.eye(N):
        ahead, behind = (dense(made, x + step * d, z[N:])[1] for step in (1e-5, -1e-5))
        assert np.allclose(reduced.product(d), (ahead - behind) / 2e-5, atol=1e-6)


def test_certified_like_the_dense_way(solved, small_is_large, monkeypatch):
    made, z = solved
    large = certify(made, made.blocks(z))
    monkeypatch.setattr(local, "LARGE", 500)
    small = certify(made, made.blocks(z))
    assert large.status is small.status is PointStatus.CERTIFIED, (large, small)
    assert large.facts["hypergradient"] == pytest.approx(small.facts["hypergradient"], abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [3e-3, 1e-1, 1.0])
def test_perturbed_points_are_not(solved, small_is_large, seed, size):
    """x moved with y answering, and y moved alone."""
    (made, z), rng = solved, np.random.default_rng(seed)
    moved = dense(made, z[:N] + size * rng.normal(size=N), z[N:])[0]
    alone = z + np.concatenate([np.zeros(N), size * rng.normal(size=M)])
    for point, broken in ((moved, "upper_stationarity"), (alone, "lower_kkt")):
        found = certify(made, made.blocks(point))
        assert found.status is not PointStatus.CERTIFIED
        assert broken in wrong(found)


def wrong(certificate):
    return [term.name for term in certificate.terms if not term.ok]


@pytest.mark.parametrize("n", [6, 60])  # formed column by column, and by Lanczos
def test_saddles_are_not(small_is_large, n):
    """Stationary to first order: only the curvature tells."""
    for least, certified in ((-0.02, False), (0.0, True)):
        bend = torch.cat([torch.tensor([least]), torch.linspace(0.1, 1, n - 1)]).double()
        made = problem(
            lambda x, y, bend=bend: 0.5 * (bend * x**2).sum() + (y**2).sum(),
            lambda x, y: 0.5 * (y**2).sum() + 0.1 * (y**4).sum() - 0.01 * x.sum() * y.sum() / 10,
            n,
            3,
        )
        found = certify(made, made.blocks(np.zeros(n + 3)))
        assert wrong(found) == ([] if certified else ["curvature"])


def test_bounds_that_hold_the_upper_variables(small_is_large):
    def upper(x, y):
        return 0.5 * ((y - tensor("b", y)) ** 2).sum() - 0.1 * x.sum()

    free = problem(upper)
    bounded = bilevel(
        {"variables": {"x": {"shape": N, "lower": -0.2, "upper": 0.3}}, "minimize": upper},
        {"variables": {"y": {"shape": M}}, "minimize": lower, "convex": True},
    )
    z = solution(bounded, [(-0.2, 0.3)] * N)
    assert np.any((z[:N] >= 0.3 - 1e-9) | (z[:N] <= -0.2 + 1e-9))
    assert certify(bounded, bounded.blocks(z)).status is PointStatus.CERTIFIED
    assert "upper_stationarity" in wrong(certify(free, free.blocks(z)))  # the same point without the bounds
    inside = dense(bounded, np.clip(z[:N], -0.1, 0.2), z[N:])[0]
    assert "upper_stationarity" in wrong(certify(bounded, bounded.blocks(inside)))


@pytest.mark.parametrize(("tilt", "y"), [(0.0, 0.0), (0.1, 0.8669)])
def test_a_lower_level_that_is_not_convex(small_is_large, tilt, y):
    """y = 0 is a stationary maximum of f; with a tilt y = .867 is a local minimum that another beats."""

    def double_well(x, y):
        return (0.25 * y**4 - 0.5 * y**2 + tilt * y).sum() + 0 * x.sum()

    made = problem(lambda x, y: (x**2).sum(), double_well, 2, 4, convex=None)
    z = dense(made, np.zeros(2), np.full(4, y))[0]
    assert "lower_gap" in wrong(certify(made, made.blocks(z)))
    claimed = replace(made, convex=True)
    lowest = dense(made, np.zeros(2), np.full(4, -1.0))[0]
    assert wrong(certify(claimed, claimed.blocks(lowest))) == ["lower_convexity"]


def test_many_lower_solutions(small_is_large):
    """Only y[0] is decided by the lower level: what is left to the upper level counts."""
    made = problem(lambda x, y: ((y - 1) ** 2).sum() + (x**2).sum(), lambda x, y: torch.exp(x[0]) * y[0] ** 2, 2, 4)
    for rest in (0.0, 0.5):
        z = np.array([0.0, 0.0, 0.0, rest, rest, rest])
        assert certify(made, made.blocks(z)).status is not PointStatus.CERTIFIED


def test_single_precision_changes_nothing(solved, small_is_large):
    """The verdict is made in float64: rounding of the method's arithmetic alone cannot take it away."""
    made, z = solved
    rounded, single = made.blocks(z.astype(np.float32).astype(float)), made.to("cpu", "float32")
    assert certify(single, rounded).status is PointStatus.CERTIFIED
    one, other = (certify(p, rounded).terms for p in (made, single))
    assert [term.value for term in one] == [term.value for term in other]


def test_nan_is_no_verdict(small_is_large):
    made = problem(lower=lambda x, y: torch.log(y - 2).sum() + (x**2).sum())
    found = certify(made, made.blocks(np.zeros(N + M)))
    assert found.status is PointStatus.UNVERIFIED


@pytest.mark.parametrize("low", [-0.1, -0.01])
def test_lanczos_finds_one_negative_eigenvalue_among_many(low):
    spectrum = np.random.default_rng(0).uniform(0, 1, 1000)
    spectrum[17] = low
    found = lanczos(lambda v: spectrum * v, np.random.default_rng(1).normal(size=1000), negative=1e-6)
    assert low - 1e-12 <= found.smallest < 0.1 * low


def test_lanczos_is_exact_where_the_space_is_exhausted():
    rng = np.random.default_rng(3)
    A = rng.normal(size=(7, 7))
    A = A + A.T
    found, values = lanczos(lambda v: A @ v, rng.normal(size=7), negative=np.inf), np.linalg.eigvalsh(A)
    assert found.smallest == pytest.approx(values[0])
    assert found.largest == pytest.approx(values[-1])
    assert np.allclose(A @ found.vector, values[0] * found.vector, atol=1e-9)
    assert lanczos(lambda v: np.nan * v, np.ones(3)).smallest != 0


def test_conjugate_gradients_tell_what_they_left():
    A = np.diag([1.0, 2.0, 0.0])
    assert conjugate_gradients(lambda v: A @ v, np.array([1.0, 1.0, 0.0])).residual < 1e-12
    assert not conjugate_gradients(lambda v: A @ v, np.array([1.0, 1.0, 1.0])).residual <= 0.1
    assert conjugate_gradients(lambda v: A @ v, np.zeros(3)).residual == 0
