"""Accelerated proximal gradient on a smoothed h: what sliding is measured against.

    min_x f(x) + h_eta(x) + chi(x),   L_eta = L + ||K||^2 / eta

al_1 = 1; for k >= 2 al is the root of L_eta al^2 = (1 - al) B_{k-1}, B_k = L_eta al^2 + mu al:

    w  = (1 - al) ut + al u,   y = argmax_y <K w, y> - g*(y) - eta ||y||^2 / 2
    u  = argmin_u <grad f(w) + K'y, u> + chi(u) + L_eta al V(u_old, u),   ut = (1 - al) ut + al u

the strongly convex form of FISTA in either geometry (Nesterov 2005; Tseng 2008). One gradient of f and one pair of
products an iteration, so as many gradients as products. eta fixed, or eta_k = Delta_0 / (D_Y k) down to it.

| here | paper | meaning |
|---|---|---|
| u, average | z_k, x_k | prox centre and answer |
| weight | B_k | |
| model | | average of linearizations, for the certified gap |
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.composite.problem import ANCHOR, DUAL, Composite
from solverkit.plugin import Context, Point, Solver
from solverkit_sliding import lower, smoothness
from solverkit_sliding.lower import Model
from solverkit_sliding.options import SmoothedOptions
from solverkit_sliding.smoothed import argmax


@dataclass
class State:
    """Of one run."""

    shape: tuple[int, ...]
    variable: str
    u: np.ndarray
    image: np.ndarray  # K u
    average: np.ndarray
    product: np.ndarray  # K average
    curvature: float
    norm: float
    diameter: float
    eta: float  # the last one
    first: float  # eta of the first iteration
    tol: float
    model: Model
    k: int = 0
    weight: float = 0.0
    upper: float = inf
    gap: float = inf
    asked: float = inf
    claimed: bool = False


class SmoothedFista(Solver[Composite, State]):
    """See the module."""

    Options = SmoothedOptions

    def init(self, problem: Composite, start: Point, ctx: Context) -> State:
        assert problem.structured is not None
        diameter = problem.structured.diameter
        if not np.isfinite(diameter):
            raise UsageError(f"h of {problem.name!r} is not Lipschitz, so it has no smoothing: use condat-vu")
        x = problem.flat(start).astype(float)
        product = problem.forward(x)
        value, gradient = problem.smooth_both(x)
        psi = value + float(problem.structured.outer.value(product)) + problem.simple.value(x)
        size = 1 + (abs(psi) if np.isfinite(psi) else 0.0)
        eta = self.options.smoothing or (0.5 * ctx.tol * size / diameter if diameter > 0 else 1.0)
        first = max(eta, size / diameter) if self.options.decreasing and diameter > 0 else eta
        model = Model(
            gradient.copy(),
            lower.linear(value, gradient, x),
            np.zeros(problem.n),
            np.zeros(problem.structured.rows),
            0.0,
            x.copy(),
        )
        return State(
            shape=problem.variable.shape,
            variable=problem.variable.name,
            u=x,
            image=product,
            average=x,
            product=product,
            curvature=smoothness.required(problem, self.options.lipschitz, "smoothed-fista"),
            norm=smoothness.product_norm(problem),
            diameter=diameter,
            eta=eta,
            first=first,
            tol=ctx.tol,
            model=model,
        )

    def step(self, problem: Composite, state: State, ctx: Context) -> State:
        for _ in range(self.options.block):
            self._iterate(problem, state)
        near = lower.near(problem, state.average, state.upper)
        state.gap = state.upper - state.model.lowest(problem, near)
        allowed = 0.98 * state.tol * (1 + abs(state.upper))
        if self.options.smoothing is None and state.diameter > 0:
            state.eta = min(state.eta, 0.5 * allowed / state.diameter)  # Psi(x_0) may be far above the answer's
        if state.gap <= allowed:
            if problem.smooth.quadratic and near is None:
                state.claimed = True
            elif state.gap <= 0.7 * state.asked:
                state.asked = state.gap
                none = np.zeros(0)
                found = lower.checked(problem, state.model.anchor, state.model.dual, none, none, near)
                state.claimed = state.upper - found <= allowed
        return state

    def _iterate(self, problem: Composite, state: State) -> None:
        assert problem.structured is not None
        state.k += 1
        mu, eta = problem.simple.strong, max(state.eta, state.first / state.k)
        stiffness = state.curvature + state.norm**2 / eta
        weight = state.weight
        al = 1.0 if state.k == 1 else 2 * weight / (weight + sqrt(weight * weight + 4 * stiffness * weight))
        w = (1 - al) * state.average + al * state.u
        value, gradient = problem.smooth_both(w)
        y = argmax(problem, (1 - al) * state.product + al * state.image, eta)
        pull = problem.adjoint(y)
        state.u = problem.simple_step(gradient + pull, state.u, stiffness * al)
        state.image = problem.forward(state.u)
        state.average = state.average + al * (state.u - state.average)
        state.product = state.product + al * (state.image - state.product)
        state.weight = stiffness * al * al + mu * al
        state.model.mix(al, Model(gradient, lower.linear(value, gradient, w), pull, y, 0.0, w))
        apart = state.average - w
        smooth = value + float(gradient @ apart) + 0.5 * state.curvature * float(apart @ apart)
        rest = float(problem.structured.outer.value(state.product)) + problem.simple.value(state.average)
        state.upper = smooth + rest

    def point(self, state: State) -> Point:
        return {
            state.variable: state.average.reshape(state.shape),
            ANCHOR: state.model.anchor.reshape(state.shape),
            DUAL: state.model.dual,
        }

    def report(self, state: State) -> dict[str, float]:
        return {"merit": state.gap, "smoothing": max(state.eta, state.first / max(state.k, 1))}

    def converged(self, state: State) -> bool:
        return state.claimed
