"""A suite from beginning to end: plan, leave out what is on disk, hand out the rest, and say how it goes."""

from __future__ import annotations

import math
import time
import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from solverkit.bench import store
from solverkit.bench.plan import Plan, Run
from solverkit.bench.progress import Progress
from solverkit.bench.record import Outcome
from solverkit.bench.session import Session
from solverkit.bench.work import Batch, Finished
from solverkit.engine.interrupt import Interrupt
from solverkit.errors import SolverKitError
from solverkit.text import clean

LARGEST = 64
"""Runs of a batch at most."""
BARREN = 3
"""Workers that may die one after the other before they begin a run."""
POLL = 0.1
"""Seconds between two looks at Ctrl-C and at the time."""


class Pool(Protocol):
    """Where runs are made."""

    slots: int  # workers

    def room(self) -> int:
        """How many more batches it takes now."""
        ...

    def submit(self, batch: Batch) -> None:
        """Hand out a batch."""
        ...

    def collect(self, timeout: float) -> list[tuple[Batch, list[Finished] | None]]:
        """Batches that came back; None for one whose worker died."""
        ...

    def close(self, kill: bool = False) -> None:
        """Let go of the workers."""
        ...


@dataclass(frozen=True)
class Ending:
    """How a command ended. What is left is made by the same command, given again."""

    made: int
    left: int
    interrupted: bool = False


class FolderFails(SolverKitError):
    """The disk of the runs takes no more, or cannot be read."""

    exit_code = 1


class WorkersDie(SolverKitError):
    """Workers that do not live long enough to begin a run."""

    exit_code = 1


def run_plan(
    plan: Plan,
    folder: Path,
    *,
    jobs: int = 1,
    dask: str | None = None,
    time_limit: float | None = None,
    retry: Iterable[Outcome] = (),
    progress: Progress | None = None,
) -> Ending:
    """Make those runs of a plan that the folder does not have. See `solverkit.api.bench` for the arguments."""
    store.open_folder(folder, plan.suite, plan.ids)
    try:
        todo = _missing(plan, folder, frozenset(retry))
        ending = (
            _make(plan, todo, folder, jobs, dask, time_limit, progress or Progress(False)) if todo else Ending(0, 0)
        )
        store.seal(folder)
        return ending
    except OSError as error:
        raise FolderFails(
            f"the runs could not go on in {clean(folder)}: {clean(error)}; those that are recorded stay. Mend that, "
            "and give the same command again: it makes the rest"
        ) from error


def _make(
    plan: Plan, todo: list[Run], folder: Path, jobs: int, dask: str | None, time_limit: float | None, progress: Progress
) -> Ending:
    """Make these runs."""
    threads = plan.suite["threads"]
    session = Session.begin(folder)
    try:
        pool = _pool(session, min(jobs, len(todo)), dask, threads)
        return Driver(todo, pool, session, folder, threads, progress).drive(time_limit)
    finally:
        session.end()


class Driver:
    """Hands runs to a pool until all are on disk."""

    def __init__(
        self, runs: Sequence[Run], pool: Pool, session: Session, folder: Path, threads: int, progress: Progress
    ) -> None:
        self._queue = deque(runs)
        self._pool = pool
        self._session = session
        self._folder = folder
        self._threads = threads
        self._progress = progress
        self._out = 0  # batches that workers have
        self._made = 0
        self._starts: dict[str, int] = {}  # batch -> runs that were begun when a worker last died on it
        self._barren = 0

    def drive(self, time_limit: float | None) -> Ending:
        """Until the queue is empty, Ctrl-C, or the time is up; the runs in hand are waited for."""
        total, kill = len(self._queue), True
        deadline = math.inf if time_limit is None else time.monotonic() + time_limit
        self._progress.begin(total)
        try:
            with Interrupt() as interrupt:
                while self._queue or self._out:
                    stop = interrupt.requested or time.monotonic() >= deadline
                    if stop and not self._session.stopped:
                        self._session.stop()
                        self._progress.say("waiting for the runs in hand; Ctrl-C again ends them")
                    if stop:
                        self._queue.clear()
                    self._turn(stop)
                kill = False
                return Ending(self._made, total - self._made, interrupt.requested)
        finally:
            self._pool.close(kill)
            self._progress.end()

    def _turn(self, stop: bool) -> None:
        """Hand out what there is room for, and take in what came back."""
        for _ in range(self._pool.room()):
            if not self._queue:
                break
            self._submit(self._batch())
        for batch, finished in self._pool.collect(POLL):
            self._out -= 1
            if finished is not None:
                self._take_in(batch, finished)
            elif not stop:
                self._again(batch)

    def _batch(self) -> Batch:
        size = max(1, min(LARGEST, math.ceil(len(self._queue) / (2 * max(self._pool.slots, 1)))))
        runs = tuple(self._queue.popleft() for _ in range(min(size, len(self._queue))))
        return Batch(uuid.uuid4().hex[:16], str(self._folder.resolve()), self._session.name, self._threads, runs)

    def _submit(self, batch: Batch) -> None:
        self._pool.submit(batch)
        self._out += 1

    def _take_in(self, batch: Batch, finished: list[Finished]) -> None:
        self._made += len(finished)
        self._barren = 0
        self._progress.add(finished)
        done = {run.run for run in finished}
        self._queue.extendleft(reversed([run for run in batch.runs if run.id not in done]))

    def _again(self, batch: Batch) -> None:
        """A worker died on this batch: another one finds out what of it is done."""
        found = store.attempts(self._folder, self._session.name, [run.id for run in batch.runs])
        starts = sum(len(attempt.started) for attempt in found.values())
        self._barren = self._barren + 1 if starts == self._starts.get(batch.key, 0) else 0
        self._starts[batch.key] = starts
        if self._barren >= BARREN:
            raise WorkersDie(f"{self._barren} workers died before they began a run; is the machine out of memory?")
        self._progress.say("a worker died; another one takes its place")
        self._submit(batch)


def _pool(session: Session, jobs: int, dask: str | None, threads: int) -> Pool:
    if dask is not None:
        from solverkit.bench.dask import Dask

        return Dask(dask, session)
    from solverkit.bench.local import Local

    return Local(jobs, threads, session)


def _missing(plan: Plan, folder: Path, retry: frozenset[Outcome]) -> list[Run]:
    """The runs to make. Records that are to be made again are voided, and what is skipped is recorded."""
    known = {record.run: record.outcome for record in store.read(folder).records}
    again = [run.id for run in plan.runs if known.get(run.id) in retry | {Outcome.SKIPPED}]
    skipped = [record for record in plan.skipped if record.run not in known]
    if again or skipped:
        writer = store.Writer(store.new_file(folder))
        for run in again:
            writer.void(run)
        for record in skipped:
            writer.record(record)
        writer.close()
    return [run for run in plan.runs if run.id not in known or run.id in set(again)]
