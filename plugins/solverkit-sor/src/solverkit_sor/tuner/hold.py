"""A choice kept for a few systems, where deciding anew would cost more than it could bring.

Deciding and learning take as long as some ten thousand multiply-adds. Once the learner has settled, small systems that
are alike are solved as the one before, and their costs are noted, but nothing is learnt from them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solverkit_sor.learners import LogTS

SETTLED = 50
"""Rounds before any choice is kept."""

CHEAP = 2e6
"""Work of a system, in multiply-adds, above which every system is decided anew: the decision is then a few percent."""

KEPT = 3
"""Systems after the one that was decided."""

ALIKE = 0.02
"""Contexts this near, as a share of all that was seen, are alike."""


@dataclass
class Hold:
    """The choice that is kept, and for how long."""

    arm: int = -1
    limit: float | None = None
    context: list[float] = field(default_factory=list)
    left: int = 0
    on: bool = False  # the current round keeps it

    def goes_on(self, shown: np.ndarray, learner: LogTS) -> bool:
        """Whether the system with the context `shown` is solved as the one before; counts it."""
        self.on = self.left > 0 and all(
            abs(c - was) <= ALIKE * (high - low)
            for c, was, low, high in zip(
                shown.tolist(), self.context, learner.window.low.tolist(), learner.window.high.tolist(), strict=True
            )
        )
        self.left = self.left - 1 if self.on else 0
        return self.on

    def begin(self, arm: int, limit: float | None, shown: np.ndarray, rounds: int, work: float) -> None:
        """After a decision for the best arm; `work` is that of the system before."""
        if rounds >= SETTLED and work < CHEAP:
            self.arm, self.limit, self.context, self.left = arm, limit, shown.tolist(), KEPT
