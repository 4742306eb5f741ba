"""Condat-Vu: primal-dual steps with one gradient of f and one pair of products each.

    x+ = argmin_u <grad f(x) + K'y, u> + chi(u) + V(x, u) / tau
    y+ = prox_{sigma g*}(y + sigma K(2 x+ - x))
    (x, y) <- (x, y) + rho (x+ - x, y+ - y)

with 1/tau - sigma ||K||^2 = c >= L / 2 and rho < 2 - L / (2 c) (Condat 2013, Theorem 3.1; Vu 2013); in the entropy
c >= L and rho = 1 (Chambolle and Pock 2016). f = 0 is PDHG. The ratio sigma / tau moves until the residuals
||x+ - x|| / tau and ||y+ - y|| / sigma agree, by less each time (Goldstein, Li, Yuan 2015).

The gap is Psi(x+) from above, f by its linearization at x, less the lower bound of that linearization with y+: no
oracle is called for it.

| here | paper | meaning |
|---|---|---|
| ratio | sigma / tau | |
| surplus | c | what 1/tau has above sigma ||K||^2 |
| vigour | alpha | size of the next change of the ratio |
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from solverkit.kinds.composite import bound
from solverkit.kinds.composite.problem import ANCHOR, DUAL, Composite
from solverkit.plugin import Context, Point, Solver
from solverkit_sliding import lower, smoothness
from solverkit_sliding.options import CondatOptions

IMBALANCE = 1.5
"""Residuals that differ by more move the ratio."""


@dataclass
class State:
    """Of one run."""

    shape: tuple[int, ...]
    variable: str
    x: np.ndarray
    y: np.ndarray
    image: np.ndarray  # K x
    pull: np.ndarray  # K'y
    curvature: float
    learning: bool  # whether L is learnt
    norm: float
    ratio: float
    tol: float
    vigour: float = 0.5
    value: float = inf  # f at `anchor`, where the latest gradient was taken
    anchor: np.ndarray | None = None
    slope: np.ndarray | None = None
    answer: np.ndarray | None = None  # x+
    dual: np.ndarray | None = None  # y+
    upper: float = inf
    gap: float = inf
    asked: float = inf
    claimed: bool = False


class CondatVu(Solver[Composite, State]):
    """See the module."""

    Options = CondatOptions

    def init(self, problem: Composite, start: Point, ctx: Context) -> State:
        assert problem.structured is not None
        x = problem.flat(start).astype(float)
        known = smoothness.known(problem, self.options.lipschitz)
        if known is None:
            curvature = smoothness.along_gradient(problem, x, problem.smooth_gradient(x))
        else:
            curvature = known
        y = bound.inside(problem, np.zeros(problem.structured.rows))
        return State(
            shape=problem.variable.shape,
            variable=problem.variable.name,
            x=x,
            y=y,
            image=problem.forward(x),
            pull=problem.adjoint(y),
            curvature=curvature,
            learning=known is None,
            norm=smoothness.product_norm(problem),
            ratio=self.options.ratio or self._ratio(problem, x),
            tol=ctx.tol,
        )

    def step(self, problem: Composite, state: State, ctx: Context) -> State:
        for _ in range(self.options.block):
            primal, dual = self._iterate(problem, state)
        self._look(problem, state)
        if self.options.adaptive and self.options.ratio is None:
            self._balance(state, primal, dual)
        return state

    def point(self, state: State) -> Point:
        answer = state.x if state.answer is None else state.answer
        blocks = {state.variable: answer.reshape(state.shape), DUAL: state.y if state.dual is None else state.dual}
        if state.anchor is not None:
            blocks[ANCHOR] = state.anchor.reshape(state.shape)
        return blocks

    def report(self, state: State) -> dict[str, float]:
        return {"merit": state.gap, "ratio": state.ratio, "lipschitz": state.curvature}

    def converged(self, state: State) -> bool:
        return state.claimed

    def _iterate(self, problem: Composite, state: State) -> tuple[float, float]:
        """One iteration; the two residuals."""
        value, gradient = problem.smooth_both(state.x)
        self._learn(state, value)
        state.value, state.anchor, state.slope = value, state.x, gradient
        tau, sigma, rho = self._steps(problem, state)
        x = problem.simple_step(gradient + state.pull, state.x, 1 / tau)
        image = problem.forward(x)
        y = problem.dual_prox(state.y + sigma * (2 * image - state.image), sigma)
        pull = problem.adjoint(y)
        state.answer, state.dual = x, y
        self._reached = image, pull
        moved, turned = x - state.x, y - state.y
        state.x, state.y = state.x + rho * moved, state.y + rho * turned
        state.image = state.image + rho * (image - state.image)
        state.pull = state.pull + rho * (pull - state.pull)
        return float(np.linalg.norm(moved)) / tau, float(np.linalg.norm(turned)) / sigma

    def _steps(self, problem: Composite, state: State) -> tuple[float, float, float]:
        """tau, sigma and rho."""
        mirror = problem.simple.geometry == "entropy"
        slack = self.options.slack
        surplus = max(1.01 * state.curvature if mirror else state.curvature / (2 * slack), 1e-12)
        tau = 2 / (surplus + sqrt(surplus * surplus + 4 * state.ratio * state.norm**2))
        sigma = state.ratio * tau
        rho = 1.0 if mirror else min(self.options.relaxation, 0.99 * (2 - state.curvature / (2 * surplus)))
        return tau, sigma, rho

    @staticmethod
    def _learn(state: State, value: float) -> None:
        """Double an L that the latest move has refuted."""
        if not state.learning or state.anchor is None or state.slope is None:
            return
        apart = state.x - state.anchor
        linear = state.value + float(state.slope @ apart)
        if value > linear + 0.5 * state.curvature * float(apart @ apart) + 1e-12 * (abs(value) + abs(linear)):
            state.curvature *= 2

    def _look(self, problem: Composite, state: State) -> None:
        """The gap of the latest (x+, y+)."""
        assert problem.structured is not None
        assert state.answer is not None
        assert state.dual is not None
        assert state.slope is not None
        assert state.anchor is not None
        image, pull = self._reached
        apart = state.answer - state.anchor
        smooth = state.value + float(state.slope @ apart) + 0.5 * state.curvature * float(apart @ apart)
        if state.learning:
            smooth = problem.smooth_value(state.answer)
        state.upper = smooth + float(problem.structured.outer.value(image)) + problem.simple.value(state.answer)
        near = lower.near(problem, state.answer, state.upper)
        offset = state.value - float(state.slope @ state.anchor) - float(problem.structured.outer.conjugate(state.dual))
        low = offset + lower.lowest(problem, state.slope + pull, near)
        state.gap = state.upper - low if np.isfinite(low) else inf
        allowed = 0.98 * state.tol * (1 + abs(state.upper))
        if state.gap <= allowed and near is not None and state.gap <= 0.7 * state.asked:
            state.asked, none = state.gap, np.zeros(0)
            state.claimed = state.upper - lower.checked(problem, state.anchor, state.dual, none, none, near) <= allowed
        elif near is None:
            state.claimed = state.gap <= allowed

    @staticmethod
    def _balance(state: State, primal: float, dual: float) -> None:
        if primal > IMBALANCE * dual:
            state.ratio *= (1 - state.vigour) ** 2
            state.vigour *= 0.95
        elif dual > IMBALANCE * primal:
            state.ratio /= (1 - state.vigour) ** 2
            state.vigour *= 0.95

    @staticmethod
    def _ratio(problem: Composite, x: np.ndarray) -> float:
        """(max ||y|| / ||x||)^2 at the start where both are known; max V for ||x||^2 / 2 in the entropy; else 1."""
        assert problem.structured is not None
        reach, size = problem.structured.diameter, float(x @ x)
        if problem.simple.geometry == "entropy":
            size = 2 * float(np.log(max(len(x), 2)))
        return 2 * reach / size if 0 < reach < inf and size > 0 else 1.0
