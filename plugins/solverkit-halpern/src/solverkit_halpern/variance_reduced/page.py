"""Algorithm 1 of arXiv 2310.02987: Halpern iteration with PAGE estimates, for cocoercive operators.

    lambda_k = 2 / (k + 4)
    p_k      = 1 for k <= 1,  4 / (k + 4) while k - 1 <= sqrt(n),  then 4 / (sqrt(n) + 5)
    g_k      = F(u_k)                                                         with probability p_k: n components
             = g_{k-1} + (1 / b) sum_{i in S_k} [F_i(u_k) - F_i(u_{k-1})]      otherwise: 2 b components
    u_{k+1}  = J_{eta G}( lambda_k u_0 + (1 - lambda_k) u_k - eta g_k )

All coins of a block are thrown first; the stretches between full evaluations are one call of a kernel each. At a full
evaluation F(u_k) is known, and with it the merit: the point shown is the latest one with a known merit, at no cost.

**Guard.** The theory needs cocoercivity; on skew operators the estimate drifts and the iteration runs away slowly. At
each full evaluation the residual is watched (`extragradient.watch`): where it is out of hand the step is halved, from
the best point on; HALVINGS of those on an operator that is not known to be cocoercive, and Algorithm 1 is given
up.

In production the anchor moves when the merit has halved; p_k goes on with the count of all iterations, so that a new
round costs no extra full evaluations.
"""

from __future__ import annotations

import math

import numpy as np

from solverkit.engine.solver import Context, Stop
from solverkit.engine.status import Termination
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.extragradient.merit import judge
from solverkit_halpern.extragradient.shapes import named
from solverkit_halpern.sampling.base import Components
from solverkit_halpern.variance_reduced.options import VRHalpernOptions
from solverkit_halpern.variance_reduced.state import State

BLOCK = 64
HALVINGS = 3
LEAST_BATCH = 16


def batch_of(n: int, options: VRHalpernOptions) -> int:
    """b."""
    if options.batch is not None:
        return options.batch
    root = math.ceil(math.sqrt(n))
    return root if options.paper else min(n, max(LEAST_BATCH, root))


def probabilities(k: np.ndarray, n: int, options: VRHalpernOptions) -> np.ndarray:
    """p_k of iterations k, counted from 0."""
    if options.probability is not None:
        return np.where(k == 0, 1.0, options.probability)
    root = math.sqrt(n)
    return np.where(k <= 1, 1.0, np.where(k - 1 <= root, 4 / (k + 4), 4 / (root + 5)))


def anchoring(k: int, count: int) -> np.ndarray:
    """lambda of `count` iterations from k on."""
    return 2.0 / (np.arange(k, k + count) + 4)


def run_block(problem: Inclusion, parts: Components, state: State, options: VRHalpernOptions, ctx: Context) -> None:
    """A block of iterations; leaves early on a claim, or when the guard changes the algorithm."""
    count = options.block or BLOCK
    batch = batch_of(parts.count, options)
    chances = probabilities(state.total + np.arange(count), parts.count, options)
    fresh = ctx.rng.random(count) < chances
    samples = parts.draw(ctx.rng, count, batch)
    t = 0
    while t < count:
        if fresh[t]:
            if not _refresh(problem, state, options, ctx):
                return
            _step(problem, state)
            t += 1
            continue
        end = t + int(np.argmax(fresh[t:])) if fresh[t:].any() else count
        weights = anchoring(state.k, end - t)
        parts.page(state.u, state.previous, state.estimate, state.anchor, state.step, weights, samples[t:end])
        state.k += end - t
        state.total += end - t
        t = end


def _step(problem: Inclusion, state: State) -> None:
    """The step after a full evaluation."""
    weight = 2.0 / (state.k + 4)
    state.previous = state.u.copy()
    state.u = problem.resolvent(
        weight * state.anchor + (1.0 - weight) * state.u - state.step * state.estimate, state.step
    )
    state.k += 1
    state.total += 1


def _refresh(problem: Inclusion, state: State, options: VRHalpernOptions, ctx: Context) -> bool:
    """g = F(u_k), the merit of u_k, the guard, the anchor. False where the block ends here."""
    value = problem.operator(state.u)
    size = float(np.linalg.norm(value))
    if state.total > 0:
        state.drift = float(np.linalg.norm(state.estimate - value)) / (size or 1.0)
    state.estimate = value
    judge(problem, state.quality, state.u, value)
    if state.quality.claimed:
        return False
    if options.response != "off" and not _sound(problem, state, options, ctx):
        return state.algorithm == "page"
    if not options.paper and state.quality.merit <= options.restart * state.anchor_merit:
        state.move_anchor()
    return True


def _sound(problem: Inclusion, state: State, options: VRHalpernOptions, ctx: Context) -> bool:
    """Whether the residual is in hand; where it is not, act."""
    if not state.watch.see(state.quality.residual, state.u):
        return True
    _act(problem, state, options, ctx)
    return False


def _act(problem: Inclusion, state: State, options: VRHalpernOptions, ctx: Context) -> None:
    what = (
        f"Algorithm 1 runs away: residual {state.watch.latest:.3g} after {state.watch.least:.3g}, estimate off "
        f"by {state.drift:.2g} of F, eta = {state.step:.3g}"
    )
    if options.response == "refuse":
        remedy = "take algorithm=forb, or a smaller step" + (
            "" if problem.part.cocoercive else "; the operator is not known to be cocoercive, which it needs"
        )
        raise Stop(Termination.STALLED, f"{what}; {remedy}", named(state.watch.best_point, state.shapes))
    state.watch.acted()
    state.halvings += 1
    state.u = state.watch.best_point.copy()
    state.estimate = problem.operator(state.u)
    judge(problem, state.quality, state.u, state.estimate)
    state.previous = state.u.copy()
    state.move_anchor()
    if state.halvings < HALVINGS or problem.part.cocoercive:
        state.step /= 2
        ctx.log(f"{what}; step halved, from the best point on")
        return
    state.algorithm = "forb"
    ctx.log(f"{what}; the operator is not known to be cocoercive: on with Algorithm 2, from the best point")
