"""Contextual Thompson sampling on the logarithm of the cost.

    log(cost / cost_1) = prior_i + th_g . (B(z_i) x phi(c)) + noise,   th_g ~ N(0, 1 / precision)
    draw th_g from its posterior, play the arm of least  prior_i + th_g . (B(z_i) x phi(c)) + v_i / 2

Arms of one group g (one solver) share the coefficients th_g, so a cost tells about its neighbours z in the parameter
and c in the context: a grid of 20 arms is known after about as many rounds as th_g has entries, not 20 times that.

| here | meaning |
|---|---|
| basis | B, Chebyshev polynomials of the arm's parameters z in [-1, 1]^q |
| window | phi, Chebyshev polynomials of degree 2 of each context (`contexts`) |
| precision | (g, p) a diagonal for each group: polynomials of higher degree are expected smaller |
| gram, moment | sums of x x' and x y over the rounds of a group, discounted |
| noise | variance of a round's log-cost about the model; learnt, starting from `sd`^2 |
| spread | v_i, an arm's own variance about the model: E cost = exp(mean + v / 2) for a lognormal cost |

v matters where the context is missing or says little: costs then scatter by a factor about their geometric mean, an
arm that is good on easy systems and dreadful on hard ones has a low geometric mean, and without v / 2 the total is
not what is minimized.

Three things keep it safe. An arm whose lower bound (mean - 2 sd) exceeds `cutoff` times the best mean is not tried. Nor
is one whose trial would not pay: what it may save over `horizon` systems must exceed the price of finding out
(`regression.gain_and_price`); the horizon is infinite unless the caller sets one. And costs that leave the model for
good (CUSUM of a group's standardized residuals) make all groups forget most of what they knew. `discount` < 1 forgets
steadily."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import exp, inf, isnan, log, nan, sqrt
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit_sor.learners.base import Learner, State, restored
from solverkit_sor.learners.contexts import Window
from solverkit_sor.learners.regression import decide, half_variances, learn, outlook, posterior

ALLOWANCE, ALARM, KEPT = 1.5, 20.0, 0.05
"""CUSUM: residuals count from ALLOWANCE sd on, an alarm is raised at ALARM, and leaves KEPT of the evidence."""

NOISE_ROUNDS, SPREAD_ROUNDS = 10.0, 10.0
"""`sd` counts as this many rounds when the noise is learnt, a group's v as this many of each of its arms."""

FADED = 20
"""Rounds between two discounts."""

KEPT_ARRAYS = ("gram", "moment", "weight", "squares", "cusum", "spread", "entry")


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


