"""`vr-halpern`: variance-reduced Halpern iteration (Cai, Alacaoglu, Diakonikolas, ICLR 2024, arXiv 2310.02987).

    find u with 0 in F(u) + G(u),   F = (1 / n) sum_i F_i,   G by its resolvent

| algorithm | for | file | components for a residual eps |
|---|---|---|---|
| page | cocoercive F | `page` | n + sqrt(n) L D / eps, up to logarithms |
| forb | monotone, Lipschitz F | `inexact` | the same |
| full | either, where components cannot pay (`rule`) | `full` | n L D / eps |

All of them return the last iterate, and stop on a residual that can be computed.

| here | paper | meaning |
|---|---|---|
| step | eta | |
| mean | L | mean-square Lipschitz constant of the draws, L_Q |
| estimate | g_k, F~(u_k) | PAGE estimate of F(u_k) |
| inner_step | tau | step of the inner solver |
| anchor | u_0 | moves with restarts |
"""

from __future__ import annotations

import math

import numpy as np

from solverkit.engine.solver import Context, Solver
from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.extragradient.merit import TINY, begin
from solverkit_halpern.extragradient.shapes import named, shapes_of
from solverkit_halpern.sampling.base import Components
from solverkit_halpern.sampling.build import components_of, mean_lipschitz
from solverkit_halpern.variance_reduced import full, inexact, page
from solverkit_halpern.variance_reduced.options import VRHalpernOptions
from solverkit_halpern.variance_reduced.rule import decide, steepness
from solverkit_halpern.variance_reduced.state import State


class VRHalpern(Solver[Inclusion, State]):
    """See the module."""

    Options = VRHalpernOptions

    def __init__(self, options: VRHalpernOptions) -> None:
        super().__init__(options)
        self._parts: Components | None = None
        self._of: Inclusion | None = None  # the problem that `_parts` belong to

    # -- protocol

    def init(self, problem: Inclusion, start: Point, ctx: Context) -> State:
        """Choose the algorithm; the start is projected onto the domain of G."""
        u = problem.resolvent(problem.flat(start), TINY)
        quality = begin(problem, u, ctx.tol)
        parts = self._components(problem, ctx)
        mean = mean_lipschitz(problem, parts, u, ctx)
        quality.lipschitz = quality.lipschitz or mean
        lipschitz = 0.0 if self.options.paper else self._steepness(problem, u, ctx)
        algorithm = self._choose(problem, parts, u, mean, lipschitz, ctx)
        step = self._first(algorithm, parts, mean, lipschitz if problem.part.cocoercive else 0.0)
        state = State(algorithm, u, u.copy(), step, mean, quality, shapes_of(problem))
        state.previous, state.estimate = u.copy(), np.zeros_like(u)
        state.inner_step = inexact.inner_step(state, parts.count, self.options)
        if algorithm == "full":
            full.open_full(problem, state, self.options)
        return state

    def step(self, problem: Inclusion, state: State, ctx: Context) -> State:
        """A block of iterations of the current algorithm."""
        parts, options = self._components(problem, ctx), self.options
        if state.algorithm == "full":
            full.run_block(problem, state, options, ctx)
        elif state.algorithm == "page":
            page.run_block(problem, parts, state, options, ctx)
            if state.algorithm == "forb":  # the guard gave Algorithm 1 up
                state.step = self._first("forb", parts, state.mean, 0.0)
                state.inner_step = inexact.inner_step(state, parts.count, options)
        else:
            for _ in range(options.block or 1):
                inexact.run_outer(problem, parts, state, options, ctx)
                if state.quality.claimed:
                    break
        return state

    def point(self, state: State) -> Point:
        """Blocks of the latest point whose F is known."""
        return named(state.quality.shown, state.shapes)

    def report(self, state: State) -> dict[str, float]:
        """merit, residual, gap of games, step, iterations; the drift of the PAGE estimate."""
        shown = state.quality.report() | {"step": state.step, "iterations": float(state.total)}
        return shown | {"drift": state.drift} if state.algorithm == "page" else shown

    def converged(self, state: State) -> bool:
        """The merit is within the tolerance."""
        return state.quality.claimed

    # -- parts

    def _steepness(self, problem: Inclusion, u: np.ndarray, ctx: Context) -> float:
        """L as the projections see it: where the rule or the first step asks for it."""
        options: VRHalpernOptions = self.options
        if options.algorithm == "auto" or (options.algorithm == "page" and problem.part.cocoercive):
            return steepness(problem, u, ctx)
        return 0.0

    def _choose(
        self, problem: Inclusion, parts: Components, u: np.ndarray, mean: float, lipschitz: float, ctx: Context
    ) -> str:
        options: VRHalpernOptions = self.options
        if options.algorithm != "auto":
            if options.algorithm == "page" and not problem.part.cocoercive:
                ctx.log(
                    "Algorithm 1 is a heuristic here: the operator is not known to be cocoercive"
                    + (" (it is skew)" if problem.bilinear is not None else "")
                )
            return options.algorithm
        sampled = "page" if problem.part.cocoercive else "forb"
        if options.paper:
            return sampled
        found = decide(problem, parts, u, mean, lipschitz, options, ctx)
        if found.pays:
            ctx.log(f"components are drawn, by Algorithm {1 if sampled == 'page' else 2}: {found}")
            return sampled
        ctx.log(f"full evaluations, since drawing components cannot pay: {found}")
        return "full"

    def _first(self, algorithm: str, parts: Components, mean: float, lipschitz: float) -> float:
        options: VRHalpernOptions = self.options
        if options.step is not None:
            return options.step
        if not mean > 0:
            return 1.0
        if algorithm == "forb":
            return max(1.0, math.sqrt(parts.count)) / mean
        return 1 / (4 * mean) if options.paper else 1 / (lipschitz or mean)

    def _components(self, problem: Inclusion, ctx: Context) -> Components:
        options: VRHalpernOptions = self.options
        if self._parts is None or self._of is not problem:
            self._parts = components_of(
                problem,
                ctx,
                importance=options.importance,
                centre=options.centring,
                repeat=not options.paper,
            )
            self._of = problem
        return self._parts
