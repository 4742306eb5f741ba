"""Systems whose B is known by products, or dense and large: conjugate gradients with a randomized Nystrom metric.

    A = B + S + delta_w,    D = diag(B),    D^-1/2 B D^-1/2  ~  G G' + diag(q),    q = 1 - diag(G G')
    M = S + delta_w + D^1/2 (G G' + diag(q)) D^1/2

G G' is the Nystrom approximation from the images of `rank` random vectors; M has the diagonal of A. M serves in
conjugate gradients that keep the constraints (`krylov`), with the Schur complement J M^-1 J' + delta_c formed and
factored: that of a diagonal and a correction of the rank of G. The typical B is a Gram matrix X'W X of data, W changing
from iterate to iterate: where features repeat each other its spectrum decays, the sketch holds the great eigenvalues
(Frangella, Tropp, Udell 2023; Chu and others, Nys-IP-PMM, 2024, for interior points) and the diagonal what each feature
has for itself (as FITC does for kernels: Snelson, Ghahramani 2006). G and q are the correlations of the features: they
are kept from iterate to iterate, D and S are those of the iterate.

A sketch of rank r costs r products, as much as r steps, so the diagonal goes first:

| when | then |
|---|---|
| a new system | M from its D and S, with the G that there is: no products but one for D |
| steps since the last sketch reach SPEND r | a sketch of rank r, in the middle of a solve, too |
| steps do so again, and a digit still takes more than QUICK of them | 2 r, up to MOST and n / 2; |
| | beyond TRIES times the first rank only while a doubling saves steps |
| the last of these saves too few | the diagonal alone for the rest of the run |

Whatever the spectrum, the products for all sketches are at most 1 / SPEND of the steps. Where the problem has no oracle
for D, a multiple of I stands for it, and the last eigenvalue of the sketch for q.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import issparse

from solverkit.operators.randomized.nystrom import Nystrom, from_products
from solverkit_sketched_newton.inner.base import Direction, Inertia, Matrix, NewtonSystem
from solverkit_sketched_newton.inner.krylov import MAX_ITER, constrained_conjugate_gradients, refined, same_matrix

RANK, MOST = 30, 480  # first rank, largest
SPEND = 2.0  # steps for each product of the next sketch
SAVES = 0.7  # of the steps before: with more, a sketch does not pay
TRIES = 4  # times the first rank
QUICK = 6.0  # steps a digit that no sketch is to better
FLOOR = 1e-8  # of the largest entry: least entry of a diagonal that is divided by
SPREAD = 2.0  # a metric serves while its diagonals change by a factor within this, but for a common one
SLOW = 2.0  # times the first pace: B has moved away from the sketch, which is made anew


@dataclass(frozen=True, eq=False)
class Correlations:
    """G and q of the module."""

    factor: np.ndarray  # G, (n, rank)
    rest: np.ndarray  # q, (n,)

    @staticmethod
    def of(W: np.ndarray, Y: np.ndarray, D: np.ndarray, exact: bool) -> Correlations:
        """From test vectors W and Y = B W, (n, rank). `exact`: D is diag(B) and not an estimate of its mean.

        Raises ValueError where B is indefinite: no approximation from below exists."""
        root = np.sqrt(D)[:, None]
        low_rank = _positive_part(from_products(root * W, Y / root))
        values, n = low_rank.values, len(D)
        factor = low_rank.basis * np.sqrt(values)
        last = float(values[-1]) if len(values) else 0.0
        rest = np.clip(1.0 - np.einsum("ij,ij->i", factor, factor), FLOOR, None) if exact else np.full(n, last or 1.0)
        return Correlations(factor, rest)


class NystromMetric:
    """M^-1 and (J M^-1 J' + delta_c)^-1 for M = diag(R) + H H'."""

    def __init__(self, R: np.ndarray, H: np.ndarray, jacobian: Matrix, delta_c: float) -> None:
        self.root = np.sqrt(R)
        self.basis, sigma, _ = np.linalg.svd(H / self.root[:, None], full_matrices=False)
        self.taken = sigma**2 / (1.0 + sigma**2)  # M^-1 = R^-1/2 (I - basis diag(taken) basis') R^-1/2
        m = jacobian.shape[0]
        scaled = _over(jacobian, self.root)
        C = scaled @ scaled.T
        C = C.toarray() if issparse(C) else C
        if H.shape[1]:
            side = scaled @ self.basis  # (m, rank)
            C -= (side * self.taken) @ side.T
        C[np.diag_indices(m)] += delta_c
        self.factor = cho_factor(C, lower=True, check_finite=False) if m else None

    def solve(self, t: np.ndarray) -> np.ndarray:
        t = t / self.root
        return (t - self.basis @ (self.taken * (self.basis.T @ t))) / self.root

    def schur(self, c: np.ndarray) -> np.ndarray:
        return c if self.factor is None else cho_solve(self.factor, c, check_finite=False)


class NystromCG:
    """Conjugate gradients with the metric of the module.

    seed : of the test vectors
    rank : of the first sketch; 0 for the diagonal metric T alone
    adaptive : False makes the first sketch at once and keeps its rank
    """

    def __init__(self, seed: int = 0, rank: int = RANK, max_iter: int = MAX_ITER, adaptive: bool = True) -> None:
        self.rng = np.random.default_rng(seed)
        self.first, self.max_iter, self.adaptive = rank, max_iter, adaptive
        self.system: NewtonSystem | None = None
        self.metric: NystromMetric | None = None
        self.products = 0  # with B, for sketches and diagonals, so far
        self._sketch: Correlations | None = None
        self._spent = 0  # steps since the last sketch
        self._plain = 0.0  # steps a digit with the diagonal alone, 0 before it is known
        self._pace = 0.0  # the same with the first system of this sketch
        self._before = 0.0  # and of the metric before it
        self._tired = False  # the next system needs another sketch
        self._closed = rank == 0  # no more sketches

    @property
    def rank(self) -> int:
        """Of the present sketch."""
        return 0 if self._sketch is None else self._sketch.factor.shape[1]

    def prepare(self, system: NewtonSystem) -> Inertia:
        """A metric, unless the last one still works."""
        self.system = system
        if not np.all(np.isfinite(system.barrier + system.delta_w)):
            return Inertia(False, None)
        if not self._closed and (self._tired or (not self.adaptive and self._sketch is None)):
            self._draw(self.rank or self.first)
        D, _ = self._diagonal(system)
        if not self._serves(D):
            self._assemble(D)
        return Inertia(self.metric is not None, None)

    def solve(self, r_x: np.ndarray, r_c: np.ndarray, rtol: float) -> Direction:
        """See `InnerSolver`. A solve that has paid for a sketch stops, makes it, and goes on from where it is."""
        assert self.system is not None
        dx, dy, steps, residual = np.zeros_like(r_x), np.zeros_like(r_c), 0, 1.0
        left = (r_x, r_c)
        while True:
            found = self._run(*left, min(rtol / residual, 0.5) if residual > 0 else rtol)
            steps += found.iterations
            if found.residual > 1:
                return Direction(found.dx, found.dy, found.residual, steps)
            dx, dy, residual = dx + found.dx, dy + found.dy, residual * found.residual
            if residual <= rtol or not self._grow():
                return Direction(dx, dy, residual, steps)
            remains = self.system.residual(dx, dy, r_x, r_c)
            left = (remains[0], remains[1])

    # -- conjugate gradients

    def _run(self, r_x: np.ndarray, r_c: np.ndarray, rtol: float) -> Direction:
        """To `rtol`, or until the next sketch is paid for."""
        assert self.system is not None
        before = self._spent

        def once(top: np.ndarray, bottom: np.ndarray, target: float) -> Direction:
            assert self.metric is not None
            assert self.system is not None
            cap = self.max_iter
            if self._next():
                cap = min(cap, int(SPEND * self._next()) - self._spent)
            if cap <= 0:
                return Direction(np.zeros_like(top), np.zeros_like(bottom), np.nan, 0)
            found = constrained_conjugate_gradients(self.system, self.metric, top, bottom, target, cap)
            self._spent += found.iterations
            return found

        found = refined(self.system, once, r_x, r_c, rtol)
        if 0 < found.residual <= 1:
            self._judge((self._spent - before) / max(1.0, -np.log10(found.residual)))
        return found

    def _judge(self, pace: float) -> None:
        """What the steps a digit of one run say of the metric."""
        if self._sketch is None:
            self._plain = max(self._plain, pace)
            return
        if not self._pace:
            self._pace = pace
        if self.adaptive and not self._next() and pace > QUICK and self._plain and pace > SAVES * self._plain:
            self._sketch, self._closed = None, True
        elif pace > SLOW * self._pace and self._spent > SPEND * self.rank:
            self._tired = True

    # -- metrics

    def _next(self) -> int:
        """The rank of the next sketch, 0 where there is none to come."""
        assert self.system is not None
        if self._closed or not self.adaptive:
            return 0
        if self._sketch is None:
            return 0 if 0 < self._plain <= QUICK else min(self.first, len(self.system.barrier))
        rank = min(2 * self.rank, MOST, len(self.system.barrier) // 2)
        promising = self.rank < TRIES * self.first or 0 < self._pace <= SAVES * self._before
        return rank if rank > self.rank and promising and not 0 < self._pace <= QUICK else 0

    def _grow(self) -> bool:
        """The next sketch where steps have paid for it; whether the metric is another now."""
        assert self.system is not None
        rank = self._next()
        if not rank or self._spent < SPEND * rank:
            return False
        before = self.metric
        D = self._draw(rank)
        self._assemble(D)
        if self.metric is None:  # the correction of the Schur complement drowned it
            self._sketch, self._closed, self.metric = None, True, before
            return False
        return True

    def _draw(self, rank: int) -> np.ndarray:
        """A sketch of this B; returns D."""
        assert self.system is not None
        D, exact = self._diagonal(self.system)
        W = self.rng.standard_normal((len(D), min(rank, len(D))))
        B = self.system.hessian
        Y = np.column_stack([self.system.product(w) for w in W.T]) if B is None else np.asarray(B @ W)
        self.products += W.shape[1]
        self._before = self._pace or self._plain
        self._spent, self._pace, self._tired, self.metric = 0, 0.0, False, None
        try:
            self._sketch = Correlations.of(W, Y, D, exact)
        except ValueError:
            self._sketch, self._closed = None, True
        return D

    def _diagonal(self, system: NewtonSystem) -> tuple[np.ndarray, bool]:
        """D, (n,), positive, and whether it is the diagonal itself."""
        found = system.diagonal() if system.diagonal is not None else None
        if system.hessian is not None:
            found = np.asarray(system.hessian.diagonal())
        elif found is not None:
            self.products += 1
        exact = found is not None
        if found is None:
            signs = self.rng.choice([-1.0, 1.0], len(system.barrier))
            found = np.full(len(signs), float(np.mean(signs * system.product(signs))))
            self.products += 1
        largest = max(float(found.max(initial=0.0)), float(np.max(system.barrier + system.delta_w, initial=0.0)))
        return np.maximum(found, max(FLOOR * largest, 1e-300)), exact

    def _serves(self, D: np.ndarray) -> bool:
        """Whether the present metric is near enough to the one of this system."""
        assert self.system is not None
        if self.metric is None or self._made_for[0] is not self._sketch or self._made_for[1] != self.system.delta_c:
            return False
        old, new = self._diagonals, np.concatenate([D, self._rest(D)])
        if len(old) != len(new) or not same_matrix(self._jacobian, self.system.jacobian):
            return False
        ratio = new / old
        return bool(ratio.max(initial=0.0) <= SPREAD * ratio.min(initial=np.inf))

    def _rest(self, D: np.ndarray) -> np.ndarray:
        """R = S + delta_w + q D, (n,)."""
        assert self.system is not None
        R = self.system.barrier + self.system.delta_w + (D if self._sketch is None else self._sketch.rest * D)
        return np.maximum(R, max(FLOOR * R.max(initial=0.0), 1e-300))

    def _assemble(self, D: np.ndarray) -> None:
        """The metric of D, of S and of the sketch, if there is one."""
        assert self.system is not None
        system, R = self.system, self._rest(D)
        H = np.zeros((len(D), 0)) if self._sketch is None else np.sqrt(D)[:, None] * self._sketch.factor
        self._made_for, self._jacobian = (self._sketch, system.delta_c), system.jacobian
        self._diagonals = np.concatenate([D, R])
        try:
            self.metric = NystromMetric(R, H, system.jacobian, system.delta_c)
        except np.linalg.LinAlgError:  # dependent rows
            self.metric = None


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
