"""Learners against slow, literal versions of themselves, and on bandits whose best arm is known."""

from __future__ import annotations

import json
from decimal import Decimal, getcontext

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from solverkit.errors import UsageError
from solverkit_sor.learners import Binned, ChebCB, ClosedForm, Fixed, LogTS, TsallisINF
from solverkit_sor.learners.closed_form import shifted_gap, sor_relaxation, ssor_relaxation
from solverkit_sor.learners.least_squares import append_row, least_squares, solution_in_box
from solverkit_sor.learners.regression import gain_and_price
from solverkit_sor.learners.tsallis import NEWTON_STEPS, tsallis_probabilities
from solverkit_sor.tuner.saving import plain

Z = np.linspace(-1.0, 1.0, 12)


def learners() -> dict:
    return {
        "iw": TsallisINF(12),
        "rv": TsallisINF(12, "rv", floor=1.0),
        "binned": Binned(12, -1.0, 1.0, 4),
        "chebcb": ChebCB(12, -1.0, 1.0, floor=1.0),
        "log-ts": LogTS(Z, np.repeat([0, 1, 2], 4), contexts=1, discount=0.99),
        "closed-form": ClosedForm(np.linspace(1, 1.9, 12)),
        "fixed": Fixed(12, 3),
    }


def cost(arm: int, context: float, rng: np.random.Generator) -> float:
    """About 20 at the best arm, which moves with the context; up to 200 elsewhere."""
    return 20.0 * np.exp(0.6 * (Z[arm] - 0.8 * context) ** 2) * (1 + 0.05 * rng.standard_normal())


def play(learner, rounds: int, seed: int = 0, shift: float = 0.0) -> float:
    """Mean cost along a context that swings."""
    rng = np.random.default_rng(seed)
    total = 0.0
    for t in range(rounds):
        context = float(np.sin(t / 30)) + shift
        arm = learner.choose(abs(context) if isinstance(learner, ClosedForm) else context, rng)
        paid = cost(arm, context, rng)
        learner.update(arm, abs(context) if isinstance(learner, ClosedForm) else context, paid)
        total += paid
    return total / rounds


# -- Tsallis-INF


def exact_probabilities(losses: np.ndarray, eta: float) -> np.ndarray:
    """The same root by bisection in 60 digits."""
    getcontext().prec = 60
    gaps = [Decimal(float(value)) - Decimal(float(losses.min())) for value in losses]
    rate = Decimal(float(eta))
    low, high = Decimal(2) / rate, Decimal(2) * Decimal(len(gaps)).sqrt() / rate
    for _ in range(150):
        y = (low + high) / 2
        if sum(4 / (rate * (gap + y)) ** 2 for gap in gaps) > 1:
            low = y
        else:
            high = y
    return np.array([float(4 / (rate * (gap + y)) ** 2) for gap in gaps])


@pytest.mark.parametrize("d", [2, 5, 20, 200])
@pytest.mark.parametrize("spread", [0.0, 1e-3, 1.0, 1e3, 1e8])
def test_tsallis_probabilities(d: int, spread: float) -> None:
    rng = np.random.default_rng(d)
    for t in (1, 10_000):
        losses = spread * rng.random(d) + 7.0
        eta = 2.0 / np.sqrt(t)
        p, steps = tsallis_probabilities(losses, eta)
        assert steps <= NEWTON_STEPS
        assert abs(p.sum() - 1.0) <= 1e-12
        np.testing.assert_allclose(p, exact_probabilities(losses, eta), rtol=1e-10, atol=1e-14)
    if spread == 0.0:
        np.testing.assert_allclose(p, 1.0 / d, rtol=1e-12)


def test_importance_weighting_is_unbiased() -> None:
    """Averaged over the draw, both estimators add every arm's own loss, up to one constant for all arms."""
    losses = np.array([3.0, 5.0, 9.0])
    for estimator in ("iw", "rv"):
        added = np.zeros(3)
        for arm in range(3):
            learner = TsallisINF(3, estimator)
            learner.rounds, learner.total = 200, 1000.0
            before = learner.losses.copy()
            law = learner.probabilities().copy()
            learner.update(arm, None, losses[arm])
            added += law[arm] * (learner.losses - before)
        np.testing.assert_allclose(added, losses, rtol=1e-12)


def test_tsallis_beats_uniform_and_finds_a_gap() -> None:
    rng = np.random.default_rng(1)
    for learner in (TsallisINF(10), TsallisINF(10, "rv")):
        plays = np.zeros(10)
        for _ in range(6000):
            arm = learner.choose(None, rng)
            plays[arm] += 1
            learner.update(arm, None, float(rng.random() < (0.2 if arm == 4 else 0.6)))
        assert plays[4] > 0.6 * 6000  # uniform: 600
        assert plays[4] == plays.max()


