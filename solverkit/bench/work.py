"""What a worker does: a batch of runs, one after the other, each announced before it is begun.

A worker that dies leaves an announcement without a record. Whoever takes the batch next finds it there: a run that was
ended for taking too long is recorded as TIMEOUT, one that has cost two workers as CRASHED, and one that has cost one
worker is made again, since a worker can die of something else. So no run is lost, and none is waited for twice.
"""

from __future__ import annotations

import faulthandler
import functools
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from solverkit.bench.environment import environment, pin
from solverkit.bench.execute import Problems, execute, worker
from solverkit.bench.plan import Run
from solverkit.bench.record import Outcome, Record
from solverkit.bench.session import TIMEOUT, Session
from solverkit.bench.store import SUITE, Attempt, Writer, attempts, new_file
from solverkit.errors import UsageError

BUDGET = 0.5
"""Seconds after which a worker begins no further run of a batch, so that work can be shared out anew."""
CRASHES = 2
"""Workers that one run may cost."""

_ONE_AT_A_TIME = threading.Lock()  # a Dask worker may have several threads; times compare only alone


@dataclass(frozen=True)
class Batch:
    """Some runs for one worker."""

    key: str
    folder: str
    session: str
    threads: int
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Finished:
    """A run that is on disk, as the parent shows it."""

    run: str
    problem: str
    label: str
    outcome: Outcome
    time: float


def work(batch: Batch) -> list[Finished]:
    """Make the runs of a batch until the budget is used up: at least one, unless the session is stopped."""
    with _ONE_AT_A_TIME:
        return _desk(batch.folder, batch.session, batch.threads).work(batch)


@functools.lru_cache(maxsize=1)
def _desk(folder: str, session: str, threads: int) -> Desk:
    return Desk(Path(folder), session, threads)


class Desk:
    """What a worker keeps from batch to batch."""

    def __init__(self, folder: Path, session: str, threads: int) -> None:
        if not (folder / SUITE).is_file():
            raise UsageError(f"worker {worker()} does not see {folder}: --out must be on a disk that all workers share")
        self._folder = folder
        self._session = Session(folder, session)
        pin(threads)
        self._environment, facts = environment(threads)
        self._writer = Writer(new_file(folder))
        self._writer.environment(self._environment, facts)
        self._words = self._session.last_words(self._writer.path.stem).open("w", encoding="utf-8")
        self._problems = Problems()
        faulthandler.enable(self._words)

    def work(self, batch: Batch) -> list[Finished]:
        """See `work`."""
        known: dict[str, Attempt] = {}
        if not self._session.take(batch.key):
            known = attempts(self._folder, self._session.name, [run.id for run in batch.runs])
        begun = time.monotonic()
        finished: list[Finished] = []
        try:
            for run in batch.runs:
                if self._session.stopped or (finished and time.monotonic() - begun > BUDGET):
                    break
                record = self._record(run, known.get(run.id, Attempt()))
                finished.append(Finished(run.id, record.problem, record.label, record.outcome, record.time))
        finally:
            faulthandler.cancel_dump_traceback_later()
        self._writer.sync()
        return finished

    def _record(self, run: Run, attempt: Attempt) -> Record:
        """The record of a run, on disk."""
        if attempt.record is not None:
            return attempt.record
        record = self._lost(run, attempt) if attempt.started else None
        if record is None:
            self._writer.started(run.id, self._session.name)
            record = execute(run, self._problems, self._environment, self._watch)
        self._writer.record(record)
        return record

    def _watch(self, seconds: float) -> None:
        """End this process after so many seconds, whatever it does then: a thread in C that needs no lock.

        The next call begins anew; so only the end of a batch calls it off.
        """
        faulthandler.dump_traceback_later(seconds, exit=True, file=self._words)

    def _lost(self, run: Run, attempt: Attempt) -> Record | None:
        """The record of a run that cost workers; None where it is to be made again."""
        name, started = attempt.started[-1]
        try:
            words = self._session.last_words(name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            words = ""
        where = f", in {place}" if (place := last_place(words)) else ""
        more = {"started": started, "worker": worker(), "environment": self._environment}
        if TIMEOUT in words:
            reason = f"ended from outside after {run.hard:g} s (max_time {run.limits['max_time']:g} s){where}"
            return run.record(Outcome.TIMEOUT, reason, time=run.hard, **more)
        if len(attempt.started) >= CRASHES:
            reason = f"{len(attempt.started)} workers died while they ran this{_cause(words)}{where}"
            return run.record(Outcome.CRASHED, reason, **more)
        return None


def last_place(words: str) -> str:
    """Where a dying worker was, by what `faulthandler` wrote: the innermost line of the thread that made the run."""
    for stack in words.split("\n\n"):
        frames = re.findall(r'File "([^"]+)", line (\d+) in (\S+)', stack)
        if any(file.endswith("execute.py") for file, _, _ in frames):
            file, line, function = frames[0]
            return f"{function} ({Path(file).name}:{line})"
    return ""


def _cause(words: str) -> str:
    """`: Segmentation fault`, where the system said so."""
    found = re.search(r"Fatal Python error: (.+)", words)
    return f": {found.group(1)}" if found else ""
