"""What every learner of arms does: choose one, hear its cost, and be saved.

A round is `arm = learner.choose(context, rng)`, the solve, `learner.update(arm, context, cost)`. Rounds may be skipped,
and an arm that the learner did not choose may be reported: a race before learning starts does both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import inf, isfinite, nan
from typing import Any

import numpy as np

from solverkit.errors import UsageError

State = dict[str, Any]
"""Arrays, numbers, strings, and lists or dicts of those: fit for a checkpoint, and for JSON once arrays are lists."""


class Learner(ABC):
    """A bandit over `arms` arms whose costs are to be small. Deterministic given the generator it is handed."""

    def __init__(self, arms: int) -> None:
        if arms < 1:
            raise UsageError(f"a learner needs at least one arm, got {arms}")
        self.arms = arms

    @abstractmethod
    def choose(self, context: Any, rng: np.random.Generator) -> int:
        """The arm to play. `context`: a number, a vector, or None where the learner uses none."""

    @abstractmethod
    def update(self, arm: int, context: Any, cost: float) -> None:
        """`cost` of `arm` in this round, nonnegative and finite; `context` as given to `choose`."""

    def probabilities(self, context: Any = None) -> np.ndarray | None:
        """(arms,) the law of `choose`, or None where it has no closed form."""
        return None

    @abstractmethod
    def state(self) -> State:
        """All that the next decision depends on, apart from the generator."""

    @abstractmethod
    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`. Raises UsageError where it belongs to another learner."""

    def checked(self, arm: int, cost: float) -> float:
        """`cost` as a float; raises UsageError for an arm or a cost that no round can have."""
        if not 0 <= arm < self.arms:
            raise UsageError(f"arm {arm} does not exist: the learner has arms 0 to {self.arms - 1}")
        if not 0 <= cost < inf:
            raise UsageError(f"the cost of arm {arm} is {cost!r}; costs are finite and not negative")
        return float(cost)


def restored(state: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Array `name` of a saved state, float64 and of `shape`; raises UsageError where it is anything else."""
    try:
        values = np.array(state[name], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"the saved learner has no usable {name!r}: it was saved by another policy or space"
        ) from error
    if values.shape != shape or not np.isfinite(values).all():
        raise UsageError(
            f"the saved learner's {name!r} has shape {values.shape}, expected finite values of shape {shape}: "
            "it was saved for another space of parameters"
        )
    return values


def number(context: Any, name: str) -> float:
    """One-dimensional context as a float; raises UsageError where there is none."""
    if not isinstance(context, float):
        values = np.asarray(context if context is not None else (), dtype=np.float64).ravel()
        context = float(values[0]) if values.size == 1 else nan
    if not isfinite(context):
        raise UsageError(f"{name} needs one finite number as the context")
    return context


def draw(probabilities: np.ndarray, rng: np.random.Generator) -> int:
    """An arm by `probabilities`, one uniform number a draw."""
    edges = probabilities.cumsum()
    return min(int(edges.searchsorted(rng.random() * edges[-1], side="right")), len(edges) - 1)
