"""Solvers of structured Newton systems against a dense solve of the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array, eye_array, hstack, kron
from scipy.sparse import random_array as random_sparse

from solverkit_sketched_newton.inner.base import NewtonSystem
from solverkit_sketched_newton.inner.condensed import Condensed, split
from solverkit_sketched_newton.inner.krylov import Krylov
from solverkit_sketched_newton.inner.nystrom import Correlations, NystromCG, NystromMetric
from solverkit_sketched_newton.inner.schur import Schur, suits


def system_of(hessian, barrier, jacobian, delta_w=0.0, delta_c=0.0, products_only=False):
    return NewtonSystem(None if products_only else hessian, lambda v: hessian @ v, barrier, jacobian, delta_w, delta_c)


def dense(matrix):
    return matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)


def whole(system, hessian):
    n, m = len(system.barrier), system.jacobian.shape[0]
    J = dense(system.jacobian)
    A = dense(hessian) + np.diag(system.barrier + system.delta_w)
    return np.block([[A, J.T], [J, -system.delta_c * np.eye(m)]]), n


def check(solver, system, hessian, rng, rtol=1e-10):
    """The direction is the dense one, and its residual is what it says."""
    K, n = whole(system, hessian)
    r = rng.normal(size=len(K))
    inertia = solver.prepare(system)
    assert inertia.usable
    assert inertia.correct in (True, None)
    found = solver.solve(r[:n], r[n:], rtol)
    d = np.concatenate([found.dx, found.dy])
    true = np.linalg.norm(K @ d + r) / np.linalg.norm(r)
    assert found.residual == pytest.approx(true, rel=0.1, abs=1e-11)
    assert true <= rtol
    np.testing.assert_allclose(d, np.linalg.solve(K, -r), atol=1e3 * rtol * np.linalg.norm(np.linalg.inv(K), 2))
    return found


def poisson(N):
    """J = [L, I] of the five-point Laplacian on (-1, 1)^2."""
    line = diags_array([np.ones(N - 1), -2 * np.ones(N), np.ones(N - 1)], offsets=[-1, 0, 1])
    L = (kron(line, eye_array(N)) + kron(eye_array(N), line)) * ((N + 1) / 2) ** 2
    return csr_array(hstack([csr_array(L), eye_array(N * N)]))


# -- condensed


def test_split_finds_a_column_for_each_row():
    J = csr_array(np.array([[2.0, 0, 1, 0, 3], [5.0, 7, 0, 0, 0], [1, 0, 0, -4, 0]]))
    found = split(J)
    np.testing.assert_array_equal(found.solved, [4, 1, 3])
    np.testing.assert_array_equal(found.diagonal, [3, 7, -4])
    np.testing.assert_array_equal(found.free, [0, 2])
    np.testing.assert_array_equal(found.others.toarray(), [[2, 1], [5, 0], [1, 0]])
    assert split(csr_array(np.array([[1.0, 1], [1, 1]]))) is None
    assert split(csr_array(np.array([[1.0, 1e-9], [1, 0]]))) is None  # too small to divide by
    assert split(np.eye(3)) is None
    tied = split(csr_array(np.array([[1.0, 1.0, 1.0]])))
    assert len(tied.solved) == 1


@pytest.mark.parametrize("permuted", [False, True])
@pytest.mark.parametrize("cross", [False, True])
def test_condensed_poisson(permuted, cross):
    """Also with shuffled columns, a changing diagonal, and a Hessian that couples states and controls."""
    rng = np.random.default_rng(0)
    J = poisson(9)
    m, n = J.shape
    B = diags_array(np.concatenate([np.ones(m), 0.1 * np.ones(m)])).tocsr()
    if cross:
        B = csr_array(B + diags_array([0.05 * np.ones(n - m)], offsets=[m], shape=(n, n)))
        B = csr_array((B + B.T) / 2)
    if permuted:
        order = rng.permutation(n)
        J, B = csr_array(J[:, order]), csr_array(B[order][:, order])
    solver = Condensed()
    first = check(solver, system_of(B, np.zeros(n), J), B, rng)
    assert first.iterations < 60
    kept = solver.precondition
    check(solver, system_of(B, np.full(n, 1e-3), J), B, rng)
    assert solver.precondition is kept
    check(solver, system_of(B, rng.uniform(0, 5, n), J, delta_w=0.1), B, rng)
    assert solver.precondition is not kept


def test_condensed_steps_do_not_grow_with_the_grid():
    """The matching's condition is at most 2: ten digits in about 14 steps by LU, a few more by multigrid."""
    rng = np.random.default_rng(1)
    counts = []
    for N, multigrid in ((20, False), (60, False), (210, True)):
        J = poisson(N)
        m, n = J.shape
        B = csr_array(diags_array(np.concatenate([np.ones(m), 0.1 * np.ones(m)])))
        solver = Condensed(multigrid=multigrid)
        assert solver.prepare(system_of(B, np.zeros(n), J)).correct is True
        r_x, r_c = rng.normal(size=n), rng.normal(size=m)
        found = solver.solve(r_x, r_c, 1e-10)
        top, bottom = system_of(B, np.zeros(n), J).residual(found.dx, found.dy, r_x, r_c)
        assert np.hypot(np.linalg.norm(top), np.linalg.norm(bottom)) < 1e-10 * np.hypot(
            *map(np.linalg.norm, (r_x, r_c))
        )
        counts.append(found.iterations)
    assert counts[1] <= counts[0] + 2
    assert max(counts) < 30


