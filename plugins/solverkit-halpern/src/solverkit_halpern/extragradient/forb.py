"""`forb`: forward-reflected-backward splitting (Malitsky and Tam 2020, SIAM J. Optim. 30), one evaluation of F a step.

    u_{k+1} = J_{eta_k G}( u_k - eta_k F(u_k) - eta_{k-1} [F(u_k) - F(u_{k-1})] )

Fixed eta < 1 / (2 L). The searched step is the paper's line search: eta_k is accepted where

    eta_k ||F(u_{k+1}) - F(u_k)|| <= (SLACK / 2) ||u_{k+1} - u_k||

with changes as the projections see them. On skew operators it does what extragradient does with half the step and half
the evaluations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.engine.solver import Context, Solver
from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.extragradient.iteration import EASY, GROWTH, SHRINK, SLACK, TRIALS, first_step
from solverkit_halpern.extragradient.merit import TINY, Quality, begin, judge, ratio
from solverkit_halpern.extragradient.options import ForbOptions
from solverkit_halpern.extragradient.shapes import Shapes, named, shapes_of


@dataclass
class State:
    """Two points' worth of F."""

    u: np.ndarray  # (N,) u_k
    value: np.ndarray  # F(u_k)
    reflection: np.ndarray  # eta_{k-1} (F(u_k) - F(u_{k-1}))
    step: float  # eta of the next iteration
    quality: Quality
    shapes: Shapes


class Forb(Solver[Inclusion, State]):
    """See the module."""

    Options = ForbOptions

    def init(self, problem: Inclusion, start: Point, ctx: Context) -> State:
        """F at the start, projected onto the domain of G."""
        u = problem.resolvent(problem.flat(start), TINY)
        quality = begin(problem, u, ctx.tol)
        value = problem.operator(u)
        step = self.options.step or first_step(problem, quality, u, value) / 2
        judge(problem, quality, u, value)
        return State(u, value, np.zeros_like(u), step, quality, shapes_of(problem))

    def step(self, problem: Inclusion, state: State, ctx: Context) -> State:
        """A block of iterations."""
        searched = self.options.step is None and not self.options.paper
        for _ in range(self.options.block):
            self._advance(problem, state, searched)
            judge(problem, state.quality, state.u, state.value)
            if state.quality.claimed:
                break
        return state

    def _advance(self, problem: Inclusion, state: State, searched: bool) -> None:
        for _ in range(TRIALS):
            u = problem.resolvent(state.u - state.step * state.value - state.reflection, state.step)
            value = problem.operator(u)
            seen = ratio(problem, value - state.value, u - state.u)
            state.quality.lipschitz = max(state.quality.lipschitz, seen if np.isfinite(seen) else 0.0)
            if not searched or state.step * seen <= SLACK / 2:
                break
            state.step *= min(SHRINK, SHRINK * SLACK / (2 * state.step * seen)) if np.isfinite(seen) else 0.1
        state.reflection = state.step * (value - state.value)
        state.u, state.value = u, value
        if searched and state.step * seen <= EASY * SLACK / 2:
            state.step *= GROWTH

    def point(self, state: State) -> Point:
        """Blocks of u_k."""
        return named(state.quality.shown, state.shapes)

    def report(self, state: State) -> dict[str, float]:
        """merit, residual, gap of games, step."""
        return state.quality.report() | {"step": state.step}

    def converged(self, state: State) -> bool:
        """The merit is within the tolerance."""
        return state.quality.claimed