# -- ChebCB


class LiteralChebCB:
    """Section by section as the authors state it: all rounds kept, everything refitted from them."""

    def __init__(self, arms: int, a: float, b: float, m: int) -> None:
        self.d, self.a, self.bma, self.m = arms, a, b - a, m
        self.actions, self.features, self.losses, self.predicted = [], [], [], []
        self.theta, self.eta, self.scale = np.zeros((arms, m)), 0.0, 0.0

    def feature(self, c: float) -> np.ndarray:
        return np.cos(np.arange(self.m) * np.arccos(2 * (c - self.a) / self.bma - 1))

    def law(self, c: float) -> np.ndarray:
        y = self.theta @ self.feature(c)
        p = 1.0 / (self.d + self.eta * (y - y.min()))
        p[np.argmin(y)] = 0.0
        p[np.argmin(y)] = 1.0 - p.sum()
        return p

    def update(self, arm: int, c: float, loss: float) -> None:
        self.predicted.append(self.theta[arm] @ self.feature(c))
        self.actions.append(arm)
        self.features.append(self.feature(c))
        self.losses.append(loss)
        losses, actions, features = np.array(self.losses), np.array(self.actions), np.array(self.features)
        K = losses.max()
        L = (losses.max() - losses.min()) / self.bma
        N = 2 + 4 * self.bma * L / K * (1 + np.log(self.m))
        changed = self.scale != K * N
        self.scale = K * N
        bound = np.concatenate(([1 / N], 2 * self.bma * L / self.scale / np.arange(1, self.m)))
        resid = 0.0
        for i in range(self.d):
            mine = actions == i
            if (changed or i == arm) and mine.any():
                F, y = features[mine], (losses[mine] - 1) / self.scale
                self.theta[i] = np.linalg.lstsq(F, y, rcond=1e-12)[0]
                if np.any(np.abs(self.theta[i]) > bound):
                    box = np.maximum(bound, 1e-300)
                    self.theta[i] = lsq_linear(F, y, (-box, box), method="bvls", tol=1e-14).x
                    resid = np.sum((F @ self.theta[i] - y) ** 2)
        t = len(losses)
        alpha = (np.pi + 2 / np.pi * np.log(2 * self.m + 1)) * self.bma * L / (2 * self.scale * (self.m + 1))
        R = np.sum((np.array(self.predicted) - losses / self.scale) ** 2)
        self.eta = 2 * t * np.sqrt(self.d * t / (R - resid + 2 * alpha**2 * t))


def test_chebcb_against_the_literal_version() -> None:
    """The same law, round after round, from where the fits are unique."""
    rng = np.random.default_rng(0)
    ours, literal = ChebCB(4, -0.15, 0.65, 3, floor=1.0), LiteralChebCB(4, -0.15, 0.65, 3)
    boxed = 0
    for t in range(160):
        c = float(-0.15 + 0.8 * rng.random())
        if t >= 24:
            np.testing.assert_allclose(ours.probabilities(c), literal.law(c), rtol=1e-6, atol=1e-9)
            assert ours.eta == pytest.approx(literal.eta, rel=1e-7)
        arm = t % 4
        loss = 20.0 + 100.0 * abs(c - 0.2 * arm) + (300.0 if t == 90 else 0.0) + float(rng.integers(0, 9))
        ours.update(arm, c, loss)
        literal.update(arm, c, loss)
        boxed += bool(np.any(np.abs(ours.theta - ours.plain) > 1e-9))
    assert 0 < boxed < 160  # both ways through the fit were taken


def test_least_squares_in_a_box() -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        F, y = rng.standard_normal((9, 5)), rng.standard_normal(9)
        r, q = np.zeros((5, 5)), np.zeros(5)
        rest = sum(append_row(r, q, row, target) for row, target in zip(F, y, strict=True))
        plain = least_squares(r, q)
        np.testing.assert_allclose(plain, np.linalg.lstsq(F, y)[0], rtol=1e-9, atol=1e-12)
        assert np.sum((r @ plain - q) ** 2) + rest == pytest.approx(np.sum((F @ plain - y) ** 2))
        bound = 0.3 * rng.random(5)
        ours = solution_in_box(r, q, bound, plain)
        assert np.all(np.abs(ours) <= bound)
        best = lsq_linear(F, y, (-bound, bound), method="bvls").x
        np.testing.assert_allclose(ours, best, rtol=1e-7, atol=1e-9)


