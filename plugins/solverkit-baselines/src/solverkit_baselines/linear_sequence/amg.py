"""CG preconditioned by one V-cycle of PyAMG (Bell, Olson and Schroder, JOSS 2022), the hierarchy kept where that pays.

`refresh: lazy` builds a new hierarchy when the last system cost more than the average since the last building:

    cost_t > (setup_cost + sum of costs since) / (systems since)

which is where the average begins to grow. Costs are in iterations, `setup_cost` too, so that runs can be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from solverkit.kinds.linear_sequence import LinearSequence
from solverkit.kinds.linear_sequence.problem import ITERATIONS, SETUPS
from solverkit.kinds.linear_sequence.systems import System
from solverkit.plugin import Context
from solverkit_baselines.linear_sequence.cg import conjugate_gradients
from solverkit_baselines.linear_sequence.options import AmgOptions
from solverkit_baselines.linear_sequence.sequence import SequenceSolver, Solved, State, first_iterate, same_matrix

SETUP_COST = {"rs": 10.0, "sa": 18.0}
SEED = 0


class PyAmg(SequenceSolver):
    """See the module."""

    Options = AmgOptions

    def __init__(self, options: AmgOptions) -> None:
        super().__init__(options)
        self._made: tuple[LinearSequence, int, Any, Any] | None = None  # problem, its system, its matrix, the V-cycle

    def solve(self, problem: LinearSequence, state: State, system: System, ctx: Context) -> Solved:
        """By CG with the hierarchy at hand, or a new one."""
        setup = 0.0
        if self._stale(problem, state, system):
            setup = self._setup_cost
            state.built, state.solves, state.spent = state.t, 0, setup
            self._made = (problem, state.t, system.matrix, self._cycle(system.matrix))
            ctx.charge(SETUPS, 1)
        assert self._made is not None
        x = first_iterate(self.options.first, problem, state)
        x, iterations = conjugate_gradients(system, x, state.target, self.options.max_inner, self._made[3])
        ctx.charge(ITERATIONS, iterations)
        state.solves += 1
        state.spent += iterations
        return Solved(x, setup + iterations)

    @property
    def _setup_cost(self) -> float:
        given = self.options.setup_cost
        return SETUP_COST[self.options.hierarchy] if given is None else given

    def _stale(self, problem: LinearSequence, state: State, system: System) -> bool:
        """Whether a hierarchy is to be built for this system. After a resume the one in use is made again."""
        if state.built < 0:
            return True
        if self._made is None or self._made[0] is not problem or self._made[1] != state.built:
            previous = state.x[state.built - 1] if state.built else problem.initial
            matrix = problem.system(state.built, previous).matrix
            self._made = (problem, state.built, matrix, self._cycle(matrix))
        if self.options.refresh == "never" or same_matrix(self._made[2], system.matrix):
            return False
        if self.options.refresh == "every":
            return True
        last = state.cost[state.t - 1] - (self._setup_cost if state.built == state.t - 1 else 0.0)
        return bool(last > state.spent / state.solves)

    def _cycle(self, matrix: Any) -> Any:
        """One V-cycle as a linear operator."""
        import pyamg

        with _own_random():
            build = pyamg.ruge_stuben_solver if self.options.hierarchy == "rs" else pyamg.smoothed_aggregation_solver
            return build(matrix.copy()).aspreconditioner(cycle="V")


@contextmanager
def _own_random() -> Iterator[None]:
    """PyAMG draws from NumPy's global generator: it gets a fixed seed, and the user gets the state back."""
    former = np.random.get_state()  # noqa: NPY002
    np.random.seed(SEED)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(former)  # noqa: NPY002
