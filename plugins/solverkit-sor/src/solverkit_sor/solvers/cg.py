"""Conjugate gradients as an arm: no parameter that matters, no setup, nothing that can go wrong on an SPD matrix."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from solverkit.errors import UsageError
from solverkit_sor.kernels.cg import cg, smallest_ritz
from solverkit_sor.solvers.base import Matrices, Outcome, Parameters, Relative, Solved, Start

COEFFICIENTS = 300  # of the Lanczos matrix that are kept: its smallest eigenvalue has settled long before


class CG:
    """`preconditioner`: `none`, or `jacobi` for the diagonal. With jacobi, or a constant diagonal, `Solved.ritz` is an
    upper bound on lambda_min(D^{-1} A), sharp where the solve was long enough."""

    name: ClassVar[str] = "cg"
    defaults: ClassVar[Parameters] = {"preconditioner": "none"}

    def __init__(self, matrices: Matrices | None = None, relative: Relative = "rhs") -> None:
        self._matrices = matrices or Matrices()
        self._relative: Relative = relative
        self._alphas, self._betas = np.empty(COEFFICIENTS), np.empty(COEFFICIENTS)

    def solve(
        self,
        A: Any,
        b: np.ndarray,
        x0: np.ndarray | None = None,
        rtol: float = 1e-8,
        cap: int = 10_000,
        parameters: Parameters | None = None,
    ) -> Solved:
        """See `SolverArm.solve`. A matrix that is not symmetric is not noticed: CG then reaches its cap, or breaks."""
        begin = Start.of(self._matrices, A, b, x0, rtol, self._relative)
        pattern = self._matrices.pattern(begin.matrix)
        kind = str((parameters or {}).get("preconditioner", self.defaults["preconditioner"]))
        if kind not in ("none", "jacobi"):
            raise UsageError(f"preconditioner = {kind!r}: the arm 'cg' knows none and jacobi")
        diagonal = begin.matrix.diagonal()
        inverse = None
        if kind == "jacobi":
            if not (diagonal > 0).all():
                raise UsageError("preconditioner = jacobi needs a positive diagonal: use preconditioner = none")
            inverse = 1.0 / diagonal
        count, norm, code, kept = cg(
            pattern.indptr,
            pattern.indices,
            begin.matrix.data,
            inverse,
            begin.b,
            begin.x,
            begin.target,
            cap,
            self._alphas,
            self._betas,
        )
        ritz = float("nan")
        if inverse is not None or (diagonal[0] > 0 and (diagonal == diagonal[0]).all()):
            ritz = smallest_ritz(self._alphas, self._betas, kept) / (1.0 if inverse is not None else diagonal[0])
        outcome = Outcome.of(code)
        work = self.work(pattern.n, pattern.nnz, count)
        return Solved(begin.x, count, outcome is Outcome.CONVERGED, work, norm, outcome, ritz)

    def work(self, n: int, nnz: int, iterations: int) -> float:
        """Two residuals, then a product and three passes over vectors an iteration."""
        return 2.0 * nnz + iterations * (nnz + 6.0 * n)
