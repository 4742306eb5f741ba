"""Algorithm 2 of arXiv 2310.02987: Halpern steps on the resolvent of F + G, each solved by variance-reduced FoRB.

    u_{k+1} = lambda_k u_0 + (1 - lambda_k) v,      v ~ J_{eta (F + G)}(u_k),      lambda_k = 1 / (k + 2)

v solves 0 in F^k(v) + eta G(v) with F^k(v) = eta F(v) + v - u_k, which is 1-strongly monotone (Algorithm 3):

    v_{t+1} = J_{tau eta G}( alpha v_t + (1 - alpha) w - tau [F^k(w) + F^k_i(v_t) - F^k_i(w_{t-1})] )
    w       = v_{t+1} with probability p, and F^k(w) anew (n components); else 2 components a step

    eta = sqrt(n) / L_Q,  p = 1 / n,  alpha = 1 - p,  tau = sqrt(p (1 - p)) / (2 (eta L_Q + 1))
    M_k = inner n log(k + 2) inner steps

The published code resets w to u_k in place of v_{t+1}, so that its snapshot never moves; here it does. F(u_k), with
which each inner problem begins, gives the merit of u_k.

**Inner stop of production.** At each new snapshot w the residual rho = ||w - J_{eta G}(w - F^k(w))|| is at hand, and by
strong monotonicity ||w - w*|| <= (2 + eta L) rho. The inner problem is left when that is below
accuracy / (k + 1) ||u_k - w||; the bound uses the L that the run has seen. Where rho grows by GREW, tau is halved, from
the best snapshot on; it is halved as well where SNAPSHOTS of them were not enough.
"""

from __future__ import annotations

import math

import numpy as np

from solverkit.engine.solver import Context
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.extragradient.merit import judge, ratio
from solverkit_halpern.sampling.base import Components
from solverkit_halpern.variance_reduced.options import VRHalpernOptions
from solverkit_halpern.variance_reduced.state import State

SNAPSHOTS = 60  # most of them in one inner problem of production
GREW = 4.0  # rho over the best one
SCALE = 3.0  # of the theory's tau in production

Array = np.ndarray


def snapshot_probability(n: int, options: VRHalpernOptions) -> float:
    """p."""
    return options.probability or min(0.5, (1 if options.paper else 2) / n)


def inner_step(state: State, n: int, options: VRHalpernOptions) -> float:
    """tau of the theory, scaled."""
    p = snapshot_probability(n, options)
    theory = math.sqrt(p * (1 - p)) / (2 * (state.step * state.mean + 1))
    scale = options.inner_scale or (1.0 if options.paper else SCALE)
    return options.inner_step or scale * theory


def run_outer(problem: Inclusion, parts: Components, state: State, options: VRHalpernOptions, ctx: Context) -> None:
    """One Halpern step."""
    value = problem.operator(state.u)
    judge(problem, state.quality, state.u, value)
    if state.quality.claimed:
        return
    if not options.paper and state.quality.merit <= options.restart * state.anchor_merit:
        state.move_anchor()
    solve = _by_count if options.paper else _by_residual
    v = solve(problem, parts, state, options, ctx, value)
    weight = 1.0 / (state.k + 2)
    state.u = weight * state.anchor + (1.0 - weight) * v
    state.k += 1
    state.total += 1


def _by_count(
    problem: Inclusion, parts: Components, state: State, options: VRHalpernOptions, ctx: Context, value: Array
) -> Array:
    """M_k inner steps, the last iterate."""
    n, centre, eta = parts.count, state.u, state.step
    p = snapshot_probability(n, options)
    steps = int(options.inner * n * math.log(state.k + 2))
    samples = parts.draw(ctx.rng, steps, 1)
    moves = np.flatnonzero(ctx.rng.random(steps) < p) + 1  # after so many steps the snapshot moves
    v, w, before, base = centre.copy(), centre.copy(), centre.copy(), eta * value
    done = 0
    for end in [*moves.tolist(), steps]:
        if end > done:
            parts.reflected(v, w, before, base, eta, 1.0, state.inner_step, 1 - p, samples[done:end])
            before = w
        if end == steps:
            break
        before, w, done = w, v.copy(), end
        base = eta * problem.operator(w) + w - centre
    state.inner_count = steps
    return v


def _by_residual(
    problem: Inclusion, parts: Components, state: State, options: VRHalpernOptions, ctx: Context, value: Array
) -> Array:
    """Until the bound on the error is small; the forward-backward point of the last snapshot."""
    centre, eta = state.u, state.step
    p = snapshot_probability(parts.count, options)
    v, w, before, base = centre.copy(), centre.copy(), centre.copy(), eta * value
    ahead = problem.resolvent(w - base, eta)
    rho = best = float(np.linalg.norm(w - ahead))
    kept = (w, base, ahead)
    state.inner_count = 0
    for _ in range(SNAPSHOTS):
        steps = int(ctx.rng.geometric(p))
        samples = parts.draw(ctx.rng, steps, 1)
        parts.reflected(v, w, before, base, eta, 1.0, state.inner_step, 1 - p, samples)
        state.inner_count += steps
        before, w = w, v.copy()
        fresh = problem.operator(w)
        base = eta * fresh + w - centre
        ahead = problem.resolvent(w - base, eta)
        rho = float(np.linalg.norm(w - ahead))
        if rho < best or not best > 0:
            best, kept = rho, (w, base, ahead)
        seen = ratio(problem, fresh - value, w - centre)
        state.quality.lipschitz = max(state.quality.lipschitz, seen if np.isfinite(seen) else 0.0)
        moved = float(np.linalg.norm(w - centre))
        if (2 + eta * state.quality.lipschitz) * rho <= options.accuracy / (state.k + 1) * moved:
            break
        if not rho <= GREW * best:
            state.inner_step /= 2
            ctx.log(f"inner residual {rho:.3g} after {best:.3g}: tau halved to {state.inner_step:.3g}")
            w, base, ahead = kept
            v, before = w.copy(), w
    else:
        state.inner_step /= 2
        ctx.log(f"an inner problem was left after {SNAPSHOTS} snapshots: tau halved to {state.inner_step:.3g}")
    return kept[2]
