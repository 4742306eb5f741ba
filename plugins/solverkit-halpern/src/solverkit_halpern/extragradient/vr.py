"""`vr-extragradient`: loopless variance-reduced extragradient (Alacaoglu and Malitsky, COLT 2022, arXiv 2102.08352).

    z       = alpha v_t + (1 - alpha) w                       alpha = 1 - p
    h       = J_{tau G}( z - tau F(w) )
    v_{t+1} = J_{tau G}( z - tau [F(w) + F_i(h) - F_i(w)] )    tau = 0.99 sqrt(p) / L_Q
    w       = v_{t+1} with probability p                        F(w) anew: n evaluations

With `method: forb` there is one resolvent, F_i(v_t) - F_i(w_{t-1}) in its place, and tau = sqrt(p (1 - p)) / (2 L_Q).
The point is the snapshot, whose F is at hand, or the average of the half steps; components a step: 2.

A step of the driver goes from snapshot to snapshot: how many component steps lie between them is drawn at once, since
it is geometric.

| here | paper | meaning |
|---|---|---|
| step | tau | step |
| probability | p | of a new snapshot |
| mean | L | mean-square Lipschitz constant of the draws |
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solverkit.engine.solver import Context, Solver
from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.extragradient.merit import TINY, Quality, begin, judge
from solverkit_halpern.extragradient.options import VRExtragradientOptions
from solverkit_halpern.extragradient.shapes import Shapes, named, shapes_of
from solverkit_halpern.extragradient.watch import Watch
from solverkit_halpern.sampling.base import Components
from solverkit_halpern.sampling.build import components_of, mean_lipschitz

GROWTH = 3.0  # of the merit, for the step to be halved in production: the theory's step needs no guard


@dataclass
class State:
    """Where the run stands: the running point, the snapshot and F there."""

    v: np.ndarray  # (N,)
    w: np.ndarray
    before: np.ndarray  # the snapshot before w, for reflected steps
    value: np.ndarray  # F(w)
    step: float  # tau
    quality: Quality
    shapes: Shapes
    watch: Watch  # of the merit
    sum: np.ndarray  # of the half steps
    count: int = 0


class VRExtragradient(Solver[Inclusion, State]):
    """See the module."""

    Options = VRExtragradientOptions

    def __init__(self, options: VRExtragradientOptions) -> None:
        super().__init__(options)
        self._parts: Components | None = None
        self._of: Inclusion | None = None  # the problem that `_parts` belong to

    def init(self, problem: Inclusion, start: Point, ctx: Context) -> State:
        """F at the start, and the theory's step."""
        options: VRExtragradientOptions = self.options
        u = problem.resolvent(problem.flat(start), TINY)
        quality = begin(problem, u, ctx.tol)
        parts = self._components(problem, ctx)
        mean = mean_lipschitz(problem, parts, u, ctx) if options.step is None else 0.0
        quality.lipschitz = quality.lipschitz or mean
        p = self._probability(parts)
        if options.method == "forb":
            theory = math.sqrt(p * (1 - p)) / 2 if p < 1 else 0.25
        else:
            theory = 0.99 * math.sqrt(p)
        step = options.step or options.scale * theory / (mean or 1.0)
        value = problem.operator(u)
        judge(problem, quality, u, value)
        zero, watch = np.zeros_like(u), Watch(GROWTH)
        watch.see(quality.merit, u)
        return State(u, u.copy(), u.copy(), value, step, quality, shapes_of(problem), watch, zero)

    def step(self, problem: Inclusion, state: State, ctx: Context) -> State:
        """From snapshot to snapshot."""
        options: VRExtragradientOptions = self.options
        parts = self._components(problem, ctx)
        for _ in range(options.block):
            self._epoch(problem, parts, state, ctx)
            if state.quality.claimed:
                break
        return state

    def _epoch(self, problem: Inclusion, parts: Components, state: State, ctx: Context) -> None:
        options: VRExtragradientOptions = self.options
        p = self._probability(parts)
        steps = int(ctx.rng.geometric(p))
        samples = parts.draw(ctx.rng, steps, 1)
        v = state.v.copy()
        if options.method == "forb":
            parts.reflected(v, state.w, state.before, state.value, 1.0, 0.0, state.step, 1 - p, samples)
            state.sum += v
            state.count += 1
        else:
            parts.extragradient(v, state.w, state.value, state.sum, state.step, 1 - p, samples)
            state.count += steps
        state.v, state.before, state.w = v, state.w, v.copy()
        state.value = problem.operator(state.w)
        if options.average:
            mean = state.sum / state.count
            judge(problem, state.quality, mean, problem.operator(mean))
        else:
            judge(problem, state.quality, state.w, state.value)
        if not options.paper:
            self._watch(problem, state, ctx)

    def _watch(self, problem: Inclusion, state: State, ctx: Context) -> None:
        """Halve the step and go back to the best point where the merit is out of hand."""
        watch, merit = state.watch, state.quality.merit
        if not watch.see(merit, state.quality.shown):
            return
        watch.acted()
        state.step /= 2
        ctx.log(
            f"merit {watch.latest:.3g} after {watch.least:.3g}: step halved to {state.step:.3g}, back to the best point"
        )
        state.v, state.w, state.before = (watch.best_point.copy() for _ in range(3))
        state.value = problem.operator(state.w)
        state.sum, state.count = np.zeros_like(state.v), 0
        judge(problem, state.quality, state.w, state.value)

    def _probability(self, parts: Components) -> float:
        options: VRExtragradientOptions = self.options
        return options.probability or min(1.0, (1 if options.paper else 2) / parts.count)

    def _components(self, problem: Inclusion, ctx: Context) -> Components:
        if self._parts is None or self._of is not problem:
            options: VRExtragradientOptions = self.options
            self._parts = components_of(problem, ctx, importance=options.importance, centre=options.centring)
            self._of = problem
        return self._parts

    def point(self, state: State) -> Point:
        """Blocks of the point whose merit is known."""
        return named(state.quality.shown, state.shapes)

    def report(self, state: State) -> dict[str, float]:
        """merit, residual, gap of games, step."""
        return state.quality.report() | {"step": state.step}

    def converged(self, state: State) -> bool:
        """The merit is within the tolerance."""
        return state.quality.claimed
