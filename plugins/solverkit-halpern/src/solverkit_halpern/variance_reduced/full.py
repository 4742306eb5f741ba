"""What is run where components cannot pay: Halpern steps from full evaluations.

Cocoercive F: T = J_{eta G}(I - eta F) is nonexpansive for eta <= 2 / L, one evaluation a step,

    u_{k+1} = u_0 / (k + 2) + (k + 1) / (k + 2) T u_k,       ||u_k - T u_k|| <= 2 ||u_0 - u*|| / (k + 1)   (Lieder 2021)

and L need not be known. The proof of that rate carries a potential that can be computed (Diakonikolas 2020): with
r_k = u_k - T u_k,

    (k / 2) ||r_k||^2  <=  <r_k, u_0 - u_k>

for every k, as long as T is nonexpansive. Where it fails eta is too large: it is halved, and a new round begins.

Other F: anchored extragradient with a searched step (`extragradient.iteration`). In both the anchor moves when the
merit has fallen to `restart` of what it was.
"""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Context
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.extragradient.iteration import Iterate, advance, first_step
from solverkit_halpern.extragradient.merit import judge
from solverkit_halpern.variance_reduced.options import VRHalpernOptions
from solverkit_halpern.variance_reduced.state import State

BLOCK = 25
LENGTH = 1.5  # eta L of the first step of a cocoercive operator; below 2
ROUNDING = 1e-9  # of both sides of the potential
LEAST = 1e-12  # eta L at which halving ends: the operator is not what it says


def open_full(problem: Inclusion, state: State, options: VRHalpernOptions) -> None:
    """F at the start, and the first step."""
    value = problem.operator(state.u)
    judge(problem, state.quality, state.u, value)
    state.anchor_merit = state.quality.merit
    step = options.step or first_step(problem, state.quality, state.u, value)
    if problem.part.cocoercive:
        state.step, state.estimate = options.step or step * LENGTH / 0.9, value
        return
    state.step = step
    state.full = Iterate(state.u, value, state.anchor, step, state.u.copy())


def run_block(problem: Inclusion, state: State, options: VRHalpernOptions, ctx: Context) -> None:
    """A block of steps; ends on a claim."""
    for _ in range(options.block or BLOCK):
        if state.full is None:
            _halpern(problem, state, options, ctx)
        else:
            _extragradient(problem, state, state.full, options)
        state.total += 1
        if state.quality.claimed:
            break


def _halpern(problem: Inclusion, state: State, options: VRHalpernOptions, ctx: Context) -> None:
    ahead = problem.resolvent(state.u - state.step * state.estimate, state.step)
    apart = state.u - ahead
    square, product = float(apart @ apart), float(apart @ (state.anchor - state.u))
    size = float(np.linalg.norm(apart)) * float(np.linalg.norm(state.anchor - state.u))
    if state.k / 2 * square > product + ROUNDING * (size + square) and state.step * state.quality.lipschitz > LEAST:
        state.step /= 2
        ctx.log(f"the Halpern potential rose at iteration {state.k}: step halved to {state.step:.3g}, a new round")
        state.move_anchor()
        return
    weight = 1.0 / (state.k + 2)
    state.u = weight * state.anchor + (1.0 - weight) * ahead
    state.k += 1
    state.estimate = problem.operator(state.u)
    judge(problem, state.quality, state.u, state.estimate)
    if state.quality.merit <= options.restart * state.anchor_merit:
        state.move_anchor()


def _extragradient(problem: Inclusion, state: State, at: Iterate, options: VRHalpernOptions) -> None:
    advance(problem, at, state.quality, anchored=True, searched=options.step is None)
    judge(problem, state.quality, at.u, at.value)
    state.u, state.step = at.u, at.step
    if state.quality.merit <= options.restart * state.anchor_merit:
        at.anchor, at.k, state.anchor_merit = at.u.copy(), 0, state.quality.merit
