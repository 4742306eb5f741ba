"""The penalty method made to converge: psi_s by line searches, s lowered by its measured bias, then the bias removed.

    levels        descend psi_s until |P(x - grad) - x| <= settle (1 + |grad F|); measure the gradients of order 1, 2, 3
                  there; s <- shrink s until  |g_3 - g_2| <= 0.3 |g_3 - g_1|:  the extrapolation has set in. Then
    extrapolated  descend the combination of order 2 or 3 to tol; claim where |g_3 - g_2| <= 10 tol (1 + |grad F|),
                  otherwise s <- shrink s
    implicit      or descend F(x, y*(x)) by its exact gradient
    levels again  or, where that stops at a kink of y*: psi_s is differentiable there all the same, so it is descended
                  to tol at s, shrink s, ...; claim where x_s, extrapolated to s = 0, no longer changes

The paper proves O(s) for value and gradient under its proximal error bound and lets s follow a schedule; here the bias
is measured. Where psi_s, psi_{s/2}, psi_{s/4} do not draw together, the error bound is in doubt and the log says so.
"""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Context, Stop
from solverkit.engine.status import Termination
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.penalty.exact import Exact, read_exact
from solverkit_bilevel.penalty.ladder import WEIGHTS, Ladder, Reading
from solverkit_bilevel.penalty.options import PenaltyOptions
from solverkit_bilevel.penalty.projected import NOISE, Domain, Walk, advance
from solverkit_bilevel.penalty.state import EXTRAPOLATED, IMPLICIT, LEVELS, State

OUTER_NOISE = {"float64": 1e-9, "float32": 1e-4}  # of psi_s, whose terms are divided by s
ETA_FLOOR = 1e-9
ASYMPTOTIC = 0.3  # |g_3 - g_2| / |g_3 - g_1| below which the orders of the extrapolation are believed
LOOSE = 10.0  # tolerances, for the bias and for a claim where rounding ended the descent
EXACT = 1e-11  # lower residual and adjoint of the implicit finish
FALLING = 0.8  # a bias that does not fall to this share when s does is no longer the bias of s
PATIENCE = {True: 20, False: 60}  # steps in which the residual must fall by a tenth; spectral steps (False) swing more
FEW = 20  # variables of y up to which random starts are tried without a box to draw them in
SPREAD = 2.0  # of those, in units of 1 + |y_0|
JUMPS = 3  # times that a claim may be taken back for a lower f
UNSETTLED = 0.9  # ratio of successive differences of psi above which they do not draw together


