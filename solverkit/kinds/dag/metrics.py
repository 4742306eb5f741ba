"""How far a graph is from a true one.

| measure | meaning |
|---|---|
| shd | structural Hamming distance: pairs of variables that are joined otherwise; a reversed edge counts once |
| cpdag_shd | the same between the Markov classes: what a score that cannot tell directions apart is to be judged by |
| sid | structural intervention distance (Peters and Buehlmann 2015, arXiv 1306.1043): ordered pairs (i, j) whose
  intervention effect is wrong when the parents of i in the graph are adjusted for |
| precision, recall | of directed edges; recall is also called TPR, and 1 - precision FDR |
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.kinds.dag.acyclic import closure
from solverkit.kinds.dag.markov import cpdag


@dataclass(frozen=True)
class Distances:
    """All measures at once; `sid` is -1 where there are too many variables for it."""

    shd: int
    cpdag_shd: int
    sid: int
    precision: float
    recall: float


LARGEST_SID = 150
"""Variables up to which `distances` works out sid."""


def distances(found: np.ndarray, truth: np.ndarray) -> Distances:
    """Of a graph from the true one, both (d, d), acyclic, nonzero entries being edges."""
    A, B = found != 0, truth != 0
    hits = float((A & B).sum())
    return Distances(
        shd=shd(A, B),
        cpdag_shd=shd(cpdag(A), cpdag(B)),
        sid=sid(A, B) if len(A) <= LARGEST_SID else -1,
        precision=hits / A.sum() if A.any() else 1.0,
        recall=hits / B.sum() if B.any() else 1.0,
    )


def shd(found: np.ndarray, truth: np.ndarray) -> int:
    """Pairs {i, j} that are joined differently; masks may hold undirected edges as both directions."""
    different = (found != truth) | (found != truth).T
    return int(np.triu(different, 1).sum())


def sid(found: np.ndarray, truth: np.ndarray) -> int:
    """Ordered pairs (i, j), i != j, for which the parents of i in `found` are no valid adjustment set for the effect of
    i on j in `truth`; where j is such a parent, no effect is claimed, which is wrong where `truth` has one."""
    below = closure(truth)
    return sum(_wrong_effects(i, found[:, i], truth, below) for i in range(len(found)))


def _wrong_effects(i: int, given: np.ndarray, truth: np.ndarray, below: np.ndarray) -> int:
    d = len(truth)
    others = np.arange(d) != i
    wrong = given & below[i]
    open_by_parents = _active(truth, below, given, i, np.flatnonzero(truth[:, i]), down=False)
    children = np.flatnonzero(truth[i])
    open_by_child = [_active(truth, below, given, i, np.array([child]), down=True) for child in children]
    # what lies below a variable, other than i, on a causal path must not be adjusted for
    spoiled = (below & given).any(axis=1) | given
    for j in np.flatnonzero(others & ~given):
        causal = below[i] & (below[:, j] | (np.arange(d) == j))
        if (causal & spoiled).any() or open_by_parents[j]:
            wrong[j] = True
            continue
        starts = [k for k, child in enumerate(children) if not (child == j or below[child, j])]
        wrong[j] = any(open_by_child[k][j] for k in starts)
    return int(wrong[others].sum())


def _active(
    truth: np.ndarray, below: np.ndarray, given: np.ndarray, source: int, first: np.ndarray, down: bool
) -> np.ndarray:
    """(d,) bool: what a path from `source` through one of `first` reaches, open given `given` (Bayes ball).

    down : whether `first` are children, reached along an arrow, or parents. The path does not come back to `source`.
    """
    opened = given | (below & given).any(axis=1)  # a collider with a given one below it
    reached, seen = np.zeros(len(truth), dtype=bool), set()
    waiting = [(int(node), down) for node in first]
    while waiting:
        node, along = waiting.pop()
        if (node, along) in seen or node == source:
            continue
        seen.add((node, along))
        if not given[node]:
            reached[node] = True
            waiting += [(int(child), True) for child in np.flatnonzero(truth[node])]
            if not along:
                waiting += [(int(parent), False) for parent in np.flatnonzero(truth[:, node])]
        if along and opened[node]:
            waiting += [(int(parent), False) for parent in np.flatnonzero(truth[:, node])]
    return reached
