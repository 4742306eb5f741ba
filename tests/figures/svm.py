"""Support vector machine on breast cancer data: learned sample weights against a 5-fold grid search, 20 splits."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.svm import LinearSVC

import solverkit as sk
from solverkit_bilevel.generators import breast_cancer_split

PROBLEM = Path(__file__).parents[2] / "problems" / "bilevel" / "svm-breast-cancer" / "problem.yaml"
SPLITS = 20
GRID = {"C": list(10.0 ** np.arange(-4.0, 3.0))}
KEYS = ("A", "label", "A_validation", "label_validation")


def ours(split: dict[str, np.ndarray]) -> tuple[float, float, float, str]:
    """Test accuracy, seconds, validation loss and status of LV-HBA from the file's start."""
    problem = sk.load(PROBLEM, data={key: split[key] for key in KEYS})
    begin = time.perf_counter()
    result = sk.solve(problem, method="lv-hba", max_time=20)
    seconds = time.perf_counter() - begin
    side = split["A_test"] @ result.point["w"] + result.point["b"]
    return float(np.mean(np.sign(side) == split["label_test"])), seconds, result.fun, result.point_status.name


def grid(split: dict[str, np.ndarray]) -> tuple[float, float]:
    """Test accuracy and seconds of one common weight picked by 5-fold cross validation on training and validation."""
    features = np.vstack([split["A"], split["A_validation"]])
    labels = np.concatenate([split["label"], split["label_validation"]])
    begin = time.perf_counter()
    search = GridSearchCV(LinearSVC(loss="squared_hinge", dual="auto", max_iter=20000), GRID, cv=5)
    search.fit(features, labels)
    return float(search.score(split["A_test"], split["label_test"])), time.perf_counter() - begin


def table(flip: float) -> None:
    rows = []
    statuses: dict[str, int] = {}
    for seed in range(SPLITS):
        split = breast_cancer_split(seed=seed, train=250, validation=150, flip=flip)
        accuracy, seconds, loss, status = ours(split)
        statuses[status] = statuses.get(status, 0) + 1
        rows.append((accuracy, seconds, loss, *grid(split)))
    mean, deviation = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(SPLITS)
    median = np.median(rows, axis=0)
    print(f"labels flipped: {flip:.0%}; {SPLITS} splits; status: {statuses}")
    for name, at, loss in (("lv-hba", 0, f"   F {mean[2]:.3f}"), ("grid search", 3, "")):
        accuracy = f"accuracy {mean[at]:.4f} +- {deviation[at]:.4f}"
        print(f"  {name:<12} {accuracy}   median seconds {median[at + 1]:.2f}{loss}", flush=True)


def main() -> None:
    table(0.0)
    table(0.4)
