"""The solver for large systems that the structure of the first one asks for, with the direct one behind it.

| B | J | solver |
|---|---|---|
| products only, or dense of many rows | any | `nystrom` |
| diagonal | dense, or mostly full | `schur` |
| sparse | each row has a column of its own, and the system is large | `condensed` |
| dense of some hundred rows | any | `dense` |
| sparse | sparse | `sparse` |

A solver that cannot go on (an unusable matrix without a shift of the constraints, or a residual far above what was
asked) hands over to the direct one for the rest of the run, where B can be formed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import issparse

from solverkit_sketched_newton.inner import schur
from solverkit_sketched_newton.inner.base import Direction, Inertia, InnerSolver, Matrix, NewtonSystem
from solverkit_sketched_newton.inner.condensed import Condensed, split
from solverkit_sketched_newton.inner.dense import Dense
from solverkit_sketched_newton.inner.nystrom import NystromCG
from solverkit_sketched_newton.inner.sparse import SparseLDL

DENSE_ROWS = 1500  # a factorization of so many takes 0.1 s
CONDENSED_ROWS = 20_000  # below, sparse factorization is as fast
FULL = 0.1  # share of nonzeros from which a sparse matrix counts as dense
POOR, POOREST = 1e3, 0.1  # a residual of so many times the tolerance, or so great, calls for the direct solver


class Structured:
    """Looks at each system; keeps one solver of a sort, with what it has learnt."""

    def __init__(self, seed: int = 0, rank: int = 30) -> None:
        self.seed, self.rank = seed, rank
        self.chosen: InnerSolver | None = None
        self.system: NewtonSystem | None = None
        self._held: dict[str, InnerSolver] = {}
        self._direct = False  # a direct solver has taken over
        self._sort: tuple[bool, ...] = ()

    def prepare(self, system: NewtonSystem) -> Inertia:
        """As the solver picked says; a direct one takes over where it cannot."""
        self.system = system
        sort = (system.hessian is None, issparse(system.hessian), issparse(system.jacobian))
        if self.chosen is None or sort != self._sort:
            self.chosen, self._sort = self._keep(self._pick(system)), sort
        inertia = self.chosen.prepare(system)
        if inertia.usable or inertia.correct is False or not self._hand_over():
            return inertia
        return self.chosen.prepare(system)

    def solve(self, r_x: np.ndarray, r_c: np.ndarray, rtol: float) -> Direction:
        """See `InnerSolver`."""
        assert self.chosen is not None
        assert self.system is not None
        found = self.chosen.solve(r_x, r_c, rtol)
        limit = max(2 * rtol, min(POOREST, POOR * rtol))
        poor = not found.residual <= limit and not self._downward(found)
        if poor and self._hand_over() and self.chosen.prepare(self.system).usable:
            return self.chosen.solve(r_x, r_c, rtol)
        return found

    def _downward(self, found: Direction) -> bool:
        """Nonpositive curvature: what the caller looks for."""
        assert self.system is not None
        bent = self.system.product(found.dx) + (self.system.barrier + self.system.delta_w) * found.dx
        return bool(found.dx @ bent <= 0) and bool(np.any(found.dx))

    def _hand_over(self) -> bool:
        """Whether a direct solver has taken over."""
        assert self.system is not None
        if self.system.hessian is None or isinstance(self.chosen, Dense | SparseLDL):
            return False
        self._direct = True
        self.chosen = self._keep(self._factorization(self.system))
        return True

    def _keep(self, name: str) -> InnerSolver:
        make: dict[str, Callable[[], InnerSolver]] = {
            "condensed": Condensed,
            "dense": Dense,
            "nystrom": lambda: NystromCG(self.seed, self.rank),
            "schur": lambda: schur.Schur(self.seed),
            "sparse": SparseLDL,
        }
        if name not in self._held:
            self._held[name] = make[name]()
        return self._held[name]

    def _pick(self, system: NewtonSystem) -> str:
        B, J = system.hessian, system.jacobian
        m, n = J.shape
        if B is None:
            return "nystrom"
        if self._direct:
            return self._factorization(system)
        if _full(B):
            return "dense" if n + m <= DENSE_ROWS else "nystrom"
        if m and _full(J) and schur.suits(system) and _positive(system):
            return "schur"
        if n + m >= CONDENSED_ROWS and split(J) is not None:
            return "condensed"
        return self._factorization(system)

    def _factorization(self, system: NewtonSystem) -> str:
        full = _full(system.jacobian) or _full(system.hessian)
        return "dense" if full and sum(system.jacobian.shape) <= DENSE_ROWS else "sparse"


def _full(matrix: Matrix) -> bool:
    return not issparse(matrix) or matrix.nnz > FULL * matrix.shape[0] * matrix.shape[1]


def _positive(system: NewtonSystem) -> bool:
    """A positive diagonal: an entry that is zero cannot be divided by, whatever the other solvers make of it."""
    assert system.hessian is not None
    return bool(np.all(system.hessian.diagonal() + system.barrier > 0))
