"""What is known of the edges before any data: forbidden ones, required ones, and tiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from solverkit.kinds.dag.acyclic import closure, topological_order


@dataclass(frozen=True, eq=False)
class Knowledge:
    """Masks of edges i -> j. ValueError where required edges have a cycle or are forbidden.

    A required edge is part of the graph whatever its weight: its head has its tail among the parents, and no path leads
    back. Tiers are forbidden edges from a later tier to an earlier one.
    """

    forbidden: np.ndarray  # (d, d) bool, True on the diagonal
    required: np.ndarray  # (d, d) bool

    def __post_init__(self) -> None:
        if (self.required & self.forbidden).any():
            i, j = np.argwhere(self.required & self.forbidden)[0]
            raise ValueError(f"the edge {i} -> {j} is required and forbidden")
        if topological_order(self.required) is None:
            raise ValueError("the required edges have a cycle")

    @classmethod
    def none(cls, d: int) -> Knowledge:
        """Nothing is known of d variables."""
        return cls(np.eye(d, dtype=bool), np.zeros((d, d), dtype=bool))

    @classmethod
    def of(
        cls,
        d: int,
        forbidden: Sequence[tuple[int, int]] = (),
        required: Sequence[tuple[int, int]] = (),
        tiers: Sequence[Sequence[int]] = (),
    ) -> Knowledge:
        """From lists of edges (i, j) and of the variables of each tier, earliest first."""
        known = cls.none(d)
        for i, j in forbidden:
            known.forbidden[i, j] = True
        for i, j in required:
            known.required[i, j] = True
        for k, later in enumerate(tiers):
            for earlier in tiers[:k]:
                known.forbidden[np.ix_(list(later), list(earlier))] = True
        return cls(known.forbidden, known.required)

    @cached_property
    def trivial(self) -> bool:
        """Whether nothing is known."""
        return not self.required.any() and int(self.forbidden.sum()) == len(self.forbidden)

    @cached_property
    def before(self) -> np.ndarray:
        """(d, d) bool: i must come before j in every order, by paths of required edges."""
        return closure(self.required)

    def allows(self, order: np.ndarray) -> bool:
        """Whether an order puts the tail of every required edge before its head."""
        place = np.empty(len(order), dtype=int)
        place[order] = np.arange(len(order))
        return bool((place[:, None] < place[None, :])[self.required].all())

    def order(self, rng: np.random.Generator) -> np.ndarray:
        """A random order that `allows` accepts, (d,) int.

        Where an edge is forbidden in one direction alone, its head comes first if that can be had for all of them, as
        it can for tiers."""
        priority = rng.permutation(len(self.required)).astype(float)
        wished = self.required | (self.forbidden.T & ~self.forbidden)
        return priority_order(self.required if topological_order(wished) is None else wished, priority)


def priority_order(edges: np.ndarray, priority: np.ndarray) -> np.ndarray:
    """The topological order of acyclic `edges` that always takes the free variable of least `priority`, (d,) int."""
    waiting = edges.sum(axis=0).astype(int)
    free = waiting == 0
    order = np.empty(len(edges), dtype=int)
    for k in range(len(edges)):
        chosen = int(np.argmin(np.where(free, priority, np.inf)))
        order[k] = chosen
        free[chosen] = False
        waiting[edges[chosen]] -= 1
        free |= edges[chosen] & (waiting == 0)
    return order
