"""Ask and tell: a round whose solve is the user's own.

with tuner.trial(context) as t:
    x, iterations = my_solver(A, b, **t.parameters)
    t.report(cost=iterations, converged=True)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from solverkit.errors import UsageError


class Trial:
    """One round. `parameters` are the arm's, `cap` what the round should not cost more than (None while nothing is
    known).

    A trial that is left by an exception counts as failed, at the cost of what was reported or, with nothing reported,
    of the cap; the exception goes on to the caller. Without `report` the cost is the time spent inside, where the
    tuner's cost is time, and an error elsewhere."""

    def __init__(
        self,
        arm: int,
        parameters: dict[str, Any],
        cap: float | None,
        timed: bool,
        tell: Callable[[float | None, bool], None],
    ) -> None:
        self.arm, self.parameters, self.cap = arm, parameters, cap
        self.params = parameters
        self._timed, self._tell = timed, tell
        self._cost: float | None = None
        self._converged = True
        self._reported = False
        self._started = 0.0

    def __enter__(self) -> Trial:
        self._started = time.perf_counter()
        return self

    def report(self, cost: float | None = None, converged: bool = True) -> None:
        """What it cost, in any unit that is the same in every round, and whether it reached its tolerance.

        `cost` may be left out where the tuner's cost is time. A trial that did not converge is charged what the
        best arm would have cost on top, as somebody must still solve the system.
        """
        if self._reported:
            raise UsageError("this trial was reported already: one report a trial")
        if cost is None and not self._timed:
            raise UsageError("report(cost=...) is missing: only a tuner with cost='time' measures it by itself")
        if cost is not None and not 0 <= cost < float("inf"):
            raise UsageError(f"report(cost={cost!r}): costs are finite and not negative")
        self._reported, self._cost, self._converged = True, cost, bool(converged)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = time.perf_counter() - self._started
        if kind is not None and not issubclass(kind, Exception):
            return  # Ctrl-C says nothing about the arm
        if kind is None and not self._reported and not self._timed:
            raise UsageError("the trial ended without report(cost=...): nothing can be learnt from it")
        cost = self._cost if self._cost is not None or not self._timed else seconds
        self._tell(cost, kind is None and self._converged)
