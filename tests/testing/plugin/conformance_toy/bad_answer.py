"""A method that does not get there."""

from __future__ import annotations

from conformance_toy.good import Good, State
from conformance_toy.kind import Quadratic
from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit.plugin import Context


class GivesUp(Good):
    """Honest, and no good: it stops half way and says so."""

    def step(self, problem: Quadratic, state: State, ctx: Context) -> State:
        if state.residual < 0.1:
            raise Stop(Termination.STALLED, "the residual is small enough for me")
        return super().step(problem, state, ctx)
