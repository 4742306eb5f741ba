"""The candidate sets of the paper (Deng, Bello, Aragam and Ravikumar, ICML 2023), scored by closed forms.

    Y(tau) = { (i, j) : j before i,  (grad h)_ij <= tau },   grad h = (I - |W|)^{-T}

(grad h)_ij is the total weight of the walks j ~> i; where it is 0 and the score's gradient is not, W violates the KKT
conditions and exchanging i and j cannot hurt. One step is one round of the paper's loop:

1. every pair of the small set is scored; improving ones are accepted best first where intervals do not meet;
2. if none improves and fewer than `no_large` large searches have paid: the same with the rest of the large set;
3. if none improves there either, the chain settles.

| here | paper, its code | meaning |
|---|---|---|
| s_small, s_large | size_small, size_large | wanted sizes of the sets |
| no_large | no_large_search | large searches that may pay before the loop ends at a small set without improvement |
| `2024` | repository, newest | tau is the s-th smallest (grad h)_ij; pairs equal to it all belong to the set |
| `2022` | repository, 2022 | tau from a grid of 32 values, that whose set is nearest in size; corrections below |

Ties, which the paper leaves open: pairs of equal gain in order of positions (a, b); of taus whose sets are as near, the
smaller; where a 2022 set is cut to size, pairs of equal value in order of (a, b).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit_dag.kernels.factor import factor, walks
from solverkit_dag.kernels.moves import best_place, mask_swaps
from solverkit_dag.kernels.neighbourhood import swaps
from solverkit_dag.precedence import Precedence
from solverkit_dag.search.base import SLACK, Chain
from solverkit_dag.search.closed_form import ClosedForm, accept

GRID = (
    *(0.0, 1e-7, 1e-6, 2e-6, 4e-6, 6e-6, 8e-6, 1e-5, 5e-5, 1e-4, 1e-3, 0.005, 0.01, 0.02, 0.025, 0.03, 0.04, 0.045),
    *(0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 40.0),
)
SPARE_SMALL, SPARE_LARGE = 20, 100  # of the 2022 code


@dataclass(frozen=True)
class Sizes:
    """Of the candidate sets, and of the loop."""

    small: int
    large: int
    no_large: int

    @classmethod
    def automatic(cls, d: int) -> Sizes:
        """Those of the repository for linear models."""
        pairs = d * (d - 1) // 2
        most = int(min(np.sqrt(d) * (d - 1) * np.log10(max(d, 1)), pairs))
        return cls(int(min(1.5 * d, most)), int(min(max(1.5 * d, most), pairs)), min(d // 10, 1))


class Candidates(ClosedForm):
    """`candidates: paper`. `Chain.stage` counts the large searches that paid."""

    def __init__(self, gram: np.ndarray, precedence: Precedence, sizes: Sizes, version: str) -> None:
        super().__init__(gram, precedence)
        self.sizes, self.version = sizes, version

    def advance(self, chain: Chain) -> int:
        """One round."""
        upper, inverse = factor(self.gram, chain.order)
        small, large = self.sets(chain.order, chain.W)
        change = swaps(upper)
        if self.before.any():
            mask_swaps(change, chain.order, self.before)
        least = 2 * SLACK * chain.score
        tried = int(small.sum())
        moves = accept(chain.order, upper, inverse, np.where(small, change, np.inf), least)
        if not moves and chain.stage < self.sizes.no_large:
            rest = large & ~small
            tried += int(rest.sum())
            moves = accept(chain.order, upper, inverse, np.where(rest, change, np.inf), least)
            chain.stage += 1 if moves else 0
        chain.moves += moves
        chain.settled = not moves
        if moves:
            self._keep(chain, upper, inverse)
        elif not (change < -least).any():
            free = [best_place(j, chain.order, upper, inverse, self.before)[1] for j in range(len(chain.order))]
            chain.optimal = not min(free, default=0.0) < -least
        return tried

    def sets(self, order: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The small and the large set, as (d, d) masks over positions a < b."""
        total = walks(order, W)[np.ix_(order, order)].T  # [a, b]: walks from position a to b
        pairs = np.triu(np.ones(total.shape, dtype=bool), 1)
        if self.version == "2024":
            return within(total, pairs, self.sizes.small), within(total, pairs, self.sizes.large)
        small, large = nearest(total, pairs, self.sizes.small), nearest(total, pairs, self.sizes.large)
        free = pairs & (total <= 0.0)
        if free.sum() > self.sizes.small + SPARE_SMALL:
            gradient = -self.gram @ (np.eye(len(W)) - W)
            steep = np.abs(gradient[np.ix_(order, order)]).T  # [a, b]: of the entry W[order[b], order[a]]
            small = first(-steep, free, self.sizes.small)
        if large.sum() < self.sizes.large - SPARE_LARGE:
            large = first(total, pairs, self.sizes.large)
        return small, large


def within(total: np.ndarray, pairs: np.ndarray, size: int) -> np.ndarray:
    """The pairs up to the size-th smallest total, ties included."""
    values = np.sort(total[pairs])
    if not size or not len(values):
        return np.zeros_like(pairs)
    return pairs & (total <= values[min(size, len(values)) - 1])


def nearest(total: np.ndarray, pairs: np.ndarray, size: int) -> np.ndarray:
    """Y(tau) of the tau of the grid whose size is nearest."""
    sizes = np.array([(pairs & (total <= tau)).sum() for tau in GRID])
    return pairs & (total <= GRID[int(np.argmin(np.abs(sizes - size)))])


def first(values: np.ndarray, pairs: np.ndarray, size: int) -> np.ndarray:
    """The `size` pairs of least value, ties in order of positions."""
    chosen = np.zeros_like(pairs)
    rows, columns = np.nonzero(pairs)
    kept = np.argsort(values[rows, columns], kind="stable")[:size]
    chosen[rows[kept], columns[kept]] = True
    return chosen
