"""Anchored iterations for 0 in F(u) + G(u), restarted on the residual.

    cocoercive F (Halpern 1967; Lieder 2021), eta <= 1 / L, and T(u) = J(u - eta F(u)) is nonexpansive:
        u_{k+1} = u_0 / (k+2) + (k+1)/(k+2) T(u_k)

    monotone Lipschitz F (EAG, Yoon, Ryu 2021, arXiv 2102.07922; with a resolvent as in Cai, Oikonomou, Zheng 2022,
    Accelerated algorithms for monotone inclusions), eta <= 1 / (sqrt(3) L):
        v       = J(u_k + (u_0 - u_k) / (k+2) - eta F(u_k))
        u_{k+1} = J(u_k + (u_0 - u_k) / (k+2) - eta F(v))

The residual ||u - J(u - eta F(u))|| / eta falls as O(L ||u_0 - u*|| / k) in both, for the last iterate. Restarts (the
anchor moves to T(u_k) when the residual has fallen enough, or at a share of all iterations) give linear rates where the
problem is sharp, and lose a constant factor elsewhere.

L is the problem's where it is known. Else it is found: eta begins at the local 1 / L between the first two points. A
problem that is cocoercive need not be so with its Lipschitz constant (strong monotonicity mu gives L^2 / mu), so both
constants are watched between u_k and the next point: where eta is too long it shrinks and the anchor moves, and where
cocoercivity would ask for much shorter steps than EAG, EAG takes over. Every evaluation is an oracle call.

| here | paper | meaning |
|---|---|---|
| step | eta | step |
| anchor | u_0 | |
| image | T(u) | forward-backward point, the answer |
"""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Context
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.anchored.claim import Claim
from solverkit_halpern.anchored.search import balanced, per_coordinate, searched_step
from solverkit_halpern.anchored.state import AnchoredState
from solverkit_halpern.pdhg.options import HalpernOptions

COCOERCIVE, LIPSCHITZ = 0.99, 0.57  # eta L; 1 / sqrt(3) = 0.577 for EAG
SHORTER = 0.5
LEAST = 0.5  # a step of the cocoercive iteration below this share of EAG's, at half its cost, is not worth keeping
ROUNDING = 1e-10  # relative distance of points below which differences of F are noise


