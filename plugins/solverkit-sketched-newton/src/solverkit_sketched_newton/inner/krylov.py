"""Conjugate gradients for Newton systems, with preconditioners that keep the constraints.

    K u = -r,    K = [ A  J' ; J  -delta_c ],    A = B + S + delta_w,    u = (dx, dy)
    P        = [ M  J' ; J  -delta_c ],    M symmetric positive definite and cheap to invert

u starts at -P^-1 r, which leaves J dx - delta_c dy + r_c = 0. Every later step P^-1 (t, 0) keeps that, and on such steps
K behaves like a positive definite matrix when A does on the null space of J: conjugate gradients work, and see its
eigenvalues relative to M alone (Gould, Hribar, Nocedal 2001, algorithm II; Dollar, Gould, Schilders, Wathen 2006).

    P^-1 (t, c):    dy = (J M^-1 J' + delta_c)^-1 (J M^-1 t - c),    dx = M^-1 (t - J'dy)

Where p'K p <= 0 turns up, the step p itself is the answer: the caller's test of curvature then fails, as it must.

| here | formula |
|---|---|
| top | residual of the first row, A dx + J'dy + r_x |
| Metric.solve | M^-1 |
| Metric.schur | (J M^-1 J' + delta_c)^-1 |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, eye_array, issparse
from scipy.sparse.linalg import splu

from solverkit_sketched_newton.inner.base import Direction, Inertia, NewtonSystem

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
        dx, dy, left = *tried, remains
        best, before = residual, best
        if residual > 0.3 * before:  # rounding has the word now
            break
    return Direction(dx, dy, best, iterations)


def constrained_conjugate_gradients(
    system: NewtonSystem, metric: Metric, r_x: np.ndarray, r_c: np.ndarray, target: float, max_iter: int = MAX_ITER
) -> Direction:
    """The iteration of the module: top row to an absolute residual of `target`; `residual` is 2 where it met
    nonpositive curvature and nan otherwise."""
    J, extra = system.jacobian, system.barrier + system.delta_w

    def project(t: np.ndarray, c: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        first = metric.solve(t)
        if J.shape[0] == 0:
            return first, np.zeros(0)
        y = metric.schur(J @ first - c)
        return metric.solve(t - J.T @ y), y

    def top(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return system.product(x) + extra * x + J.T @ y

    x, y = project(-r_x, -r_c)
    left = -r_x - top(x, y)
    gx, gy = project(left, 0.0)
    px, py, square = gx, gy, float(left @ gx)
    for count in range(max_iter):
        if np.linalg.norm(left) <= target or not square > 0:
            return Direction(x, y, np.nan, count)
        image = top(px, py)
        curvature = float(px @ image) - float(py @ (J @ px)) + system.delta_c * float(py @ py)
        if system.delta_c == 0:
            curvature = float(px @ (image - J.T @ py))
        if not curvature > 0:
            return Direction(px, py, 2.0, count)
        x, y = x + (square / curvature) * px, y + (square / curvature) * py
        left = left - (square / curvature) * image
        gx, gy = project(left, 0.0)
        before, square = square, float(left @ gx)
        px, py = gx + (square / before) * px, gy + (square / before) * py
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
        assert self.metric is not None

        def once(top: np.ndarray, bottom: np.ndarray, target: float) -> Direction:
            return constrained_conjugate_gradients(self.system, self.metric, top, bottom, target, self.max_iter)

        return refined(self.system, once, r_x, r_c, rtol)


def _norm(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.hypot(np.linalg.norm(first), np.linalg.norm(second)))
