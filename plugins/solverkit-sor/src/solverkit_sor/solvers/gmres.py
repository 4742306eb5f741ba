"""Restarted GMRES for matrices that are not symmetric (Saad and Schultz 1986), by SciPy, and as an arm."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from scipy.sparse.linalg import LinearOperator
from scipy.sparse.linalg import gmres as scipy_gmres

from solverkit.errors import UsageError
from solverkit_sor.kernels.splitting import Pattern
from solverkit_sor.solvers.base import Arm, Outcome, Parameters, Run, Start


def gmres(
    begin: Start, pattern: Pattern, precondition: Callable[[np.ndarray], np.ndarray] | None, restart: int, cap: int
) -> tuple[int, Outcome]:
    """Solve from `begin`, whose x is overwritten. Returns (inner iterations, how it ended)."""
    if begin.norm <= begin.target:
        return 0, Outcome.CONVERGED
    n = pattern.n
    restart = min(restart, n, cap)
    count = 0

    def one(_: object) -> None:
        nonlocal count
        count += 1

    M = None if precondition is None else LinearOperator((n, n), matvec=precondition, dtype=np.float64)
    x, info = scipy_gmres(
        begin.matrix, begin.b, x0=begin.x, rtol=0.0, atol=begin.target, restart=restart,
        maxiter=-(-cap // restart), M=M, callback=one, callback_type="pr_norm",
    )  # fmt: skip
    begin.x[:] = x
    if not np.isfinite(x).all():
        return count, Outcome.DIVERGED
    return count, Outcome.CONVERGED if info == 0 else Outcome.CAPPED


class GMRES(Arm):
    """`restart`: size of the Krylov space; larger, fewer iterations, each dearer by 2 n for every vector kept.
    `preconditioner`: `jacobi` or `none`."""

    name: ClassVar[str] = "gmres"
    defaults: ClassVar[Parameters] = {"restart": 30, "preconditioner": "jacobi"}

    def run(self, begin: Start, cap: int, parameters: Parameters) -> Run:
        """For any nonsingular matrix; may stagnate, and then says that the cap was reached."""
        restart, kind = int(parameters["restart"]), parameters["preconditioner"]
        if restart < 1 or kind not in ("jacobi", "none"):
            raise UsageError("the solver 'gmres' has restart >= 1, and preconditioner jacobi or none")
        pattern = self.matrices.pattern(begin.matrix)
        scale: Callable[[np.ndarray], np.ndarray] | None = None
        if kind == "jacobi" and pattern.missing < 0:
            diagonal = begin.matrix.data[pattern.diagonal]
            inverse = 1.0 / np.where(diagonal == 0, 1.0, diagonal)  # a row without a pivot is left as it is
            scale = inverse.__mul__
        count, outcome = gmres(begin, pattern, scale, restart, cap)
        basis = float(min(restart, max(count, 1)))
        work = 2.0 * pattern.nnz + count * (2.0 * pattern.nnz + (basis + 8.0) * pattern.n)
        return Run(begin.x, count, outcome, work)

    def work(self, n: int, nnz: int, iterations: int) -> float:
        """With the default restart."""
        return 2.0 * nnz + iterations * (2.0 * nnz + (min(30.0, max(iterations, 1)) + 8.0) * n)
