"""`bic`: single edges added, deleted or reversed until none improves, from closed forms on the Gram matrix.

With P the parents of j, v its residual variance and c_ab = S_ab - S_aP S_PP^{-1} S_Pb:

    add i:     (1/2) log(1 - c_ij^2 / (c_ii v)) + price
    delete q:  (1/2) log(1 + w_q^2 / (K_qq v)) - price,     K = S_PP^{-1},  w = K S_Pj
    reverse i -> j: delete i at j, and add j at i

A move changes the tables of one or two variables; O(k^2 d) each, k parents.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.dag.acyclic import closure

DEPENDENT = 1e-11  # of its variance: what is left of a variable that its fellow parents explain
MOST = 10_000


class EdgeMoves:
    """Changes of the score by every single edge, for a graph that is moved along."""

    def __init__(
        self, gram: np.ndarray, edges: np.ndarray, price: float, forbidden: np.ndarray, required: np.ndarray
    ) -> None:
        self.gram, self.edges, self.price = gram, edges.copy(), price
        self.forbidden, self.required = forbidden, required
        self.add, self.delete = np.full(edges.shape, np.inf), np.full(edges.shape, np.inf)
        for j in range(len(edges)):
            self._refresh(j)

    def descend(self, least: float) -> float:
        """Best moves while they gain more than `least`; the whole change of the score."""
        total = 0.0
        for _ in range(MOST):
            move, i, j, change = self._best()
            if not change < -least:
                break
            self.edges[i, j] = move == "add"
            self._refresh(j)
            if move == "reverse":
                self.edges[j, i] = True
                self._refresh(i)
            total += change
        return total

    def _best(self) -> tuple[str, int, int, float]:
        edges = self.edges
        paths = closure(edges | self.required)
        around = (edges.astype(float) @ paths.astype(float)) > 0.5  # a longer way from i to j
        removable = edges & ~self.required
        tables = {
            "add": np.where(~edges & ~paths.T & ~self.forbidden, self.add, np.inf),
            "delete": np.where(removable, self.delete, np.inf),
            "reverse": np.where(removable & ~around & ~self.forbidden.T, self.delete + self.add.T, np.inf),
        }
        best = {name: np.unravel_index(int(np.argmin(table)), table.shape) for name, table in tables.items()}
        name = min(best, key=lambda each: tables[each][best[each]])
        i, j = best[name]
        return name, int(i), int(j), float(tables[name][i, j])

    def _refresh(self, j: int) -> None:
        S = self.gram
        self.add[:, j], self.delete[:, j] = np.inf, np.inf
        parents = np.flatnonzero(self.edges[:, j])
        others = np.flatnonzero(~self.edges[:, j] & (np.arange(len(S)) != j))
        K = np.linalg.inv(S[np.ix_(parents, parents)])
        w = K @ S[parents, j]
        variance = max(float(S[j, j] - S[j, parents] @ w), DEPENDENT * float(S[j, j]))
        slopes = K @ S[np.ix_(parents, others)]
        cross = S[others, j] - S[parents, j] @ slopes
        left = S[others, others] - np.einsum("po,po->o", S[np.ix_(parents, others)], slopes)
        safe = left > DEPENDENT * S[others, others]
        share = np.zeros(len(others))
        share[safe] = np.minimum(cross[safe] ** 2 / (left[safe] * variance), 1 - DEPENDENT)
        self.add[others, j] = 0.5 * np.log1p(-share) + self.price
        if len(parents):
            self.delete[parents, j] = 0.5 * np.log1p(w**2 / (np.diag(K) * variance)) - self.price
