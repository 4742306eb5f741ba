"""Gradient sliding, free of restarts: many subgradients of h to one gradient of f.

    min_x f(x) + h(x) + chi(x),   |h(x) - h(y) - <h'(y), x - y>| <= M ||x - y||

Step k, after `outer`, with T = T_k, u_0 = x_{k-1}: for t = 1..T

    u_t  = argmin <G + h'(u_{t-1}), u> + chi(u) + beta V(x_{k-1}, u) + beta p_t V(u_{t-1}, u)
    ut_t = (1 - theta_t) ut_{t-1} + theta_t u_t

| here | derivation (B.2; after arXiv 2602.04161) | meaning |
|---|---|---|
| steps | T_k = max(2, ceil(T_0 r^-k)) | r = 1 - gi / 2 |
| pulled | beta p_t = (beta + mu) t / 2 | weight of the last inner point |
| theta | 2 (t + 1) / (t (t + 3)) | weight of the new one in the average |
| delta | 2 / (T (T + 3)) | what the inner loop leaves over |
| error | e_k = 4 M^2 / ((beta + mu) (T + 3)) | |

O(sqrt(L / mu) log 1/eps) gradients of f and O((M^2 + sigma^2) / (mu eps)) subgradients. The subgradient of a structured
h is K'y with y a maximizer, and the average of the y is the dual of the certificate; without structure the answer
carries cuts, points of the last inner loop. Without any h one step solves the inner problem, and delta = e = 0.
"""

from __future__ import annotations

from math import ceil

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.composite.problem import Composite
from solverkit.kinds.composite.subgradients import maximizer
from solverkit.plugin import Context
from solverkit_sliding import cuts, recursion, smoothness
from solverkit_sliding.options import SlidingOptions
from solverkit_sliding.outer import Move, OuterLoop, State, Trial

LONGEST = 10_000_000
"""Inner steps of one outer step, at most."""


class GradientSliding(OuterLoop):
    """See the module."""

    Options = SlidingOptions

    def prepare(self, problem: Composite, state: State) -> None:
        options = self.options
        state.exact = problem.structured is None and problem.nonsmooth is None
        needed = options.initial_gap is not None or options.verify
        bound = smoothness.subgradient_bound(problem, options.bound) if needed else None
        if needed and bound is None:
            raise UsageError(
                f"h of {problem.name!r} has no known bound M: give --set bound=..., or leave out initial_gap and verify"
            )
        if options.verify and (options.samples or options.batch):
            raise UsageError("verify asserts an inequality that sampled subgradients have in the mean only")
        state.norm = bound or 0.0  # M
        state.eta = float(options.inner)
        if options.initial_gap is not None:
            gi = recursion.fixed_point(state.curvature, state.mu, options.delta)
            state.eta = (
                8 * (state.norm**2 + options.noise**2) / ((state.curvature * gi + state.mu) * options.initial_gap)
            )

    def gamma(self, state: State) -> float:
        steps = self._steps(state)
        delta = 0.0 if state.exact else 2 / (steps * (steps + 3))
        return recursion.next_gamma(state.curvature, state.mu, delta, state.weight)

    def schedule(self, state: State) -> None:
        """T_k depends on L by gi alone: `_steps`."""

    def _steps(self, state: State) -> int:
        gi = recursion.fixed_point(state.curvature, state.mu, self.options.delta)
        shrunk = recursion.shrink(state.mu, gi, state.k)
        return max(2, min(ceil(state.eta / shrunk), LONGEST))

    def inner(self, problem: Composite, state: State, trial: Trial, ctx: Context) -> Move:
        total, beta, mu, centre = self._steps(state), trial.beta, state.mu, state.x
        between, step = problem.simple.between, problem.simple_step
        if state.exact:
            u = step(trial.gradient, centre, beta)
            return Move(u, u, np.zeros(problem.n), np.zeros(0), 0.0, 0.0, 1)
        u = average = centre
        pull, dual = np.zeros(problem.n), np.zeros(0)
        kept = cuts.Keeper(problem, self.options.cuts, total)
        for t in range(1, total + 1):
            subgradient, y = self._subgradient(problem, u, ctx)
            kept.see(t, u)
            pulled, theta = (beta + mu) * t / 2, 2 * (t + 1) / (t * (t + 3))
            u = step(trial.gradient + subgradient, between(centre, beta, u, pulled) if beta > 0 else u, beta + pulled)
            average = u if t == 1 else average + theta * (u - average)
            pull = pull + theta * (subgradient - pull)
            dual = y if t == 1 else dual + theta * (y - dual)
        error = 4 * state.norm**2 / ((beta + mu) * (total + 3))
        return Move(
            x=u,
            average=average,
            pull=pull,
            dual=dual,
            delta=2 / (total * (total + 3)),
            error=error,
            steps=total,
            cuts=kept.points,
        )

    def _subgradient(self, problem: Composite, u: np.ndarray, ctx: Context) -> tuple[np.ndarray, np.ndarray]:
        """h'(u), and y with h'(u) = K'y where h is structured."""
        if problem.structured is not None:
            y = maximizer(problem.structured.outer, problem.forward(u))
            return problem.adjoint(y), y
        if self.options.samples and problem.nonsmooth is not None and problem.nonsmooth.count > 1:
            drawn = ctx.rng.integers(problem.nonsmooth.count, size=self.options.samples)
            return problem.batch_subgradient(u, drawn), np.zeros(0)
        return problem.subgradient(u), np.zeros(0)

    def bounded(self, problem: Composite, state: State, move: Move) -> None:
        assert state.model is not None
        if problem.structured is not None:
            state.model.dual = problem.dual_prox(state.model.dual, 1e-12)  # rounding may lead out of dom g*
            if self.improve(state, state.model.lowest(problem, self.near(problem, state))):
                state.dual = state.model.dual.copy()
        elif problem.nonsmooth is None:
            self.improve(state, state.model.lowest(problem, self.near(problem, state)))
        elif move.cuts:
            found, points, shares = cuts.bound_from(problem, state.model, move.cuts, self.near(problem, state))
            if self.improve(state, found):
                state.cuts, state.shares = points, shares
