"""The choice between sliding and a primal-dual method, by what a gradient of f and a pair of products cost here.

Above `break_even` pairs a gradient, accelerated sliding; below, Condat-Vu; gradient sliding where h is known by
subgradients alone or absent. The decision is measured once, said in the log, and kept in the state, so that a resumed
run goes on with the same method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.kinds.composite.problem import Composite
from solverkit.plugin import Context, Point, Solver
from solverkit_sliding import costs, outer
from solverkit_sliding.accelerated import AcceleratedSliding
from solverkit_sliding.baselines import condat_vu
from solverkit_sliding.options import AcceleratedOptions, AutoOptions, CondatOptions, SlidingOptions
from solverkit_sliding.sliding import GradientSliding


@dataclass
class State:
    """The method that was chosen, and its state."""

    method: str
    inner: outer.State | condat_vu.State


class CompositeAuto(Solver[Composite, State]):
    """See the module."""

    Options = AutoOptions

    def init(self, problem: Composite, start: Point, ctx: Context) -> State:
        method = self._choose(problem, start, ctx)
        return State(method, self._solver(method).init(problem, start, ctx))

    def step(self, problem: Composite, state: State, ctx: Context) -> State:
        state.inner = self._solver(state.method).step(problem, state.inner, ctx)
        return state

    def point(self, state: State) -> Point:
        return self._solver(state.method).point(state.inner)

    def report(self, state: State) -> dict[str, float]:
        return self._solver(state.method).report(state.inner)

    def converged(self, state: State) -> bool:
        return self._solver(state.method).converged(state.inner)

    def _choose(self, problem: Composite, start: Point, ctx: Context) -> str:
        if self.options.method != "measure":
            return self.options.method
        if problem.structured is None:
            ctx.log("h is not given as g(K x): taking gradient-sliding")
            return "gradient-sliding"
        if not np.isfinite(problem.structured.diameter):
            ctx.log("h is not Lipschitz, so it cannot be smoothed: taking condat-vu")
            return "condat-vu"
        found = costs.measured(problem, problem.flat(start).astype(float))
        taken = "accelerated-gradient-sliding" if found.ratio >= self.options.break_even else "condat-vu"
        ctx.log(f"{costs.sentence(found, self.options.break_even)}; taking {taken}")
        return taken

    @staticmethod
    def _solver(method: str) -> Solver:
        if method == "condat-vu":
            return condat_vu.CondatVu(CondatOptions.model_validate({}))
        if method == "gradient-sliding":
            return GradientSliding(SlidingOptions.model_validate({}))
        return AcceleratedSliding(AcceleratedOptions.model_validate({}))
