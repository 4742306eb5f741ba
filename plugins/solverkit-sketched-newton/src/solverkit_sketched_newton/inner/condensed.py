"""Systems whose constraints can be solved for m of the variables at sight: J = [G, D], D a diagonal.

Each row owns a variable that stands in no other row: a control, a slack, a state of an explicit scheme. With z those
variables and w the rest,

    z = -D^-1 (G w + r_c),    y = -D^-1 (r_z + (A dx)_z),    H w = rhs,    H = T'A T,   T = [ I ; -D^-1 G ]

H is never formed. For A near its diagonal (F, C) on (w, z), H is near F + G'E G with E = D^-1 C D^-1, and where G is
square (a discretized equation for the state w) near Q'E Q, Q = E^-1/2 F^1/2 + s G, s the signs of G's diagonal:

    Q'E Q = F + G'E G + (s F^1/2 E^1/2 G + its transpose),    cond <= 2 when the bracket is positive semidefinite

(the matching of Pearson, Wathen 2012). Q is an equation of the kind of G with a positive shift. Where it is a large
M-matrix and PyAMG is installed a cycle of algebraic multigrid stands for its inverse, otherwise sparse LU. Where G is
not square, or C has zeros, F + G'E G itself is factored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, issparse

from solverkit_sketched_newton.inner.base import Direction, Inertia, Matrix, NewtonSystem
from solverkit_sketched_newton.inner.krylov import MAX_ITER, conjugate_gradients, refined, symmetric_lu

PIVOT = 1e-6  # of the row's largest entry: the least entry of D
MULTIGRID = 40_000  # rows from which multigrid beats the factorization of a two-dimensional grid
LEAST = 1e-6  # every solve goes to this: some more steps cost less than another evaluation of all oracles
STALE = 2.0  # a preconditioner serves other diagonals up to this factor

Apply = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Split:
    """Which variable each row determines, and the Jacobian of the others."""

    solved: np.ndarray  # (m,) columns of D
    free: np.ndarray  # (n - m,) the others
    diagonal: np.ndarray  # (m,) of D
    others: csr_array  # G, (m, n - m)


def split(jacobian: Matrix) -> Split | None:
    """Rows matched with columns that have no other entry, the largest for each row; None where a row has none."""
    if not issparse(jacobian) or jacobian.shape[0] == 0:
        return None
    J = csr_array(jacobian)
    m, n = J.shape
    rows = np.repeat(np.arange(m, dtype=J.indices.dtype), np.diff(J.indptr))
    alone = (np.bincount(J.indices[J.data != 0], minlength=n)[J.indices] == 1) & (J.data != 0)
    at = np.flatnonzero(alone)
    best = np.zeros(m)
    np.maximum.at(best, rows[at], np.abs(J.data[at]))
    largest = np.zeros(m)
    np.maximum.at(largest, rows, np.abs(J.data))
    if not np.all(best > PIVOT * largest):
        return None
    at = at[np.abs(J.data[at]) == best[rows[at]]]
    at = at[np.unique(rows[at], return_index=True)[1]]  # one a row where several are as large
    solved = J.indices[at]
    place = np.full(n, -1, dtype=J.indices.dtype)
    free = np.ones(n, dtype=bool)
    free[solved] = False
    place[free] = np.arange(n - m)
    kept = free[J.indices]
    pointers = np.concatenate([[0], np.cumsum(np.bincount(rows[kept], minlength=m))]).astype(J.indptr.dtype)
    others = csr_array((J.data[kept], place[J.indices[kept]], pointers), shape=(m, n - m))
    return Split(solved, np.flatnonzero(free), J.data[at], others)


class Condensed:
    """Conjugate gradients on H; see the module. `usable` is False where the Jacobian has no such split, or delta_c > 0
    (which no such Jacobian needs: its rows are independent)."""

    def __init__(self, max_iter: int = MAX_ITER, multigrid: bool = True) -> None:
        self.max_iter = max_iter
        self.multigrid = multigrid and find_spec("pyamg") is not None
        self.system: NewtonSystem | None = None
        self.parts: Split | None = None
        self.precondition: Apply | None = None
        self._made_for: tuple[np.ndarray, ...] = ()

    def prepare(self, system: NewtonSystem) -> Inertia:
        """The split and the preconditioner. The inertia is known where B is a positive diagonal."""
        self.system, self.parts = system, split(system.jacobian)
        if self.parts is None or system.delta_c > 0 or system.hessian is None:
            return Inertia(False, None)
        self.diagonal = system.hessian.diagonal() + system.barrier + system.delta_w
        self.is_diagonal = _is_diagonal(system.hessian)
        F = self.diagonal[self.parts.free]
        E = self.diagonal[self.parts.solved] / self.parts.diagonal**2
        if not (np.all(np.isfinite(F)) and np.all(np.isfinite(E))):
            return Inertia(False, None)
        if not self._still_good(F, E, self.parts.others):
            self.precondition = self._build(_positive(F), np.abs(E), self.parts.others)
            self._made_for = (F, E, self.parts.others.data)
        definite = self.is_diagonal and bool(np.all(F > 0) and np.all(E >= 0))
        return Inertia(self.precondition is not None, True if definite else None)

    def solve(self, r_x: np.ndarray, r_c: np.ndarray, rtol: float) -> Direction:
        """See `InnerSolver`."""
        assert self.system is not None
        return refined(self.system, self._once, r_x, r_c, min(rtol, LEAST))

    def _once(self, r_x: np.ndarray, r_c: np.ndarray, target: float) -> Direction:
        assert self.parts is not None
        assert self.precondition is not None
        G, D, solved, free = self.parts.others, self.parts.diagonal, self.parts.solved, self.parts.free
        dx = np.zeros(len(r_x))
        dx[solved] = -r_c / D
        top = self._product(dx) + r_x
        right = -(top[free] - G.T @ (top[solved] / D))
        run = conjugate_gradients(self._reduced, self.precondition, right, target, self.max_iter)
        if not run.curved:
            return Direction(self._lifted(run.x), np.zeros(len(r_c)), 2.0, run.iterations)
        dx += self._lifted(run.x)
        dy = -(self._product(dx)[solved] + r_x[solved]) / D
        return Direction(dx, dy, np.nan, run.iterations)

    def _product(self, v: np.ndarray) -> np.ndarray:
        """A v."""
        assert self.system is not None
        if self.is_diagonal:
            return self.diagonal * v
        return self.system.product(v) + (self.system.barrier + self.system.delta_w) * v

    def _lifted(self, w: np.ndarray) -> np.ndarray:
        """T w."""
        assert self.parts is not None
        dx = np.empty(len(w) + len(self.parts.solved))
        dx[self.parts.free] = w
        dx[self.parts.solved] = -(self.parts.others @ w) / self.parts.diagonal
        return dx

    def _reduced(self, w: np.ndarray) -> np.ndarray:
        """H w."""
        assert self.parts is not None
        image = self._product(self._lifted(w))
        return image[self.parts.free] - self.parts.others.T @ (image[self.parts.solved] / self.parts.diagonal)

    def _still_good(self, F: np.ndarray, E: np.ndarray, G: csr_array) -> bool:
        if self.precondition is None or len(self._made_for) != 3:
            return False
        return all(
            old.shape == new.shape and bool(np.all((new == old) | ((new * STALE > old) & (new < STALE * old))))
            for old, new in zip(self._made_for[:2], (F, E), strict=True)
        ) and np.array_equal(self._made_for[2], G.data)

    def _build(self, F: np.ndarray, E: np.ndarray, G: csr_array) -> Apply | None:
        across = G.diagonal()
        try:
            if G.shape[0] == G.shape[1] and np.all(E > 0) and np.all(across != 0):
                return self._matching(F, E, csr_array(diags_array(np.sign(across)) @ G))
            return symmetric_lu(csc_array(diags_array(F) + G.T @ diags_array(E) @ G)).solve
        except RuntimeError:  # a zero pivot
            return None

    def _matching(self, F: np.ndarray, E: np.ndarray, G: csr_array) -> Apply:
        """v -> Q^-1 E^-1 Q'^-1 v, exactly or by one multigrid cycle for each Q."""
        Q = csr_array(diags_array(np.sqrt(F / E)) + G)
        if self.multigrid and len(E) >= MULTIGRID and _is_m_matrix(Q):
            cycle = _multigrid(Q)
            return lambda v: cycle(cycle(v) / E)
        factor = symmetric_lu(csc_array(Q))
        return lambda v: factor.solve(factor.solve(v, trans="T") / E)


