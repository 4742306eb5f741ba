"""One sampled step of BSVRB: evaluate at (x_t, y_t, v_t) on the blocks I, then move.

    for i in I:    s_i <- (1-a) s_i + a g_i(w_t) + gamma (g_i(w_t) - g_i(w_{t-1})),     g_i = grad_y g_i       (MSVR)
         v2:       u_i by the same rule from H_i v_i - grad_y f_i,    v_i <- P(v_i - tau_v u_i)
         v1:       H_i by the same rule,                              v_i <- H_i^-1 grad_y f_i
                   y_i <- y_i - tau s_i
         production:   y_i <- y_i - H_i^-1 s_i,  v_i <- H_i^-1 grad_y f_i,  by conjugate gradients in v2
    d <- (1-beta) (d - G_I(w_{t-1})) + G_I(w_t),     G_I = (1/|I|) sum_I ( grad_x f_i - grad^2_xy g_i v_i )    (STORM)
    x <- P_X(x - eta d)

gamma = (m - |I|) / (|I| (1 - a)) + 1 - a: it follows what a block missed while it was not drawn. The two points of the
differences are the last two iterates of all variables; of y and v only the rows drawn in the last step differ, so that
a step touches |I| rows whatever m is.

| here | paper (arXiv 2305.18730) | meaning |
|---|---|---|
| blocks, rows | I_t | the blocks drawn, and where their variables are in z |
| slope, tilt, bent | s, u, H | MSVR estimators, one row a block |
| momentum | z | STORM estimator |

The oracles give means over the batch: rows of y are multiplied by |I|. Each block's own objective is evaluated whole:
the interface samples blocks, not the data within one (B = all). That is why production needs no memory of a block's
gradient (a = 1) and solves it whenever it is drawn: a block then lags by m / |I| steps of x, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.blocks.layout import Layout
from solverkit_bilevel.blocks.options import PAPER, BSVRBOptions
from solverkit_bilevel.blocks.state import State
from solverkit_bilevel.penalty.projected import Domain

SAFETY = 2.0  # of measured curvatures
REGULAR = 1e-8  # least eigenvalue of a block Hessian, relative, for its inverse to be used


@dataclass
class Look:
    """What the oracles say of the blocks I at one point. Rows (b, k) belong to single blocks, not to their mean."""

    slope: np.ndarray  # grad_y g_i
    push: np.ndarray  # grad_y f_i
    curved: np.ndarray  # H_i v_i
    hyper: np.ndarray  # (n,) G_I
    size: float  # |grad F_I|


class Sampled:
    """The sampled steps of one problem; the state carries all that changes."""

    def __init__(self, options: BSVRBOptions, layout: Layout, X: Domain) -> None:
        self.options, self.layout, self.X = options, layout, X
        self.b = min(options.sample, layout.count)
        self.inverts = options.variant == "v1" or (options.variant == "auto" and layout.width <= options.small)
        self.a = options.a or (PAPER["a"] if options.paper else 1.0)
        m, b = layout.count, self.b
        self.gamma = 0.0 if self.a == 1 else (m - b) / (b * (1 - self.a)) + 1 - self.a

    def begin(self, state: State) -> None:
        """Room for the estimators that this variant keeps."""
        count, k = self.layout.count, self.layout.width
        state.seen = np.zeros(count, dtype=bool)
        if self.a < 1:
            state.slope = np.zeros((count, k))
            if self.inverts:
                state.bent = np.zeros((count, k, k))
            else:
                state.tilt = np.zeros((count, k))

    # -- oracles

    def look(self, problem: Bilevel, z: np.ndarray, v: np.ndarray, blocks: np.ndarray, rows: np.ndarray) -> Look:
        """One gradient of each level and one Hessian-vector product."""
        n, b = self.layout.n, len(blocks)
        upper, lower = problem.upper_batch_gradient(z, blocks), problem.lower_batch_gradient(z, blocks)
        product = problem.lower_batch_hvp(z, v, blocks)
        push = b * upper[rows]
        size = float(np.hypot(np.linalg.norm(upper[:n]), np.linalg.norm(push) / b))
        return Look(b * lower[rows], push, b * product[rows], upper[:n] - product[:n], size)

    def hessians(self, problem: Bilevel, z: np.ndarray, blocks: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """H_i of some blocks, (b, k, k), by k products that serve all of them."""
        b, k = rows.shape
        unit, found = np.zeros(len(z)), np.empty((b, k, k))
        for j in range(k):
            unit[rows[:, j]] = 1.0
            found[:, :, j] = b * problem.lower_batch_hvp(z, unit, blocks)[rows]
            unit[rows[:, j]] = 0.0
        return 0.5 * (found + found.transpose(0, 2, 1))

    # -- one step

    def step(self, problem: Bilevel, state: State, rng: np.random.Generator) -> None:
        """In place. Steps that are too long end as NaN, which the driver reports."""
        with np.errstate(over="ignore", invalid="ignore"):
            self._step(problem, state, rng)

    def _step(self, problem: Bilevel, state: State, rng: np.random.Generator) -> None:
        blocks = rng.choice(self.layout.count, size=self.b, replace=False, shuffle=False)
        rows = self.layout.rows(blocks)
        here = self.look(problem, state.z, state.v, blocks, rows)
        compares = self.options.recursive or self.a < 1
        there = self.look(problem, state.before, state.v_before, blocks, rows) if compares and state.t else None
        slope, newton, adjoint = self._estimates(problem, state, blocks, rows, here, there)
        self._momentum(state, here, there)
        self._advance(state)
        state.changed = blocks
        state.z[rows] -= newton if newton is not None and not self.options.tau else self._tau() * slope
        state.v[rows] = adjoint
        state.seen[blocks] = True
        state.size = here.size
        state.t += 1

    def _estimates(
        self, problem: Bilevel, state: State, blocks: np.ndarray, rows: np.ndarray, here: Look, there: Look | None
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
        """(s_i, the Newton step where there is one, the new v_i)."""
        slope = self._msvr(state, state.slope, blocks, here.slope, None if there is None else there.slope)
        if not self.options.paper and not self.inverts:
            newton = self._solve(problem, state.z, blocks, rows, slope, np.zeros(rows.shape))
            return slope, newton, self._solve(problem, state.z, blocks, rows, here.push, state.v[rows])
        if not self.inverts:
            tilt = here.curved - here.push
            old = None if there is None else there.curved - there.push
            tilt = self._msvr(state, state.tilt, blocks, tilt, old)
            return slope, None, _inside(state.v[rows] - self.options.tau_v * tilt, self.options.radius)
        now = self.hessians(problem, state.z, blocks, rows)
        before = self.hessians(problem, state.before, blocks, rows) if self.a < 1 and state.t else None
        bent = regular(self._msvr(state, state.bent, blocks, now, before))
        both = np.linalg.solve(bent, np.stack([slope, here.push], axis=2))
        return slope, None if self.options.paper else both[:, :, 0], both[:, :, 1]

    def _solve(
        self,
        problem: Bilevel,
        z: np.ndarray,
        blocks: np.ndarray,
        rows: np.ndarray,
        right: np.ndarray,
        start: np.ndarray,
    ) -> np.ndarray:
        """H_i^-1 right_i for all drawn blocks at once, (b, k), by `inner` conjugate gradient steps from `start`."""
        direction = np.zeros(len(z))

        def product(rowwise: np.ndarray) -> np.ndarray:
            direction[rows] = rowwise
            return np.asarray(len(blocks) * problem.lower_batch_hvp(z, direction, blocks)[rows])

        return conjugate_gradients(product, right, start, min(self.options.inner, self.layout.width))

    def _msvr(
        self, state: State, kept: np.ndarray, blocks: np.ndarray, now: np.ndarray, before: np.ndarray | None
    ) -> np.ndarray:
        """The estimator of the drawn blocks, updated in place; what is fresh where nothing is kept."""
        if self.a == 1:
            return now
        fresh = now
        if before is not None:
            fresh = (1 - self.a) * kept[blocks] + self.a * now + self.gamma * (now - before)
            first = ~state.seen[blocks]
            fresh[first] = now[first]
        kept[blocks] = fresh
        return fresh

    def _momentum(self, state: State, here: Look, there: Look | None) -> None:
        beta = self._beta(state)
        if not len(state.momentum):
            state.momentum = here.hyper.copy()
        elif self.options.recursive and there is not None:
            state.momentum = here.hyper + (1 - beta) * (state.momentum - there.hyper)
        else:
            state.momentum = (1 - beta) * state.momentum + beta * here.hyper

    def _advance(self, state: State) -> None:
        """x moves; `before` takes what z was, in the rows where the two differ."""
        n, eta = self.layout.n, self._eta(state)
        stale = self.layout.rows(state.changed)
        state.before[stale], state.v_before[stale] = state.z[stale], state.v[stale]
        x = state.z[:n].copy()
        state.before[:n] = x
        fresh = self.X.project(x - eta * state.momentum)
        state.z[:n] = fresh
        state.residual = float(np.linalg.norm(fresh - x)) / eta

    # -- step lengths

    def _epochs(self, state: State) -> float:
        return state.t * self.b / self.layout.count

    def _beta(self, state: State) -> float:
        if self.options.beta is not None or self.options.paper:
            return self.options.beta or PAPER["beta"]
        return float((1 + self._epochs(state)) ** (-2 / 3))

    def _eta(self, state: State) -> float:
        if self.options.eta is not None or self.options.paper:
            return self.options.eta or PAPER["eta"]
        fresh = min(1.0, 2 * self.b / self.layout.count)  # a block's y answers an x that is m / |I| steps old
        return fresh * float((1 + self._epochs(state)) ** (-1 / 3)) / (SAFETY * max(state.curvature, 1e-12))

    def _tau(self) -> float:
        return self.options.tau or PAPER["tau"]


def _inside(v: np.ndarray, radius: float) -> np.ndarray:
    """Each row in the ball of that radius."""
    lengths = np.linalg.norm(v, axis=1, keepdims=True)
    return np.asarray(v * np.minimum(1.0, radius / np.maximum(lengths, 1e-300)))


def conjugate_gradients(
    product: Callable[[np.ndarray], np.ndarray], right: np.ndarray, start: np.ndarray, steps: int
) -> np.ndarray:
    """b systems side by side, one a row, each with step lengths of its own; a row without curvature stays where it is.

    Each step takes one product, which serves all rows."""
    v = start.copy()
    r = right - product(v) if v.any() else right.copy()
    d, square = r.copy(), np.einsum("ij,ij->i", r, r)
    for _ in range(steps):
        image = product(d)
        bent = np.einsum("ij,ij->i", d, image)
        good = bent > 1e-14 * np.einsum("ij,ij->i", d, d)
        size = np.divide(square, bent, out=np.zeros_like(bent), where=good)[:, None]
        v, r = v + size * d, r - size * image
        fresh = np.einsum("ij,ij->i", r, r)
        ratio = np.divide(fresh, square, out=np.zeros_like(fresh), where=good & (square > 0))[:, None]
        d, square = r + ratio * d, fresh
    return v


def regular(bent: np.ndarray) -> np.ndarray:
    """Symmetric (b, k, k) with eigenvalues moved up to REGULAR of the greatest where they are below; NaN for what is
    not finite, which LAPACK would answer with an error of its own."""
    if not np.isfinite(bent).all():
        return np.full_like(bent, np.nan)
    values, vectors = np.linalg.eigh(bent)
    floor = REGULAR * np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-300)
    if np.all(values >= floor):
        return bent
    lifted = np.maximum(np.abs(values), floor)
    return np.asarray(np.einsum("bij,bj,bkj->bik", vectors, lifted, vectors))
