"""Contextual Thompson sampling on the logarithm of the cost.

    log(cost / cost_1) = prior_i + th_g . (B(z_i) x phi(c)) + noise,   th_g ~ N(0, I / precision)
    draw th_g from its posterior, play the arm of least  prior_i + th_g . (B(z_i) x phi(c)) + v_i / 2

Arms of one group g (one solver) share the coefficients th_g, so a cost tells about its neighbours z in the parameter
and c in the context: a grid of 20 arms is known after about as many rounds as th_g has entries, not 20 times that.

| here | meaning |
|---|---|
| basis | B, Chebyshev polynomials of the arm's parameters z in [-1, 1]^q |
| window | phi, Chebyshev polynomials of degree 2 of each context (`contexts`) |
| gram, moment | sums of x x' and x y over the rounds of a group, discounted |
| noise | variance of a round's log-cost about the model; learnt, starting from `sd`^2 |
| spread | v_i, an arm's own variance about the model: E cost = exp(mean + v / 2) for a lognormal cost |

v matters where the context is missing or says little: costs then scatter by a factor about their geometric mean, an
arm that is good on easy systems and dreadful on hard ones has a low geometric mean, and without v / 2 the total is
not what is minimized.

Two things keep it safe. An arm whose lower bound (mean - 2 sd) exceeds `cutoff` times the best mean is not tried. And
costs that leave the model for good (CUSUM of standardized residuals) make the group forget most of what it knew.
`discount` < 1 forgets steadily."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
from numba import njit

from solverkit.errors import UsageError
from solverkit_sor.learners.base import Learner, State, restored
from solverkit_sor.learners.contexts import Window

ALLOWANCE, ALARM, KEPT = 1.0, 12.0, 0.05
"""CUSUM: residuals count from ALLOWANCE sd on, an alarm is raised at ALARM, and leaves KEPT of the evidence."""

NOISE_ROUNDS = 10.0
"""`sd` counts as this many rounds when the noise is learnt."""


@njit(cache=True)
def posterior(gram: np.ndarray, moment: np.ndarray, precision: float, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Cholesky factor C of precision I + gram / noise, and the posterior mean (p,). O(p^3 / 3)."""
    p = moment.size
    factor = gram / noise
    mean = moment / noise
    for j in range(p):
        for k in range(j):
            for i in range(j, p):
                factor[i, j] -= factor[i, k] * factor[j, k]
        pivot = factor[j, j] + precision
        root = np.sqrt(max(pivot, 1e-12 * precision))
        factor[j, j] = root
        for i in range(j + 1, p):
            factor[i, j] /= root
    for i in range(p):
        for k in range(i):
            mean[i] -= factor[i, k] * mean[k]
        mean[i] /= factor[i, i]
    return factor, backward(factor, mean)


@njit(cache=True)
def backward(factor: np.ndarray, y: np.ndarray) -> np.ndarray:
    """C'^-1 y for a lower triangular C (p, p)."""
    x = y.copy()
    for i in range(x.size - 1, -1, -1):
        for k in range(i + 1, x.size):
            x[i] -= factor[k, i] * x[k]
        x[i] /= factor[i, i]
    return x


@njit(cache=True)
def deviations(factor: np.ndarray, design: np.ndarray) -> np.ndarray:
    """(k,) sqrt(x' (C C')^-1 x) for the rows x of `design` (k, p)."""
    result = np.empty(design.shape[0])
    for a in range(design.shape[0]):
        x = design[a].copy()
        total = 0.0
        for i in range(x.size):
            for k in range(i):
                x[i] -= factor[i, k] * x[k]
            x[i] /= factor[i, i]
            total += x[i] * x[i]
        result[a] = np.sqrt(total)
    return result


def polynomials(coordinates: np.ndarray, degree: int) -> np.ndarray:
    """(k, terms) Chebyshev products of total degree at most `degree` in coordinates (k, q), fewer where the arms
    could not tell them apart."""
    k, q = coordinates.shape
    distinct = [len(np.unique(coordinates[:, j])) for j in range(q)]
    angles = np.arccos(np.clip(coordinates, -1.0, 1.0))
    columns = [
        np.prod(np.cos(angles * np.array(powers)), axis=1)
        for powers in product(*(range(min(degree, count - 1) + 1) for count in distinct))
        if sum(powers) <= degree
    ]
    return np.column_stack(columns) if q else np.ones((k, 1))


