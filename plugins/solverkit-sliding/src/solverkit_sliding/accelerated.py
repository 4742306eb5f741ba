"""Accelerated gradient sliding, free of restarts: h = max_y <K x, y> - g*(y), smoothed less and less.

    min_x f(x) + h(x) + chi(x)

Step k, after `outer`: eta_k falls, gamma_k = max(gi, root for delta), one gradient of f at xu_k, then accelerated steps
on (1/gamma_k) h_{eta_k}((1 - gamma_k) xb_{k-1} + gamma_k u) until

    delta_k <= min(delta, ((1 - gamma_k) A_{k-1} / gamma_k - beta_k) / m),     m = beta_k + mu

The second bound keeps A_k from falling below what the next step needs; with the first alone the recursion can collapse.

| here | derivation (B.4; after arXiv 2602.04161) | meaning |
|---|---|---|
| state.eta | eta_k = eta_0 r^k | smoothing; production: falls where h - h_eta at xb is over share times the gap |
| delta | 1/2 | production: 1/10, as gradients are what is dear |
| centre | y_0 | 0; production: the average y at each restart |
| diameter, reach | D_Y | max ||y - y_0||^2 / 2 over dom g*; of y_0 = 0 |

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

FALL = 0.25
"""Production: eta falls by this factor a step, at most."""

PATIENCE = 20
"""Production: after so many steps in which the gap has not halved eta falls by a tenth a step."""


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
        state.diameter = state.reach = diameter
        state.centre = np.zeros(problem.structured.rows)
        state.product = state.image = problem.forward(state.x)
        if self.options.smoothing is not None:
            state.eta = self.options.smoothing
        else:
            state.eta = state.first_gap / diameter if diameter > 0 else 1.0

    def gamma(self, state: State) -> float:
        gi = recursion.fixed_point(state.curvature, state.mu, self._delta)
        return max(gi, recursion.next_gamma(state.curvature, state.mu, self._delta, state.weight))

    def schedule(self, state: State) -> None:
        if self.options.mode == "paper":
            gi = recursion.fixed_point(state.curvature, state.mu, self._delta)
            last = recursion.shrink(state.mu, gi, state.k - 1) if state.k > 1 else 1.0
            state.eta *= recursion.shrink(state.mu, gi, state.k) / last if state.k > 1 else 1.0
            return
        allowed = self.options.share * max(state.gap, 0.0)
        if np.isfinite(allowed) and state.bias > allowed:
            state.eta *= max(allowed / state.bias, FALL)
        if state.gap <= 0.5 * state.halved:
            state.halved, state.since = state.gap, 0
        elif state.since >= PATIENCE:  # a gap that is loose for want of mu hides that h_eta is at its minimum
            state.eta *= 0.9
        state.since += 1
        if state.fresh and state.k > 1 and state.dual.size:
            assert state.model is not None
            state.centre = state.model.dual.copy()
            state.diameter = self._farthest(state)

    def inner(self, problem: Composite, state: State, trial: Trial, ctx: Context) -> Move:
        gamma, m = trial.gamma, trial.beta + state.mu
        delta = self._delta
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
            origin=state.centre,
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
        smooth = smoothed_value(problem, state.product, state.eta, state.centre)
        return psi - float(problem.structured.outer.value(state.product)) + smooth + state.eta * state.diameter

    @property
    def _delta(self) -> float:
        return self.options.delta or (0.5 if self.options.mode == "paper" else 0.1)

    @staticmethod
    def _farthest(state: State) -> float:
        """max ||y - y_0||^2 / 2 over dom g*, from above: (||y|| + ||y_0||)^2 / 2."""
        return 0.5 * (float(np.sqrt(2 * state.reach)) + float(np.linalg.norm(state.centre))) ** 2

    def bounded(self, problem: Composite, state: State, move: Move) -> None:
        assert state.model is not None
        if self.improve(state, state.model.lowest(problem, self.near(problem, state))):
            state.dual = state.model.dual.copy()
        if self.options.mode == "production":
            assert problem.structured is not None
            smooth = smoothed_value(problem, state.product, state.eta, state.centre)
            state.bias = float(problem.structured.outer.value(state.product)) - smooth