class Anchored:
    """One of the two iterations, by the structure of F."""

    def __init__(self, problem: Inclusion, options: HalpernOptions, ctx: Context) -> None:
        self.problem, self.options, self.ctx = problem, options, ctx
        self.restarting = (options.mode != "plain") if options.restart is None else options.restart
        self.longest = options.longest or 0.5
        self.searched = options.mode == "production" and options.step is None and options.lipschitz is None
        self._claim = Claim(problem, ctx)

    def start(self, u: np.ndarray) -> AnchoredState:
        """Projected start, and a first step size."""
        u = self.problem.resolvent(u, 1e-12)
        value = self.problem.operator(u)
        self.ctx.charge("nop", 1)  # what a problem may work out to say whether it is cocoercive
        cocoercive = self.problem.part.cocoercive
        step = self.options.step or self._first_step(u, value, COCOERCIVE if cocoercive else LIPSCHITZ)
        state = AnchoredState(u=u, anchor=u, image=u, step=step, tol=self.ctx.tol, value=value, cocoercive=cocoercive)
        state.weights = np.ones(len(self.problem.sets))
        state.blocks = self.problem.blocks(u)
        return state

    def _first_step(self, u: np.ndarray, value: np.ndarray, share: float) -> float:
        known = self.options.lipschitz or self.problem.part.lipschitz
        if known is not None:
            return share / known if known > 0 else 1.0
        size = float(np.linalg.norm(value))
        if not 0 < size < np.inf:
            return 1.0
        # a short trial step sees how fast F changes along itself
        trial = 1e-3 * (1 + float(np.linalg.norm(u))) / size
        ahead = self.problem.resolvent(u - trial * value, trial)
        change = float(np.linalg.norm(self.problem.operator(ahead) - value))
        moved = float(np.linalg.norm(ahead - u))
        return share * moved / change if change > 0 and moved > 0 else trial

    def advance(self, state: AnchoredState, count: int) -> None:
        """`count` iterations, fewer where the run is done."""
        for _ in range(count):
            self._once(state)
            if state.done or state.merit != state.merit:
                break
        state.blocks = self.problem.blocks(state.image)

    def _once(self, state: AnchoredState) -> None:
        each = per_coordinate(self.problem, state.weights)
        state.image = self.problem.resolvent(state.u - state.step * each * state.value, state.step * state.weights)
        moved = (state.u - state.image) / state.step
        state.merit = float(np.abs(moved / each).max(initial=0.0))
        residual = float(np.linalg.norm(moved / np.sqrt(each)))
        state.total += 1
        if not np.isfinite(residual):
            state.merit = np.nan
            return
        if state.inner == 0:
            state.first = residual
        if self._claim.due(state.image, state.merit, state.asked):
            shortest = state.step * float(state.weights.min())
            state.asked, state.done = state.merit, self._claim.holds(state.image, shortest)
            if state.done:
                return
        if self._due(state, residual):
            if self.searched and not state.cocoercive:
                state.weights = balanced(self.problem, state.weights, state.image - state.anchor)
            self._restart(state, state.image, self.problem.operator(state.image))
            return
        state.last = residual
        self._move(state)

    def _due(self, state: AnchoredState, residual: float) -> bool:
        if not self.restarting or state.inner == 0:
            return False
        fallen = residual / state.first if state.first > 0 else 0.0
        return (
            fallen <= self.options.sufficient
            or (fallen <= self.options.necessary and residual > state.last)
            or state.inner >= self.longest * state.total
        )

    def _restart(self, state: AnchoredState, u: np.ndarray, value: np.ndarray) -> None:
        state.u, state.anchor, state.value = u, u, value
        state.inner, state.last, state.restarts = 0, np.inf, state.restarts + 1

    def _move(self, state: AnchoredState) -> None:
        """u_{k+1}, or a shorter step and a restart where this one was too long."""
        share = 1 / (state.inner + 2)
        if state.cocoercive:
            following = share * state.anchor + (1 - share) * state.image
            value = self.problem.operator(following)
            if self._too_long(state, following, value):
                return
        elif self.searched:
            following, value = searched_step(self.problem, state)
        else:
            pulled = state.u + share * (state.anchor - state.u)
            middle = self.problem.resolvent(pulled - state.step * state.value, state.step)
            there = self.problem.operator(middle)
            if self._too_long(state, middle, there):
                return
            following = self.problem.resolvent(pulled - state.step * there, state.step)
            value = self.problem.operator(following)
        state.u, state.value = following, value
        state.inner += 1

    def _too_long(self, state: AnchoredState, v: np.ndarray, value: np.ndarray) -> bool:
        """Whether F changes faster between u and v than the step allows; then the step shrinks and the anchor moves."""
        apart, differs = v - state.u, value - state.value
        moved, change = float(np.linalg.norm(apart)), float(np.linalg.norm(differs))
        if self.options.step is not None or moved <= ROUNDING * (1 + float(np.linalg.norm(v))) or change == 0:
            return False
        # 1 / L for the L that is seen: of cocoercivity, <dF, du> >= ||dF||^2 / L, or of Lipschitz continuity
        along = float(differs @ apart)
        allowed = max(along, 0.0) / change**2 if state.cocoercive else moved / change
        if state.step <= 1.001 * allowed:
            return False
        if state.cocoercive and COCOERCIVE * allowed < LEAST * LIPSCHITZ * moved / change:
            self.ctx.log("F is far from cocoercive along the iterates; going on by the extra-anchored gradient method")
            state.cocoercive, state.step = False, LIPSCHITZ * moved / change
        else:
            share = COCOERCIVE if state.cocoercive else LIPSCHITZ
            state.step = min(SHORTER * state.step, share * allowed)
        self._restart(state, state.u, state.value)
        return True
