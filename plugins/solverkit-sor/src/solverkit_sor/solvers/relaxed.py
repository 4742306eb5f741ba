"""SOR and SSOR-preconditioned CG as arms with the relaxation w as their parameter."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from solverkit.errors import UsageError
from solverkit_sor.kernels.csr import CONVERGED, residual, sor
from solverkit_sor.kernels.eisenstat import ssor_cg
from solverkit_sor.solvers.base import Matrices, Outcome, Parameters, Relative, Solved, Start, relaxation

RESTARTS = 3  # times that the recurrence's residual may differ from the true one before it counts as stagnation


class SOR:
    """Successive over-relaxation, in the matrix's own order. Converges for every SPD matrix."""

    name: ClassVar[str] = "sor"
    defaults: ClassVar[Parameters] = {"w": 1.5}

    def __init__(self, matrices: Matrices | None = None, relative: Relative = "rhs") -> None:
        self._matrices = matrices or Matrices()
        self._relative: Relative = relative

    def solve(
        self,
        A: Any,
        b: np.ndarray,
        x0: np.ndarray | None = None,
        rtol: float = 1e-8,
        cap: int = 10_000,
        parameters: Parameters | None = None,
    ) -> Solved:
        """See `SolverArm.solve`; any matrix with a nonzero diagonal is taken."""
        w = relaxation(parameters, float(self.defaults["w"]))
        begin = Start.of(self._matrices, A, b, x0, rtol, self._relative)
        split = self._matrices.split(begin.matrix)
        pattern = split.pattern
        scaled = begin.x / split.right
        rhs = split.left * begin.b
        count, _, code = sor(
            *split.lower, *split.upper, w, 1.0 / np.abs(split.left), rhs, scaled, begin.norm, begin.target, cap
        )
        x = scaled * split.right
        norm = np.sqrt(residual(pattern.indptr, pattern.indices, begin.matrix.data, begin.b, x, begin.r))
        outcome = Outcome.of(code)
        if outcome is Outcome.CONVERGED and not norm <= begin.target * (1 + 1e-6):
            outcome = Outcome.BROKEN
        work = self.work(pattern.n, pattern.nnz, count)
        return Solved(x, count, outcome is Outcome.CONVERGED, work, float(norm), outcome)

    def work(self, n: int, nnz: int, iterations: int) -> float:
        """Splitting and two residuals, then one pass over both triangles a sweep; a sweep more to know the residual."""
        return 5.0 * nnz + (iterations + 1) * (nnz + 5.0 * n)


class SSORCG:
    """CG preconditioned by SSOR, in Eisenstat's form. For SPD matrices."""

    name: ClassVar[str] = "ssor-cg"
    defaults: ClassVar[Parameters] = {"w": 1.5}

    def __init__(self, matrices: Matrices | None = None, relative: Relative = "rhs") -> None:
        self._matrices = matrices or Matrices()
        self._relative: Relative = relative

    def solve(
        self,
        A: Any,
        b: np.ndarray,
        x0: np.ndarray | None = None,
        rtol: float = 1e-8,
        cap: int = 10_000,
        parameters: Parameters | None = None,
    ) -> Solved:
        """See `SolverArm.solve`. Raises UsageError where A is not symmetric or has a diagonal entry <= 0."""
        w = relaxation(parameters, float(self.defaults["w"]))
        begin = Start.of(self._matrices, A, b, x0, rtol, self._relative)
        split = self._matrices.split(begin.matrix)
        _require_symmetric(split.symmetric, split.positive)
        pattern, data = split.pattern, begin.matrix.data
        weight = 1.0 / split.left
        norm, target, count = begin.norm, begin.target, 0
        for _ in range(RESTARTS):
            correction = np.zeros(pattern.n)
            done, norm, code = ssor_cg(
                *split.lower, *split.upper, w, weight, split.left * begin.r, correction, norm, target, cap - count
            )
            count += done
            begin.x[:] += split.right * correction
            norm = float(np.sqrt(residual(pattern.indptr, pattern.indices, data, begin.b, begin.x, begin.r)))
            if code != CONVERGED or norm <= target * (1 + 1e-6) or count >= cap:
                break
        outcome = Outcome.of(code)
        if norm <= target * (1 + 1e-6):
            outcome = Outcome.CONVERGED
        elif outcome is Outcome.CONVERGED:
            outcome = Outcome.CAPPED if count >= cap else Outcome.BROKEN
        work = self.work(pattern.n, pattern.nnz, count)
        return Solved(begin.x, count, outcome is Outcome.CONVERGED, work, norm, outcome)

    def work(self, n: int, nnz: int, iterations: int) -> float:
        """Splitting, two residuals and a solve; then both triangles and vectors in two passes an iteration."""
        return 6.0 * nnz + iterations * (nnz + 9.0 * n)


def _require_symmetric(symmetric: bool, positive: bool) -> None:
    if not positive:
        raise UsageError(
            "the matrix has a negative diagonal entry, so that it is not positive definite: 'ssor-cg' cannot solve "
            "this system; use gmres or direct"
        )
    if not symmetric:
        raise UsageError("the matrix is not symmetric: 'ssor-cg' needs a symmetric one; use sor, gmres or direct")