def test_few_rows_give_the_shortest_fit() -> None:
    F, y = np.array([[1.0, 0.5, -0.5]]), np.array([2.0])
    r, q = np.zeros((3, 3)), np.zeros(3)
    append_row(r, q, F[0], y[0])
    np.testing.assert_allclose(least_squares(r, q), np.linalg.pinv(F) @ y, rtol=1e-12)


# -- Thompson sampling


def test_posterior_is_that_of_dense_regression() -> None:
    """Also after the window of the context has grown many times: features are then those of the last window."""
    rng = np.random.default_rng(0)
    learner = LogTS(Z, contexts=2, learn_noise=False, precision=2.0)
    rounds = []
    for t in range(60):
        context = rng.standard_normal(2) * (1 + t)
        arm = int(rng.integers(12))
        paid = float(np.exp(rng.standard_normal()))
        learner.update(arm, context, paid)
        rounds.append((arm, context, np.log(paid)))
    phi = np.array([learner.window.features(context) for _, context, _ in rounds])
    B = learner.basis[[arm for arm, _, _ in rounds]]
    X = np.einsum("ti,tj->tij", B, phi).reshape(60, -1)
    y = np.array([value for *_, value in rounds]) - rounds[0][2]
    precision = np.diag(learner.precision[0]) + X.T @ X / 0.08**2
    np.testing.assert_allclose(learner.mean[0], np.linalg.solve(precision, X.T @ y / 0.08**2), rtol=1e-5, atol=1e-7)
    C = learner.factor[0]
    np.testing.assert_allclose(np.tril(C) @ np.tril(C).T, precision, rtol=1e-6, atol=1e-6)


def test_samples_follow_the_posterior() -> None:
    learner = LogTS(np.array([-1.0, 1.0]), learn_noise=False, cutoff=1e9)
    rng = np.random.default_rng(0)
    for arm, paid in ((0, 1.0), (1, 1.05)):
        learner.update(arm, (), paid)
    learner.look(())
    mean, sd = learner.last
    # The two arms have independent values up to the shared intercept; their difference is normal.
    row = learner.basis[1] - learner.basis[0]
    C = np.tril(learner.factor[0])
    spread = np.sqrt(row @ np.linalg.solve(C @ C.T, row))
    from scipy.stats import norm

    wins = np.mean([learner.choose((), rng) == 0 for _ in range(1500)])
    assert wins == pytest.approx(norm.cdf((mean[1] - mean[0]) / spread), abs=0.05)
    assert np.all(sd > 0)


def test_contexts_pay() -> None:
    best_fixed = min(play(Fixed(12, arm), 800) for arm in (4, 5, 6, 7))
    with_context = play(LogTS(Z, contexts=1), 800)
    assert with_context < 0.97 * best_fixed
    assert with_context < 1.04 * 20.0
    assert play(ChebCB(12, -1.0, 1.0, floor=1.0), 3000) < play(TsallisINF(12), 3000)


def test_without_context_the_mean_counts_not_the_geometric_mean() -> None:
    """Arm 0 costs 1 or 400, arm 1 always 30: cheaper by logarithms, dearer by far in total."""
    rng = np.random.default_rng(2)
    learner = LogTS(np.array([-1.0, 1.0]))
    for t in range(10):
        learner.update(0, (), 1.0 if t % 2 else 400.0)
        learner.update(1, (), 30.0)
    plays = np.zeros(2)
    for t in range(600):
        arm = learner.choose((), rng)
        plays[arm] += 1
        learner.update(arm, (), (1.0 if t % 2 else 400.0) if arm == 0 else 30.0)
    assert plays[1] > 500


def test_drift_is_followed() -> None:
    """After 300 rounds the costs of the best and the worst arm change places."""
    rng = np.random.default_rng(4)
    learner = LogTS(Z)
    late = []
    for t in range(500):
        arm = learner.choose((), rng)
        place = Z[arm] if t < 300 else -Z[arm]
        learner.update(arm, (), float(10.0 * np.exp(place) * (1 + 0.03 * rng.standard_normal())))
        late.append(place)
    assert learner.alarms >= 1
    assert np.mean(late[250:300]) < -0.7
    assert np.mean(late[450:]) < -0.7


def test_dear_arms_are_left_alone() -> None:
    rng = np.random.default_rng(0)
    learner = LogTS(np.zeros(3), [0, 1, 2], prior=np.log([1.0, 1.1, 50.0]), prior_sd=0.5)
    arms = [learner.choose((), rng) for _ in range(500)]
    assert 2 not in arms
    assert {0, 1} <= set(arms)


# -- closed form


