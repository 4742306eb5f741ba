"""Red-black SOR on a 5-point grid as an arm: the fastest sweep there is here, in another order than `sor`'s."""

from __future__ import annotations

from typing import ClassVar

from solverkit.errors import UsageError
from solverkit_sor.kernels.csr import GROWTH
from solverkit_sor.kernels.stencil import Stencil, join, split
from solverkit_sor.solvers.base import Arm, Matrices, Outcome, Parameters, Relative, Run, Start, relaxation

EVERY = 8  # sweeps between two residuals, and in one pass over memory


class GridSOR(Arm):
    """SOR on matrices of a regular grid (rows, columns), in red-black order.

    The residual is tested every eight sweeps."""

    name: ClassVar[str] = "grid-sor"
    defaults: ClassVar[Parameters] = {"w": 1.5}

    def __init__(
        self,
        matrices: Matrices | None = None,
        relative: Relative = "rhs",
        grid: tuple[int, ...] | None = None,
        n_jobs: int = 1,
    ) -> None:
        """`grid`: (rows, columns), the unknowns in C order. `n_jobs`: threads, from 200,000 unknowns on."""
        super().__init__(matrices, relative)
        if grid is None:
            raise UsageError("the solver 'grid-sor' needs grid=(rows, columns)")
        self._grid, self._jobs = grid, n_jobs

    def run(self, begin: Start, cap: int, parameters: Parameters) -> Run:
        """See `kernels.stencil`. Raises UsageError where A has entries beyond the four neighbours."""
        w = relaxation(parameters)
        stencil = Stencil.of(begin.matrix, self._grid)
        x = split(begin.x.reshape(stencil.shape))
        scaled = split(begin.b.reshape(stencil.shape) / stencil.centre)
        count, norm, outcome = 0, begin.norm, Outcome.CAPPED
        while norm > begin.target and count < cap:
            block = min(EVERY, cap - count)
            stencil.sweep(x, scaled, w, block, self._jobs)
            count += block
            norm = stencil.norm(x, scaled)
            if not norm <= GROWTH * begin.norm:
                outcome = Outcome.DIVERGED
                break
        if norm <= begin.target:
            outcome = Outcome.CONVERGED
        return Run(join(*x, stencil.shape).ravel(), count, outcome, self.work(*begin.sizes, count))

    def work(self, n: int, nnz: int, iterations: int) -> float:
        """Taking the stencil apart; then a sweep is two multiply-adds an unknown, and a residual every eight sweeps."""
        return 40.0 * n + iterations * 2.0 * n + 2.0 * n * (iterations // EVERY)