def test_condensed_with_other_shapes():
    """More free variables than rows, controls without cost, nothing free; and what it leaves to others."""
    rng = np.random.default_rng(2)
    for extra, cost in ((7, 0.5), (7, 0.0), (0, 1.0)):
        m = 5
        G = csr_array(rng.normal(size=(m, extra)))
        J = csr_array(hstack([G, diags_array(rng.uniform(1, 2, m))]))
        B = csr_array(diags_array(np.concatenate([rng.uniform(1, 2, extra), np.full(m, cost)])))
        check(Condensed(), system_of(B, np.zeros(extra + m), J), B, rng)
    assert not Condensed().prepare(system_of(B, np.zeros(5), J, delta_c=1e-8)).usable
    assert not Condensed().prepare(system_of(B, np.zeros(5), csr_array(np.ones((2, 5))))).usable
    assert not Condensed().prepare(system_of(B, np.zeros(5), J, products_only=True)).usable


def test_condensed_meets_negative_curvature():
    rng = np.random.default_rng(3)
    J = poisson(6)
    m, n = J.shape
    B = csr_array(diags_array(np.concatenate([-np.full(m, 1e4), 0.1 * np.ones(m)])))
    solver = Condensed()
    assert solver.prepare(system_of(B, np.zeros(n), J)).correct is None
    found = solver.solve(rng.normal(size=n), rng.normal(size=m), 1e-8)
    assert found.residual > 1
    assert found.dx @ (B @ found.dx) < 0
    np.testing.assert_allclose(J @ found.dx, 0, atol=1e-8 * np.linalg.norm(found.dx) * 1e3)
    check(solver, system_of(B, np.zeros(n), J, delta_w=2e4), B, rng)


# -- schur


@pytest.mark.parametrize("way", ["direct", "sketch"])
@pytest.mark.parametrize("delta_c", [0.0, 1e-3])
@pytest.mark.parametrize("sparse", [False, True])
def test_schur(way, delta_c, sparse, monkeypatch):
    monkeypatch.setattr("solverkit_sketched_newton.inner.schur.BLOCK", 2500)  # several blocks
    rng = np.random.default_rng(4)
    m, n = 12, 700
    J = rng.normal(size=(m, n)) * 10.0 ** rng.uniform(-3, 3, size=(m, 1))
    J = csr_array(np.where(rng.random((m, n)) < 0.3, J, 0)) if sparse else J
    B = csr_array(diags_array(10.0 ** rng.uniform(-4, 4, n)))
    system = system_of(B, rng.uniform(0, 1, n), J, 0.0, delta_c)
    assert suits(system)
    assert not suits(system_of(np.eye(n), np.zeros(n), J))
    assert not suits(system_of(csr_array(np.ones((n, n))), np.zeros(n), J))
    found = check(Schur(way=way), system, B, rng, rtol=1e-9)
    assert found.iterations < (1 if way == "direct" else 60)


