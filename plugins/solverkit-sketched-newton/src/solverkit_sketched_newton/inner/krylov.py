"""Conjugate gradients for Newton systems, with preconditioners that keep the constraints.

    [ A  J' ; J  -delta_c ] (dx, dy) = -r,    A = B + S + delta_w,    preconditioner  [ M  J' ; J  -delta_c ]

With t = -sqrt(delta_c) dy as further variables the corner is zero: A, M and J become diag(A, I), diag(M, I) and
(J, sqrt(delta_c) I). Conjugate gradients then run on the affine space J dx + sqrt(delta_c) t = -r_c and see the
eigenvalues of A on the null space relative to M alone (Gould, Hribar, Nocedal 2001, algorithm II; Dollar, Gould,
Schilders, Wathen 2006). A projection in the metric M is

    y = (J M^-1 J' + delta_c)^-1 (J M^-1 a + sqrt(delta_c) b - c),    x = M^-1 (a - J'y),    t = b - sqrt(delta_c) y

Its y goes from the residual to dy at every step (their residual update): otherwise the part of the residual in the
range of J' grows until it drowns the rest. Where p'A p <= 0 turns up, p itself is the answer: the caller's test of
curvature then fails, as it must.

| here | formula |
|---|---|
| left, beside | residuals of the rows of dx and of t |
| Metric.solve | M^-1 |
| Metric.schur | (J M^-1 J' + delta_c)^-1 |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import hypot, sqrt
from typing import Any, Protocol

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, eye_array, issparse
from scipy.sparse.linalg import splu

from solverkit_sketched_newton.inner.base import Direction, Inertia, Matrix, NewtonSystem

ROUNDS = 4  # solves of one system: the first, and refinements on its true residual
WEAKEST = 1e-12  # of the largest entry: the least diagonal that is divided by
MAX_ITER = 500


class Metric(Protocol):
    """M and what follows from it."""

    def solve(self, t: np.ndarray) -> np.ndarray: ...

    def schur(self, c: np.ndarray) -> np.ndarray: ...


@dataclass
class Run:
    """The end of one conjugate gradient run."""

    x: np.ndarray  # the solution, or the direction of nonpositive curvature
    iterations: int
    curved: bool  # False: x is a direction p with p'Ap <= 0


def conjugate_gradients(
    operator: Callable[[np.ndarray], np.ndarray],
    precondition: Callable[[np.ndarray], np.ndarray],
    right: np.ndarray,
    target: float,
    max_iter: int = MAX_ITER,
) -> Run:
    """x with ||A x - b||_2 <= target, from x = 0, or the best that `max_iter` steps give."""
    x, left = np.zeros_like(right), right.copy()
    z = precondition(left)
    p, square = z.copy(), float(left @ z)
    for count in range(max_iter):
        if np.linalg.norm(left) <= target or square == 0.0:
            return Run(x, count, True)
        image = operator(p)
        curvature = float(p @ image)
        if not curvature > 0:
            return Run(p, count, False)
        x += (square / curvature) * p
        left -= (square / curvature) * image
        z = precondition(left)
        before, square = square, float(left @ z)
        p = z + (square / before) * p
    return Run(x, max_iter, True)


def refined(
    system: NewtonSystem, once: Callable[[np.ndarray, np.ndarray, float], Direction], r_x, r_c, rtol: float
) -> Direction:
    """Solve, measure the true residual, solve again for what is left; the best of at most ROUNDS.

    once : (r_x, r_c, absolute target) -> a direction whose `residual` is nan, or above 1 for a direction of nonpositive
        curvature, which ends the rounds
    """
    size = _norm(r_x, r_c)
    dx, dy, iterations = np.zeros(len(r_x)), np.zeros(len(r_c)), 0
    left, best = (r_x, r_c), 1.0 if size > 0 else 0.0
    for _ in range(ROUNDS):
        if best <= rtol:
            break
        step = once(*left, rtol * size)
        iterations += step.iterations
        if step.residual > 1:
            return Direction(step.dx, step.dy, step.residual, iterations)
        tried = (dx + step.dx, dy + step.dy)
        remains = system.residual(*tried, r_x, r_c)
        residual = _norm(*remains) / size
        if not residual < best:
            break
        dx, dy, left = tried[0], tried[1], (remains[0], remains[1])
        best, before = residual, best
        if residual > 0.3 * before:  # rounding has the word now
            break
    return Direction(dx, dy, best, iterations)


def constrained_conjugate_gradients(
    system: NewtonSystem, metric: Metric, r_x: np.ndarray, r_c: np.ndarray, target: float, max_iter: int = MAX_ITER
) -> Direction:
    """The iteration of the module, to an absolute residual of `target`; `residual` is 2 where it met nonpositive
    curvature and nan otherwise."""
    J, extra, root = system.jacobian, system.barrier + system.delta_w, sqrt(system.delta_c)

    def project(top: np.ndarray, side: np.ndarray, bottom: np.ndarray | float) -> tuple[Any, Any, Any]:
        y = metric.schur(J @ metric.solve(top) + root * side - bottom) if len(r_c) else r_c
        return metric.solve(top - J.T @ y), side - root * y, y

    t = np.zeros(len(r_c))
    x, t, y = project(-r_x, t, -r_c)
    left, beside = -r_x - system.product(x) - extra * x - J.T @ y, -t - root * y
    p, q, square = np.zeros_like(x), np.zeros_like(t), np.inf
    for count in range(max_iter):
        gx, gt, step = project(left, beside, 0.0)
        y = y + step  # what of the residual the multipliers can take
        left, beside = left - J.T @ step, beside - root * step
        before, square = square, float(left @ gx + beside @ gt)
        if hypot(np.linalg.norm(left), np.linalg.norm(beside)) <= target or not square > 0:
            return Direction(x, y, np.nan, count)
        p, q = gx + (square / before) * p, gt + (square / before) * q
        image = system.product(p) + extra * p
        curvature = float(p @ image + q @ q)
        if not curvature > 0:
            return Direction(p, np.zeros_like(y), 2.0, count)
        length = square / curvature
        x, t = x + length * p, t + length * q
        left, beside = left - length * image, beside - length * q
    return Direction(x, y, np.nan, max_iter)


@dataclass
class DiagonalMetric:
    """M a positive diagonal, J sparse: J M^-1 J' + delta_c factored by sparse LU without exchanges."""

    diagonal: np.ndarray
    schur: Callable[[np.ndarray], np.ndarray]

    def solve(self, t: np.ndarray) -> np.ndarray:
        return t / self.diagonal

    @staticmethod
    def of(diagonal: np.ndarray, jacobian: csr_array, delta_c: float) -> DiagonalMetric | None:
        """None where the factorization breaks down."""
        m = jacobian.shape[0]
        if m == 0:
            return DiagonalMetric(diagonal, lambda c: c)
        matrix = jacobian @ diags_array(1 / diagonal) @ jacobian.T + delta_c * eye_array(m)
        try:
            factor = symmetric_lu(csc_array(matrix))
        except RuntimeError:
            return None
        return DiagonalMetric(diagonal, factor.solve)


