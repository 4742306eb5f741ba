"""Many problems by one method, each in a worker process of its own: results in order, and no failure ends the rest."""

from __future__ import annotations

import faulthandler
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solverkit import api
from solverkit.bench.lanes import Lane, check_loky
from solverkit.bench.pickles import dumps, loads
from solverkit.bench.suite import RunLimits
from solverkit.engine.interrupt import Interrupt
from solverkit.errors import SolverKitError, UsageError
from solverkit.kinds.base import Problem

if TYPE_CHECKING:
    from solverkit.engine.result import Result

POLL = 0.1
"""Seconds between two looks at Ctrl-C."""


class Failed(SolverKitError):
    """In place of a result: why there is none. `success` is false, as in a result that is not certified."""

    success = False

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.status = status  # exit code of the command line

    def raise_for_status(self) -> None:
        """Raise it."""
        raise self

    def __reduce__(self) -> tuple:
        return (type(self), (self.message, self.status))


def solve_many(
    problems: Sequence[Problem | str | Path], *, jobs: int, threads: int, how: Mapping[str, Any]
) -> list[Result | Failed]:
    """See `solverkit.api.solve_many`."""
    if jobs < 1:
        raise UsageError(f"jobs is a number of worker processes, 1 or more; {jobs} was given")
    for name in ("callback", "out", "progress"):
        if how.get(name):
            raise UsageError(f"solve_many has no {name}: runs at the same time would share it; call solve for that")
    if jobs == 1:
        return [_solve(problem, how) for problem in problems]
    check_loky()
    return _Crew(problems, min(jobs, max(len(problems), 1)), threads, how).solve()


class _Crew:
    """Lanes that take one problem after the other."""

    def __init__(self, problems: Sequence[Any], jobs: int, threads: int, how: Mapping[str, Any]) -> None:
        self._problems = problems
        self._lanes = [Lane(threads) for _ in range(jobs)]
        self._how = dict(how)
        self._busy: dict[Future, tuple[Lane, int]] = {}
        self._results: list[Any] = [Failed("interrupted before it was begun", 130)] * len(problems)

    def solve(self) -> list[Result | Failed]:
        """All of them; after Ctrl-C those in hand."""
        waiting = list(reversed(range(len(self._problems))))
        free, kill = list(self._lanes), True
        try:
            with Interrupt() as interrupt:
                while self._busy or (waiting and not interrupt.requested):
                    while free and waiting and not interrupt.requested:
                        if (lane := self._begin(free[-1], waiting.pop())) is not None:
                            free.remove(lane)
                    free += self._collect()
            kill = False
            return self._results
        finally:
            for lane in self._lanes:
                lane.restart() if kill else lane.close()

    def _begin(self, lane: Lane, index: int) -> Lane | None:
        """Hand a problem to a lane; None where it cannot be sent."""
        try:
            content = dumps((self._problems[index], self._how))
        except UsageError as error:
            self._results[index] = Failed(str(error), error.exit_code)
            return None
        self._busy[lane.submit(_in_worker, content, _hard(self._how))] = lane, index
        return lane

    def _collect(self) -> list[Lane]:
        """Take in what is ready; the lanes that are free again."""
        done, _ = wait(self._busy, POLL, FIRST_COMPLETED)
        lanes = []
        for future in done:
            lane, index = self._busy.pop(future)
            lanes.append(lane)
            try:
                self._results[index] = loads(future.result())
            except BrokenExecutor:
                lane.restart()
                hard = _hard(self._how)
                limit = f", or was ended after {hard:g} s" if math.isfinite(hard) else ""
                self._results[index] = Failed(f"the worker died while it solved this{limit}")
        return lanes


def _hard(how: Mapping[str, Any]) -> float:
    """Seconds after which a run that hangs is ended: as in a suite; infinite without max_time."""
    limit = how.get("max_time")
    return math.inf if limit is None else RunLimits(max_time=float(limit)).hard


def _in_worker(content: bytes, hard: float) -> bytes:
    if math.isfinite(hard):
        faulthandler.dump_traceback_later(hard, exit=True)
    try:
        problem, how = loads(content)
        return dumps(_solve(problem, how))
    finally:
        faulthandler.cancel_dump_traceback_later()


def _solve(problem: Any, how: Mapping[str, Any]) -> Result | Failed:
    try:
        return api.solve(problem, **how)
    except SolverKitError as error:
        return Failed(f"{type(error).__name__}: {error}", error.exit_code)
    except Exception as error:
        return Failed(f"{type(error).__name__}: {error}")