def test_schur_reuses_its_factor():
    """A factor serves while the diagonal's ratios are bounded, and the answer is as exact."""
    rng = np.random.default_rng(5)
    m, n = 40, 4000
    J, start = rng.normal(size=(m, n)), rng.uniform(1, 2, n)
    solver, ways = Schur(), []
    for change in (0.0, 1e-3, 0.1, 1e5):
        B = csr_array(diags_array(start * (1 + change * rng.random(n))))
        solver.prepare(system_of(B, np.zeros(n), J))
        r_x, r_c = rng.normal(size=n), rng.normal(size=m)
        found = solver.solve(r_x, r_c, 1e-10)
        C = J @ np.diag(1 / B.diagonal()) @ J.T
        np.testing.assert_allclose(found.dy, np.linalg.solve(C, r_c - J @ (r_x / B.diagonal())), rtol=1e-6, atol=1e-8)
        ways.append(solver.used)
    assert ways == ["direct", "reuse", "reuse", "direct"] or ways == ["direct", "reuse", "direct", "direct"]
    other = rng.normal(size=(m, n))
    solver.prepare(system_of(B, np.zeros(n), other))
    assert solver.used == "direct"


def test_schur_tells_what_it_cannot_do():
    rng = np.random.default_rng(6)
    J = rng.normal(size=(3, 30))
    assert Schur().prepare(system_of(csr_array(diags_array(-np.ones(30))), np.zeros(30), J)).correct is False
    assert not Schur().prepare(system_of(csr_array((30, 30)), np.zeros(30), J)).usable
    twice = np.vstack([J, J[:1]])
    one = csr_array(eye_array(30))
    assert not Schur().prepare(system_of(one, np.zeros(30), twice)).usable
    check(Schur(), system_of(one, np.zeros(30), twice, delta_c=1e-6), one, rng, rtol=1e-8)
    assert not Schur().prepare(system_of(one, np.full(30, np.nan), J)).usable


# -- nystrom and krylov


def gram(n, samples, rng, decay=1.0):
    X = rng.normal(size=(samples, n)) * np.arange(1, n + 1) ** -decay
    return X.T @ (rng.uniform(0.05, 0.25, samples)[:, None] * X)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("products_only", [False, True])
@pytest.mark.parametrize("delta_c", [0.0, 1e-4])
def test_nystrom_cg(sparse, products_only, delta_c):
    rng = np.random.default_rng(7)
    n, m = 150, 12
    B = gram(n, 400, rng) + 1e-3 * np.eye(n)
    J = rng.normal(size=(m, n))
    J = csr_array(np.where(rng.random((m, n)) < 0.3, J, 0)) if sparse else J
    check(NystromCG(), system_of(B, np.zeros(n), J, 0.0, delta_c, products_only), B, rng)
    check(NystromCG(), system_of(B, 10.0 ** rng.uniform(-5, 5, n), J, 1e-3, delta_c, products_only), B, rng, 1e-8)


def test_the_nystrom_metric_saves_steps():
    """Without rotating the data the diagonal would do: after it, only the low-rank part sees the spectrum."""
    rng = np.random.default_rng(8)
    n, m = 200, 10
    Q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    B = Q @ gram(n, 500, rng, decay=1.5) @ Q.T + 1e-2 * np.eye(n)
    J = rng.normal(size=(m, n))
    steps = [
        check(NystromCG(rank=rank, adaptive=False), system_of(B, np.zeros(n), J), B, rng).iterations for rank in (0, 60)
    ]
    assert steps[1] < 0.4 * steps[0]


