"""A method that keeps half of its state where no checkpoint looks."""

from __future__ import annotations

import numpy as np

from conformance_toy.good import Good, State
from conformance_toy.kind import Quadratic
from solverkit.plugin import Context, Point


class HidesState(Good):
    """Heavy ball whose velocity lives on the solver, set anew by each `init`."""

    velocity: np.ndarray | None = None

    def init(self, problem: Quadratic, start: Point, ctx: Context) -> State:
        self.velocity = None
        return super().init(problem, start, ctx)

    def step(self, problem: Quadratic, state: State, ctx: Context) -> State:
        before = state.x
        state = super().step(problem, state, ctx)
        if self.velocity is not None:
            state.x = state.x + state.x.dtype.type(0.2) * self.velocity
            state.gradient = problem.gradient(state.x)
        self.velocity = state.x - before
        return state
