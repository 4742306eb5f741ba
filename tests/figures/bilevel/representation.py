"""Digits through a hidden layer of 8: learned by validation loss, left random, or trained jointly with the heads.

All rows end with heads fitted to the 300 training images by L-BFGS. `random layer` keeps the start; `joint` minimizes
the training loss over layer and heads together, with the weights of both levels (1e-4 |R|^2 + 1e-3 |W|^2); `joint, both
sets` does so on training and validation images, which is all that the leader sees; `raw pixels` has no layer.
"""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

import solverkit as sk
from solverkit_bilevel.generators import digits_split
from solverkit_bilevel.generators.accuracy import representation_accuracy, softmax_accuracy
from tests.figures.bilevel._budget import Row, report
from tests.figures.bilevel._runs import run

PROBLEM = Path(__file__).parents[3] / "problems" / "bilevel" / "digits-representation" / "problem.yaml"
METHODS = ("implicit-gradient", "penalty", "bo-rep")
SLOW = ("nested", "kkt-ipopt", "lv-hba")  # one split: dense in 600 variables, or derivative-free in 520
SEEDS = 10
SIZES = {"train": 300, "validation": 300, "width": 8}
SECONDS = 5.0  # processor seconds at most


def logistic(scores: np.ndarray, sign: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean of log(1 + exp(-sign score)) and its slopes in the scores."""
    margin = sign * scores
    return float(np.logaddexp(0, -margin).mean()), -sign * expit(-margin) / margin.size


def heads(features: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """W of the lower level, features given."""

    def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
        W = flat.reshape(features.shape[1], -1)
        loss, slopes = logistic(features @ W, sign)
        return loss + 1e-3 * float(np.sum(W**2)), (features.T @ slopes + 2e-3 * W).ravel()

    start = np.zeros(features.shape[1] * sign.shape[1])
    found = minimize(value, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "gtol": 1e-7, "ftol": 1e-13})
    return np.asarray(found.x).reshape(features.shape[1], -1)


def joint(A: np.ndarray, sign: np.ndarray, R: np.ndarray, W: np.ndarray) -> np.ndarray:
    """The layer that minimizes the training loss together with the heads."""

    def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
        layer, top = flat[: R.size].reshape(R.shape), flat[R.size :].reshape(W.shape)
        hidden = np.tanh(A @ layer)
        loss, slopes = logistic(hidden @ top, sign)
        back = A.T @ ((slopes @ top.T) * (1 - hidden**2))
        total = loss + 1e-4 * float(np.sum(layer**2)) + 1e-3 * float(np.sum(top**2))
        return total, np.concatenate([(back + 2e-4 * layer).ravel(), (hidden.T @ slopes + 2e-3 * top).ravel()])

    start = np.concatenate([R.ravel(), W.ravel()])
    found = minimize(value, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "gtol": 1e-7, "ftol": 1e-13})
    return np.asarray(found.x[: R.size]).reshape(R.shape)


def measure(seed: int, methods: tuple[str, ...], rows: dict[str, list[Row]]) -> None:
    split = digits_split(seed=seed, **SIZES)
    A, sign, test, label = split["A"], split["sign"], split["A_test"], split["label_test"]

    def note(name: str, R: np.ndarray, seconds: float, calls: float = np.nan, status: str = "") -> None:
        W = heads(np.tanh(A @ R), sign)
        judged = logistic(np.tanh(split["A_validation"] @ R) @ W, split["sign_validation"])[0]
        loss = judged + 1e-4 * float(np.sum(R**2))
        rows[name].append(Row(representation_accuracy(R, W, test, label), loss, seconds, calls, status))

    random = split["features"]
    note("random layer", random, 0.0)
    first = heads(np.tanh(A @ random), sign)
    both = np.vstack([A, split["A_validation"]]), np.vstack([sign, split["sign_validation"]])
    for name, (images, signs) in {"joint": (A, sign), "joint, both sets": both}.items():
        begin = time.process_time()
        note(name, joint(images, signs, random, first), time.process_time() - begin)
    pixels = heads(A, sign)
    judged = logistic(split["A_validation"] @ pixels, split["sign_validation"])[0]
    rows["raw pixels"].append(Row(softmax_accuracy(pixels, test, label), judged, 0.0, np.nan))
    for method in (*methods, *(SLOW if seed == 0 else ())):
        took = run(sk.load(PROBLEM, parameters={"seed": seed}), method, SECONDS)
        if took is None:
            continue
        result, seconds, calls = took
        note(method, result.point["R"], seconds, calls, result.point_status.name)


def main() -> None:
    rows: dict[str, list[Row]] = defaultdict(list)
    for seed in range(SEEDS):
        measure(seed, METHODS, rows)
    report(f"300 training, 300 validation, 1,197 test images; {SEEDS} splits", rows)