def repeated(n, samples, kinds, rng):
    """Rows that are copies of a few, and a little for each column: great correlations over an uneven rest."""
    fixed = rng.normal(size=(kinds, n)) * (rng.random((kinds, n)) < 0.2)
    X = fixed[rng.integers(kinds, size=samples)]
    return X.T @ X + np.diag(10.0 ** rng.uniform(-2, 1, n))


def by_products(B, J):
    """A system that counts its products, with the exact diagonal."""
    counts = []

    def product(v):
        counts.append(1)
        return B @ v

    return NewtonSystem(None, product, np.zeros(len(B)), J, diagonal=lambda: B.diagonal()), counts


def test_the_metric_is_its_formula():
    """M^-1 and the inverse Schur complement against dense inverses; M has the diagonal of B where that is known."""
    rng = np.random.default_rng(19)
    n, m, rank = 60, 5, 12
    B, J = gram(n, 150, rng), rng.normal(size=(m, n))
    W = rng.normal(size=(n, rank))
    D = B.diagonal()
    found = Correlations.of(W, B @ W, D, exact=True)
    H, R = np.sqrt(D)[:, None] * found.factor, 0.1 + found.rest * D
    M = np.diag(R) + H @ H.T
    np.testing.assert_allclose(M.diagonal(), 0.1 + D, rtol=1e-6)
    metric = NystromMetric(R, H, J, 1e-3)
    v, c = rng.normal(size=n), rng.normal(size=m)
    np.testing.assert_allclose(metric.solve(v), np.linalg.solve(M, v), rtol=1e-8)
    C = J @ np.linalg.solve(M, J.T) + 1e-3 * np.eye(m)
    np.testing.assert_allclose(metric.schur(c), np.linalg.solve(C, c), rtol=1e-8)
    rough = Correlations.of(W, B @ W, np.full(n, D.mean()), exact=False)
    np.testing.assert_allclose(rough.rest, np.linalg.svd(rough.factor, compute_uv=False)[-1] ** 2, rtol=1e-6)


def test_the_exact_diagonal_of_what_the_sketch_leaves():
    """Nothing but the sketched part and a diagonal: a few steps, whatever the ratios in it."""
    rng = np.random.default_rng(14)
    B, J = repeated(200, 500, 20, rng), rng.normal(size=(10, 200))
    steps = []
    for rank in (0, 40):
        solver = NystromCG(rank=rank, adaptive=False)
        system, _ = by_products(B, J)
        steps.append(check(solver, system, B, rng, 1e-8).iterations)
    assert steps[1] < 0.2 * steps[0]


def test_a_sketch_is_made_when_it_is_paid_for_and_kept():
    """All products of a row of changing systems: far fewer than without, and not many more at the start."""
    rng = np.random.default_rng(15)
    n, m = 200, 6
    J = rng.normal(size=(m, n))
    start = repeated(n, 400, 20, rng)
    totals, ranks = {}, []
    for rank in (0, 15):
        solver, total, turn = NystromCG(rank=rank), [], np.random.default_rng(16)
        for _ in range(5):
            scale = np.sqrt(turn.uniform(0.8, 1.25, n))
            B = scale[:, None] * start * scale
            system, counts = by_products(B, J)
            check(solver, system, B, turn, 1e-8)
            total.append(len(counts))
            ranks.append(solver.rank)
        totals[rank] = total
    assert ranks[:5] == [0] * 5
    assert ranks[5] >= 15
    assert ranks[-1] == ranks[-2]
    assert totals[15][0] <= 1.6 * totals[0][0]
    assert sum(totals[15][1:]) < 0.3 * sum(totals[0][1:])