def _multigrid(Q: csr_array) -> Apply:
    """One symmetric V-cycle of classical algebraic multigrid."""
    import pyamg

    return pyamg.ruge_stuben_solver(Q).aspreconditioner().matvec


def _is_m_matrix(Q: csr_array) -> bool:
    """Symmetric without positive entries off the diagonal: what classical coarsening is made for."""
    rows = np.repeat(np.arange(Q.shape[0]), np.diff(Q.indptr))
    return bool(np.all(Q.data[Q.indices != rows] <= 0)) and _is_symmetric(Q)


def _is_diagonal(matrix: Matrix) -> bool:
    if not issparse(matrix):
        return False
    M = csr_array(matrix)
    if M.nnz != M.shape[0]:
        return M.nnz == 0
    ordered = np.arange(M.shape[0])
    return bool(np.array_equal(M.indices, ordered) and np.array_equal(M.indptr[:-1], ordered))


def _is_symmetric(Q: csr_array) -> bool:
    difference = abs(Q - Q.T)
    return difference.nnz == 0 or float(difference.max()) <= 1e-10 * float(abs(Q).max())


def _positive(F: np.ndarray) -> np.ndarray:
    """The diagonal with entries that are no use for a preconditioner replaced by their size, or a small one."""
    size = np.abs(F)
    return np.maximum(size, max(1e-8 * size.max(initial=0.0), 1e-300))