class Group:
    """The arms that share coefficients, and what is known of them."""

    def __init__(self, arms: np.ndarray, basis: np.ndarray, terms: int, sd: float) -> None:
        self.arms, self.basis, self.terms = arms, basis, terms
        self.size = basis.shape[1] * terms
        self.prior_noise = sd * sd
        self.gram = np.zeros((self.size, self.size))
        self.moment = np.zeros(self.size)
        self.weight = 0.0  # rounds behind `noise`
        self.squares = 0.0  # their squared residuals
        self.cusum = np.zeros(2)  # upwards, downwards
        self.factor = np.empty((0, 0))
        self.mean = np.zeros(self.size)

    @property
    def noise(self) -> float:
        """Variance of a round about the model."""
        return (NOISE_ROUNDS * self.prior_noise + self.squares) / (NOISE_ROUNDS + self.weight)

    def refresh(self, precision: float) -> None:
        self.factor, self.mean = posterior(self.gram, self.moment, precision, self.noise)

    def design(self, phi: np.ndarray) -> np.ndarray:
        """(arms of the group, size) rows B(z_i) x phi."""
        return (self.basis[:, :, None] * phi).reshape(len(self.basis), self.size)

    def move(self, matrix: np.ndarray) -> None:
        """Follow phi to new windows: phi_new = matrix phi_old."""
        wide = np.kron(np.eye(self.basis.shape[1]), matrix)
        self.gram = wide @ self.gram @ wide.T
        self.moment = wide @ self.moment


