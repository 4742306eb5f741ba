"""SciPy's conjugate gradients on each system (Hestenes and Stiefel 1952), preconditioned by the diagonal on demand.

The residual of CG's recursion drifts away from the true one; where the true one is still too large, CG begins again
from its answer, and all iterations count.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import diags_array
from scipy.sparse.linalg import cg

from solverkit.kinds.linear_sequence import LinearSequence
from solverkit.kinds.linear_sequence.certificate import relative_residual
from solverkit.kinds.linear_sequence.problem import ITERATIONS
from solverkit.kinds.linear_sequence.systems import System
from solverkit.plugin import Context
from solverkit_baselines.linear_sequence.options import CgOptions
from solverkit_baselines.linear_sequence.sequence import SequenceSolver, Solved, State, first_iterate

RESTARTS = 2


class ScipyCg(SequenceSolver):
    """See the module."""

    Options = CgOptions

    def solve(self, problem: LinearSequence, state: State, system: System, ctx: Context) -> Solved:
        """By CG."""
        preconditioner = None
        if self.options.preconditioner == "jacobi":
            preconditioner = diags_array(1 / system.matrix.data[problem.pattern.diagonal])
        x = first_iterate(self.options.first, problem, state)
        x, iterations = conjugate_gradients(system, x, state.target, self.options.max_inner, preconditioner)
        ctx.charge(ITERATIONS, iterations)
        return Solved(x, float(iterations))


@np.errstate(divide="ignore", over="ignore", invalid="ignore")  # a singular matrix: the residual says so
def conjugate_gradients(
    system: System, x: np.ndarray, rtol: float, cap: int, preconditioner: Any
) -> tuple[np.ndarray, int]:
    """The answer and how many iterations it took, `cap` at most."""
    count = _Count()
    for _ in range(1 + RESTARTS):
        room = cap - count.total
        x, _ = cg(system.matrix, system.rhs, x, rtol=rtol, atol=0.0, maxiter=room, M=preconditioner, callback=count)
        if count.total >= cap or not relative_residual(system.matrix, x, system.rhs) > rtol:
            break
    return x, count.total


class _Count:
    """Counts calls."""

    def __init__(self) -> None:
        self.total = 0

    def __call__(self, x: np.ndarray) -> None:
        self.total += 1
