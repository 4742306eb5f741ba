"""The Newton system by sparse LDL' with a fill-reducing order (QDLDL).

QDLDL has no pivoting, so the matrix is made quasidefinite by small shifts on its diagonal, +static above and -static
below, which iterative refinement takes out again. The signs of D are then the inertia of the shifted matrix (Sylvester,
Vanderbei 1995). The order is found once for a pattern.
"""

from __future__ import annotations

import numpy as np
import qdldl
from scipy.sparse import block_array, csc_array, csr_array, diags_array, triu

from solverkit_sketched_newton.inner.base import Direction, Inertia, NewtonSystem

STATIC = 1e-9  # shift of the diagonal, beside the entries of an equilibrated matrix
REFINEMENTS = 12


class SparseLDL:
    """Keeps order and pattern from system to system."""

    def __init__(self) -> None:
        self._solver: qdldl.Solver | None = None
        self._pattern: tuple[np.ndarray, np.ndarray] | None = None
        self._matrix: csr_array = csr_array((0, 0))
        self._scale = np.zeros(0)

    def prepare(self, system: NewtonSystem) -> Inertia:
        """Factor; counts the signs of D."""
        m, n = system.jacobian.shape
        diagonal = np.concatenate([system.barrier + system.delta_w, np.full(m, -system.delta_c)])
        hessian = csr_array((n, n)) if system.hessian is None else csr_array(system.hessian)
        jacobian = csr_array(system.jacobian)
        matrix = csr_array(block_array([[hessian, jacobian.T], [jacobian, csr_array((m, m))]], format="csr"))
        matrix = csr_array(matrix + diags_array(diagonal))
        self._matrix = matrix
        largest = np.ones(n + m)
        if n + m:
            largest = np.maximum(abs(matrix).max(axis=1).toarray().ravel(), 1e-300)
        self._scale = scale = 1.0 / np.sqrt(largest)
        scaled = diags_array(scale) @ matrix @ diags_array(scale)
        static = np.concatenate([np.full(n, STATIC), np.full(m, -STATIC)])
        upper = csc_array(triu(csc_array(scaled + diags_array(static)), format="csc"))
        upper.sort_indices()
        try:
            d = self._factor(upper)
        except Exception:  # QDLDL reports a zero pivot by a bare RuntimeError
            self._solver = None
            return Inertia(usable=False, correct=False)
        if not np.isfinite(d).all():
            self._solver = None
            return Inertia(usable=False, correct=False)
        return Inertia(usable=True, correct=int(np.count_nonzero(d > 0)) == n)

    def solve(self, r_x: np.ndarray, r_c: np.ndarray, rtol: float) -> Direction:
        """K^-1 (-r), refined until the shifts no longer show."""
        n = len(r_x)
        right = -np.concatenate([r_x, r_c])
        norm = float(np.linalg.norm(right))
        if self._solver is None or norm == 0.0:
            return Direction(np.zeros(n), np.zeros(len(r_c)), 0.0 if norm == 0.0 else 1.0)
        d = self._substitute(right)
        left = right - self._matrix @ d
        residual = float(np.linalg.norm(left))
        for _ in range(REFINEMENTS):
            if residual <= 1e-12 * norm:
                break
            refined = d + self._substitute(left)
            left = right - self._matrix @ refined
            again = float(np.linalg.norm(left))
            if not again < 0.9 * residual:
                break
            d, residual = refined, again
        return Direction(d[:n], d[n:], residual / norm)

    def _substitute(self, right: np.ndarray) -> np.ndarray:
        assert self._solver is not None
        return self._scale * self._solver.solve(self._scale * right)

    def _factor(self, upper: csc_array) -> np.ndarray:
        """The diagonal D; the order is reused where the pattern is the same."""
        same = (
            self._solver is not None
            and self._pattern is not None
            and np.array_equal(self._pattern[0], upper.indices)
            and np.array_equal(self._pattern[1], upper.indptr)
        )
        if same and self._solver is not None:
            self._solver.update(upper, True)
        else:
            self._solver = qdldl.Solver(upper, True)
            self._pattern = upper.indices, upper.indptr
        return np.asarray(self._solver.factors()[1])
