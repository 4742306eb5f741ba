"""Scores without closed forms: the same neighbourhood, by refits of the variables between the two positions.

One step is a sweep that takes every variable to its best place, every place scored exactly; fits are remembered, so a
place costs two new ones at most. Where no variable moves, swaps are refitted in order of what the closed form says of
them for least squares, and the improving ones accepted best first where their intervals do not meet: all swaps up to
`exhaustive` variables, the 2 d most promising above.

Where none improves W may still break the KKT conditions (Wei, Gao and Yu 2020): a
pair i, j with no path j ~> i whose gradient exceeds l1. Another order of the same graph has i before j, and refits
strictly better; the search goes on from there. Where there is no such pair the chain settles.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.dag.acyclic import closure
from solverkit.kinds.dag.knowledge import priority_order
from solverkit_dag.kernels.factor import factor
from solverkit_dag.kernels.moves import disjoint, mask_swaps
from solverkit_dag.kernels.neighbourhood import swaps
from solverkit_dag.precedence import Precedence
from solverkit_dag.search.base import Chain, Search
from solverkit_dag.search.fits import Fits

SLACK = 1e-9  # of the score: fits are a little less exact than closed forms
VIOLATION = 1e-7  # of a gradient, free of units


class Nodewise(Search):
    """For any `Fits`."""

    parallel = False

    def __init__(self, fits: Fits, gram: np.ndarray, precedence: Precedence, exhaustive: int) -> None:
        self.fits, self.gram, self.before, self.exhaustive = fits, gram, precedence.before, exhaustive

    def begin(self, order: np.ndarray) -> Chain:
        """d fits."""
        chain = Chain(order.copy(), np.zeros(self.gram.shape), np.inf)
        self._keep(chain)
        return chain

    def advance(self, chain: Chain) -> int:
        """One sweep, or one round of swaps."""
        made = self.fits.made
        least = SLACK * max(abs(chain.score), np.finfo(float).tiny)
        moves = sum(self._place(chain.order, int(v), least) for v in chain.order.copy())
        if not moves:
            moves = self._swap(chain.order, least) or self._free(chain)
        chain.moves += moves
        chain.settled = chain.optimal = not moves
        if moves:
            self._keep(chain)
        return self.fits.made - made

    def _place(self, order: np.ndarray, v: int, least: float) -> bool:
        """v to its best place; whether it moved."""
        here = int(np.flatnonzero(order == v)[0])
        without = np.delete(order, here)
        first = int(np.flatnonzero(self.before[without, v])[-1]) + 1 if self.before[without, v].any() else 0
        last = int(np.flatnonzero(self.before[v, without])[0]) if self.before[v, without].any() else len(without)
        inside = np.zeros(len(order), dtype=bool)
        inside[without[:first]] = True
        own, plain, after = [], [], []
        for place in range(first, last + 1):
            own.append(self.fits.value(v, inside))
            if place < last:
                u = int(without[place])
                plain.append(self.fits.value(u, inside))
                inside[v] = True
                after.append(self.fits.value(u, inside))
                inside[v] = False
                inside[u] = True
        scores = np.array(own)
        scores[1:] += np.cumsum(plain)
        scores[:-1] += np.cumsum(after[::-1])[::-1]
        best = int(np.argmin(scores))
        if not scores[best] < scores[here - first] - least:
            return False
        order[:] = np.insert(without, first + best, v)
        return True

    def _swap(self, order: np.ndarray, least: float) -> int:
        change = swaps(factor(self.gram, order)[0])
        mask_swaps(change, order, self.before)
        firsts, lasts = np.nonzero(np.triu(np.isfinite(change), 1))
        ranking = np.argsort(change[firsts, lasts], kind="stable")
        if len(order) > self.exhaustive:
            ranking = ranking[: 2 * len(order)]
        firsts, lasts = firsts[ranking], lasts[ranking]
        gains = np.array([self._swapped(order, int(a), int(b)) for a, b in zip(firsts, lasts, strict=True)])
        chosen = np.flatnonzero(gains < -least)
        chosen = chosen[np.argsort(gains[chosen], kind="stable")]
        taken = chosen[disjoint(firsts[chosen], lasts[chosen], len(order))] if len(chosen) else chosen
        for a, b in zip(firsts[taken], lasts[taken], strict=True):
            order[[a, b]] = order[[b, a]]
        return len(taken)

    def _free(self, chain: Chain) -> int:
        """How many pairs that break the KKT conditions were turned around, worst first."""
        edges = (chain.W != 0) | self.before
        size = np.sqrt(np.diag(self.gram))
        excess = (np.abs(self.fits.slope(chain.W)) - self.fits.l1) / np.outer(size, size)
        excess[(chain.W != 0) | closure(edges).T | ~self.fits.allowed] = 0.0
        tails, heads = np.nonzero(excess > VIOLATION)
        turned = 0
        for k in np.argsort(-excess[tails, heads], kind="stable"):
            if not closure(edges)[heads[k], tails[k]]:
                edges[tails[k], heads[k]] = True
                turned += 1
        if turned:
            place = np.empty(len(edges))
            place[chain.order] = np.arange(len(place))
            chain.order = priority_order(edges, place).astype(np.int64)
        return turned

    def _swapped(self, order: np.ndarray, a: int, b: int) -> float:
        """Change of the score by one swap."""
        moved = order.copy()
        moved[[a, b]] = moved[[b, a]]
        return self._between(moved, a, b) - self._between(order, a, b)

    def _between(self, order: np.ndarray, a: int, b: int) -> float:
        inside = np.zeros(len(order), dtype=bool)
        inside[order[:a]] = True
        total = 0.0
        for u in order[a : b + 1]:
            total += self.fits.value(int(u), inside)
            inside[u] = True
        return total

    def _keep(self, chain: Chain) -> None:
        d = len(chain.order)
        inside = np.zeros(d, dtype=bool)
        chain.W, chain.score = np.zeros((d, d)), 0.0
        for u in chain.order:
            value, chain.W[:, u] = self.fits.cold(int(u), inside)
            chain.score += value
            inside[u] = True
