"""Always the same arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from solverkit_sor.learners.base import Learner, State


class Fixed(Learner):
    """The comparator of every learner: arm `arm` in each round."""

    def __init__(self, arms: int, arm: int) -> None:
        super().__init__(arms)
        self.checked(arm, 0.0)
        self.arm = arm

    def choose(self, context: Any, rng: np.random.Generator) -> int:
        return self.arm

    def update(self, arm: int, context: Any, cost: float) -> None:
        self.checked(arm, cost)

    def probabilities(self, context: Any = None) -> np.ndarray:
        return np.eye(self.arms)[self.arm]

    def state(self) -> State:
        return {}

    def load(self, state: Mapping[str, Any]) -> None:
        """Nothing was learnt, so there is nothing to restore."""
