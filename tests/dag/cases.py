"""Small structure learning problems and their brute-force answers."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from solverkit.kinds.dag import dag
from solverkit.kinds.dag.generators import linear_sem
from solverkit.kinds.dag.problem import Dag


def problem(d: int = 5, seed: int = 0, n: int = 200, **arguments) -> Dag:
    made = linear_sem(d=d, edges=1.2, n=n, seed=seed)
    return dag(made["X"], truth=made["W"], **arguments)


def refitted(problem: Dag, order) -> np.ndarray:
    """(d, d): least squares of every variable on all before it, from the samples, one by one."""
    X, W = problem.samples, np.zeros((problem.d, problem.d))
    for place, j in enumerate(order):
        before = list(order[:place])
        if before:
            W[before, j] = np.linalg.lstsq(X[:, before], X[:, j], rcond=None)[0]
    return W


def score(problem: Dag, W: np.ndarray) -> float:
    """Half the mean squared residual, from the samples."""
    return 0.5 * float(((problem.samples - problem.samples @ W) ** 2).sum()) / len(problem.samples)


def neighbours(order):
    """All orders one swap or one insertion away."""
    d = len(order)
    for a in range(d):
        for b in range(d):
            if a < b:
                swapped = list(order)
                swapped[a], swapped[b] = swapped[b], swapped[a]
                yield swapped
            if a != b:
                inserted = list(order)
                inserted.insert(b, inserted.pop(a))
                yield inserted


def locally_best(problem: Dag, slack: float = 1e-9) -> list[tuple[int, ...]]:
    """Orders that no swap and no insertion improves, by refits of all of them."""
    scores = {order: score(problem, refitted(problem, order)) for order in permutations(range(problem.d))}
    return [
        order
        for order in scores
        if all(scores[tuple(other)] >= scores[order] * (1 - slack) for other in neighbours(order))
    ]
