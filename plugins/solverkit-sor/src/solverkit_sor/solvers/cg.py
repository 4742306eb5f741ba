"""Conjugate gradients as an arm: no setup, and nothing that can go wrong on a symmetric positive definite matrix."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from solverkit.errors import UsageError
from solverkit_sor.kernels.cg import cg, smallest_ritz
from solverkit_sor.solvers.base import Arm, Matrices, Outcome, Parameters, Relative, Run, Start

COEFFICIENTS = 300  # of the Lanczos matrix that are kept: its smallest eigenvalue has settled long before


class CG(Arm):
    """`preconditioner`: `none`, or `jacobi` for the diagonal.

    With jacobi, or a constant diagonal, `Solved.ritz` is an upper bound on lambda_min(D^{-1} A), sharp where the solve
    was long enough. A matrix that is not symmetric is not noticed: CG then reaches its cap, or breaks down.
    """

    name: ClassVar[str] = "cg"
    defaults: ClassVar[Parameters] = {"preconditioner": "none"}

    def __init__(self, matrices: Matrices | None = None, relative: Relative = "rhs") -> None:
        super().__init__(matrices, relative)
        self._alphas, self._betas = np.empty(COEFFICIENTS), np.empty(COEFFICIENTS)

    def run(self, begin: Start, cap: int, parameters: Parameters) -> Run:
        """See `kernels.cg`."""
        pattern, data = self.matrices.pattern(begin.matrix), begin.matrix.data
        inverse = None
        diagonal = data[pattern.diagonal] if pattern.missing < 0 else np.zeros(1)
        if parameters["preconditioner"] == "jacobi":
            if not (diagonal > 0).all():
                raise UsageError("preconditioner = jacobi needs a positive diagonal: use preconditioner = none")
            inverse = 1.0 / diagonal
        elif parameters["preconditioner"] != "none":
            raise UsageError(
                f"preconditioner = {parameters['preconditioner']!r}: the solver 'cg' knows none and jacobi"
            )
        count, _, code, kept = cg(
            pattern.indptr,
            pattern.indices,
            data,
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
        return Run(begin.x, count, Outcome.of(code), self.work(pattern.n, pattern.nnz, count), ritz)

    def work(self, n: int, nnz: int, iterations: int) -> float:
        """Two residuals, then a product and three passes over vectors an iteration."""
        return 2.0 * nnz + iterations * (nnz + 6.0 * n)
