"""The peers of learned hyperparameters: a grid over one common value, and random search, both with exact followers.

A model here is a training problem with a vector of hyperparameters, in NumPy apart from the library: `fit(x, w)`
minimizes it by SciPy's L-BFGS from w, `loss(w)` judges the result on validation data. Each search keeps the x of least
validation loss (plus what F adds for x itself) and stops after the processor seconds it is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import t as student


class Model(Protocol):
    """A lower problem in w and the leader's judgement of it."""

    calls: int  # gradients of the training objective so far

    def fit(self, x: np.ndarray, w: np.ndarray) -> np.ndarray: ...

    def loss(self, x: np.ndarray, w: np.ndarray) -> float: ...

    @property
    def start(self) -> np.ndarray: ...


@dataclass
class Found:
    x: np.ndarray
    w: np.ndarray
    loss: float
    seconds: float
    trials: int
    calls: int


def search(model: Model, candidates: Iterable[np.ndarray], seconds: float = np.inf, calls: float = np.inf) -> Found:
    """The best candidate that the budget reaches; at least one is tried, each is fitted from the last w."""
    begin, before, best, trials, w = time.process_time(), model.calls, None, 0, model.start
    for x in candidates:
        w = model.fit(x, w)
        value = model.loss(x, w)
        trials += 1
        if best is None or value < best[2]:
            best = (x, w, value)
        if time.process_time() - begin > seconds or model.calls - before > calls:
            break
    assert best is not None
    return Found(*best, time.process_time() - begin, trials, model.calls - before)


def minimized(model: Model, value: Callable[[np.ndarray], tuple[float, np.ndarray]], w: np.ndarray) -> np.ndarray:
    """A smooth convex minimum by L-BFGS, its gradients counted."""
    found = minimize(value, w, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "gtol": 1e-6, "ftol": 1e-12})
    model.calls += int(found.nfev)
    return np.asarray(found.x)


class WeightedSoftmax:
    """mean(sigmoid(x_i) CE_i(W)) + decay |W|^2 on training data, judged by the validation CE + 1e-3 mean(x^2)."""

    def __init__(self, split: dict[str, np.ndarray], decay: float = 1e-3) -> None:
        self.A, self.label = split["A"], split["label"].astype(int)
        self.A_validation, self.judged = split["A_validation"], split["label_validation"].astype(int)
        self.decay, self.calls = decay, 0
        self.shape = (self.A.shape[1], split["one_hot"].shape[1])

    @property
    def start(self) -> np.ndarray:
        return np.zeros(self.shape)

    def fit(self, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        weights = expit(x) / len(self.A)

        def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
            W = flat.reshape(self.shape)
            losses, slopes = _cross_entropy(self.A @ W, self.label)
            slope = self.A.T @ (weights[:, None] * slopes) + 2 * self.decay * W
            return float(weights @ losses + self.decay * np.sum(W**2)), slope.ravel()

        return minimized(self, value, w.ravel()).reshape(self.shape)

    def loss(self, x: np.ndarray, w: np.ndarray) -> float:
        return float(_cross_entropy(self.A_validation @ w, self.judged)[0].mean() + 1e-3 * np.mean(x**2))


def _cross_entropy(scores: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(samples,) losses and their (samples, classes) slopes."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    slopes = np.exp(shifted) / total
    rows = np.arange(len(label))
    slopes[rows, label] -= 1
    return np.log(total[:, 0]) - shifted[rows, label], slopes


class RidgedLogistic:
    """mean(log(1 + exp(-s (A w + b)))) + 0.5 sum(exp(x) w^2), judged by validation loss + 1e-4 |x|^2."""

    def __init__(self, split: dict[str, np.ndarray]) -> None:
        self.A, self.s = split["A"], split["label"]
        self.A_validation, self.t = split["A_validation"], split["label_validation"]
        self.calls = 0

    @property
    def start(self) -> np.ndarray:
        return np.zeros(self.A.shape[1] + 1)

    def fit(self, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        strength = np.exp(x)

        def value(v: np.ndarray) -> tuple[float, np.ndarray]:
            margin = self.s * (self.A @ v[:-1] + v[-1])
            pull = -self.s * expit(-margin) / len(self.s)
            slope = np.append(self.A.T @ pull + strength * v[:-1], pull.sum())
            return float(np.logaddexp(0, -margin).mean() + 0.5 * np.sum(strength * v[:-1] ** 2)), slope

        return minimized(self, value, w)

    def loss(self, x: np.ndarray, w: np.ndarray) -> float:
        margin = self.t * (self.A_validation @ w[:-1] + w[-1])
        return float(np.logaddexp(0, -margin).mean() + 1e-4 * np.sum(x**2))


def interval(values: list[float]) -> str:
    """Mean and half the width of its 95 % interval by Student's t; of one value, that alone."""
    count = len(values)
    if count == 1:
        return f"{values[0]:.4f} (1 split)"
    spread = student.ppf(0.975, count - 1) * np.std(values, ddof=1) / np.sqrt(count)
    return f"{np.mean(values):.4f} +- {spread:.4f}"


@dataclass
class Row:
    """One method on one split."""

    accuracy: float
    loss: float
    seconds: float
    calls: float
    status: str = ""


def report(title: str, rows: dict[str, list[Row]]) -> None:
    """One line a method: means with intervals over the splits."""
    print(f"\n{title}")
    print("| method | test accuracy | validation loss F | cpu s, median | calls, median | certified |")
    print("|---|---|---|---|---|---|")
    for name, found in rows.items():
        sure = sum(row.status == "CERTIFIED" for row in found)
        share = f"{sure}/{len(found)}" if any(row.status for row in found) else "-"
        print(
            f"| {name} | {interval([row.accuracy for row in found])} | {interval([row.loss for row in found])} "
            f"| {np.median([row.seconds for row in found]):.2f} | {np.median([row.calls for row in found]):.0f} "
            f"| {share} |",
            flush=True,
        )
