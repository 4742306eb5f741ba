"""When a preconditioner that was built for an earlier matrix is built anew.

    rebuild where the cost of the last solve exceeds (setup + sum of solves since) / (number of solves since)

The right-hand side is the average cost of a system since the last build: while it still falls, the setup is being paid
off; a solve above it says that the old preconditioner costs more than a new one would on average.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Lag:
    """The account of one preconditioner, in units of work."""

    setup: float = 0.0
    solves: float = 0.0  # their total work since the last build
    count: int = 0
    last: float = 0.0

    @property
    def due(self) -> bool:
        """Whether the next solve should build anew."""
        return self.count == 0 or self.last > (self.setup + self.solves) / self.count

    def built(self, setup: float) -> None:
        """A build of this much work."""
        self.setup, self.solves, self.count, self.last = setup, 0.0, 0, 0.0

    def solved(self, work: float) -> None:
        """A solve of this much work, its build not included."""
        self.solves += work
        self.count += 1
        self.last = work