@pytest.mark.parametrize(("gap", "sd"), [(0.0, 0.3), (0.4, 0.25), (-0.5, 0.1), (1.0, 0.6)])
def test_what_a_trial_brings_and_costs(gap: float, sd: float) -> None:
    """Against the mean over many draws of the arm's cost, that of the best arm being 1."""
    costs = np.exp(gap + sd * np.random.default_rng(0).standard_normal(400_000))
    gain, price = gain_and_price(gap, sd, 0.5)
    assert gain == pytest.approx(np.maximum(1.0 - costs, 0.0).mean(), rel=0.03, abs=2e-4)
    assert price == pytest.approx(max(costs.mean() - 1.0, 0.0) + 0.5, rel=0.02)


def test_an_arm_is_tried_where_the_horizon_pays_for_it() -> None:
    """It may be a little better, and something must be built for it first."""
    tried = {}
    for horizon in (5.0, 500.0):
        learner, rng = LogTS(np.zeros(2), [0, 1], prior=np.log([1.0, 1.1]), prior_sd=0.25), np.random.default_rng(0)
        learner.update(0, None, 10.0)
        learner.horizon, learner.entry[1] = horizon, 5.0
        tried[horizon] = sum(learner.choose(None, rng) for _ in range(100))
    assert tried[5.0] == 0
    assert tried[500.0] > 10


def test_closed_form() -> None:
    m = 10
    line = 2 * np.eye(m) - np.eye(m, k=1) - np.eye(m, k=-1)
    A = np.kron(line, np.eye(m)) + np.kron(np.eye(m), line)
    gap = np.linalg.eigvalsh(A)[0] / 4
    for c in (0.3, 2.0):
        shifted = np.linalg.eigvalsh(A + c * np.eye(m * m))[0] / (4 + c)
        assert shifted_gap(gap, 4.0, c) == pytest.approx(shifted, rel=1e-10)
    D, L, U = 4 * np.eye(m * m), np.tril(A, -1), np.triu(A, 1)

    def radius(w: float) -> float:
        return np.abs(np.linalg.eigvals(np.linalg.solve(D / w + L, (1 / w - 1) * D - U))).max()

    best = sor_relaxation(gap)
    assert radius(best) < min(radius(best - 0.05), radius(best + 0.05))
    assert ssor_relaxation(0.0) == 1.9
    assert ssor_relaxation(2.0) == 1.0
    grid = np.linspace(1, 1.95, 20)
    arm = ClosedForm(grid).choose(gap, np.random.default_rng(0))
    assert abs(grid[arm] - ssor_relaxation(gap)) <= 0.025 + 1e-12


# -- what all of them promise


@pytest.mark.parametrize("name", list(learners()))
def test_saved_and_loaded_makes_the_same_decisions(name: str) -> None:
    first, second = learners()[name], learners()[name]
    play(first, 90, shift=0.1)
    second.load(json.loads(json.dumps(plain(first.state()))))
    assert play(first, 90, seed=7) == play(second, 90, seed=7)
    assert json.dumps(plain(first.state())) == json.dumps(plain(second.state()))


@pytest.mark.parametrize("name", list(learners()))
def test_decisions_depend_on_the_seed_alone(name: str) -> None:
    assert play(learners()[name], 60, seed=5) == play(learners()[name], 60, seed=5)


@pytest.mark.parametrize("name", ["iw", "binned", "chebcb", "log-ts"])
def test_what_cannot_be_used_is_refused(name: str) -> None:
    learner = learners()[name]
    with pytest.raises(UsageError, match="cost"):
        learner.update(0, 0.5, float("nan"))
    with pytest.raises(UsageError, match="arm 12"):
        learner.update(12, 0.5, 1.0)
    with pytest.raises(UsageError, match="saved"):
        learner.load({"losses": [1.0], "bins": [], "gram": [[float("nan")]]})
    if name in ("binned", "chebcb"):
        with pytest.raises(UsageError, match="context"):
            learner.choose(None, np.random.default_rng(0))
    if name == "log-ts":
        with pytest.raises(UsageError, match="made for 1"):
            learner.choose([0.0, 1.0], np.random.default_rng(0))


@pytest.mark.parametrize("name", ["iw", "rv", "binned", "chebcb"])
def test_probabilities_are_those_of_the_draws(name: str) -> None:
    learner = learners()[name]
    play(learner, 200)
    rng = np.random.default_rng(0)
    law = learner.probabilities(0.3)
    assert law.min() >= 0
    assert law.sum() == pytest.approx(1.0, abs=1e-12)
    counts = np.bincount([learner.choose(0.3, rng) for _ in range(4000)], minlength=12) / 4000
    assert np.abs(counts - law).max() < 0.04