class LogTS(Learner):
    """The default learner. About 20 us a round for 20 arms with one context."""

    def __init__(
        self,
        coordinates: Any,
        groups: Any = None,
        contexts: int = 0,
        low: Any = None,
        high: Any = None,
        prior: Any = None,
        degree: int = 4,
        precision: float = 0.1,
        sd: float = 0.08,
        learn_noise: bool = True,
        discount: float = 1.0,
        cutoff: float = 2.0,
    ) -> None:
        """coordinates : (arms,) or (arms, q), the parameters of each arm on scales where equal steps matter equally,
        within [-1, 1].
        groups : (arms,) integers, arms of one group share their model. Default: one group.
        contexts : how many numbers `choose` is given; low, high : (contexts,) their range where known.
        prior : (arms,) expected log-cost of each arm relative to the others. Default: all alike.
        degree : of the polynomials in the parameters. precision : of the prior on coefficients of the log-cost; larger
        trusts `prior` more. sd : of a round's log-cost. discount : weight that old rounds keep at every new one."""
        z = np.asarray(coordinates, dtype=np.float64)
        z = z[:, None] if z.ndim == 1 else z
        super().__init__(len(z))
        kinds = np.zeros(len(z), dtype=int) if groups is None else np.asarray(groups)
        if kinds.shape != (len(z),) or not (np.abs(z) <= 1.0 + 1e-12).all():
            raise UsageError("LogTS needs one group for each arm and coordinates within [-1, 1]")
        if not (0 < discount <= 1 and precision > 0 and sd > 0):
            raise UsageError("LogTS needs a discount in (0, 1] and a positive precision and sd")
        self.window = Window(contexts, low, high)
        self.prior = np.zeros(len(z)) if prior is None else np.asarray(prior, dtype=np.float64)
        self.precision, self.learn_noise, self.discount, self.cutoff = precision, learn_noise, discount, cutoff
        self.groups = [
            Group(np.flatnonzero(kinds == g), polynomials(z[kinds == g], degree), self.window.terms, sd)
            for g in np.unique(kinds)
        ]
        self.home = {int(arm): (group, row) for group in self.groups for row, arm in enumerate(group.arms)}
        for group in self.groups:
            group.refresh(precision)
        self.reference = np.nan  # log of the first cost
        self.spread = np.zeros((self.arms, 2))  # rounds and squared residuals of each arm
        self.alarms = 0

    def choose(self, context: Any, rng: np.random.Generator) -> int:
        phi = self.phi(context)
        scores, means, low = np.empty(self.arms), np.empty(self.arms), np.empty(self.arms)
        for group in self.groups:
            drawn = group.mean + backward(group.factor, rng.standard_normal(group.size))
            design = group.design(phi)
            means[group.arms] = design @ group.mean
            low[group.arms] = means[group.arms] - 2.0 * deviations(group.factor, design)
            scores[group.arms] = design @ drawn
        shift = self.prior + 0.5 * self.variances()
        barred = low + shift > (means + shift).min() + np.log(self.cutoff)
        return int(np.argmin(np.where(barred, np.inf, scores + shift)))

    def update(self, arm: int, context: Any, cost: float) -> None:
        y = np.log(max(self.checked(arm, cost), 1e-300))
        if np.isnan(self.reference):
            self.reference = y
        vector = self.window.vector(context)
        matrix = self.window.grow(vector)
        if matrix is not None:
            for each in self.groups:
                each.move(matrix)
                each.refresh(self.precision)
        group, row = self.home[arm]
        x = group.design(self.window.features(vector))[row]
        y -= self.reference + self.prior[arm]
        residual = y - x @ group.mean
        known = float(deviations(group.factor, x[None])[0]) ** 2
        standard = residual / np.sqrt(group.noise + known)
        self._forget(group, standard)
        group.gram += np.outer(x, x)
        group.moment += y * x
        if self.learn_noise:
            group.weight += 1.0
            group.squares += standard * standard * group.noise
        group.refresh(self.precision)
        self.spread[arm] += 1.0, (y - x @ group.mean) ** 2

    def _forget(self, group: Group, standard: float) -> None:
        """Discount everything; on an alarm of this group's CUSUM, keep little of its evidence."""
        if self.discount < 1.0:
            for each in self.groups:
                each.gram *= self.discount
                each.moment *= self.discount
            group.weight *= self.discount
            group.squares *= self.discount
            self.spread *= self.discount
        size = np.clip(standard, -4.0, 4.0)
        group.cusum = np.maximum(group.cusum + np.array([size, -size]) - ALLOWANCE, 0.0)
        if group.cusum.max() > ALARM:
            group.gram *= KEPT
            group.moment *= KEPT
            group.weight *= KEPT
            group.squares *= KEPT
            self.spread[group.arms] *= KEPT
            group.cusum[:] = 0.0
            self.alarms += 1

    def phi(self, context: Any) -> np.ndarray:
        """Features of a context, which may lie outside the window: then of the window's nearest point."""
        vector = self.window.vector(context)
        if self.window.count and np.isnan(self.window.low).any():
            return np.eye(1, self.window.terms)[0]
        return self.window.features(np.clip(vector, self.window.low, self.window.high))

    def variances(self) -> np.ndarray:
        """(arms,) v, each arm's variance about the model, drawn towards that of its group by ten rounds."""
        result = np.empty(self.arms)
        for group in self.groups:
            rounds, squares = self.spread[group.arms].T
            total = rounds.sum()
            common = squares.sum() / total if total > 0 else 0.0
            result[group.arms] = (squares + 10.0 * common) / (rounds + 10.0)
        return result

    def predict(self, context: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Expected cost of each arm and the sd of its logarithm, both (arms,). Costs are relative before the first
        round."""
        phi = self.phi(context)
        mean, sd = np.empty(self.arms), np.empty(self.arms)
        for group in self.groups:
            design = group.design(phi)
            mean[group.arms] = design @ group.mean
            sd[group.arms] = deviations(group.factor, design)
        base = 0.0 if np.isnan(self.reference) else self.reference
        return np.exp(base + mean + self.prior + 0.5 * self.variances()), sd

    def state(self) -> State:
        window = self.window
        return {
            "reference": None if np.isnan(self.reference) else self.reference,
            "window": None if np.isnan(window.low).any() else np.stack([window.low, window.high]),
            "spread": self.spread.copy(),
            "alarms": self.alarms,
            "groups": [
                {
                    "gram": group.gram.copy(),
                    "moment": group.moment.copy(),
                    "noise": np.array([group.weight, group.squares]),
                    "cusum": group.cusum.copy(),
                }
                for group in self.groups
            ],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        saved = state.get("groups")
        if not isinstance(saved, list) or len(saved) != len(self.groups):
            raise UsageError(f"the saved learner has not {len(self.groups)} groups: it was saved for another space")
        for group, one in zip(self.groups, saved, strict=True):
            group.gram = restored(one, "gram", group.gram.shape)
            group.moment = restored(one, "moment", group.moment.shape)
            group.weight, group.squares = map(float, restored(one, "noise", (2,)))
            group.cusum = restored(one, "cusum", (2,))
        if state.get("window") is not None:
            self.window.low, self.window.high = restored(state, "window", (2, self.window.count))
        self.reference = np.nan if state.get("reference") is None else float(restored(state, "reference", ()))
        self.spread = restored(state, "spread", (self.arms, 2))
        self.alarms = int(restored(state, "alarms", ()))
        for group in self.groups:
            group.refresh(self.precision)
