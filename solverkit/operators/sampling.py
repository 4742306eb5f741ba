"""Batches of sample indices from a stream that a checkpoint can hold.

By epochs (random reshuffling): the indices come in the order of a random permutation of 0, ..., N - 1, and of a new one
when it is used up, so that every N indices in a row that begin an epoch hold each sample once. All batches have
the same length; one that reaches the end of an epoch takes its remainder from the next. Independent draws are
uniform with replacement.

A `Sampler` is part of a method's state. Its generator is the caller's (`ctx.rng`), whose state the engine saves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Sampler:
    """A stream of batches.

    count : N, the number of samples
    size : indices a batch; N where it is larger, which makes each batch an epoch
    independent : uniform draws with replacement instead of epochs
    """

    count: int
    size: int
    independent: bool = False
    order: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # the epoch's permutation
    used: int = 0  # how many of `order`
    epochs: int = 0  # permutations begun

    def __post_init__(self) -> None:
        if self.count < 1 or self.size < 1:
            raise ValueError(f"a sampler needs samples and a batch size from 1 on, not {self.count} and {self.size}")
        self.size = min(self.size, self.count)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """The next batch, (size,) int64; the caller's own array."""
        if self.independent:
            return rng.integers(self.count, size=self.size)
        parts, missing = [], self.size
        while missing:
            if self.used == len(self.order):
                self.order, self.used, self.epochs = rng.permutation(self.count), 0, self.epochs + 1
            part = self.order[self.used : self.used + missing]
            self.used += len(part)
            missing -= len(part)
            parts.append(part)
        return np.concatenate(parts)
