"""Systems that come one after another and are recorded."""

from __future__ import annotations

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.linear_sequence.called import Entry
from solverkit.kinds.linear_sequence.limits import MAX_RECORDED
from solverkit.kinds.linear_sequence.systems import Recorded


class Tape:
    """What was recorded so far. A matrix that never changes is kept once."""

    def __init__(self, first: Entry) -> None:
        self.first = first
        self.tables: list[np.ndarray] = []
        self.rights: list[np.ndarray] = []
        self.contexts: list[np.ndarray] = []
        self._changes = False

    def add(self, new: Entry) -> None:
        """Record the next system. UsageError where it does not fit the first, or memory."""
        t = len(self.rights)
        new.fits(self.first.pattern, self.first.context_names, t)
        if not self._changes and t > 0 and not np.array_equal(new.values, self.tables[0]):
            self._changes = True
            self.tables *= t
        if self._changes or t == 0:
            self.tables.append(new.values)
        self.rights.append(new.rhs)
        self.contexts.append(new.context)
        size = len(self.tables) * self.first.pattern.nnz + len(self.rights) * self.first.pattern.n
        if size > MAX_RECORDED:
            raise UsageError(
                f"{t + 1} systems hold more than {MAX_RECORDED} numbers, the most that is recorded. Give a function "
                "that makes them, or cut the sequence into problems that fit"
            )

    def matrices(self) -> Recorded:
        """The matrices by t."""
        if self._changes:
            return Recorded(np.array(self.tables))
        return Recorded(np.broadcast_to(self.tables[0], (len(self.rights), len(self.tables[0]))), constant=True)
