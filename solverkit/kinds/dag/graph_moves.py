"""All additions, deletions and reversals of one edge, scored exactly for `bic`: what the certificate holds a graph to.

Residual variances after one more or one less parent come from the Schur complement of the parents P of j:

    add i:     v_j - c_ij^2 / c_ii,      c = S_.. - S_.P S_PP^{-1} S_P.
    delete q:  v_j + w_q^2 / K_qq,       K = S_PP^{-1},  w = K S_Pj

A reversal of i -> j deletes i from the parents of j and adds j to those of i; its two changes add up. All of them are
free of units, and are worked out on the correlation matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.kinds.dag.acyclic import closure
from solverkit.kinds.dag.problem import Dag
from solverkit.kinds.dag.scores import edge_price


@dataclass(frozen=True)
class GraphMove:
    """The best change of one edge i -> j, and what it does to the score; a change of 0 where none is better."""

    move: str  # "add", "delete", "reverse" or "none"
    i: int
    j: int
    change: float


def best_graph_move(problem: Dag, edges: np.ndarray) -> GraphMove:
    """The best addition, deletion or reversal for an acyclic graph, (d, d) bool. LinAlgError for dependent parents."""
    price = edge_price(problem)
    size = np.sqrt(np.diag(problem.gram))
    add, delete = single_changes(problem.gram / np.outer(size, size), edges, price)
    required, forbidden = problem.known.required, problem.known.forbidden
    paths = closure(edges | required)
    best = GraphMove("none", 0, 0, 0.0)
    addable = ~edges & ~paths.T & ~forbidden
    removable = edges & ~required
    around = (edges.astype(float) @ paths.astype(float)) > 0.5  # a path of two edges or more from i to j
    reversible = removable & ~around & ~forbidden.T
    tables = [
        ("add", np.where(addable, add, np.inf)),
        ("delete", np.where(removable, delete, np.inf)),
        ("reverse", np.where(reversible, delete + add.T, np.inf)),
    ]
    for move, table in tables:
        i, j = np.unravel_index(int(np.argmin(table)), table.shape)
        if table[i, j] < best.change:
            best = GraphMove(move, int(i), int(j), float(table[i, j]))
    return best


def single_changes(gram: np.ndarray, edges: np.ndarray, price: float) -> tuple[np.ndarray, np.ndarray]:
    """(add, delete), each (d, d): how much the score changes when i joins, or leaves, the parents of j; infinite where
    it cannot."""
    d = len(gram)
    add, delete = np.full((d, d), np.inf), np.full((d, d), np.inf)
    for j in range(d):
        parents = np.flatnonzero(edges[:, j])
        others = np.setdiff1d(np.arange(d), [*parents, j])
        inverse = np.linalg.inv(gram[np.ix_(parents, parents)])
        weights = inverse @ gram[parents, j]
        own = float(gram[j, j] - gram[j, parents] @ weights)
        slopes = inverse @ gram[np.ix_(parents, others)]
        cross = gram[others, j] - gram[parents, j] @ slopes
        spread = gram[others, others] - np.einsum("po,po->o", gram[np.ix_(parents, others)], slopes)
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.maximum(own - cross**2 / spread, 0.0)
            dependent = spread <= 1e-12 * gram[others, others]  # such a parent explains nothing new
            add[others, j] = np.where(dependent, price, 0.5 * np.log(left / own) + price)
            delete[parents, j] = 0.5 * np.log1p(weights**2 / np.diag(inverse) / own) - price
    return add, delete
