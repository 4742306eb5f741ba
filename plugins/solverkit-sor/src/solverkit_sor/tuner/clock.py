"""Wall time as a cost, without the outliers that a busy machine makes.

A round's seconds are cut at CUT times what its work takes at the median rate of its arm's last rounds. Work carries
the honest differences between systems, so that only the rate, seconds for a unit of work, has to be steady.
"""

from __future__ import annotations

from collections import deque
from math import isnan

CUT = 3.0
REMEMBERED = 15


class Clock:
    """Rates of each arm, newest last."""

    def __init__(self) -> None:
        self._rates: dict[int, deque[float]] = {}
        self.rate = float("nan")  # seconds of one unit of work, over all arms and recent rounds

    def cost(self, arm: int, seconds: float, work: float) -> float:
        """`seconds`, or less where they are an outlier."""
        if work <= 0:
            return seconds
        rate = seconds / work
        known = self._rates.setdefault(arm, deque(maxlen=REMEMBERED))
        usual = sorted(known)[len(known) // 2] if len(known) >= 3 else rate
        known.append(rate)
        self.rate = rate if isnan(self.rate) else self.rate + 0.1 * (rate - self.rate)
        return min(seconds, CUT * usual * work)
