"""Gradient descent as the contract wants it, step by step and in one shot.

x_{k+1} = x_k - step * (Q x_k - c),      step < 2 / L
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from conformance_toy.kind import Quadratic
from conformance_toy.options import Step
from solverkit.plugin import Context, Observe, OneShotSolver, Point, Solver


@dataclass
class State:
    """Everything that a step needs."""

    x: np.ndarray  # (n,)
    gradient: np.ndarray  # (n,) Qx - c
    residual: float  # ||Qx - c||
    target: float  # residual at which it stops
    noise: float = 0.0  # a random number, so that the generator is part of the state


class Good(Solver[Quadratic, State]):
    """The reference: keeps the whole contract. The bad methods differ from it in one place each."""

    Options = Step

    def init(self, problem: Quadratic, start: Point, ctx: Context) -> State:
        x = start["x"].astype(ctx.dtype)
        target = 0.1 * ctx.tol * (1 + float(np.linalg.norm(problem.vector)))
        gradient = problem.gradient(x)
        return State(x, gradient, float(np.linalg.norm(gradient)), target)

    def step(self, problem: Quadratic, state: State, ctx: Context) -> State:
        state.noise = float(ctx.rng.random())
        state.x = state.x - self.length(state) * state.gradient
        state.gradient = problem.gradient(state.x)
        state.residual = float(np.linalg.norm(state.gradient))
        return state

    def length(self, state: State) -> np.floating:
        """The step size, in the type of x."""
        return state.x.dtype.type(self.options.step * (0.9 + 0.1 * state.noise))

    def point(self, state: State) -> Point:
        return {"x": state.x}

    def report(self, state: State) -> dict[str, float]:
        return {"merit": state.residual}

    def converged(self, state: State) -> bool:
        return state.residual <= state.target


class Once(OneShotSolver[Quadratic]):
    """The same iteration as a tool that owns its loop."""

    Options = Step

    def solve(self, problem: Quadratic, start: Point, ctx: Context, observe: Observe) -> Point:
        x = start["x"].astype(ctx.dtype)
        target = 0.1 * ctx.tol * (1 + float(np.linalg.norm(problem.vector)))
        while True:
            gradient = problem.gradient(x)
            residual = float(np.linalg.norm(gradient))
            observe({"x": x}, merit=residual)
            if residual <= target:
                return {"x": x}
            x = x - x.dtype.type(self.options.step) * gradient
