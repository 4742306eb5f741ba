"""Sparse factorizations by SuperLU as arms: a complete one, and an incomplete one as a preconditioner.

A factor of an earlier matrix solves the same matrix again at the cost of two triangular solves; for another matrix it
is a preconditioner (of CG where A is symmetric, of GMRES elsewhere) until `lag` says that a new one is due.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import spilu, splu

from solverkit.errors import UsageError
from solverkit_sor.solvers.base import Arm, Matrices, Outcome, Parameters, Relative, Run, Start
from solverkit_sor.solvers.gmres import gmres
from solverkit_sor.solvers.lag import Lag
from solverkit_sor.solvers.preconditioned import flexible_cg

FLOP = 2.0  # work of a multiply-add inside a factorization
ENTRY = {
    "direct": 80.0,
    "ilu": 500.0,
}  # work of an entry of L and U outside its arithmetic: ordering, symbolic factorization, storing, dropping
SOLVE = 5.5  # work of an entry of L and U in a triangular solve
FILL = 8.0  # entries of L and U over those of A, where no factor is at hand


class _Factored(Arm):
    """What both arms share: a factor, for which matrix it was built, and its account."""

    def __init__(self, matrices: Matrices | None = None, relative: Relative = "rhs") -> None:
        super().__init__(matrices, relative)
        self.lag = Lag()
        self.built: tuple[Any, Parameters] | None = None  # what the factor was built for; a new tuple for each build
        self._data = np.empty(0)
        self._factor: Any = None
        self._entries = 0.0

    def build(self, matrix: Any, parameters: Parameters) -> float:
        """Factor `matrix`; returns the work of it. RuntimeError where it is singular."""
        columns = csc_matrix((matrix.data, matrix.indices, matrix.indptr), shape=matrix.shape).T.tocsc()
        self._factor = self.factor(columns, parameters)
        below = np.diff(self._factor.L.indptr).astype(float)
        beside = np.diff(self._factor.U.tocsr().indptr).astype(float)
        self._entries = float(below.sum() + beside.sum())
        self.built, self._data = (matrix, dict(parameters)), matrix.data.copy()
        setup = FLOP * float(below @ beside) + ENTRY[self.name] * self._entries
        self.lag.built(setup)
        return setup

    @abstractmethod
    def factor(self, columns: csc_matrix, parameters: Parameters) -> Any:
        """SuperLU's object for a matrix by columns."""

    def iterate(self, begin: Start, cap: int) -> tuple[int, Outcome, float]:
        """Solve with the factor as preconditioner: (iterations, how it ended, work)."""
        pattern = self.matrices.pattern(begin.matrix)
        symmetric = pattern.missing < 0 and pattern.symmetric
        if symmetric and (symmetric := bool((begin.matrix.data[pattern.diagonal] > 0).all())):
            symmetric = self.matrices.split(begin.matrix).symmetric
        if symmetric:
            count, outcome = flexible_cg(begin, pattern, self._factor.solve, cap)
            if outcome is Outcome.BROKEN:  # indefinite: no matrix for CG, but one that the factor solves
                more, outcome = gmres(begin, pattern, self._factor.solve, 30, cap)
                count += more
        else:
            count, outcome = gmres(begin, pattern, self._factor.solve, 30, cap)
        extra = 8.0 if symmetric else 32.0
        work = count * (SOLVE * self._entries + pattern.nnz + extra * pattern.n) + 2.0 * pattern.nnz
        return count, outcome, work


class Direct(_Factored):
    """Sparse LU. `refresh`: `changed` factors whenever A changed; `lazy` keeps an old factor as a preconditioner."""

    name: ClassVar[str] = "direct"
    defaults: ClassVar[Parameters] = {"refresh": "changed"}

    def run(self, begin: Start, cap: int, parameters: Parameters) -> Run:
        """See `SolverArm.solve`; iterations are solves with the factor. A singular matrix is BROKEN."""
        if parameters["refresh"] not in ("changed", "lazy"):
            raise UsageError(f"refresh = {parameters['refresh']!r}: the solver 'direct' knows changed and lazy")
        known = self._factor is not None and self.built is not None and self.built[0].shape == begin.matrix.shape
        same = known and np.array_equal(self._data, begin.matrix.data)
        setup = 0.0
        if not same and (parameters["refresh"] == "changed" or not known or self.lag.due):
            try:
                setup = self.build(begin.matrix, parameters)
            except RuntimeError:  # SuperLU: the factor is exactly singular
                return Run(begin.x, 0, Outcome.BROKEN, self.work(*begin.sizes, 0))
        count, outcome, work = self.iterate(begin, cap)
        self.lag.solved(work)
        return Run(begin.x, count, outcome, work + setup)

    def factor(self, columns: csc_matrix, parameters: Parameters) -> Any:
        """With a symmetric ordering, and pivots from the diagonal where they are not tiny."""
        return splu(columns, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.1, options={"SymmetricMode": True})

    def work(self, n: int, nnz: int, iterations: int) -> float:
        """With a factorization; fill and arithmetic as usual on a mesh in two dimensions."""
        return (ENTRY[self.name] + 0.25 * FLOP * np.sqrt(n)) * FILL * nnz + iterations * (
            SOLVE * FILL * nnz + nnz + 8.0 * n
        )


class ILU(_Factored):
    """CG (GMRES where A is not symmetric) with an incomplete LU.

    `drop`: entries below it, relative to their column, are dropped: smaller, fewer iterations and a dearer factor.
    `refresh`: `always`, or `lazy` by the rule of `lag`.
    """

    name: ClassVar[str] = "ilu"
    defaults: ClassVar[Parameters] = {"drop": 1e-2, "refresh": "lazy"}

    def run(self, begin: Start, cap: int, parameters: Parameters) -> Run:
        """See `SolverArm.solve`. A zero pivot is BROKEN."""
        if parameters["refresh"] not in ("always", "lazy") or not 0 < float(parameters["drop"]) < 1:
            raise UsageError("the solver 'ilu' has 0 < drop < 1, and refresh always or lazy")
        fits = self.built is not None and self.built[0].shape == begin.matrix.shape
        fits = fits and self.built is not None and self.built[1]["drop"] == parameters["drop"]
        setup = 0.0
        if not fits or parameters["refresh"] == "always" or self.lag.due:
            try:
                setup = self.build(begin.matrix, parameters)
            except RuntimeError:
                return Run(begin.x, 0, Outcome.BROKEN, self.work(*begin.sizes, 0))
        count, outcome, work = self.iterate(begin, cap)
        self.lag.solved(work)
        return Run(begin.x, count, outcome, work + setup)

    def factor(self, columns: csc_matrix, parameters: Parameters) -> Any:
        """Pivots stay on the diagonal, so that the factor of a symmetric matrix is nearly symmetric."""
        return spilu(
            columns,
            drop_tol=float(parameters["drop"]),
            fill_factor=20,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )

    def work(self, n: int, nnz: int, iterations: int) -> float:
        """With a factorization of twice the entries of A."""
        return 2.0 * ENTRY[self.name] * nnz + iterations * ((2.0 * SOLVE + 1.0) * nnz + 8.0 * n)
