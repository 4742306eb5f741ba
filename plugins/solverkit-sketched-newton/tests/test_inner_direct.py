"""The direct inner solvers against NumPy: solutions, inertia, singular matrices, and the shifts that mend them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from solverkit_sketched_newton.inner.base import NewtonSystem
from solverkit_sketched_newton.inner.dense import Dense
from solverkit_sketched_newton.inner.sparse import SparseLDL
from solverkit_sketched_newton.regularize import Regularizer

SOLVERS = (Dense, SparseLDL)


def system(n, m, seed, convex=False, barrier=0.0, sparse=False, **shifts):
    """A random Newton system; `convex` makes its Hessian positive definite."""
    rng = np.random.default_rng(seed)
    B = random_array((n, n), density=0.4, rng=rng).toarray() - 0.2
    B = B @ B.T + np.eye(n) if convex else B + B.T
    J = rng.standard_normal((m, n))
    S = barrier * 10.0 ** rng.uniform(-6, 6, n) if barrier else np.zeros(n)
    kind = csr_array if sparse else np.asarray
    return NewtonSystem(kind(B), B.__matmul__, S, kind(J), **shifts)


def matrix(given):
    """The whole of it."""
    B, J = (part.toarray() if hasattr(part, "toarray") else part for part in (given.hessian, given.jacobian))
    m, _n = J.shape
    top = B + np.diag(given.barrier + given.delta_w)
    return np.block([[top, J.T], [J, -given.delta_c * np.eye(m)]])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("sizes", [(1, 0), (1, 1), (6, 2), (12, 0), (20, 20), (30, 7)])
@pytest.mark.parametrize("seed", range(4))
def test_inertia_and_solution(solver, sizes, seed):
    """Eigenvalues are counted right, and solutions leave no residual."""
    n, m = sizes
    given = system(n, m, seed, sparse=solver is SparseLDL)
    inner, K, rng = solver(), matrix(given), np.random.default_rng(seed)
    values = np.linalg.eigvalsh(K)
    if np.abs(values).min() < 1e-6:
        pytest.skip("the draw is singular")
    inertia = inner.prepare(given)
    right = bool(np.count_nonzero(values > 0) == n)
    if solver is Dense:
        assert inertia.usable
        assert inertia.correct == right
    elif inertia.correct:  # without pivoting a wrong inertia may show as one that cannot be used, but never as right
        assert right
    if right:
        assert inertia.usable
        assert inertia.correct
        r = rng.standard_normal(n + m)
        found = inner.solve(r[:n], r[n:], 1e-10)
        np.testing.assert_allclose(np.concatenate([found.dx, found.dy]), np.linalg.solve(K, -r), rtol=1e-6, atol=1e-8)
        assert found.residual <= 1e-9


@pytest.mark.parametrize("solver", SOLVERS)
def test_great_barriers_hide_nothing(solver):
    """Pivots of 1e8 beside small ones do not pass for a singular matrix."""
    given = system(15, 5, 3, convex=True, barrier=100.0, sparse=solver is SparseLDL)
    inner = solver()
    assert inner.prepare(given).correct
    assert inner.solve(np.ones(15), np.ones(5), 1e-10).residual < 1e-8


@pytest.mark.parametrize("solver", SOLVERS)
def test_dependent_rows_are_noticed(solver):
    """A repeated row makes the matrix singular; delta_c mends it, with a least-squares step."""
    rng = np.random.default_rng(5)
    B, row = np.eye(4), rng.standard_normal((1, 4))
    kind = csr_array if solver is SparseLDL else np.asarray
    given = NewtonSystem(kind(B), B.__matmul__, np.zeros(4), kind(np.vstack([row, row])))
    solved = Regularizer(solver()).solve(given, np.ones(4), np.ones(2), 1e-8, 0.0)
    assert solved is not None
    expected = np.linalg.lstsq(np.vstack([row, row]), -np.ones(2), rcond=None)[0]
    assert row @ solved.direction.dx == pytest.approx(row @ expected, abs=1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("seed", range(5))
def test_shift_gives_the_right_inertia(solver, seed):
    """Where the Hessian is indefinite on the null space, delta_w grows until it is not."""
    given = system(10, 3, seed, sparse=solver is SparseLDL)
    solved = Regularizer(solver()).solve(given, np.ones(10), np.ones(3), 1e-8, 0.0)
    assert solved is not None
    values = np.linalg.eigvalsh(matrix(solved.system))
    assert np.count_nonzero(values > 0) == 10
    null = np.linalg.qr(matrix(given)[10:, :10].T, mode="complete")[0][:, 3:]
    needed = -np.linalg.eigvalsh(null.T @ matrix(given)[:10, :10] @ null)[0]
    assert solved.system.delta_w == 0.0 if needed < 0 else needed <= solved.system.delta_w <= 100 * max(needed, 1e-4)


def test_the_order_is_kept():
    """A second matrix of the same pattern is factorized by an update and solved as well."""
    inner = SparseLDL()
    for seed in (1, 1, 2):
        given = system(25, 8, seed, convex=True, sparse=True, delta_w=0.1 * seed)
        assert inner.prepare(given).correct
        found = inner.solve(np.ones(25), np.ones(8), 1e-10)
        expected = np.linalg.solve(matrix(given), -np.ones(33))
        np.testing.assert_allclose(np.concatenate([found.dx, found.dy]), expected, rtol=1e-6, atol=1e-9)
