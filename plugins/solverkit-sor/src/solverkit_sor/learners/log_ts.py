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
costs that leave the model for good (CUSUM of a group's standardized residuals) make all groups forget most of what
they knew. `discount` < 1 forgets steadily."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import isnan, log, nan
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit_sor.learners.base import Learner, State, restored
from solverkit_sor.learners.contexts import Window
from solverkit_sor.learners.regression import absorb, posterior, scores, surprise

ALLOWANCE, ALARM, KEPT = 1.0, 12.0, 0.05
"""CUSUM: residuals count from ALLOWANCE sd on, an alarm is raised at ALARM, and leaves KEPT of the evidence."""

NOISE_ROUNDS = 10.0
"""`sd` counts as this many rounds when the noise is learnt."""


def polynomials(coordinates: np.ndarray, degree: int) -> tuple[np.ndarray, np.ndarray]:
    """(k, terms) Chebyshev products of total degree at most `degree` in coordinates (k, q), fewer where the arms could
    not tell them apart; and (terms,) their degrees."""
    q = coordinates.shape[1]
    distinct = [len(np.unique(coordinates[:, j])) for j in range(q)]
    powers = np.array(
        [power for power in product(*(range(min(degree, count - 1) + 1) for count in distinct)) if sum(power) <= degree]
    ).reshape(-1, q)
    angles = np.arccos(np.clip(coordinates, -1.0, 1.0))
    return np.prod(np.cos(angles[:, None, :] * powers), axis=2), powers.sum(axis=1)


def consecutive(indices: np.ndarray) -> slice | np.ndarray:
    """A slice where the indices allow it: views are cheaper than gathered copies."""
    first, last = int(indices[0]), int(indices[-1]) + 1
    return slice(first, last) if last - first == indices.size else indices


class Group:
    """The arms that share coefficients, and what is known of them."""

    def __init__(self, arms: slice | np.ndarray, basis: np.ndarray, precision: np.ndarray, sd: float) -> None:
        self.arms, self.basis, self.precision = arms, basis, precision
        self.size = len(precision)
        self.prior_noise = sd * sd
        self.gram = np.zeros((self.size, self.size))
        self.moment = np.zeros(self.size)
        self.weight = 0.0  # rounds behind `noise`
        self.squares = 0.0  # their squared residuals
        self.above = self.below = 0.0  # CUSUM of standardized residuals, each way
        self.factor = np.zeros((self.size, self.size))
        self.mean = np.zeros(self.size)

    @property
    def noise(self) -> float:
        """Variance of a round about the model."""
        return (NOISE_ROUNDS * self.prior_noise + self.squares) / (NOISE_ROUNDS + self.weight)

    def refresh(self) -> None:
        """The posterior anew, after anything but one more round changed."""
        posterior(self.gram, self.moment, self.precision, self.noise, self.factor, self.mean)

    def fade(self, kept: float) -> None:
        """Rounds so far count `kept` times what they did."""
        self.gram *= kept
        self.moment *= kept
        self.weight *= kept
        self.squares *= kept

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
        precision: float = 1.0,
        roughness: float = 0.5,
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
        self.learn_noise, self.discount, self.cutoff = learn_noise, discount, cutoff
        of_context = np.array([0] + [1, 2] * contexts)
        self.groups = []
        for g in np.unique(kinds):
            basis, of_arm = polynomials(z[kinds == g], degree)
            total = (of_arm[:, None] + of_context).ravel()
            members = consecutive(np.flatnonzero(kinds == g))
            self.groups.append(Group(members, basis, precision * roughness ** (-2.0 * total), sd))
        self.home = {
            int(arm): (group, row) for group in self.groups for row, arm in enumerate(np.arange(self.arms)[group.arms])
        }
        for group in self.groups:
            group.refresh()
        self.shift = self.prior.copy()  # (arms,) prior + v / 2
        self.reference = nan  # log of the first cost
        self.spread = np.zeros((self.arms, 2))  # rounds and squared residuals of each arm
        self.alarms = 0

    def choose(self, context: Any, rng: np.random.Generator) -> int:
        drawn, expected, sd = self._scores(context, rng)
        barred = expected - 2.0 * sd > expected.min() + log(self.cutoff)
        drawn[barred] = np.inf
        return int(drawn.argmin())

    def _scores(self, context: Any, rng: np.random.Generator | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(arms,) each: log-cost drawn from the posterior, its mean, its sd; relative to the first cost."""
        phi = self.phi(context)
        drawn, expected, sd = np.empty((3, self.arms))
        for group in self.groups:
            normal = np.zeros(group.size) if rng is None else rng.standard_normal(group.size)
            arms = group.arms
            drawn[arms], expected[arms], sd[arms] = scores(group.basis, phi, group.factor, group.mean, normal)
        return drawn + self.shift, expected + self.shift, sd

    def update(self, arm: int, context: Any, cost: float) -> None:
        y = log(max(self.checked(arm, cost), 1e-300))
        if isnan(self.reference):
            self.reference = y
        vector = self.window.vector(context)
        matrix = self.window.grow(vector)
        if matrix is not None:
            for each in self.groups:
                each.move(matrix)
                each.refresh()
        group, row = self.home[arm]
        basis, phi = group.basis[row], self.window.features(vector)
        y -= self.reference + self.prior[arm]
        _, standard = surprise(basis, phi, group.factor, group.mean, y, group.noise)
        faded = self._fade(group, standard)
        if self.learn_noise:
            group.squares += standard * standard * group.noise
            group.weight += 1.0
        left = absorb(basis, phi, y, group.gram, group.moment, group.precision, group.noise, group.factor, group.mean)
        self.spread[arm] += 1.0, left * left
        for each in self.groups if faded else (group,):
            if each is not group:
                each.refresh()
            self._set_shift(each)

    def _set_shift(self, group: Group) -> None:
        """v / 2 of the group's arms, v drawn towards that of all of them by ten rounds; with the prior, `shift`."""
        rounds, squares = self.spread[group.arms].T
        total = rounds.sum()
        common = squares.sum() / total if total > 0 else 0.0
        self.shift[group.arms] = self.prior[group.arms] + 0.5 * (squares + 10.0 * common) / (rounds + 10.0)

    def _fade(self, group: Group, standard: float) -> bool:
        """Discount all evidence; on an alarm of this group's CUSUM keep little of it. Whether anything faded."""
        size = min(max(standard, -4.0), 4.0)
        group.above = max(group.above + size - ALLOWANCE, 0.0)
        group.below = max(group.below - size - ALLOWANCE, 0.0)
        kept = self.discount
        if max(group.above, group.below) > ALARM:
            kept = KEPT
            group.above = group.below = 0.0
            self.alarms += 1
        if kept == 1.0:
            return False
        for each in self.groups:
            each.fade(kept)
        self.spread *= kept
        return True

    def phi(self, context: Any) -> np.ndarray:
        """Features of a context, which may lie outside the window: then of the window's nearest point."""
        vector = self.window.vector(context)
        if not self.window.known:
            return np.eye(1, self.window.terms)[0]
        return self.window.features(np.clip(vector, self.window.low, self.window.high))

    def predict(self, context: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Expected cost of each arm and the sd of its logarithm, both (arms,). Relative costs before the first
        round."""
        _, expected, sd = self._scores(context, None)
        return np.exp(expected + (0.0 if isnan(self.reference) else self.reference)), sd

    def state(self) -> State:
        window = self.window
        return {
            "reference": None if isnan(self.reference) else self.reference,
            "window": None if not window.known else np.stack([window.low, window.high]),
            "spread": self.spread.copy(),
            "alarms": self.alarms,
            "groups": [
                {
                    "gram": group.gram.copy(),
                    "moment": group.moment.copy(),
                    "scalars": np.array([group.weight, group.squares, group.above, group.below]),
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
            scalars = restored(one, "scalars", (4,))
            group.weight, group.squares, group.above, group.below = map(float, scalars)
        if state.get("window") is not None:
            self.window.low, self.window.high = restored(state, "window", (2, self.window.count))
        self.reference = nan if state.get("reference") is None else float(restored(state, "reference", ()))
        self.spread = restored(state, "spread", (self.arms, 2))
        self.alarms = int(restored(state, "alarms", ()))
        for group in self.groups:
            group.refresh()
            self._set_shift(group)
