"""Systems with a diagonal A = B + S + delta_w and a wide Jacobian, dense as a rule: the Schur complement.

    dx = -A^-1 (r_x + J'dy),    C dy = r_c - J A^-1 r_x,    C = J A^-1 J' + delta_c I

| way | when | cost with n columns, m rows |
|---|---|---|
| C formed a block of columns at a time, Cholesky | m is small, or the first system | n m^2 + m^3 / 3 |
| conjugate gradients with the factor of an earlier C | A has changed by a bounded factor since | 4 n m a step |
| the same with R of S A^-1/2 J' = Q R, S a sparse sign sketch of 3 m rows | m is large, n >> m | 8 n m + 6 m^3 |

An earlier A with ratios A_old / A in [a, b] gives eigenvalues in [a, b]: about sqrt(b / a) steps a digit. R gives
1/(1 +- 1/sqrt(3))^2 whatever the system: condition 14. The Jacobian is read in place; beside it there is one block of
columns. A > 0 makes the inertia right; an A with other signs is called wrong, which asks for more delta_w than need be.

The residual of the first row is zero but for rounding, and what conjugate gradients left is measured on the true system
and solved for again (`refined`), which also mends what the sketch's factor loses (Meier et al. 2023).
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, sqrt

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.sparse import issparse

from solverkit.operators.randomized.sketch_qr import triangle
from solverkit.operators.randomized.sketches import SparseSignSketch
from solverkit_sketched_newton.inner.base import Direction, Inertia, Matrix, NewtonSystem
from solverkit_sketched_newton.inner.krylov import MAX_ITER, conjugate_gradients, refined, same_matrix

BLOCK = 4_000_000  # elements of the Jacobian scaled at a time
ROWS = 3  # rows of the sketch for each row of J
NONZEROS = 8  # of the sketch, a column
DIGITS = 8.0  # accuracy that the choice of the way reckons with
PASS = 8.0  # time of reading an element of J, in multiplications of a matrix product: memory against arithmetic
RANK = 1e-10  # below S A^-1/2 J': rows of dependent constraints stay invertible

Solve = Callable[[np.ndarray], np.ndarray]


def suits(system: NewtonSystem) -> bool:
    """B is known and diagonal."""
    hessian = system.hessian
    if hessian is None or not issparse(hessian):
        return False
    coo = hessian.tocoo()
    return bool(np.all(coo.row == coo.col))


class Schur:
    """One of the ways of the module, picked by cost.

    seed : of the sketches
    way : `auto`, or `direct` and `sketch` to force one
    """

    def __init__(self, seed: int = 0, way: str = "auto", max_iter: int = MAX_ITER) -> None:
        self.rng = np.random.default_rng(seed)
        self.way, self.max_iter = way, max_iter
        self.system: NewtonSystem | None = None
        self.used = ""  # the way of the system prepared last: "direct", "reuse" or "sketch"
        self._inverse: Solve | None = None
        self._made_for: np.ndarray | None = None  # the diagonal behind `_inverse`
        self._jacobian: Matrix = None

    def prepare(self, system: NewtonSystem) -> Inertia:
        """The diagonal and, unless an earlier factor will do, a new one."""
        self.system = system
        assert system.hessian is not None
        self.diagonal = system.hessian.diagonal() + system.barrier + system.delta_w
        if not np.all(np.isfinite(self.diagonal)):
            return Inertia(False, None)
        if np.any(self.diagonal <= 0):
            return Inertia(False, False)
        self.used = self._choose()
        if self.used != "reuse":
            made = self._direct() if self.used == "direct" else self._sketched()
            if made is None:
                self._made_for = None
                return Inertia(False, False)  # dependent rows: the caller raises delta_c
            self._inverse, self._made_for, self._jacobian = made, self.diagonal.copy(), system.jacobian
        return Inertia(True, True)

    def solve(self, r_x: np.ndarray, r_c: np.ndarray, rtol: float) -> Direction:
        """See `InnerSolver`."""
        assert self.system is not None
        return refined(self.system, self._once, r_x, r_c, rtol)

    def _once(self, r_x: np.ndarray, r_c: np.ndarray, target: float) -> Direction:
        assert self.system is not None
        assert self._inverse is not None
        J = self.system.jacobian
        right = r_c - J @ (r_x / self.diagonal)
        if self.used == "direct":
            dy, count = self._inverse(right), 0
        else:
            run = conjugate_gradients(self._complement, self._inverse, right, target, self.max_iter)
            dy, count = run.x, run.iterations
        return Direction(-(r_x + J.T @ dy) / self.diagonal, dy, np.nan, count)

    def _complement(self, y: np.ndarray) -> np.ndarray:
        """C y."""
        assert self.system is not None
        J = self.system.jacobian
        return J @ ((J.T @ y) / self.diagonal) + self.system.delta_c * y

    # -- factors

    def _choose(self) -> str:
        if self.way != "auto":
            return self.way
        assert self.system is not None
        m, n = self.system.jacobian.shape
        entries = self.system.jacobian.nnz if issparse(self.system.jacobian) else m * n
        a_pass = 2 * PASS * entries  # J'y and J v
        costs = {"direct": entries * m + m**3 / 3}
        if n >= 2 * ROWS * m:
            steps = _steps(((sqrt(ROWS) + 1) / (sqrt(ROWS) - 1)) ** 2)
            costs["sketch"] = NONZEROS * PASS * entries / 2 + 2 * ROWS * m**3 + steps * a_pass
        spread = self._spread()
        if spread < np.inf:
            costs["reuse"] = _steps(spread) * a_pass
        return min(costs, key=lambda way: costs[way])

    def _spread(self) -> float:
        """Condition of the earlier factor on this system, from above; infinite where it is of another Jacobian."""
        assert self.system is not None
        if self._made_for is None or len(self._made_for) != len(self.diagonal):
            return np.inf
        if not same_matrix(self._jacobian, self.system.jacobian):
            return np.inf
        ratio = self._made_for / self.diagonal
        extra = 14.0 if self.used == "sketch" else 1.0
        return float(ratio.max() / ratio.min()) * extra

    def _direct(self) -> Solve | None:
        assert self.system is not None
        J, m = self.system.jacobian, self.system.jacobian.shape[0]
        C = np.zeros((m, m))
        for part, root in self._blocks():
            scaled = part * root
            C += (scaled @ scaled.T).toarray() if issparse(scaled) else scaled @ scaled.T
        C[np.diag_indices(m)] += self.system.delta_c
        size = np.sqrt(np.maximum(C.diagonal(), 1e-300))
        C /= size
        C /= size[:, None]
        try:
            factor = cho_factor(C, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            return None
        if J.shape[0] and np.min(np.abs(np.diagonal(factor[0]))) < 1e-8:  # pivots of a matrix with unit diagonal
            return None
        return lambda right: cho_solve(factor, right / size, check_finite=False) / size

    def _sketched(self) -> Solve | None:
        """R'R near C from a sketch of A^-1/2 J', a block of columns of J at a time."""
        assert self.system is not None
        m, n = self.system.jacobian.shape
        drawn = SparseSignSketch(ROWS * m, n, self.rng, NONZEROS)
        total = np.zeros((ROWS * m, m))
        first = 0
        for part, root in self._blocks():
            S = drawn.transposed[first : first + len(root)].T
            scaled = part * root
            total += S @ np.ascontiguousarray(scaled.T.toarray() if issparse(scaled) else scaled.T)
            first += len(root)
        extra = [sqrt(self.system.delta_c) * np.eye(m)] if self.system.delta_c > 0 else []
        R = triangle(np.vstack([total, *extra]), floor=0.0 if extra else RANK)
        if not np.all(np.isfinite(R)):
            return None

        def solve(right: np.ndarray) -> np.ndarray:
            return solve_triangular(R, solve_triangular(R, right, trans=1, check_finite=False), check_finite=False)

        return solve

    def _blocks(self):
        """Columns of J and 1/sqrt(A) on them."""
        assert self.system is not None
        J = self.system.jacobian
        m, n = J.shape
        if issparse(J):
            yield J, 1 / np.sqrt(self.diagonal)
            return
        step = max(1, BLOCK // max(m, 1))
        for first in range(0, n, step):
            yield J[:, first : first + step], 1 / np.sqrt(self.diagonal[first : first + step])


def _steps(condition: float) -> float:
    """Conjugate gradient steps to DIGITS."""
    return max(1.0, 0.5 * sqrt(condition) * DIGITS * log(10.0) if condition > 1.02 else 2.0)
