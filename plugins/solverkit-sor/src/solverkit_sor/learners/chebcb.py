"""ChebCB (Khodak, Chow, Balcan, Talwalkar, ICLR 2024): costs as Chebyshev series of one context, one series an arm.

    yhat_i = th_i . f(c),   f = (T_0, ..., T_{m-1}) at z = 2 (c - a) / (b - a) - 1
    p_i = 1 / (d + eta_t (yhat_i - min yhat)) for all but the best arm, which has the rest
    th_i = least-norm least squares of (loss - floor) / scale; where that leaves the box
           |th_0| <= 1 / N, |th_j| <= 2 (b - a) L / (scale j), least squares in the box
    eta_t = 2 t sqrt(d t / (R - resid + 2 alpha^2 t))

| here | paper | meaning |
|---|---|---|
| low, high | a, b | interval of the context |
| floor | 1 | least cost there is, 1 for iterations |
| most | K | largest loss so far |
| lipschitz | L | (largest - smallest loss) / (b - a) |
| series | N | 2 + 4 (b - a) L (1 + ln m) / K; scale = K N |
| bias | alpha | (pi + (2 / pi) ln(2 m + 1)) (b - a) L / (2 scale (m + 1)), error of the truncated series |
| error | R | sum of (prediction - loss / scale)^2 |
| resid | | squared residual of the last fit that met its box, else 0 |

Arms never played predict 0, less than any loss, so each is soon tried. The authors' script keeps its losses in a
zero-filled array, so its smallest loss is 0 until the last round; here, as in the paper, it is the smallest loss
seen. Everything is kept in units of the loss: a change of scale then costs nothing but the boxes."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, log, pi, sqrt
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kernels import njit
from solverkit_sor.learners.base import Learner, State, draw, number, restored
from solverkit_sor.learners.least_squares import append_row, least_squares, solution_in_box


@njit(cache=True)
def chebyshev(z: float, count: int) -> np.ndarray:
    """(count,) T_0 to T_{count-1} at z, by the three-term recurrence."""
    values = np.ones(count)
    if count > 1:
        values[1] = z
    for j in range(2, count):
        values[j] = 2.0 * z * values[j - 1] - values[j - 2]
    return values


@njit(cache=True)
def gap_weights(theta: np.ndarray, features: np.ndarray, eta: float) -> np.ndarray:
    """(d,) inverse-gap probabilities for coefficients (d, m). O(d m)."""
    predicted = theta @ features
    best = np.argmin(predicted)
    p = np.empty(predicted.size)
    others = 0.0
    for i in range(p.size):
        if i != best:
            p[i] = 1.0 / (p.size + eta * (predicted[i] - predicted[best]))
            others += p[i]
    p[best] = 1.0 - others
    return p


@njit(cache=True)
def fit(
    arm: int, everything: bool, r: np.ndarray, q: np.ndarray, rest: np.ndarray, played: np.ndarray, plain: np.ndarray,
    theta: np.ndarray, bound: np.ndarray,
) -> float:  # fmt: skip
    """Fit `arm`, and re-box every arm played where `everything`; returns the squared residual of the last boxed fit."""
    resid = 0.0
    plain[arm] = least_squares(r[arm], q[arm])
    for i in range(theta.shape[0]):
        if i != arm and not (everything and played[i]):
            continue
        theta[i] = plain[i]
        if np.any(np.abs(plain[i]) > bound):
            theta[i] = solution_in_box(r[i], q[i], bound, plain[i])
            resid = np.sum((r[i] @ theta[i] - q[i]) ** 2) + rest[i]
    return resid


class ChebCB(Learner):
    """Regret against the best policy of the context, for costs Lipschitz in it. O(m^3) a round."""

    def __init__(self, arms: int, low: float, high: float, terms: int = 6, floor: float = 0.0) -> None:
        """`terms`: m, the length of each series; more resolve finer structure and need more rounds. 6: the paper's.
        `floor`: the least cost there is, 1 for iteration counts."""
        super().__init__(arms)
        if not (np.isfinite(low) and np.isfinite(high) and low < high and terms >= 1):
            raise UsageError(f"ChebCB needs low < high and at least one term, got [{low}, {high}] and {terms}")
        self.low, self.high, self.terms, self.floor = low, high, terms, floor
        self.r = np.zeros((arms, terms, terms))
        self.q = np.zeros((arms, terms))
        self.rest = np.zeros(arms)
        self.played = np.zeros(arms, dtype=np.bool_)
        self.plain = np.zeros((arms, terms))  # fits without the box
        self.theta = np.zeros((arms, terms))
        self.rounds, self.eta, self.scale = 0, 0.0, 1.0
        self.most, self.least = 0.0, inf
        self.sums = (0.0, 0.0, 0.0)  # of prediction^2, prediction loss, loss^2; predictions as scaled when made
        self.falling = 2.0 / np.arange(1, terms)

    def features(self, context: Any) -> np.ndarray:
        """(m,) f(c). Contexts outside [low, high] count as the nearest end: the series means nothing there."""
        z = 2.0 * (number(context, "ChebCB") - self.low) / (self.high - self.low) - 1.0
        return chebyshev(min(max(z, -1.0), 1.0), self.terms)

    def probabilities(self, context: Any = None) -> np.ndarray:
        return gap_weights(self.theta, self.features(context), self.eta / self.scale)

    def choose(self, context: Any, rng: np.random.Generator) -> int:
        return draw(self.probabilities(context), rng)

    def update(self, arm: int, context: Any, cost: float) -> None:
        loss = self.checked(arm, cost)
        features = self.features(context)
        predicted = float(self.theta[arm] @ features) / self.scale
        self.rounds += 1
        self.played[arm] = True
        self.rest[arm] += append_row(self.r[arm], self.q[arm], features, max(loss - self.floor, 0.0))
        self.most, self.least = max(self.most, loss, 1e-300), min(self.least, loss)
        width = self.most - self.least  # (b - a) L
        series = 2.0 + 4.0 * width / self.most * (1.0 + log(self.terms))
        changed, self.scale = self.scale != self.most * series, self.most * series
        bound = np.concatenate(([self.most], width * self.falling))
        resid = fit(arm, changed, self.r, self.q, self.rest, self.played, self.plain, self.theta, bound)
        squares, products, losses = self.sums
        self.sums = (squares + predicted * predicted, products + predicted * loss, losses + loss * loss)
        error = self.sums[0] - 2.0 * self.sums[1] / self.scale + self.sums[2] / self.scale**2
        m, t = self.terms, self.rounds
        bias = (pi + 2.0 / pi * log(2.0 * m + 1.0)) * width / (2.0 * self.scale * (m + 1))
        # R - resid is positive but for rounding and for fits whose box met only the last of several arms.
        room = max(error - resid / self.scale**2 + 2.0 * bias**2 * t, 1e-12 * t)
        self.eta = 2.0 * t * sqrt(self.arms * t / room)

    def state(self) -> State:
        return {
            **{name: getattr(self, name).copy() for name in ("r", "q", "rest", "plain", "theta")},
            "sums": np.array(self.sums),
            "played": self.played.astype(np.float64),
            "scalars": np.array([self.rounds, self.eta, self.scale, self.most, min(self.least, 1e300)]),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        for name in ("r", "q", "rest", "plain", "theta"):
            setattr(self, name, restored(state, name, getattr(self, name).shape))
        squares, products, losses = map(float, restored(state, "sums", (3,)))
        self.sums = (squares, products, losses)
        self.played = restored(state, "played", (self.arms,)) != 0
        rounds, self.eta, self.scale, self.most, self.least = map(float, restored(state, "scalars", (5,)))
        self.rounds = int(rounds)
