"""Reflected restarted Halpern PDHG (r2HPDHG, arXiv 2407.16144) with the weight control of cuPDLPx (arXiv 2507.14051).

    T(z):  x+ = prox_{tau f}(x - tau A y),   y+ = prox_{sigma g}(y + sigma A'(2 x+ - x))
    z_{k+1} = (k+1)/(k+2) [(1 + rho) T(z_k) - rho z_k] + 1/(k+2) z_0
    tau = s / omega,  sigma = s omega,  s < 1 / ||A||

    ||z||_P^2 = omega ||dx||^2 + ||dy||^2 / omega - 2 s <dy, A'dx>        (times 1 / s: the metric T is nonexpansive in)

Each z carries A'x and A y. T needs A'x+ and A y+, one product each; combinations of points combine their products. So
an iteration costs two products, and what is known of T(z), a gap or residuals, costs none.

| here | paper | meaning |
|---|---|---|
| step | s, eta | sqrt(tau sigma) |
| weight | omega | primal weight |
| inner | k | iterations since the anchor |
| image | T(z_k) | the answer, and the point of restarts |
| residual | r | ||z - T(z)||_P |

Restart at T(z): r <= 0.2 r_0; or r <= 0.5 r_0 and r has grown; or k at least a share of all iterations.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import daxpy

from solverkit.engine.solver import Context
from solverkit_halpern.pdhg.model import Model
from solverkit_halpern.pdhg.options import HalpernOptions
from solverkit_halpern.pdhg.state import Pair, PdhgState
from solverkit_halpern.pdhg.weight import control

SAFE = 0.998  # s ||A||
MARGIN = 1.02  # on a norm from few products
TINY = 1e-10  # least norm relative to what the first products show: a matrix may vanish on the tangents
GROWTH = 3.0  # of the residual over that at the anchor, which a nonexpansive T cannot have
CAUTION = 3  # epochs at the global norm after a step that was too long


class Iteration:
    """Drives one `Model`; `state` holds all that it remembers."""

    def __init__(self, model: Model, options: HalpernOptions, ctx: Context) -> None:
        plain, paper = options.mode == "plain", options.mode == "paper"
        self.model, self.options, self.ctx = model, options, ctx
        self.reflection = (0.0 if plain else 1.0) if options.reflection is None else options.reflection
        self.restarting = (not plain) if options.restart is None else options.restart
        self.longest = options.longest or (0.36 if paper else model.longest)
        self.check = options.check or (200 if paper else model.check)
        self.faces = (options.mode == "production") if options.faces is None else options.faces
        self.proportional = 0.0 if plain else options.proportional

    def start(self, x: np.ndarray, y: np.ndarray) -> PdhgState:
        """The state at a first point: its two products, and those that find the norm."""
        model, options = self.model, self.options
        first = Pair(x, y, model.adjoint(x), model.forward(y))
        state = PdhgState(
            current=first,
            anchor=first,
            image=first,
            norm=1.0,
            step=options.step or 1.0,
            weight=options.weight or 1.0,
            vector=self.ctx.rng.standard_normal(model.shape[1]),
            tol=self.ctx.tol,
        )
        if options.step is None:
            found, state.vector = model.norm(state, False)
            seen = max(float(np.abs(first.adjoint).max(initial=0.0)), float(np.abs(first.forward).max(initial=0.0)))
            state.norm = max(MARGIN * found, TINY * seen) or 1.0
            state.step = SAFE / state.norm
        model.observe(state)
        model.assess(state)
        return state

    def advance(self, state: PdhgState) -> None:
        """One iteration, and what follows from it."""
        model, z = self.model, state.current
        x = model.prox_x(z.x - (state.step / state.weight) * z.forward, state.step / state.weight)
        adjoint = model.adjoint(x)
        ahead = z.y + (state.step * state.weight) * (2 * adjoint - z.adjoint)
        y = model.prox_y(ahead, state.step * state.weight)
        state.image = image = Pair(x, y, adjoint, model.forward(y))
        state.total += 1
        model.observe(state)
        if state.done or state.merit != state.merit:
            return
        if state.inner == 0 or state.total % self.check == 0:
            self._look(state, z, image)
        else:
            self._combine(state)

    def _look(self, state: PdhgState, z: Pair, image: Pair) -> None:
        square = self._square(state, z, image)
        state.residual = float(np.sqrt(max(square, 0.0)))
        if state.inner == 0:
            state.first = state.residual
        if state.total % self.check == 0:
            self.model.assess(state)
            if state.done or state.verdict:
                return
            if self._too_long(state, square):
                state.cautious = CAUTION + 1
                self._restart(state)
                return
            if self.restarting and self._due(state):
                self._restart(state)
                return
            state.last = state.residual
        self._combine(state)

    def _square(self, state: PdhgState, z: Pair, image: Pair) -> float:
        dx, dy = image.x - z.x, image.y - z.y
        across = float(dy @ (image.adjoint - z.adjoint))
        return state.weight * float(dx @ dx) + float(dy @ dy) / state.weight - 2 * state.step * across

    def _too_long(self, state: PdhgState, square: float) -> bool:
        """Whether T is seen to be expansive, so that the norm was too small for the step."""
        longer = state.step > 1.001 * SAFE / state.norm
        return longer and state.inner > 0 and (square < 0 or state.residual > GROWTH * state.first)

    def _due(self, state: PdhgState) -> bool:
        if self.options.mode == "paper" and state.total == self.check:
            return True
        if state.inner == 0:
            return False
        fallen = state.residual / state.first if state.first > 0 else 0.0
        return (
            fallen <= self.options.sufficient
            or (fallen <= self.options.necessary and state.residual > state.last)
            or state.inner >= self.longest * state.total
        )

    def _restart(self, state: PdhgState) -> None:
        state.weight, state.memory = control(
            state.weight,
            state.memory,
            float(np.linalg.norm(state.image.x - state.anchor.x)),
            float(np.linalg.norm(state.image.y - state.anchor.y)),
            self.proportional,
            self.options.integral,
        )
        state.current = state.anchor = state.image
        state.inner, state.last, state.restarts = 0, np.inf, state.restarts + 1
        state.cautious = max(state.cautious - 1, 0)
        if self.options.step is None and self.faces:
            self._face_step(state)

    def _face_step(self, state: PdhgState) -> None:
        if state.cautious:
            state.step = SAFE / state.norm
            return
        found, vector = self.model.norm(state, True)
        if found > 0:
            # a norm on faces is at most the global one, up to what either estimate misses
            state.step, state.vector = SAFE / min(found, state.norm), vector

    def _combine(self, state: PdhgState) -> None:
        k, rho = state.inner, self.reflection
        weight = (k + 1) / (k + 2)
        shares = ((1 + rho) * weight, -rho * weight, 1 - weight)
        state.current = _combination(state.image, state.current, state.anchor, shares)
        state.inner += 1


def _combination(image: Pair, current: Pair, anchor: Pair, shares: tuple[float, float, float]) -> Pair:
    a, b, c = shares

    def mix(h: np.ndarray, z: np.ndarray, z0: np.ndarray) -> np.ndarray:
        out = a * h
        if len(out) == 0:
            return out
        if b:
            out = daxpy(z, out, a=b)
        return daxpy(z0, out, a=c)

    return Pair(
        mix(image.x, current.x, anchor.x),
        mix(image.y, current.y, anchor.y),
        mix(image.adjoint, current.adjoint, anchor.adjoint),
        mix(image.forward, current.forward, anchor.forward),
    )
