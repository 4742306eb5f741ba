"""Methods that do not know when to stop."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from conformance_toy.good import Good, State
from conformance_toy.kind import Quadratic
from conformance_toy.options import Step
from solverkit.engine.limits import LimitReached
from solverkit.plugin import Context, Observe, OneShotSolver, Point


@dataclass
class Counting(State):
    """How long it has been at it."""

    steps: int = 0


class SlowFinish(Good):
    """Polishes at leisure after a long run."""

    def init(self, problem: Quadratic, start: Point, ctx: Context) -> Counting:
        return Counting(**vars(super().init(problem, start, ctx)))

    def step(self, problem: Quadratic, state: State, ctx: Context) -> State:
        assert isinstance(state, Counting)
        state.steps += 1
        return super().step(problem, state, ctx)

    def finish(self, problem: Quadratic, state: State, ctx: Context) -> State:
        assert isinstance(state, Counting)
        time.sleep(0.0 if state.steps < 150 else 1.0)
        return state


class Deaf(OneShotSolver[Quadratic]):
    """A tool whose own loop shows two candidates for each gradient, and hears nothing."""

    Options = Step

    def solve(self, problem: Quadratic, start: Point, ctx: Context, observe: Observe) -> Point:
        x = start["x"].astype(ctx.dtype)
        target = 0.1 * ctx.tol * (1 + float(np.linalg.norm(problem.vector)))
        while True:
            gradient = problem.gradient(x)
            residual = float(np.linalg.norm(gradient))
            for _ in range(2):
                with suppress(LimitReached):
                    observe({"x": x}, merit=residual)
            if residual <= target:
                return {"x": x}
            x = x - x.dtype.type(self.options.step) * gradient