def symmetric_lu(matrix: csc_array):
    """Sparse LU in the order of a minimum degree of the symmetric pattern, pivots on the diagonal."""
    return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})


class Krylov:
    """Sparse systems by products with B: M the diagonal of A, the Schur complement of M factored.

    For Hessians near their diagonal, or known by products only, with many sparse constraints.
    """

    def __init__(self, max_iter: int = MAX_ITER) -> None:
        self.max_iter = max_iter
        self.system: NewtonSystem | None = None
        self.metric: Metric | None = None

    def prepare(self, system: NewtonSystem) -> Inertia:
        """M and its Schur complement; nobody counts eigenvalues."""
        self.system = system
        diagonal = system.barrier + system.delta_w
        if system.hessian is not None:
            diagonal = diagonal + system.hessian.diagonal()
        else:
            diagonal = diagonal + 1.0
        diagonal = np.abs(diagonal)
        diagonal = np.maximum(diagonal, max(WEAKEST * diagonal.max(initial=0.0), 1e-300))
        jacobian = system.jacobian if issparse(system.jacobian) else csr_array(system.jacobian)
        self.metric = DiagonalMetric.of(diagonal, jacobian, system.delta_c)
        return Inertia(self.metric is not None, None)

    def solve(self, r_x: np.ndarray, r_c: np.ndarray, rtol: float) -> Direction:
        """See `InnerSolver`."""
        assert self.system is not None

        def once(top: np.ndarray, bottom: np.ndarray, target: float) -> Direction:
            assert self.system is not None
            assert self.metric is not None
            return constrained_conjugate_gradients(self.system, self.metric, top, bottom, target, self.max_iter)

        return refined(self.system, once, r_x, r_c, rtol)


def same_matrix(old: Matrix, new: Matrix) -> bool:
    """Equal entries: what was factored for one serves the other. Costs nothing where both are one array."""
    if old is new:
        return True
    if old is None or issparse(old) != issparse(new) or old.shape != new.shape:
        return False
    if issparse(old):
        return np.array_equal(old.data, new.data) and np.array_equal(old.indices, new.indices)
    if old.__array_interface__["data"] == new.__array_interface__["data"] and old.strides == new.strides:
        return True
    return np.array_equal(old, new)


def _norm(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.hypot(np.linalg.norm(first), np.linalg.norm(second)))
