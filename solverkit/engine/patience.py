"""How long a step is waited for: one that goes on far past a limit on time, or past Ctrl-C, is left half done."""

from __future__ import annotations

from math import inf
from time import perf_counter

from solverkit.engine.interrupt import Interrupt
from solverkit.engine.limits import LimitReached, Limits
from solverkit.engine.status import Termination
from solverkit.engine.task import Clock

SHARE = 0.05  # of `max_time`
SECONDS = 1.0


class Patience:
    """A step that began before the limit may end: 5 % of `max_time` or a second, whichever is more, is left to it.

    After Ctrl-C a step may take as long as two of the longest before it, though never longer than `MOST`: it is better
    that it ends, since a step left half done is no state to resume from.
    """

    MOST = 5.0  # seconds after Ctrl-C

    def __init__(self, clock: Clock, limits: Limits, interrupt: Interrupt) -> None:
        self._clock, self._interrupt = clock, interrupt
        self._limit = inf if limits.max_time is None else limits.max_time
        self._last = self._limit + max(SHARE * self._limit, SECONDS)
        self._asked = inf  # when Ctrl-C was first seen
        self._until = -inf  # a moment of `perf_counter` before which nothing is to be decided
        self.longest = 0.0  # seconds of the longest step so far

    def look(self) -> None:
        """Called before each oracle call of a step, and by methods within long stretches without one."""
        if self._interrupt.requested or perf_counter() > self._until:  # no more than this in most of the calls
            self._decide()

    def _decide(self) -> None:
        elapsed = self._clock.elapsed()
        if elapsed > self._last:
            raise LimitReached(Termination.MAX_TIME)
        self._until = perf_counter() + self._last - elapsed  # early by what the clock is halted meanwhile
        if self._interrupt.requested:
            self._asked = min(self._asked, elapsed)
            if elapsed > self._asked + min(max(2 * self.longest, SECONDS), self.MOST):
                raise LimitReached(Termination.INTERRUPTED)

    def may_run_out(self) -> bool:
        """Whether a step like the longest, or one twice as long, would be left half done."""
        return self._clock.elapsed() + 2 * self.longest > self._limit
