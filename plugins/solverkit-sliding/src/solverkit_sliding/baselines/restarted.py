"""Gradient sliding with restarts (Lan 2016, Gradient sliding for composite optimization, algorithm M-GS).

Phase s runs N = ceil(2 sqrt(5 L / mu)) outer steps from the answer of phase s - 1 and halves the gap:

    gamma_k = 2 / (k + 1),   beta_k = 2 L / k,   T_k = ceil(M^2 N k^2 / (D_s L^2)),   D_s = Delta_0 / (mu 2^s)
    inner:  p_t = t / 2,   theta_t = 2 (t + 1) / (t (t + 3))

It needs Delta_0 >= Psi(x_0) - min Psi; from below the phases do not halve the gap, from above the T_k are too small at
first and phases are wasted. Strong convexity enters by the restarts alone.

| here | paper | meaning |
|---|---|---|
| phase, k | s, k | |
| allotted | D_s | |
| bound | M | |
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, sqrt

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.composite import bound as bounds
from solverkit.kinds.composite.problem import ANCHOR, DUAL, Composite
from solverkit.kinds.composite.subgradients import maximizer
from solverkit.plugin import Context, Point, Solver
from solverkit_sliding import lower, smoothness
from solverkit_sliding.lower import Model
from solverkit_sliding.options import RestartedOptions
from solverkit_sliding.potential import REFERENCE


@dataclass
class State:
    """Of one run."""

    shape: tuple[int, ...]
    variable: str
    x: np.ndarray
    average: np.ndarray
    curvature: float
    bound: float
    mu: float
    first_gap: float
    length: int  # N
    tol: float
    model: Model
    reference: np.ndarray | None
    goal: float  # Psi at the reference
    phase: int = 1
    k: int = 0
    inner: int = 0
    upper: float = inf
    lower: float = -inf
    anchor: np.ndarray | None = None
    dual: np.ndarray | None = None
    asked: float = inf
    claimed: bool = False


class RestartedSliding(Solver[Composite, State]):
    """See the module."""

    Options = RestartedOptions

    def init(self, problem: Composite, start: Point, ctx: Context) -> State:
        assert problem.structured is not None
        mu, x = problem.simple.strong, problem.flat(start).astype(float)
        if mu == 0:
            raise UsageError(
                f"restarts need a strongly convex chi; that of {problem.name!r} is not. Use "
                "accelerated-gradient-sliding, or add a square to `simple:`"
            )
        curvature = smoothness.required(problem, self.options.lipschitz, "restarted-sliding")
        size = smoothness.subgradient_bound(problem, self.options.bound)
        if size is None:
            raise UsageError(f"h of {problem.name!r} has no known bound M: give --set bound=...")
        value, gradient = problem.smooth_both(x)
        y = bounds.inside(problem, maximizer(problem.structured.outer, problem.forward(x)))
        model = Model(gradient.copy(), lower.linear(value, gradient, x), problem.adjoint(y), y, 0.0, x.copy())
        psi = value + problem.nonsmooth_value(x) + problem.simple.value(x)
        first = self.options.initial_gap or psi - model.lowest(problem)
        reference, goal = None, -inf
        if self.options.verify and REFERENCE in start:
            reference = problem.flat({problem.variable.name: start[REFERENCE]})
            rest = problem.nonsmooth_value(reference) + problem.simple.value(reference)
            goal = problem.smooth_value(reference) + rest
        return State(
            shape=problem.variable.shape,
            variable=problem.variable.name,
            x=x,
            average=x,
            curvature=max(curvature, 1e-12),
            bound=size,
            mu=mu,
            first_gap=first if 0 < first < inf else 1.0,
            length=ceil(2 * sqrt(5 * max(curvature, mu) / mu)),
            tol=ctx.tol,
            model=model,
            reference=reference,
            goal=goal,
        )

    def step(self, problem: Composite, state: State, ctx: Context) -> State:
        if state.k == state.length:
            self._finish_phase(state)
        state.k += 1
        gamma, beta = 2 / (state.k + 1), 2 * state.curvature / state.k
        at = state.x if gamma == 1 else (1 - gamma) * state.average + gamma * state.x
        value, gradient = problem.smooth_both(at)
        average, pull, dual = self._inner(problem, state, gradient, beta)
        state.average = average if gamma == 1 else state.average + gamma * (average - state.average)
        new = Model(gradient, lower.linear(value, gradient, at), pull, dual, 0.0, at.copy())
        if gamma == 1:
            state.model = new
        else:
            state.model.mix(gamma, new)
        apart = state.average - at
        smooth = value + float(gradient @ apart) + 0.5 * state.curvature * float(apart @ apart)
        state.upper = smooth + problem.nonsmooth_value(state.average) + problem.simple.value(state.average)
        self._bounded(problem, state)
        return state

    def _inner(
        self, problem: Composite, state: State, gradient: np.ndarray, beta: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        assert problem.structured is not None
        allotted = state.first_gap / (state.mu * 2**state.phase)
        total = max(1, ceil(state.bound**2 * state.length * state.k**2 / (allotted * state.curvature**2)))
        u = average = state.x
        pull, dual = np.zeros(problem.n), np.zeros(problem.structured.rows)
        for t in range(1, total + 1):
            y = maximizer(problem.structured.outer, problem.forward(u))
            subgradient, pulled, theta = problem.adjoint(y), beta * t / 2, 2 * (t + 1) / (t * (t + 3))
            centre = problem.simple.between(state.x, beta, u, pulled)
            u = problem.simple_step(gradient + subgradient, centre, beta + pulled)
            average = u if t == 1 else average + theta * (u - average)
            pull = pull + theta * (subgradient - pull)
            dual = y if t == 1 else dual + theta * (y - dual)
        state.x = u
        state.inner += total
        return average, pull, dual

    def _finish_phase(self, state: State) -> None:
        """Start the next phase at the average."""
        if state.reference is not None and state.upper - state.goal > state.first_gap / 2**state.phase * (1 + 1e-9):
            raise RuntimeError(
                f"phase {state.phase} ends at a gap of {state.upper - state.goal:.6g}, above Delta_0 / 2^s = "
                f"{state.first_gap / 2**state.phase:.6g}"
            )
        state.phase, state.k, state.x = state.phase + 1, 0, state.average

    def _bounded(self, problem: Composite, state: State) -> None:
        state.model.dual = problem.dual_prox(state.model.dual, 1e-12)
        found = state.model.lowest(problem)
        if found > state.lower:
            state.lower = found
            state.anchor, state.dual = state.model.anchor.copy(), state.model.dual.copy()
        gap, allowed = state.upper - state.lower, 0.98 * state.tol * (1 + abs(state.upper))
        if gap > allowed or state.anchor is None or state.dual is None:
            return
        if problem.smooth.quadratic:
            state.claimed = True
        elif gap <= 0.7 * state.asked:
            state.asked = gap
            none = np.zeros(0)
            state.claimed = state.upper - lower.checked(problem, state.anchor, state.dual, none, none) <= allowed

    def point(self, state: State) -> Point:
        blocks = {state.variable: state.average.reshape(state.shape)}
        if state.anchor is not None and state.dual is not None:
            blocks |= {ANCHOR: state.anchor.reshape(state.shape), DUAL: state.dual}
        return blocks

    def report(self, state: State) -> dict[str, float]:
        return {"merit": state.upper - state.lower, "phase": float(state.phase), "inner": float(state.inner)}

    def converged(self, state: State) -> bool:
        return state.claimed
