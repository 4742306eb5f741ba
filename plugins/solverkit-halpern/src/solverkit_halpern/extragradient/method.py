"""`extragradient`: Korpelevich's method (1976) for monotone inclusions, and its anchored form.

The iteration and its step are in `iteration`; the point is u_k, or the average of the v_k, and its merit costs no
evaluation of F, since F(u_k) is needed anyway.

| here | paper (Yoon and Ryu, arXiv 2102.07922) | meaning |
|---|---|---|
| step | alpha | step length |
| anchor | z^0 | what EAG is pulled to; with restarts it moves |
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solverkit.engine.solver import Context, Solver
from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.extragradient.iteration import Iterate, advance, first_step
from solverkit_halpern.extragradient.merit import TINY, Quality, begin, judge
from solverkit_halpern.extragradient.options import ExtragradientOptions
from solverkit_halpern.extragradient.shapes import Shapes, named, shapes_of

RESTART = 0.5  # of the merit at the anchor, for the anchor to move


@dataclass
class State:
    """See `Iterate` and `Quality`."""

    at: Iterate
    quality: Quality
    shapes: Shapes
    sum: np.ndarray  # of the half steps
    count: int = 0
    anchor_merit: float = field(default=np.inf)


class Extragradient(Solver[Inclusion, State]):
    """See the module."""

    Options = ExtragradientOptions

    def init(self, problem: Inclusion, start: Point, ctx: Context) -> State:
        """F at the start, projected onto the domain of G."""
        options: ExtragradientOptions = self.options
        u = problem.resolvent(problem.flat(start), TINY)
        quality = begin(problem, u, ctx.tol)
        value = problem.operator(u)
        step = options.step or first_step(problem, quality, u, value)
        judge(problem, quality, u, value)
        at = Iterate(u, value, u.copy(), step, u.copy())
        return State(at, quality, shapes_of(problem), np.zeros_like(u), anchor_merit=quality.merit)

    def step(self, problem: Inclusion, state: State, ctx: Context) -> State:
        """A block of iterations."""
        options: ExtragradientOptions = self.options
        searched = options.step is None and not options.paper
        for _ in range(options.block):
            advance(problem, state.at, state.quality, options.anchored, searched)
            state.sum += state.at.half
            state.count += 1
            if not options.average:
                judge(problem, state.quality, state.at.u, state.at.value)
                self._move_anchor(state)
                if state.quality.claimed:
                    return state
        if options.average:
            mean = state.sum / state.count
            judge(problem, state.quality, mean, problem.operator(mean))
        return state

    def _move_anchor(self, state: State) -> None:
        options: ExtragradientOptions = self.options
        if options.paper or not options.anchored or not state.quality.merit <= RESTART * state.anchor_merit:
            return
        state.at.anchor, state.at.k = state.at.u.copy(), 0
        state.anchor_merit = state.quality.merit

    def point(self, state: State) -> Point:
        """Blocks of the point whose merit is known."""
        return named(state.quality.shown, state.shapes)

    def report(self, state: State) -> dict[str, float]:
        """merit, residual, gap of games, step."""
        return state.quality.report() | {"step": state.at.step}

    def converged(self, state: State) -> bool:
        """The merit is within the tolerance."""
        return state.quality.claimed
