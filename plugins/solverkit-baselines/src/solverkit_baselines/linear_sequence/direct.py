"""SuperLU on each system, with a factorization for each matrix that differs from the one before (Li 2005).

A few steps of iterative refinement follow where the residual is above what is asked for. The cost of a system is 1 for
each pair of triangular solves; factorizations are charged apart, since they are of another size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

from solverkit.kinds.linear_sequence import LinearSequence
from solverkit.kinds.linear_sequence.certificate import relative_residual
from solverkit.kinds.linear_sequence.problem import ITERATIONS, SETUPS
from solverkit.kinds.linear_sequence.systems import System
from solverkit.plugin import Context
from solverkit_baselines.linear_sequence.options import DirectOptions
from solverkit_baselines.linear_sequence.sequence import SequenceSolver, Solved, State, same_matrix


class SuperLu(SequenceSolver):
    """See the module."""

    Options = DirectOptions

    def __init__(self, options: DirectOptions) -> None:
        super().__init__(options)
        self._made: tuple[LinearSequence, int, Any, Any] | None = None  # problem, its system, its matrix, the factor

    def solve(self, problem: LinearSequence, state: State, system: System, ctx: Context) -> Solved:
        """By the factor at hand, or a new one. A singular matrix leaves x = 0."""
        factor = self._factor(problem, state, system, ctx)
        if factor is None:
            return Solved(np.zeros(problem.n), 0.0)
        x, solves = factor.solve(system.rhs), 1
        while solves <= self.options.refinements and relative_residual(system.matrix, x, system.rhs) > state.target:
            x = x + factor.solve(system.rhs - system.matrix @ x)
            solves += 1
        ctx.charge(ITERATIONS, solves)
        return Solved(x, float(solves))

    def _factor(self, problem: LinearSequence, state: State, system: System, ctx: Context) -> Any:
        """The factor of this matrix; None where it is singular."""
        made = self._made
        fresh = made is None or made[0] is not problem or made[1] != state.built
        if fresh and state.built >= 0:  # after a resume
            previous = state.x[state.built - 1] if state.built else problem.initial
            matrix = problem.system(state.built, previous).matrix
            made = (problem, state.built, matrix, self._splu(problem, matrix))
        if (fresh and state.built < 0) or made is None or not same_matrix(made[2], system.matrix):
            state.built = state.t
            made = (problem, state.t, system.matrix, self._splu(problem, system.matrix))
            ctx.charge(SETUPS, 1)
        self._made = made
        return made[3]

    def _splu(self, problem: LinearSequence, matrix: Any) -> Any:
        ordering = self.options.ordering
        symmetric = ordering == "mmd" or (ordering == "auto" and "symmetric" in problem.provides)
        columns = csc_array(matrix)
        try:
            if symmetric:
                return splu(columns, "MMD_AT_PLUS_A", diag_pivot_thresh=0.001, options={"SymmetricMode": True})
            return splu(columns)
        except RuntimeError:  # exactly singular
            return None
