"""Graphs from data, judged by refits from the samples and by all neighbours (`tests/dag/adversary.py`).

Wrong: a cycle, an edge against the order, or three times what the certificate tolerates could be gained by a refit, a
swap, an insertion, or, of bic, a change of one edge.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from solverkit.kinds.base import Point
from solverkit.kinds.dag.certificate import certify
from tests.dag.adversary import WRONG, Judge, trials
from tests.verdicts.subject import Subject

SCORES = ("least-squares", "bic", "lasso", "logistic", "least-squares", "bic")


def subjects(rng: np.random.Generator) -> Iterator[Subject]:
    """Without an end; each has all the wrong points of its problem."""
    while True:
        for score in SCORES:
            held: dict[int, tuple] = {}
            for _, data, sort, problem, judge, point in trials(rng, (score,)):
                if id(problem) not in held:
                    if held:
                        yield _subject(*next(iter(held.values())))
                    held = {id(problem): (f"{score}, {data}", problem, judge, point, [])}
                else:
                    held[id(problem)][-1].append((sort, point))
            if held:
                yield _subject(*next(iter(held.values())))


def _subject(name: str, problem, judge: Judge, right: Point, others: list[tuple[str, Point]]) -> Subject:
    """A vector is W alone, row by row, or W and after it the order."""
    d = problem.d

    def blocks(v: np.ndarray) -> Point:
        W = v[: d * d].reshape(d, d)
        return {"W": W, "order": v[d * d :]} if len(v) > d * d else {"W": W}

    def error(v: np.ndarray) -> float:
        order = v[d * d :]
        if not np.isfinite(v).all() or (len(order) and not np.array_equal(np.sort(order), np.arange(d))):
            return np.inf
        return judge.defect(blocks(v)) / WRONG

    def flat(point: Point) -> np.ndarray:
        parts = [np.asarray(point["W"], float).ravel(), np.asarray(point.get("order", np.zeros(0)), float)]
        return np.concatenate(parts)

    def own(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
        return ((sort, flat(point)) for sort, point in others)

    return Subject(name, problem, flat(right), error, certify, blocks, own)
