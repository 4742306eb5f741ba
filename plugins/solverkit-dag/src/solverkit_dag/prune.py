"""`pruned`: the sparse graph of an order, by backward elimination along a path of BIC prices.

For each variable all before it are parents at first; the parent whose loss raises the residual variance v least is
dropped, again and again. The elimination stops where the next loss would cost more than an edge does:

    (1/2) log(v' / v) >= (c log n + 2 gamma log d) / (2 n)

The sequence does not depend on the price, so that one elimination gives the graphs of all prices: the path. c = 1,
gamma = 0 is BIC, which lets in the fraction P(chi2_1 > log n) of all absent pairs: 0.9 % at n = 1000, that is 40 wrong
edges at d = 100. gamma = 1, the default, is the extended BIC of Chen and Chen (2008), made for many candidates. A fixed
threshold on |W| does not do this: what a weight means depends on the units of both its variables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.dag.knowledge import Knowledge
from solverkit_dag.kernels.eliminate import eliminate
from solverkit_dag.kernels.factor import factor


@dataclass(frozen=True)
class Path:
    """The eliminations of every variable: what is left at any price."""

    n: int
    parents: tuple[np.ndarray, ...]  # by variable: its parents at first
    sequences: tuple[np.ndarray, ...]  # those dropped, in turn
    variances: tuple[np.ndarray, ...]  # residual variance before the first loss and after each

    def edges(self, cost: float = 1.0, gamma: float = 1.0) -> np.ndarray:
        """The graph at a price, (d, d) bool. cost: c; gamma: of the extended BIC, 0 for BIC."""
        graph = np.zeros((len(self.parents), len(self.parents)), dtype=bool)
        price = (cost * np.log(self.n) + 2 * gamma * np.log(len(self.parents))) / (2 * self.n)
        for u, parents in enumerate(self.parents):
            pays = 0.5 * np.diff(np.log(self.variances[u])) >= price
            stop = int(np.argmax(pays)) if pays.any() else len(pays)
            graph[parents, u] = True
            graph[self.sequences[u][:stop], u] = False
        return graph


def prune_path(gram: np.ndarray, n: int, order: np.ndarray, known: Knowledge | None = None) -> Path:
    """The path of an order. gram: (d, d) S, positive definite; n: samples behind it. O(d^4 / 12)."""
    if n < 2:
        raise UsageError(f"a BIC price needs at least 2 samples, and n = {n}")
    known = known or Knowledge.none(len(order))
    order = np.asarray(order, dtype=np.int64)
    upper, inverse = factor(gram, order)
    d = len(order)
    K = np.zeros((d, d))  # in positions: the inverse of the block of those before
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = [(np.zeros(0, np.int64),) * 3] * d
    for k, u in enumerate(order):
        before = order[:k]
        w = -upper[k, k] * inverse[k, :k]
        found[u] = _eliminated(gram, int(u), before, K[:k, :k].copy(), w, float(upper[k, k] ** 2), known)
        K[: k + 1, : k + 1] += np.outer(inverse[k, : k + 1], inverse[k, : k + 1])
    return Path(n, *(tuple(part) for part in zip(*found, strict=True)))


def prune(
    gram: np.ndarray, n: int, order: np.ndarray, known: Knowledge | None = None, cost: float = 1.0, gamma: float = 1.0
) -> np.ndarray:
    """The graph of an order at one price, (d, d) bool; see the module."""
    return prune_path(gram, n, order, known).edges(cost, gamma)


def _eliminated(
    gram: np.ndarray, u: int, before: np.ndarray, K: np.ndarray, w: np.ndarray, variance: float, known: Knowledge
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(parents, sequence, variances) of one variable."""
    free = ~known.forbidden[before, u]
    parents = before[free]
    if not free.all():
        K = np.linalg.inv(gram[np.ix_(parents, parents)])
        w = K @ gram[parents, u]
        variance = float(gram[u, u] - gram[u, parents] @ w)
    sequence, rises = eliminate(K, w, known.required[parents, u])
    return parents, parents[sequence], variance + np.concatenate([[0.0], np.cumsum(rises)])