class LogTS(Learner):
    """The default learner."""

    def __init__(
        self,
        coordinates: Any,
        groups: Any = None,
        contexts: int = 0,
        low: Any = None,
        high: Any = None,
        prior: Any = None,
        degree: int = 4,
        prior_sd: float = 1.0,
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
        prior : (arms,) expected log-cost of each arm relative to the first cost heard, right to `prior_sd`. Default: 0.
        Until a group is first played, relative to the best arm of those that were: all costs move with the context.
        degree : of the polynomials in the parameters. precision : of the prior on their coefficients, divided by
        roughness^2 for every degree: a larger one, a smaller roughness expect flatter costs.
        sd : of a round's log-cost, fixed unless `learn_noise`. discount : weight that old rounds keep at every new one.
        """
        z = np.asarray(coordinates, dtype=np.float64)
        z = z[:, None] if z.ndim == 1 else z
        super().__init__(len(z))
        kinds = np.zeros(len(z), dtype=int) if groups is None else np.asarray(groups)
        if kinds.shape != (len(z),) or not (np.abs(z) <= 1.0 + 1e-12).all():
            raise UsageError("LogTS needs one group for each arm and coordinates within [-1, 1]")
        if not (0 < discount <= 1 and min(precision, sd, prior_sd, roughness) > 0 and cutoff > 1):
            raise UsageError("LogTS needs a discount in (0, 1], cutoff > 1, and positive precision, sd and roughness")
        self.window = Window(contexts, low, high)
        self.prior = np.zeros(len(z)) if prior is None else np.array(prior, dtype=np.float64)
        self.prior_sd = prior_sd
        self.learn_noise, self.discount, self.cutoff, self.prior_noise = learn_noise, discount, cutoff, sd * sd
        names, self.home = np.unique(kinds, return_inverse=True)
        models = [polynomials(z[kinds == name], degree) for name in names]
        widest = max(len(degrees) for _, degrees in models)
        # A model with fewer polynomials has columns of zeros: their coefficients keep the prior, and say nothing.
        self.basis = np.zeros((self.arms, widest))
        self.precision = np.ones((len(names), widest * self.window.terms))
        of_context = np.array([0] + [1, 2] * contexts)
        for g, (basis, degrees) in enumerate(models):
            self.basis[self.home == g, : len(degrees)] = basis
            total = (degrees[:, None] + of_context).ravel()
            self.precision[g, : total.size] = precision * roughness ** (-2.0 * total)
            self.precision[g, 0] = prior_sd**-2.0
        g, p = self.precision.shape
        self.gram, self.moment = np.zeros((g, p, p)), np.zeros((g, p))
        self.factor, self.mean = np.zeros((g, p, p)), np.zeros((g, p))
        self.weight, self.squares = np.zeros(g), np.zeros(g)  # rounds behind `noise`, their squared residuals
        self.cusum = np.zeros((g, 2))  # of standardized residuals, upwards and downwards
        self.rounds, self.alarms = 0, 0
        self.spread = np.zeros((2, self.arms))  # rounds of each arm, and their squared residuals
        self.shift = self.prior.copy()  # (arms,) prior + v / 2
        self.reference = nan  # log of the first cost
        self.fresh = np.ones(self.arms, dtype=bool)  # of a group that no round has touched
        self.entry = np.zeros(self.arms)  # cost of what must be built before an arm's first round, over the first cost
        self.horizon = inf  # systems that a better arm would serve
        self.best = 0  # arm of the least expected cost, and
        self.last = np.zeros((2, self.arms))  # expected log-costs and their sd in the round last chosen for
        for model in range(g):
            self._refresh(model)

    def noise(self, model: int) -> float:
        """Variance of a round about the model."""
        weight, squares = float(self.weight[model]), float(self.squares[model])
        return (NOISE_ROUNDS * self.prior_noise + squares) / (NOISE_ROUNDS + weight)

    def choose(self, context: Any, rng: np.random.Generator) -> int:
        window = self.window
        chosen, self.best = decide(
            window.vector(context), window.low, window.high, self.basis, self.home, self.factor, self.mean,
            rng.standard_normal(self.mean.shape), self.shift, self.fresh, self.prior_sd, log(self.cutoff), self.entry,
            self.horizon, self.last,
        )  # fmt: skip
        return int(chosen)

    def update(self, arm: int, context: Any, cost: float) -> None:
        y = log(max(self.checked(arm, cost), 1e-300))
        if isnan(self.reference):
            self.reference = y
        window = self.window
        vector = window.vector(context)
        matrix = window.grow(vector)
        if matrix is not None:
            self._move(matrix)
        self.rounds += 1
        if self.fresh[arm]:
            self._open(int(self.home[arm]))
        self.entry[arm] = 0.0
        self.alarms += learn(
            arm, y - self.reference - self.prior[arm], vector, window.low, window.high, self.basis, self.home,
            self.gram, self.moment, self.precision, self.factor, self.mean, self.weight, self.squares, self.cusum,
            self.spread, self.shift, self.prior, self.prior_noise, NOISE_ROUNDS, SPREAD_ROUNDS, self.learn_noise,
            ALLOWANCE, ALARM, 1.0 if self.rounds % FADED else self.discount**FADED, KEPT,
        )  # fmt: skip

    def _open(self, model: int) -> None:
        """From the group's first round on its arms have their own curve, about what they were expected to cost now."""
        arms = self.home == model
        if not self.fresh.all():
            self.prior[arms] = self.last[0, arms]
        self.fresh[arms] = False

    def look(self, context: Any) -> None:
        """Set `last` as `choose` does, without choosing."""
        self.best, _ = outlook(
            self.window.features(self.window.vector(context)), self.basis, self.home, self.factor, self.mean,
            np.zeros_like(self.mean), self.shift, self.fresh, self.prior_sd, self.last,
        )  # fmt: skip

    def bound(self) -> float:
        """Expected cost of the best arm in the round last chosen or looked at, one sd and the noise up."""
        expected, sd = self.last[0, self.best], self.last[1, self.best]
        return exp(expected + sqrt(sd * sd + self.noise(self.home[self.best])) + self.start)

    @property
    def start(self) -> float:
        """Logarithm of the first cost heard; 0 before."""
        return 0.0 if isnan(self.reference) else self.reference

    def predict(self, context: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Expected cost of each arm and the sd of its logarithm, both (arms,). Relative costs before the first
        round."""
        kept = self.last.copy(), self.best
        self.look(context)
        (expected, sd), (self.last, self.best) = self.last, kept
        return self.in_costs(expected), sd

    def expect(self, arms: np.ndarray, prior: np.ndarray) -> None:
        """Change the prior of those of some arms, given as a mask, whose groups no round has touched yet."""
        fresh = arms & self.fresh
        self.prior[fresh] = prior[fresh]
        self.shift[fresh] = prior[fresh]

    def in_costs(self, logarithms: Any) -> Any:
        """Costs from logarithms relative to the first cost."""
        return np.exp(logarithms + self.start)

    def _refresh(self, model: int) -> None:
        """The posterior anew, after anything but one more round changed."""
        noise = self.noise(model)
        posterior(
            self.gram[model], self.moment[model], self.precision[model], noise, self.factor[model], self.mean[model]
        )

    def _move(self, matrix: np.ndarray) -> None:
        """Follow phi to new windows: phi_new = matrix phi_old."""
        wide = np.kron(np.eye(self.basis.shape[1]), matrix)
        for model in range(len(self.mean)):
            self.gram[model] = wide @ self.gram[model] @ wide.T
            self.moment[model] = wide @ self.moment[model]
            self._refresh(model)

    def state(self) -> State:
        return {
            **{name: getattr(self, name).copy() for name in KEPT_ARRAYS},
            "reference": None if isnan(self.reference) else self.reference,
            "window": np.stack([self.window.low, self.window.high]) if self.window.known else None,
            "horizon": None if self.horizon == inf else self.horizon,
            "rounds": self.rounds,
            "alarms": self.alarms,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        for name in KEPT_ARRAYS:
            setattr(self, name, restored(state, name, getattr(self, name).shape))
        if state.get("window") is not None:
            self.window.low, self.window.high = restored(state, "window", (2, self.window.count))
        self.reference = nan if state.get("reference") is None else float(restored(state, "reference", ()))
        self.horizon = inf if state.get("horizon") is None else float(restored(state, "horizon", ()))
        self.rounds, self.alarms = (int(restored(state, name, ())) for name in ("rounds", "alarms"))
        self.fresh = ~np.isin(self.home, self.home[self.spread[0] > 0])
        for model in range(len(self.mean)):
            self._refresh(model)
        self.shift = self.prior + half_variances(self.home, self.spread, len(self.mean), SPREAD_ROUNDS)