class Production:
    """The iterations of one problem; the state carries all that changes."""

    def __init__(self, problem: Bilevel, options: PenaltyOptions, X: Domain, Y: Domain, dtype: str) -> None:
        self.options, self.X, self.Y = options, X, Y
        self.noise, self.outer_noise = NOISE[dtype], OUTER_NOISE[dtype]
        self.ladder = Ladder(problem, Y, self.noise, options.inner_iterations, options.memory)
        self.order, self.patience = options.order, PATIENCE[X.boxed]
        self.first = options.finish
        if options.finish == "auto":
            self.first = "implicit" if Y.boxed and "hvp" in problem.provides else "extrapolate"

    # -- the start

    def begin(self, problem: Bilevel, state: State, ctx: Context) -> None:
        """First reading; s is lowered until h_s has a minimum."""
        self._explore(problem, state, ctx)
        for _ in range(8):
            reading = self._read(problem, state, 1)
            accurate = all(rung.residual <= 1e-2 * (1 + reading.size) for rung in reading.rungs)
            if np.isfinite(reading.psi).all() and accurate:
                break
            state.s *= 0.1
        state.s_first, state.finish = state.s, self.first
        self._take(state, reading, 1)

    # -- one iteration

    def iterate(self, problem: Bilevel, state: State, ctx: Context) -> None:
        """One step of x, or one change of s or of the phase."""
        state.iterations += 1
        if state.phase == IMPLICIT:
            self._descend_exact(problem, state, ctx)
        elif state.residual <= self._target(state) * (1 + state.size):
            if state.phase == LEVELS:
                self._next_level(problem, state, ctx)
            else:
                self._judge(problem, state, ctx)
        elif state.since >= self.patience or not self._descend(problem, state):
            self._stuck(problem, state, ctx)
        if state.claimed and state.jumps < JUMPS:
            self._look_lower(problem, state, ctx)

    def _target(self, state: State) -> float:
        to_the_end = state.phase == EXTRAPOLATED or state.finish in ("none", "extrapolate-answer")
        return state.tol if to_the_end else self.options.settle

    def _descend(self, problem: Bilevel, state: State) -> bool:
        state.eta = float(np.clip(0.1 * state.rho, ETA_FLOOR, state.eta))
        readings: list[Reading] = []

        def evaluate(x: np.ndarray) -> tuple[float, np.ndarray]:
            reading = self._read(problem, state, state.order, x)
            readings.append(reading)
            return reading.value(state.order), reading.gradient(state.order)

        moved = advance(state.x, evaluate, self.X, self.outer_noise, self.options.memory)
        state.inner += sum(reading.inner for reading in readings)
        if moved:
            self._facts(state, next(reading for reading in readings if reading.x is state.x.v))
        return moved

    def _stuck(self, problem: Bilevel, state: State, ctx: Context) -> None:
        """No step goes down: ask more of the inner loop, then go on to what comes next."""
        if state.eta > ETA_FLOOR:
            state.eta = max(0.03 * state.eta, ETA_FLOOR)
            state.x.forget()
            self._take(state, self._read(problem, state, state.order), state.order)
        elif state.phase == LEVELS:
            self._next_level(problem, state, ctx)
        elif state.rho <= LOOSE * state.tol:
            self._judge(problem, state, ctx)
        else:
            self._beyond(problem, state, ctx, f"no step lowers the extrapolated function (residual {state.rho:.1e})")

    # -- s

    def _next_level(self, problem: Bilevel, state: State, ctx: Context) -> None:
        """Measure the bias where psi_s has settled, and choose the next s or the finish."""
        state.level += 1
        reading = self._read(problem, state, 3)
        first, second, third = (reading.gradient(order) for order in (1, 2, 3))
        bias, left = float(np.linalg.norm(third - first)), float(np.linalg.norm(third - second))
        before = state.bias
        self._measure(state, reading, bias, ctx)
        small = LOOSE * state.tol * (1 + state.size)
        floor = state.s * self.options.shrink < self.options.s_min * state.s_first or bias > FALLING * before
        if state.finish == "extrapolate-answer":
            self._answer(problem, state, reading, ctx)
        elif state.finish == "none" and (bias <= small or floor):
            state.claimed = True
        elif state.finish != "none" and (left <= ASYMPTOTIC * bias or bias <= small or floor):
            self._finishing(problem, state, reading, ctx)
        else:
            self._lower(problem, state, reading, ctx, 1)

    def _finishing(self, problem: Bilevel, state: State, reading: Reading, ctx: Context) -> None:
        if state.finish == "implicit" and self._begin_exact(problem, state):
            return
        state.finish, state.phase, state.order = "extrapolate", EXTRAPOLATED, self.order
        self._take(state, reading, self.order)

    def _answer(self, problem: Bilevel, state: State, reading: Reading, ctx: Context) -> None:
        """(x_{qs} - q x_s) / (1 - q) with q = shrink: 2 x_{s/2} - x_s for q = 1/2. Claim where it has come to rest."""
        x, q, before = state.x.v, self.options.shrink, state.answer
        if state.rho > LOOSE * state.tol:
            raise Stop(Termination.STALLED, f"psi_s does not settle at s = {state.s:.1e} (residual {state.rho:.1e})")
        if state.settled is not None:
            state.answer = self.X.project((x - q * state.settled) / (1 - q))
        state.settled = x.copy()
        moved = np.inf if before is None or state.answer is None else float(np.linalg.norm(state.answer - before))
        if state.answer is not None and moved <= LOOSE * state.tol * (1 + float(np.linalg.norm(x))):
            state.x.v, state.claimed = state.answer, True
            state.x.forget()
            self._take(state, self._read(problem, state, 3), 3)
            state.bias = moved
        elif state.s * q >= self.options.s_min * state.s_first:
            self._lower(problem, state, reading, ctx, 1)
        else:
            raise Stop(Termination.STALLED, f"the extrapolated answer still moves by {moved:.1e} at the least s")

    def _lower(self, problem: Bilevel, state: State, reading: Reading, ctx: Context, order: int) -> None:
        """s <- shrink s, minimizations over y warm started from those for s / 4."""
        state.s *= self.options.shrink
        state.ys = [state.ys[0], reading.rungs[-1].walk]
        self._explore(problem, state, ctx)
        self._take(state, self._read(problem, state, order), order)

    def _judge(self, problem: Bilevel, state: State, ctx: Context) -> None:
        """x is stationary for the extrapolated function: is its own error small?"""
        reading = self._read(problem, state, 3)
        bias, before = float(np.linalg.norm(reading.gradient(3) - reading.gradient(2))), state.bias
        self._measure(state, reading, bias, ctx)
        if bias <= LOOSE * state.tol * (1 + state.size):
            state.claimed = True
        elif bias <= FALLING * before and state.s * self.options.shrink >= self.options.s_min * state.s_first:
            self._lower(problem, state, reading, ctx, state.order)
        else:
            self._beyond(problem, state, ctx, f"a bias of {bias:.1e} no longer falls with s = {state.s:.1e}")

    def _measure(self, state: State, reading: Reading, bias: float, ctx: Context) -> None:
        """Keep psi at three values of s and say what they say."""
        psi = reading.psi
        state.psi, state.psi_zero, state.bias = [float(p) for p in psi], reading.value(3), bias
        ctx.log(
            f"s = {state.s:.2e}: psi_s {psi[0]:.10g}, psi_s/2 {psi[1]:.10g}, psi_s/4 {psi[2]:.10g}, "
            f"extrapolated {state.psi_zero:.10g}; bias of the gradient {bias:.1e}"
        )
        apart, nearer = abs(psi[1] - psi[0]), abs(psi[2] - psi[1])
        real = 1e-6 * (1 + abs(state.psi_zero))
        if state.level > 1 and (reading.restarted or (nearer > UNSETTLED * apart and nearer > real)):
            if not state.unsettled:
                ctx.log(
                    "psi_s does not settle as s falls: the lower level has several minima here, or its error bound "
                    "fails; the answer is a stationary point of psi_s, and other starts may find a better one"
                )
            state.unsettled = True

    # -- the exact finish

    def _beyond(self, problem: Bilevel, state: State, ctx: Context, why: str) -> None:
        """The finish at hand ends without a claim: extrapolate the answer where the choice is ours."""
        if self.options.finish != "auto" or state.finish == "extrapolate-answer":
            raise Stop(Termination.STALLED, f"{why}; finish={state.finish} ends here")
        ctx.log(f"{why}: going on with psi_s, whose minimizers are extrapolated")
        state.finish, state.phase, state.order = "extrapolate-answer", LEVELS, 1
        state.bias, state.settled, state.answer = np.inf, None, None
        state.x.forget()
        self._take(state, self._read(problem, state, 1), 1)

    def _begin_exact(self, problem: Bilevel, state: State) -> bool:
        """Go over to F(x, y*(x)); False where it has no gradient by the lower level's curvature."""
        before, state.adjoint = state.ys, np.zeros(problem.m)
        state.ys = state.ys[:1]
        found = self._exact(problem, state, state.x.v)
        if found is None:
            state.ys = before
            return False
        state.phase, state.bias, state.best = IMPLICIT, 0.0, np.inf
        state.x = Walk(state.x.v, found.upper, found.gradient)
        self._take_exact(state, found)
        return True

    def _exact(self, problem: Bilevel, state: State, x: np.ndarray) -> Exact | None:
        limit = self.options.inner_iterations
        accuracy = EXACT if self.noise < 1e-8 else 1e-5
        return read_exact(problem, self.Y, x, state.ys[0], state.adjoint, accuracy, limit, self.noise)

    def _take_exact(self, state: State, found: Exact) -> None:
        state.ys, state.adjoint = [found.walk], found.adjoint
        state.size, state.upper = found.size, found.upper
        self._look(state)

    def _descend_exact(self, problem: Bilevel, state: State, ctx: Context) -> None:
        if state.residual <= state.tol * (1 + state.size):
            state.claimed = True
            return
        seen: list[Exact] = []

        def evaluate(x: np.ndarray) -> tuple[float, np.ndarray]:
            found = self._exact(problem, state, x)
            if found is None:
                return np.inf, np.zeros(len(x))
            seen.append(found)
            return found.upper, found.gradient

        moving = state.since < self.patience
        if moving and advance(state.x, evaluate, self.X, self.noise, self.options.memory):
            self._take_exact(state, next(found for found in seen if found.x is state.x.v))
        elif state.rho <= LOOSE * state.tol:
            state.claimed = True
        else:
            self._beyond(problem, state, ctx, f"no step lowers F(x, y*(x)) (residual {state.rho:.1e})")

    # -- the end

    def settle(self, problem: Bilevel, state: State) -> None:
        """y_0 as exact as rounding allows; among several lower solutions the one near the limit of y_s."""
        x, last = state.x.v, state.ys[-1].v
        if len(state.ys) > 1:
            ys = np.array([walk.v for walk in state.ys[1:]])
            last = self.Y.project(np.asarray(WEIGHTS[len(ys)] @ ys))
        found = [self.ladder.settle(problem, x, y, state.size) for y in (last, state.ys[0].v)]
        best = min(rung.lower for rung in found)
        slack = 1e-9 * (1e-3 + abs(best))
        rung = next(rung for rung in found if rung.lower <= best + slack)
        state.ys = [rung.walk, *state.ys[1:]]
        state.upper = rung.upper

    # -- lower levels that are not convex

    def _explore(self, problem: Bilevel, state: State, ctx: Context) -> None:
        """Minimize f from random y as well, and begin y_0 and y_s at the lowest; nothing where f is known to be convex
        or Y has no ends to draw between."""
        drawn = self._drawn(problem, state, ctx)
        if not drawn:
            return
        found = [self.ladder.settle(problem, state.x.v, y, state.size) for y in (*(w.v for w in state.ys), *drawn)]
        lowest = min(found, key=lambda rung: rung.lower)
        blended = min(found, key=lambda rung: state.s * rung.upper + rung.lower)
        state.ys = [lowest.walk, blended.walk]

    def _drawn(self, problem: Bilevel, state: State, ctx: Context) -> list[np.ndarray]:
        """Random y: uniform in a bounded box, else about y_0 and at its scale; none where they are not wanted."""
        known = problem.convex is True or "quadratic-lower" in problem.provides
        bounded = self.Y.boxed and np.isfinite(self.Y.lower).all() and np.isfinite(self.Y.upper).all()
        if known or not (bounded or problem.m <= FEW):
            return []
        if bounded:
            return [ctx.rng.uniform(self.Y.lower, self.Y.upper) for _ in range(self.options.starts)]
        y = state.ys[0].v
        spread = SPREAD * (1 + float(np.abs(y).max(initial=0.0)))
        return [self.Y.project(y + spread * ctx.rng.standard_normal(problem.m)) for _ in range(self.options.starts)]

    def _look_lower(self, problem: Bilevel, state: State, ctx: Context) -> None:
        """Before a claim: where random y find a lower f, y_0 was not the follower's answer; go on from there."""
        drawn = self._drawn(problem, state, ctx)
        if not drawn:
            return
        here = self.ladder.settle(problem, state.x.v, state.ys[0].v, state.size)
        best = min((self.ladder.settle(problem, state.x.v, y, state.size) for y in drawn), key=lambda rung: rung.lower)
        if not best.lower < here.lower - state.tol * max(abs(best.lower), min(1.0, 1 + abs(here.lower))):
            return
        ctx.log(f"f falls from {here.lower:.6g} to {best.lower:.6g} at another y: going on from that one")
        state.jumps, state.claimed, state.phase, state.finish = state.jumps + 1, False, LEVELS, self.first
        state.ys, state.bias, state.settled, state.answer = [best.walk, best.walk], np.inf, None, None
        state.x.forget()
        self._take(state, self._read(problem, state, 1), 1)

    # -- readings

    def _read(self, problem: Bilevel, state: State, order: int, x: np.ndarray | None = None) -> Reading:
        at = state.x.v if x is None else x
        return self.ladder.read(problem, at, state.ys, state.s, order, state.eta, state.size)

    def _take(self, state: State, reading: Reading, order: int) -> None:
        """Go on from a reading at the current x."""
        state.x.value, state.x.gradient, state.order = reading.value(order), reading.gradient(order), order
        state.best = np.inf
        state.inner += reading.inner
        self._facts(state, reading)

    def _facts(self, state: State, reading: Reading) -> None:
        state.ys = [rung.walk for rung in reading.rungs]
        state.size, state.upper = reading.size, reading.rungs[0].upper
        self._look(state)

    def _look(self, state: State) -> None:
        """The residual, and whether it still falls."""
        state.residual = self.X.residual(state.x.v, state.x.gradient)
        state.since = state.since + 1 if state.residual > 0.9 * state.best else 0
        state.best = min(state.best, state.residual) if state.since else state.residual
