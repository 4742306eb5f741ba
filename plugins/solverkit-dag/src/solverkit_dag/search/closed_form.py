"""Least squares: the whole neighbourhood of an order by closed forms, until no swap and no insertion improves.

One step is a sweep that takes every variable to its best place (`kernels.moves`); where no variable moves, all swaps
are scored (`kernels.neighbourhood`) and the improving ones accepted greedily, best first, as long as their intervals
of positions do not meet: such moves change different conditional variances, so their gains add.
Where no swap improves either, the order is a local optimum over both and the chain settles.
"""

from __future__ import annotations

import numpy as np

from solverkit_dag.kernels.factor import factor, least_squares, weights
from solverkit_dag.kernels.moves import disjoint, mask_swaps, swap, sweep
from solverkit_dag.kernels.neighbourhood import swaps
from solverkit_dag.precedence import Precedence
from solverkit_dag.search.base import SLACK, Chain, Search


class ClosedForm(Search):
    """For least squares where every variable may have all before it as parents."""

    def __init__(self, gram: np.ndarray, precedence: Precedence) -> None:
        self.gram, self.before = gram, precedence.before

    def begin(self, order: np.ndarray) -> Chain:
        """O(d^3)."""
        chain = Chain(order.copy(), np.zeros(self.gram.shape), np.inf)
        self._keep(chain, *factor(self.gram, order))
        return chain

    def advance(self, chain: Chain) -> int:
        """One sweep, or one round of swaps. O(d^3)."""
        upper, inverse = factor(self.gram, chain.order)
        least = 2 * SLACK * chain.score
        moves, _ = sweep(chain.order, upper, inverse, self.before, least)
        if not moves:
            moves = accept(chain.order, upper, inverse, self._swaps(chain.order, upper), least)
        chain.moves += moves
        chain.settled = chain.optimal = not moves
        self._keep(chain, upper, inverse)
        return 2 * len(chain.order)

    def _swaps(self, order: np.ndarray, upper: np.ndarray) -> np.ndarray:
        change = swaps(upper)
        if self.before.any():
            mask_swaps(change, order, self.before)
        return change

    @staticmethod
    def _keep(chain: Chain, upper: np.ndarray, inverse: np.ndarray) -> None:
        chain.score = least_squares(upper)
        chain.W = weights(chain.order, upper, inverse)


def accept(order: np.ndarray, upper: np.ndarray, inverse: np.ndarray, change: np.ndarray, least: float) -> int:
    """Carry out the swaps (a, b) with change[a, b] < -least, best first, that do not meet; ties in order of (a, b)."""
    firsts, lasts = np.nonzero(np.triu(change < -least, 1))
    ranking = np.argsort(change[firsts, lasts], kind="stable")
    firsts, lasts = firsts[ranking], lasts[ranking]
    taken = disjoint(firsts, lasts, len(order))
    for a, b in zip(firsts[taken], lasts[taken], strict=True):
        swap(order, upper, inverse, a, b)
    return int(taken.sum())
