"""All additions, deletions and reversals of one edge, scored exactly for `bic`: what the certificate holds a graph to.

With S = R'R, and r_i what is left of column i of R after a projection off the parents P of j (Q T = R_P):

    add i:     v_j - (r_i'r_j)^2 / (r_i'r_i),     v_j = r_j'r_j
    delete q:  v_j + w_q^2 / K_qq,                w = T^{-1} Q' R_j,  K = T^{-1} T^{-T}

A reversal of i -> j deletes i from the parents of j and adds j to those of i; its two changes add up. All of them are
free of units: columns of R are scaled first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.kinds.dag.acyclic import closure
from solverkit.kinds.dag.problem import Dag
from solverkit.kinds.dag.root import root
from solverkit.kinds.dag.scores import edge_price

ROUNDING = 1e-12
"""Changes that count as none: a reversal within a Markov class changes nothing but digits."""

DEPENDENT = 1e-14
"""Of a variance: what counts as nothing left of a parent, which then explains nothing new."""


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
    R = root(problem)
    add, delete = single_changes(R / np.sqrt((R**2).sum(axis=0)), edges, price)
    required, forbidden = problem.known.required, problem.known.forbidden
    whole = edges | required
    paths = closure(whole)
    best = GraphMove("none", 0, 0, 0.0)
    addable = ~edges & ~paths.T & ~forbidden
    removable = edges & ~required
    around = (whole.astype(float) @ paths.astype(float)) > 0  # a path of two edges or more from i to j
    reversible = removable & ~around & ~forbidden.T
    tables = [
        ("add", np.where(addable, add, np.inf)),
        ("delete", np.where(removable, delete, np.inf)),
        ("reverse", np.where(reversible, delete + add.T, np.inf)),
    ]
    for move, table in tables:
        i, j = np.unravel_index(int(np.argmin(table)), table.shape)
        if table[i, j] < min(best.change, -ROUNDING):
            best = GraphMove(move, int(i), int(j), float(table[i, j]))
    return best


def single_changes(R: np.ndarray, edges: np.ndarray, price: float) -> tuple[np.ndarray, np.ndarray]:
    """(add, delete), each (d, d): how much the score changes when i joins, or leaves, the parents of j; infinite where
    it cannot. R: R'R = S, columns of length 1."""
    d = R.shape[1]
    add, delete = np.full((d, d), np.inf), np.full((d, d), np.inf)
    for j in range(d):
        parents = np.flatnonzero(edges[:, j])
        others = np.setdiff1d(np.arange(d), [*parents, j])
        Q, T = np.linalg.qr(R[:, parents])
        left = R - Q @ (Q.T @ R)
        left -= Q @ (Q.T @ left)  # once more: what is left may be a rounding of the whole
        own, spread = float(left[:, j] @ left[:, j]), np.einsum("kp,kp->p", left[:, others], left[:, others])
        cross = left[:, others].T @ left[:, j]
        inverse = np.linalg.inv(T)
        weights = inverse @ (Q.T @ R[:, j])
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.minimum(cross**2 / (spread * own), 1.0)
            add[others, j] = np.where(spread <= DEPENDENT, price, 0.5 * np.log1p(-share) + price)
            delete[parents, j] = 0.5 * np.log1p(weights**2 / (inverse**2).sum(axis=1) / own) - price
    return add, delete