def test_a_sketch_that_saves_nothing_is_given_up():
    """A flat spectrum with far-off ends: no low rank helps."""
    rng = np.random.default_rng(17)
    n = 300
    Q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    B, J = Q @ np.diag(np.geomspace(1, 1e3, n) + np.linspace(0, 1e3, n)) @ Q.T, rng.normal(size=(5, n))
    totals = {}
    for rank in (0, 10):
        solver = NystromCG(rank=rank)
        for _ in range(4):
            system, counts = by_products(B, J)
            check(solver, system, B, np.random.default_rng(18), 1e-8)
            totals[rank] = totals.get(rank, 0) + len(counts)
        assert solver.rank == 0
    assert totals[10] < 1.5 * totals[0]


def test_a_metric_is_kept_and_made_anew():
    rng = np.random.default_rng(9)
    n, m = 120, 6
    B, J = gram(n, 300, rng, 2.0) + 1e-3 * np.eye(n), rng.normal(size=(m, n))
    solver = NystromCG()
    check(solver, system_of(B, np.zeros(n), J), B, rng)
    first = solver.metric
    check(solver, system_of(1.1 * B, np.full(n, 1e-4), J), 1.1 * B, rng)
    assert solver.metric is first
    check(solver, system_of(B, np.full(n, 1e3), J), B, rng)
    assert solver.metric is not first
    second = solver.metric
    check(solver, system_of(B, np.full(n, 1e3), 2 * J), B, rng)
    assert solver.metric is not second


@pytest.mark.parametrize("solver", [NystromCG, Krylov])
def test_nonpositive_curvature_comes_back_as_a_direction(solver):
    rng = np.random.default_rng(10)
    n, m = 40, 5
    Q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    B, J = Q @ np.diag(np.linspace(-3, 5, n)) @ Q.T, rng.normal(size=(m, n))
    made = solver()
    assert made.prepare(system_of(csr_array(B), np.zeros(n), csr_array(J))).correct is None
    found = made.solve(rng.normal(size=n), rng.normal(size=m), 1e-8)
    assert found.residual > 1
    assert found.dx @ B @ found.dx <= 0
    np.testing.assert_allclose(J @ found.dx, 0, atol=1e-7 * np.linalg.norm(found.dx))
    check(made, system_of(csr_array(B), np.zeros(n), csr_array(J), delta_w=4.0), B, rng, 1e-8)


@pytest.mark.parametrize("products_only", [False, True])
def test_krylov(products_only):
    rng = np.random.default_rng(11)
    n, m = 90, 30
    B = random_sparse((n, n), density=0.03, rng=rng)
    B = csr_array(B @ B.T + eye_array(n))
    J = csr_array(random_sparse((m, n), density=0.1, rng=rng) + eye_array(m, n))
    for delta_c in (0.0, 1e-5):
        check(Krylov(), system_of(B, rng.uniform(0, 3, n), J, 0.0, delta_c, products_only), B, rng)


@pytest.mark.parametrize("solver", [NystromCG, Krylov])
def test_without_constraints_and_without_a_right_hand_side(solver):
    rng = np.random.default_rng(12)
    B = csr_array(gram(20, 60, rng) + np.eye(20))
    check(solver(), system_of(B, np.zeros(20), csr_array((0, 20))), B, rng)
    made = solver()
    made.prepare(system_of(B, np.zeros(20), csr_array((0, 20))))
    nothing = made.solve(np.zeros(20), np.zeros(0), 1e-8)
    assert nothing.residual == 0
    np.testing.assert_array_equal(nothing.dx, 0)


def test_loose_tolerances_cost_less():
    rng = np.random.default_rng(13)
    B, J = gram(150, 400, rng) + 1e-4 * np.eye(150), rng.normal(size=(5, 150))
    solver = NystromCG(rank=10)
    system = system_of(B, np.zeros(150), J)
    solver.prepare(system)
    r_x, r_c = rng.normal(size=150), rng.normal(size=5)
    counts = [solver.solve(r_x, r_c, rtol).iterations for rtol in (1e-1, 1e-4, 1e-10)]
    assert counts[0] < counts[1] < counts[2]
