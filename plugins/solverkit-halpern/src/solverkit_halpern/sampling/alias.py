"""Draws from a discrete distribution in constant time: Walker's alias method (Vose 1991).

Column i of the table holds probability `keep[i]` of i itself and the rest of `other[i]`. One uniform number makes a
draw: its integer part times n picks the column, its fraction the half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.errors import UsageError


@dataclass(frozen=True)
class AliasTable:
    """The table of probabilities q (n,); built in O(n), a draw is O(1)."""

    keep: np.ndarray  # (n,)
    other: np.ndarray  # (n,) int64

    @classmethod
    def of(cls, weights: np.ndarray) -> AliasTable:
        """From weights >= 0 with a positive finite sum; UsageError names the first that is not."""
        weights = np.asarray(weights, dtype=float)
        bad = np.flatnonzero(~((weights >= 0) & (weights < np.inf)))
        if bad.size or not weights.sum() > 0:
            what = f"weight {bad[0]} is {weights[bad[0]]:g}" if bad.size else "all weights are zero"
            raise UsageError(f"components cannot be drawn: {what}; give probabilities >= 0 with a positive sum")
        n = len(weights)
        keep, other = weights * (n / weights.sum()), np.arange(n)
        small, large = list(np.flatnonzero(keep < 1)), list(np.flatnonzero(keep >= 1))
        while small and large:
            low, high = small.pop(), large[-1]
            other[low] = high
            keep[high] -= 1 - keep[low]
            if keep[high] < 1:
                small.append(large.pop())
        # what is left is 1 up to rounding; a weight of zero has always met a large one
        keep[small + large] = 1.0
        return cls(keep, other)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Indices of this shape, int64, each by its probability."""
        position = rng.random(shape) * len(self.keep)
        column = np.minimum(position.astype(np.int64), len(self.keep) - 1)
        return np.where(position - column < self.keep[column], column, self.other[column])
