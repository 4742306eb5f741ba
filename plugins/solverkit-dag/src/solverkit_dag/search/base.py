"""What a search over orders is to the method: a chain that begins at an order and advances until it settles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

import numpy as np

SLACK = 1e-12  # of the score: what counts as an improvement


@dataclass
class Chain:
    """One order on its way to a local optimum."""

    order: np.ndarray  # (d,) int64
    W: np.ndarray  # (d, d) the best weights that go with it
    score: float  # of both
    settled: bool = False
    optimal: bool = False  # settled, and no neighbour of the whole neighbourhood is better
    stage: int = 0  # of the search's own
    moves: int = 0  # accepted so far
    blocks: dict[str, np.ndarray] = field(default_factory=dict)  # further blocks of the point
    parts: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (d,) scores of the variables, where kept


class Search(ABC):
    """One way to improve orders for one problem. Chains are independent: they may advance in parallel threads."""

    parallel = True  # whether `advance` leaves the interpreter's lock

    @abstractmethod
    def begin(self, order: np.ndarray) -> Chain:
        """A chain at an order."""

    @abstractmethod
    def advance(self, chain: Chain) -> int:
        """One step in place: moves accepted, or `settled` set. Returns how many node fits it was worth."""


def copy_chain(chain: Chain) -> Chain:
    """The same with its own arrays."""
    blocks = {name: block.copy() for name, block in chain.blocks.items()}
    return replace(chain, order=chain.order.copy(), W=chain.W.copy(), blocks=blocks, parts=chain.parts.copy())
