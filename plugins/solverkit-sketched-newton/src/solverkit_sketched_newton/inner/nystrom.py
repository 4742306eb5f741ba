"""Systems whose B is known by products, or dense and large: a randomized Nystrom metric for conjugate gradients.

    A = B + S + delta_w,    T = diag(S) + delta_w + diag(B) (estimated),    T^-1/2 A T^-1/2  ~  U diag(lambda) U'
    M = T^1/2 ( U diag(lambda) U' / lambda_last + I - U U' ) T^1/2

M serves in conjugate gradients that keep the constraints (`krylov`), with the Schur complement J M^-1 J' + delta_c
formed and factored: J T^-1 J' and a correction of the rank of U. The typical B is a Gram matrix X'D X of data, D
changing from iterate to iterate: its spectrum decays, `rank` products find the great eigenvalues, and the rest lies
near lambda_last (Frangella, Tropp, Udell 2023; Chu and others, Nys-IP-PMM, 2024, for interior points).

The test vectors W serve three times: B W for the approximation, mean(W * B W) for diag(B), and again for a new S. The
metric is kept while it works: it is made anew when a solve took more than twice the steps of the first with it.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import issparse

from solverkit.operators.randomized.nystrom import Nystrom, NystromPreconditioner, from_products
from solverkit_sketched_newton.inner.base import Direction, Inertia, Matrix, NewtonSystem
from solverkit_sketched_newton.inner.krylov import MAX_ITER, constrained_conjugate_gradients, refined, same_matrix

RANK, MOST = 30, 300  # first rank, largest
FLOOR = 1e-8  # of the largest entry: least entry of T
SLOW = 2.0  # times the first count of steps, and
PATIENCE = 10  # some more: then the metric is made anew
STALE = 10.0  # and where an entry of S changed by this factor, relative to T


class NystromMetric:
    """M^-1 and (J M^-1 J' + delta_c)^-1."""

    def __init__(self, T: np.ndarray, low_rank: Nystrom, jacobian: Matrix, delta_c: float) -> None:
        self.root = np.sqrt(T)
        self.inner = NystromPreconditioner(low_rank, 0.0)
        self.T = T
        m = jacobian.shape[0]
        scaled = _over(jacobian, self.root)
        C = scaled @ scaled.T
        C = C.toarray() if issparse(C) else C
        if low_rank.rank:
            side = scaled @ low_rank.basis  # (m, rank)
            C += (side * (self.inner.level / low_rank.values - 1.0)) @ side.T
        C[np.diag_indices(m)] += delta_c
        self.factor = cho_factor(C, lower=True, check_finite=False) if m else None

    def solve(self, t: np.ndarray) -> np.ndarray:
        return self.inner.solve(t / self.root) / self.root

    def schur(self, c: np.ndarray) -> np.ndarray:
        return c if self.factor is None else cho_solve(self.factor, c, check_finite=False)


class NystromCG:
    """Conjugate gradients with the metric of the module.

    seed : of the test vectors
    rank : of the first approximation; doubled while solves stay slow, 0 for the diagonal metric T alone
    """

    def __init__(self, seed: int = 0, rank: int = RANK, max_iter: int = MAX_ITER) -> None:
        self.rng = np.random.default_rng(seed)
        self.rank, self.max_iter = rank, max_iter
        self.system: NewtonSystem | None = None
        self.metric: NystromMetric | None = None
        self.products = 0  # with B, for metrics, so far
        self._first: int | None = None  # steps of the first solve with this metric
        self._last = 0

    def prepare(self, system: NewtonSystem) -> Inertia:
        """A metric, unless the last one still works."""
        self.system = system
        known = system.barrier + system.delta_w
        if not np.all(np.isfinite(known)):
            return Inertia(False, None)
        if not self._still_good(known):
            self.metric = self._build(system, known)
            self._known, self._delta_c, self._jacobian = known, system.delta_c, system.jacobian
            self._first = None
        return Inertia(self.metric is not None, None)

    def solve(self, r_x: np.ndarray, r_c: np.ndarray, rtol: float) -> Direction:
        """See `InnerSolver`."""
        assert self.system is not None

        def once(top: np.ndarray, bottom: np.ndarray, target: float) -> Direction:
            assert self.metric is not None
            assert self.system is not None
            return constrained_conjugate_gradients(self.system, self.metric, top, bottom, target, self.max_iter)

        found = refined(self.system, once, r_x, r_c, rtol)
        digits = max(1.0, -np.log10(max(rtol, 1e-16)))
        self._last = int(found.iterations / digits)  # steps a digit: tolerances differ from solve to solve
        self._first = self._last if self._first is None else self._first
        return found

    def _still_good(self, known: np.ndarray) -> bool:
        assert self.system is not None
        if self.metric is None or len(known) != len(self._known) or self._delta_c != self.system.delta_c:
            return False
        moved = np.abs(known - self._known) > STALE * self.metric.T
        shrunk = self._known > STALE * np.maximum(known, self.metric.T - self._known)
        if np.any(moved) or np.any(shrunk) or not same_matrix(self._jacobian, self.system.jacobian):
            return False
        if self._first is not None and self._last > SLOW * self._first + PATIENCE:
            return False
        if self._first is not None and self._first > PATIENCE and 0 < self.rank < min(MOST, len(known) // 2):
            self.rank = min(2 * self.rank, MOST, len(known) // 2)
            return False
        return True

    def _build(self, system: NewtonSystem, known: np.ndarray) -> NystromMetric | None:
        n = len(known)
        rank = min(self.rank, n)
        W = self.rng.standard_normal((n, max(rank, 1)))
        Y = self._images(system, W)
        if system.hessian is not None:
            diagonal = np.asarray(system.hessian.diagonal())
        elif rank >= RANK:
            diagonal = np.mean(W * Y, axis=1)
        else:
            diagonal = np.full(n, max(float(np.mean(W * Y)), 0.0))
        T = known + np.maximum(diagonal, 0.0)
        T = np.maximum(T, max(FLOOR * T.max(initial=0.0), 1e-300))
        if rank:
            W, Y = np.sqrt(T)[:, None] * W, (Y + known[:, None] * W) / np.sqrt(T)[:, None]
        low_rank = Nystrom(np.zeros((n, 0)), np.zeros(0))
        try:
            if rank:
                low_rank = _positive_part(from_products(W, Y))
            return NystromMetric(T, low_rank, system.jacobian, system.delta_c)
        except np.linalg.LinAlgError:  # dependent rows
            return None
        except ValueError:  # A is indefinite: no approximation from below exists
            try:
                return NystromMetric(T, Nystrom(np.zeros((n, 0)), np.zeros(0)), system.jacobian, system.delta_c)
            except np.linalg.LinAlgError:
                return None

    def _images(self, system: NewtonSystem, W: np.ndarray) -> np.ndarray:
        self.products += W.shape[1]
        if system.hessian is not None:
            return np.asarray(system.hessian @ W)
        return np.column_stack([system.product(w) for w in W.T])


def _positive_part(made: Nystrom) -> Nystrom:
    """Without the eigenvalues that are rounding."""
    count = int(np.sum(made.values > 1e-10 * made.values[0])) if len(made.values) else 0
    return Nystrom(made.basis[:, :count], made.values[:count])


def _over(jacobian: Matrix, root: np.ndarray) -> Matrix:
    """J T^-1/2; the one copy of a dense J."""
    if issparse(jacobian):
        scaled = jacobian.tocsr(copy=True)
        scaled.data /= root[scaled.indices]
        return scaled
    return jacobian / root
