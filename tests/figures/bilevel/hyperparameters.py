"""Logistic regression on breast cancer data: 30 learned penalties against grid and random search, 10 splits.

Grid: one common penalty, 33 values of its logarithm from -12 to 4. Random: 30 logarithms drawn apart, with the
processor seconds and with the oracle calls of `implicit-gradient`. `start` is the file's: all penalties exp(-2).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import solverkit as sk
from solverkit_bilevel.generators import breast_cancer_split
from solverkit_bilevel.generators.accuracy import linear_accuracy
from tests.figures.bilevel._budget import RidgedLogistic, Row, report, search
from tests.figures.bilevel._runs import run

PROBLEM = Path(__file__).parents[3] / "problems" / "bilevel" / "breast-cancer-log-l2" / "problem.yaml"
METHODS = ("implicit-gradient", "penalty", "bo-rep", "lv-hba", "kkt-ipopt", "nested")
SEEDS = 10
SECONDS = 5.0  # processor seconds at most
START = -2.0


def drawn(size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    while True:
        yield rng.uniform(-12, 4, size)


def measure(seed: int, methods: tuple[str, ...], rows: dict[str, list[Row]]) -> None:
    split = breast_cancer_split(seed=seed)
    model = RidgedLogistic(split)
    n = split["A"].shape[1]

    def note(name: str, w: np.ndarray, b: float, loss: float, seconds: float, calls: float, status: str = "") -> None:
        accuracy = linear_accuracy(w, b, split["A_test"], split["label_test"])
        rows[name].append(Row(accuracy, loss, seconds, calls, status))

    def tell(name: str, candidates: object, **budget: float) -> None:
        found = search(model, candidates, **budget)  # type: ignore[arg-type]
        note(name, found.w[:-1], float(found.w[-1]), found.loss, found.seconds, found.calls)

    tell("start", [np.full(n, START)])
    tell("grid", [np.full(n, value) for value in np.linspace(-12, 4, 33)])
    for method in methods:
        took = run(sk.load(PROBLEM, parameters={"seed": seed}), method, SECONDS)
        if took is None:
            continue
        result, seconds, calls = took
        point = result.point
        note(method, point["w"], float(point["b"]), result.fun, seconds, calls, result.point_status.name)
        if method == "implicit-gradient":
            rng = np.random.default_rng(seed)
            tell("random, its seconds", drawn(n, rng), seconds=seconds)
            tell("random, its calls", drawn(n, rng), calls=calls)


def main() -> None:
    rows: dict[str, list[Row]] = defaultdict(list)
    for seed in range(SEEDS):
        measure(seed, METHODS, rows)
    report(f"250 training, 150 validation, 169 test samples; {SEEDS} splits", rows)
