"""Algebraic multigrid as CG's preconditioner, by PyAMG: setup pays where w cannot."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from solverkit.errors import MissingPackage, UsageError
from solverkit_sor.solvers.base import Arm, Matrices, Parameters, Relative, Run, Start
from solverkit_sor.solvers.lag import Lag
from solverkit_sor.solvers.preconditioned import flexible_cg
from solverkit_sor.solvers.relaxed import require_spd

SETUP = {"rs": 220.0, "sa": 500.0}  # work of a build, in stored entries of all levels
CYCLE = 22.0  # work of a V-cycle, likewise: two symmetric sweeps, residual, transfer
COMPLEXITY = {"rs": 2.2, "sa": 1.4}  # entries of all levels over those of the first, where no hierarchy is at hand


class AMG(Arm):
    """`kind`: `rs` (Ruge-Stueben) or `sa` (smoothed aggregation). `refresh`: `always`, or `lazy` by the rule of `lag`.

    The hierarchy of an earlier matrix is kept for the same sizes only.
    """

    name: ClassVar[str] = "amg"
    defaults: ClassVar[Parameters] = {"kind": "rs", "refresh": "lazy"}

    def __init__(self, matrices: Matrices | None = None, relative: Relative = "rhs") -> None:
        super().__init__(matrices, relative)
        self.lag = Lag()
        self.built: tuple[Any, Parameters] | None = None  # what the hierarchy was built for; a new tuple for each build
        self._cycle: Any = None
        self._entries = 0.0

    def run(self, begin: Start, cap: int, parameters: Parameters) -> Run:
        """Raises MissingPackage without PyAMG, UsageError where A is not symmetric."""
        kind, refresh = str(parameters["kind"]), parameters["refresh"]
        if kind not in SETUP or refresh not in ("always", "lazy"):
            raise UsageError("the solver 'amg' has kind rs or sa, and refresh always or lazy")
        split = self.matrices.split(begin.matrix)
        require_spd(split, self.name)
        pattern = split.pattern
        setup = 0.0
        if refresh == "always" or self.lag.due or not self._fits(begin.matrix, kind):
            setup = self.build(begin.matrix, parameters)
        count, outcome = flexible_cg(begin, pattern, self._cycle, cap)
        work = count * (CYCLE * self._entries + pattern.nnz + 8.0 * pattern.n) + 2.0 * pattern.nnz
        self.lag.solved(work)
        return Run(begin.x, count, outcome, work + setup)

    def build(self, matrix: Any, parameters: Parameters) -> float:
        """Build the hierarchy of `matrix`; returns the work of it. Also how a stale one is had back after a resume."""
        kind = str(parameters["kind"])
        try:
            from pyamg import ruge_stuben_solver, smoothed_aggregation_solver
        except ImportError:
            raise MissingPackage("the solver 'amg' needs PyAMG; pip install pyamg") from None
        held = csr_matrix((matrix.data.copy(), matrix.indices, matrix.indptr), shape=matrix.shape)
        before = np.random.get_state()  # noqa: NPY002  PyAMG draws from NumPy's global generator
        try:
            np.random.seed(0)  # noqa: NPY002
            levels = ruge_stuben_solver(held) if kind == "rs" else smoothed_aggregation_solver(held)
        finally:
            np.random.set_state(before)  # noqa: NPY002
        self._cycle = levels.aspreconditioner().matvec
        self._entries = float(sum(level.A.nnz for level in levels.levels))
        self.built = (held, dict(parameters))
        setup = SETUP[kind] * self._entries
        self.lag.built(setup)
        return setup

    def work(self, n: int, nnz: int, iterations: int) -> float:
        """With a build, and the complexity that is usual on a mesh."""
        entries = COMPLEXITY["rs"] * nnz
        return SETUP["rs"] * entries + 2.0 * nnz + iterations * (CYCLE * entries + nnz + 8.0 * n)

    def _fits(self, matrix: Any, kind: str) -> bool:
        return self.built is not None and self.built[1]["kind"] == kind and self.built[0].shape == matrix.shape
