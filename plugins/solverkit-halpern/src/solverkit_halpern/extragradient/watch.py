"""Whether a sampled iteration runs away: means over windows, since single values dip and jump.

    out of hand  <=>  the mean of the latest WINDOW values  >  growth x the least mean of a window before it

or growth x the first value of all. A value that is not finite is out of hand at once. When something was done about it,
the mark moves half the way (in logarithms) to the mean that was too large: had the mark been a lucky one, the next
windows will not be held against it for ever. The first value stays: above it no iteration should settle.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

WINDOW = 12


@dataclass
class Watch:
    """Values seen since the last time that something was done about them, and the best point."""

    growth: float
    first: float = np.nan
    least: float = np.inf  # mean of a window, or the first value
    best: float = np.inf
    best_point: np.ndarray = field(default_factory=lambda: np.empty(0))
    total: float = 0.0
    count: int = 0
    latest: float = np.nan  # mean of the window that was out of hand

    def see(self, value: float, point: np.ndarray) -> bool:
        """Note a value of a point; True where the iteration is out of hand."""
        if not np.isfinite(value):
            self.latest = value
            return True
        if value < self.best:
            self.best, self.best_point = value, point.copy()
        if self.least == np.inf:
            self.first = self.least = value
        self.total, self.count = self.total + value, self.count + 1
        if self.count < WINDOW:
            return False
        self.latest = self.total / self.count
        self.total, self.count = 0.0, 0
        if self.latest > self.growth * min(self.least, self.first):
            return True
        self.least = min(self.least, self.latest)
        return False

    def acted(self) -> None:
        """Begin a new window, with a milder mark."""
        self.total, self.count = 0.0, 0
        if np.isfinite(self.latest):
            self.least = float(np.sqrt(self.least * self.latest))
