"""Accelerated gradient sliding, free of restarts: h = max_y <K x, y> - g*(y), smoothed less and less.

    min_x f(x) + h(x) + chi(x)

Step k, after `outer`: eta_k falls, gamma_k = max(gi, root for delta), one gradient of f at xu_k, then accelerated steps
on (1/gamma_k) h_{eta_k}((1 - gamma_k) xb_{k-1} + gamma_k u) until

    delta_k <= min(delta, ((1 - gamma_k) A_{k-1} / gamma_k - beta_k) / m),     m = beta_k + mu

The second bound keeps A_k from falling below what the next step needs; with the first alone the recursion can collapse.

| here | derivation (B.4; after arXiv 2602.04161) | meaning |
|---|---|---|
| state.eta | eta_k = eta_0 r^k | smoothing; production: at most share gap / D_Y |
| options.delta | 1/2 | |
| diameter | D_Y | max ||y||^2 / 2 over dom g* |

O(sqrt(L / mu) log 1/eps) gradients of f and O(||K|| sqrt(D_Y / (mu eps))) products.
"""

from __future__ import annotations

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.composite.problem import Composite
from solverkit.plugin import Context
from solverkit_sliding import recursion, smoothness
from solverkit_sliding.options import AcceleratedOptions
from solverkit_sliding.outer import Move, OuterLoop, State, Trial
from solverkit_sliding.smoothed import inner_loop, smoothed_value


class AcceleratedSliding(OuterLoop):
    """See the module."""

    Options = AcceleratedOptions

    def prepare(self, problem: Composite, state: State) -> None:
        assert problem.structured is not None
        diameter = problem.structured.diameter
        if not np.isfinite(diameter):
            raise UsageError(
                f"h of {problem.name!r} is not Lipschitz: the domain of g* is unbounded, so that no smoothing comes "
                "within a known distance. Use condat-vu"
            )
        state.norm = smoothness.product_norm(problem)
        state.diameter = diameter
        state.product = state.image = problem.forward(state.x)
        if self.options.smoothing is not None:
            state.eta = self.options.smoothing
        else:
            state.eta = state.first_gap / diameter if diameter > 0 else 1.0

    def gamma(self, state: State) -> float:
        gi = recursion.fixed_point(state.curvature, state.mu, self.options.delta)
        return max(gi, recursion.next_gamma(state.curvature, state.mu, self.options.delta, state.weight))

    def schedule(self, state: State) -> None:
        gi = recursion.fixed_point(state.curvature, state.mu, self.options.delta)
        now, last = (recursion.shrink(state.mu, gi, k) for k in (state.k, state.k - 1)) if state.k > 1 else (1.0, 1.0)
        state.eta *= now / last
        if self.options.mode == "production" and np.isfinite(state.gap) and state.diameter > 0:
            state.eta = min(state.eta, self.options.share * max(state.gap, 0.0) / state.diameter)

    def inner(self, problem: Composite, state: State, trial: Trial, ctx: Context) -> Move:
        gamma, m = trial.gamma, trial.beta + state.mu
        delta = self.options.delta
        if gamma < 1:
            delta = min(delta, ((1 - gamma) * state.weight / gamma - trial.beta) / m)
        found = inner_loop(
            problem,
            slope=trial.gradient,
            centre=state.x,
            product=state.image,
            fixed=(1 - gamma) * state.product,
            share=gamma,
            beta=trial.beta,
            mu=state.mu,
            eta=state.eta,
            stiffness=gamma * state.norm**2 / state.eta,
            delta=delta,
        )
        error = state.eta * state.diameter
        return Move(
            x=found.u,
            image=found.image,
            average=found.average,
            product=found.product,
            pull=found.pull,
            dual=found.dual,
            delta=found.delta,
            error=error,
            steps=found.steps,
        )

    def level(self, problem: Composite, state: State, psi: float) -> float:
        assert problem.structured is not None
        smooth = smoothed_value(problem, state.product, state.eta)
        return psi - float(problem.structured.outer.value(state.product)) + smooth + state.eta * state.diameter

    def bounded(self, problem: Composite, state: State, move: Move) -> None:
        assert state.model is not None
        if self.improve(state, state.model.lowest(problem, self.near(state))):
            state.dual = state.model.dual.copy()
