"""What is known of the edges, as constraints on orders.

    required i -> j            i comes before j
    tiers                      the earlier tier comes before the later one; no forbidden edge can then occur
    any other forbidden edge   a constraint on the parents within the order, not on the order

Tiers lose no graph: whatever keeps to them has an order with the tiers one after another. A forbidden i -> j alone does
not say that j comes before i, since i may reach j through others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from solverkit.kinds.dag.acyclic import closure
from solverkit.kinds.dag.knowledge import Knowledge, priority_order


@dataclass(frozen=True)
class Precedence:
    """Which variable must come before which."""

    before: np.ndarray  # (d, d) bool, transitively closed
    free_parents: bool  # whether every variable may have all before it as parents

    @classmethod
    def of(cls, known: Knowledge) -> Precedence:
        """From masks of edges."""
        tiers = _tiers(known.forbidden)
        if tiers is None:
            return cls(known.before, False)
        earlier = tiers[:, None] < tiers[None, :]
        return cls(closure(known.required | earlier), True)

    @cached_property
    def trivial(self) -> bool:
        """Whether every order will do."""
        return not self.before.any()

    def arrange(self, priority: np.ndarray) -> np.ndarray:
        """The order that keeps to this and always takes the free variable of least priority, (d,) int64."""
        if self.trivial:
            return np.argsort(priority, kind="stable").astype(np.int64)
        return priority_order(self.before, priority).astype(np.int64)

    def nearest(self, order: np.ndarray) -> np.ndarray:
        """`order` where it keeps to this; otherwise its variables taken as early as they may."""
        priority = np.empty(len(order))
        priority[order] = np.arange(len(order))
        return self.arrange(priority)


def _tiers(forbidden: np.ndarray) -> np.ndarray | None:
    """(d,) tier of each variable where the forbidden edges are those of tiers; None where they are not."""
    rank = (forbidden & ~np.eye(len(forbidden), dtype=bool)).sum(axis=1)
    back = rank[:, None] > rank[None, :]
    return rank if (back == (forbidden & ~np.eye(len(forbidden), dtype=bool))).all() else None
