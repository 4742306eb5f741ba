"""What happens at each reported iteration, whoever owns the loop: check, keep the best, trace, show, aim."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, inf
from typing import Any

from solverkit.engine.counting import Ledger, OracleError
from solverkit.engine.limits import Limits
from solverkit.engine.points import Best, as_point, is_finite
from solverkit.engine.progress import Reporter
from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit.engine.task import Clock
from solverkit.engine.trace import Trace
from solverkit.engine.verdict import Judge
from solverkit.errors import MissingPackage
from solverkit.kinds.base import Certificate, Point, PointStatus
from solverkit.registry.packages import missing, pip_line
from solverkit.text import clean


@dataclass(frozen=True, eq=False)
class Outcome:
    """Why a run stopped, with what is known besides."""

    termination: Termination
    detail: str = ""
    error: str = ""  # the traceback of a failure
    point: Point | None = None  # the method's last word, where it is not the current point
    certificate: Certificate | None = None  # of the best point, where the run stopped because of it


class Recorder:
    """The record of one run, fed by the step loop or by a one-shot method's `observe`."""

    def __init__(
        self,
        best: Best,
        ledger: Ledger,
        clock: Clock,
        trace: Trace,
        judge: Judge,
        target: bool | int = False,
        show: Callable[..., None] | None = None,
        reporter: Reporter | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.nit = 0
        self.best = best
        self.ledger = ledger
        self.clock = clock
        self.trace = trace
        self.report: dict[str, float] = {}  # of the latest iteration
        self._blocks: Point = {}
        self._judge = judge
        self._target = target
        self._show = show
        self._reporter = reporter
        self._limits = limits or Limits()
        self._shown = -inf

    def absorb(
        self, point: Any, report: dict[str, float], written: Mapping[str, slice] | None = None
    ) -> Outcome | None:
        """Take in the point and scalars of iteration `nit`; an Outcome where they end the run.

        `written` names the rows that differ from the point taken in before; see `Solver.written`.
        """
        self._blocks = blocks = as_point(point)
        merit = report.get("merit")
        if written is None or merit is not None:
            fresh, written = blocks, None
        else:
            fresh = {name: blocks[name][rows] for name, rows in written.items()}
        if not is_finite(fresh):
            return Outcome(Termination.NOT_FINITE, self._blame("the point is not finite"))
        if merit is not None and not merit > -inf:
            return Outcome(Termination.NOT_FINITE, self._blame(f"the merit is {merit}"))
        self.best.offer(blocks, merit, self.nit, written)
        self.report = report
        if self.trace.wants(self.nit):
            self.trace.add(self.nit, self.clock.elapsed(), self.ledger.counts(), report)
        return None

    def show(self, fresh: bool = True) -> Outcome | None:
        """Show what was absorbed; an Outcome where the callback or the target ends the run.

        `fresh` is False for the state before the first step, which no callback sees. Its own exceptions pass.
        """
        if self._reporter is not None:
            self._update(self._reporter)
        if fresh and self._show is not None:
            try:
                self._show(self._blocks, self.nit, self.clock.elapsed(), self.report)
            except StopIteration:
                return Outcome(Termination.CALLBACK)
        return self._aim() if self._target else None

    def log(self, message: str) -> None:
        """A sentence of the method: kept in the trace, shown where progress is."""
        self.trace.log(self.nit, message)
        if self._reporter is not None:
            self._reporter.message(message)

    def failure(self, error: Exception) -> Outcome:
        """The outcome of an exception that came out of the method; a missing package is no outcome, and raised."""
        if isinstance(error, MissingPackage):
            raise error
        if isinstance(error, ModuleNotFoundError) and error.name and missing([error.name]):
            raise MissingPackage(f"the method needs {error.name}: {pip_line([error.name])}") from error
        if isinstance(error, Stop):
            return Outcome(error.termination, clean(error.message), point=error.point)
        trace = "".join(traceback.format_exception(error))
        if isinstance(error, OracleError):
            earlier = [str(suspect) for suspect in self.ledger.suspects() if suspect.oracle != error.oracle]
            return Outcome(Termination.ORACLE_FAILED, "; ".join([clean(error), *earlier, *_advice(error)]), trace)
        text = clean(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        details = [text, *map(str, self.ledger.suspects()), *_advice(error)]
        return Outcome(Termination.SOLVER_FAILED, "; ".join(details), trace)

    def close(self) -> None:
        """The last record, and the end of the trace."""
        self.trace.last(self.nit, self.clock.elapsed(), self.ledger.counts(), self.report)
        self.trace.close()

    def _blame(self, what: str) -> str:
        suspect = self.ledger.nonfinite
        return f"{what} after iteration {self.nit}" + (f"; {suspect}" if suspect else "")

    def _update(self, reporter: Reporter) -> None:
        elapsed = self.clock.elapsed()
        if elapsed - self._shown >= reporter.interval:
            self._shown = elapsed
            reporter.update(self.nit, elapsed, self.report, self._limits.share(self.nit, elapsed, self.ledger.total()))

    def _aim(self) -> Outcome | None:
        """Certify the best point, at steps that depend on the step count alone; stop where it holds."""
        every = self._target
        if not (_growing(self.nit) if every is True else self.nit % every == 0):
            return None
        with self.clock.pause():
            certificate = self._judge(self.best.point)
        if certificate.status is PointStatus.CERTIFIED:
            return Outcome(Termination.TARGET, certificate=certificate)
        return None


def _advice(error: BaseException | None) -> list[str]:
    """What to do where memory ran out, of the machine or of a device: torch's own error is no MemoryError."""
    while error is not None:
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            return [
                "memory ran out: take a smaller problem or batch, float32 where the method has it, or another device"
            ]
        error = error.__cause__
    return []


def _growing(nit: int) -> bool:
    """Steps 0, 1, 2, 3, 4, 5, 7, 9, 12, ...: each a quarter later than the one before it."""
    step = 1
    while step < nit:
        step = max(step + 1, ceil(step * 1.25))
    return step == nit or nit == 0
