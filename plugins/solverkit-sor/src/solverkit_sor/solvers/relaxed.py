"""SOR and SSOR-preconditioned CG as arms with the relaxation w as their parameter."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from solverkit.errors import UsageError
from solverkit_sor.kernels.csr import CONVERGED, residual, sor
from solverkit_sor.kernels.eisenstat import ssor_cg
from solverkit_sor.kernels.splitting import Splitting
from solverkit_sor.solvers.base import ROUNDING, Arm, Outcome, Parameters, Run, Start, relaxation

RESTARTS = 3  # times that the recurrence's residual may differ from the true one before it counts as stagnation


class SOR(Arm):
    """Successive over-relaxation in the matrix's own order, for any nonzero diagonal. Converges where A is SPD."""

    name: ClassVar[str] = "sor"
    defaults: ClassVar[Parameters] = {"w": 1.5}

    def run(self, begin: Start, cap: int, parameters: Parameters) -> Run:
        """See `kernels.csr`."""
        w = relaxation(parameters)
        split = self.matrices.split(begin.matrix)
        scaled, rhs, weight = begin.x / split.right, split.left * begin.b, 1.0 / np.abs(split.left)
        count, _, code = sor(*split.lower, *split.upper, w, weight, rhs, scaled, begin.norm, begin.target, cap)
        pattern = split.pattern
        return Run(scaled * split.right, count, Outcome.of(code), self.work(pattern.n, pattern.nnz, count))

    def work(self, n: int, nnz: int, iterations: int) -> float:
        """Splitting and two residuals, then one pass over both triangles a sweep; a sweep more to know the residual."""
        return 7.0 * nnz + (iterations + 1) * (nnz + 5.0 * n)


class SSORCG(Arm):
    """CG preconditioned by SSOR, in Eisenstat's form. For SPD matrices."""

    name: ClassVar[str] = "ssor-cg"
    defaults: ClassVar[Parameters] = {"w": 1.5}

    def run(self, begin: Start, cap: int, parameters: Parameters) -> Run:
        """See `kernels.eisenstat`. Begins anew from the true residual where the recurrence's was too good."""
        w = relaxation(parameters)
        split = self.matrices.split(begin.matrix)
        require_spd(split, self.name)
        pattern, data, weight = split.pattern, begin.matrix.data, 1.0 / split.left
        norm, count, code = begin.norm, 0, CONVERGED
        for _ in range(RESTARTS):
            correction = np.zeros(pattern.n)
            done, _, code = ssor_cg(
                *split.lower, *split.upper, w, weight, split.left * begin.r, correction, norm, begin.target, cap - count
            )
            count += done
            begin.x[:] += split.right * correction
            norm = float(np.sqrt(residual(pattern.indptr, pattern.indices, data, begin.b, begin.x, begin.r)))
            if code != CONVERGED or norm <= begin.target * (1 + ROUNDING) or count >= cap:
                break
        return Run(begin.x, count, Outcome.of(code), self.work(pattern.n, pattern.nnz, count))

    def work(self, n: int, nnz: int, iterations: int) -> float:
        """Splitting, two residuals and a solve; then both triangles and vectors in two passes an iteration."""
        return 8.0 * nnz + iterations * (nnz + 9.0 * n)


def require_spd(split: Splitting, name: str) -> None:
    """Raises UsageError where a matrix is not symmetric with a positive diagonal, as the solver `name` needs it."""
    if not split.positive:
        raise UsageError(
            f"the matrix has a negative diagonal entry, so that it is not positive definite: {name!r} cannot solve "
            "this system; use gmres or direct"
        )
    if not split.symmetric:
        raise UsageError(f"the matrix is not symmetric: {name!r} needs a symmetric one; use sor, gmres or direct")
