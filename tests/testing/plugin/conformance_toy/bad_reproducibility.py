"""Methods whose runs depend on more than problem, options and seed."""

from __future__ import annotations

import time

import numpy as np

from conformance_toy.good import Good, State


class WallClock(Good):
    """Steps by the time of day."""

    def length(self, state: State) -> np.floating:
        return state.x.dtype.type(self.options.step * (0.9 + 0.1 * (time.time_ns() % 1000003) / 1000003))


class SetOrder(Good):
    """Steps by the order of a set, which another process has in another order."""

    def length(self, state: State) -> np.floating:
        order = list({f"row {k}" for k in range(12)})
        rank = sum(int(name[4:]) * 12**k for k, name in enumerate(order)) / 12**12
        return state.x.dtype.type(self.options.step * (0.9 + 0.1 * rank))
