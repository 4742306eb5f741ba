"""Digits with 30 and 50 % wrong training labels: 400 learned weights against grid and random search, 10 splits.

Grid: one common log-odds for all images, which is the decay of a plain softmax regression, in 33 values. Random: 400
log-odds drawn apart, as long as `implicit-gradient` took, and with as many gradients as it took oracle calls. `no
cleaning` has all weights one half; `validation images alone` trains on the clean judges and forgets the rest; `clean
labels only` is the grid over the images whose labels are right. Processor seconds, certificates left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import solverkit as sk
from solverkit_bilevel.generators import digits_split
from solverkit_bilevel.generators.accuracy import softmax_accuracy
from tests.figures.bilevel._budget import Row, WeightedSoftmax, report, search
from tests.figures.bilevel._runs import run

PROBLEMS = Path(__file__).parents[3] / "problems" / "bilevel"
METHODS = ("implicit-gradient", "penalty", "bo-rep", "nested", "kkt-ipopt", "lv-hba")
SEEDS = 10
SECONDS = 6.0  # processor seconds at most
SLOW = ("nested", "kkt-ipopt", "lv-hba")  # far from an answer in that time, or dense in 1,050 variables: one split


def common(size: int) -> list[np.ndarray]:
    return [np.full(size, value) for value in np.linspace(-8, 8, 33)]


def drawn(size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    while True:
        yield rng.normal(scale=3.0, size=size)


def clean(split: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The training images whose labels are right."""
    kept = split["flipped"] == 0
    return split | {key: split[key][kept] for key in ("A", "label", "one_hot")}


def measure(percent: int, seed: int, methods: tuple[str, ...], rows: dict[str, list[Row]]) -> None:
    split = digits_split(seed=seed, flip=percent / 100)
    model = WeightedSoftmax(split)

    def note(name: str, W: np.ndarray, loss: float, seconds: float, calls: float, status: str = "") -> None:
        accuracy = softmax_accuracy(W, split["A_test"], split["label_test"])
        rows[name].append(Row(accuracy, loss, seconds, calls, status))

    def tell(name: str, candidates: object, judge: WeightedSoftmax = model, **budget: float) -> None:
        found = search(judge, candidates, **budget)  # type: ignore[arg-type]
        note(name, found.w, found.loss, found.seconds, found.calls)

    n = len(split["A"])
    tell("no cleaning", [np.zeros(n)])
    tell("grid", common(n))
    judges = {"A": split["A_validation"], "label": split["label_validation"], "one_hot": split["one_hot_validation"]}
    tell("validation images alone", [np.zeros(len(split["A_validation"]))], WeightedSoftmax(split | judges))
    right = clean(split)
    tell("clean labels only", common(len(right["A"])), WeightedSoftmax(right))
    for method in methods:
        if method in SLOW and seed:
            continue
        problem = sk.load(PROBLEMS / f"digits-cleaning-{percent}" / "problem.yaml", parameters={"seed": seed})
        took = run(problem, method, SECONDS)
        if took is None:
            continue
        result, seconds, calls = took
        note(method, result.point["W"], result.fun, seconds, calls, result.point_status.name)
        if method == "implicit-gradient":
            rng = np.random.default_rng(seed)
            tell("random, its seconds", drawn(n, rng), seconds=seconds)
            tell("random, its calls", drawn(n, rng), calls=calls)


def main() -> None:
    for percent in (30, 50):
        rows: dict[str, list[Row]] = defaultdict(list)
        for seed in range(SEEDS):
            measure(percent, seed, METHODS, rows)
        report(f"{percent} % of the labels flipped, {SEEDS} splits", rows)
