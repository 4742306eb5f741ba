"""`bic`: every variable to its best place, each place scored exactly by grow-shrink within its prefix.

One step is a sweep over the variables (the best moves of BOSS: Andrews et al., NeurIPS 2023). Where no variable moves,
single edges are added, deleted and reversed (`edge_moves`), since neither grow-shrink nor an order is sure to be at a
local optimum over edges; if an order of the graph that results scores better still, sweeps go on from there.
Scores are free of the variables' units, so the search works on the correlation matrix.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from solverkit.kinds.dag.knowledge import priority_order
from solverkit_dag.kernels.forest import order_score, parents, sweep
from solverkit_dag.precedence import Precedence
from solverkit_dag.regression import refit
from solverkit_dag.search.base import SLACK, Chain, Search, copy_chain
from solverkit_dag.search.edge_moves import EdgeMoves

NODES = 60_000  # of one store; 24 branches a node
BRANCHES = 24 * NODES


@dataclass
class Store:
    """Trees of every variable, see `kernels.forest`, and the room their growth needs."""

    trees: tuple[np.ndarray, ...]
    room: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, d: int, nodes: int = NODES, branches: int = BRANCHES) -> Store:
        """An empty one, with room for the longest single walk at least: d + 1 nodes of d branches."""
        nodes, branches = max(nodes, d + 1), max(branches, d * (d + 1))
        trees = (
            np.zeros((nodes, 2), dtype=np.int64),
            np.zeros(nodes),
            np.zeros((branches, 2), dtype=np.int64),
            np.zeros(2, dtype=np.int64),
            np.full(d, -1, dtype=np.int64),
        )
        return cls(trees, (np.empty((d, d)), np.empty(d), np.empty(d)))


class GrowShrink(Search):
    """For the score `bic`, with any knowledge of edges."""

    def __init__(
        self, gram: np.ndarray, price: float, precedence: Precedence, forbidden: np.ndarray, required: np.ndarray
    ) -> None:
        self.gram, self.price = gram, price
        self.root = np.sqrt(np.diag(gram))
        self.correlation = np.ascontiguousarray(gram / np.outer(self.root, self.root))
        self.before, self.forbidden, self.required = precedence.before, forbidden, required
        self._local = threading.local()  # a store for each thread

    def begin(self, order: np.ndarray) -> Chain:
        """The order's score."""
        chain = Chain(order.copy(), np.zeros(self.gram.shape), np.inf)
        self._keep(chain)
        return chain

    def advance(self, chain: Chain) -> int:
        """One sweep: 3 d^2 walks."""
        d = len(chain.order)
        store = self._store
        edges = (self.forbidden, self.required)
        least = SLACK * max(abs(chain.score), 1.0)
        moves, _ = sweep(self.correlation, chain.order, self.price, *edges, self.before, store.trees, store.room, least)
        chain.moves += moves
        if moves:
            self._keep(chain)
        else:
            self._polish(chain, least)
        return 3 * d * d

    def _polish(self, chain: Chain, least: float) -> None:
        """Single edges; the chain settles unless an order of the new graph is better than the graph."""
        moves = EdgeMoves(self.correlation, chain.W != 0, self.price, self.forbidden, self.required)
        change = moves.descend(least)
        chain.settled = chain.optimal = True
        if not change:
            return
        chain.score += change
        chain.W = refit(self.gram, moves.edges)
        place = np.empty(len(chain.order))
        place[chain.order] = np.arange(len(place))
        chain.order = priority_order(moves.edges | self.before, place).astype(np.int64)
        other = copy_chain(chain)
        self._keep(other)
        if other.score < chain.score - least:
            chain.W, chain.score, chain.settled = other.W, other.score, False

    @property
    def _store(self) -> Store:
        if not hasattr(self._local, "store"):
            self._local.store = Store.of(len(self.root))
        store: Store = self._local.store
        return store

    def _keep(self, chain: Chain) -> None:
        store, edges = self._store, (self.forbidden, self.required)
        arguments = (self.correlation, chain.order, self.price, *edges, store.trees, store.room)
        chain.score = float(order_score(*arguments)) + float(np.log(self.root).sum())
        chain.W = refit(self.gram, parents(*arguments))
