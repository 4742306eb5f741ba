"""One learner for each bin of a one-dimensional context: Tsallis-INF-CB of Khodak et al. (ICLR 2024).

The interval is cut into equal bins and the nearest centre decides, so contexts outside go to the bins at the ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from solverkit.errors import UsageError
from solverkit_sor.learners.base import Learner, State, number
from solverkit_sor.learners.tsallis import TsallisINF


class Binned(Learner):
    """`bins` independent Tsallis-INF learners over [low, high]; the paper uses 5 for shifts and 6 for heat."""

    def __init__(
        self,
        arms: int,
        low: float,
        high: float,
        bins: int = 6,
        estimator: Literal["iw", "rv"] = "iw",
        floor: float = 0.0,
    ) -> None:
        super().__init__(arms)
        if not (np.isfinite(low) and np.isfinite(high) and low < high and bins >= 1):
            raise UsageError(f"bins need low < high and at least one bin, got [{low}, {high}] and {bins}")
        self.low, self.high = low, high
        self.learners = [TsallisINF(arms, estimator, floor) for _ in range(bins)]

    def bin(self, context: Any) -> TsallisINF:
        """The learner of the bin whose centre is nearest."""
        bins = len(self.learners)
        place = bins * (number(context, "a binned learner") - self.low) / (self.high - self.low)
        return self.learners[int(min(max(place, 0), bins - 1))]

    def probabilities(self, context: Any = None) -> np.ndarray:
        return self.bin(context).probabilities()

    def choose(self, context: Any, rng: np.random.Generator) -> int:
        return self.bin(context).choose(None, rng)

    def update(self, arm: int, context: Any, cost: float) -> None:
        self.bin(context).update(arm, None, cost)

    def state(self) -> State:
        return {"bins": [learner.state() for learner in self.learners]}

    def load(self, state: Mapping[str, Any]) -> None:
        saved = state.get("bins")
        if not isinstance(saved, list) or len(saved) != len(self.learners):
            raise UsageError(f"the saved learner has no {len(self.learners)} bins: it was saved by another policy")
        for learner, one in zip(self.learners, saved, strict=True):
            learner.load(one)
