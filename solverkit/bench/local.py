"""The runs of a suite on this machine, by joblib's loky."""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait

from solverkit.bench.execute import FIRST, LOADING
from solverkit.bench.lanes import Lane, check_loky
from solverkit.bench.session import TIMEOUT, Session
from solverkit.bench.work import BUDGET, Batch, Finished, work

GRACE = 15.0
"""Seconds after which a worker that should have ended itself is ended by the parent: one that is stopped cannot."""


class Local:
    """`jobs` workers."""

    def __init__(self, jobs: int, threads: int, session: Session) -> None:
        check_loky()
        self._session = session
        self._free = [Lane(threads) for _ in range(jobs)]
        self._busy: dict[Future, tuple[Lane, Batch, float]] = {}
        self.slots = jobs

    def room(self) -> int:
        """How many more batches it takes now."""
        return len(self._free)

    def submit(self, batch: Batch) -> None:
        """Hand a batch to a free worker."""
        lane = self._free.pop()
        self._busy[lane.submit(work, batch)] = lane, batch, time.monotonic()

    def collect(self, timeout: float) -> list[tuple[Batch, list[Finished] | None]]:
        """Batches that came back, None for one whose worker died. Raises what a worker raised."""
        done, _ = wait(self._busy, timeout, FIRST_COMPLETED)
        done |= {future for future in self._busy if future not in done and self._hangs(future)}
        back: list[tuple[Batch, list[Finished] | None]] = []
        for future in done:
            lane, batch, _ = self._busy.pop(future)
            self._free.append(lane)
            try:
                back.append((batch, future.result(timeout=0)))
            except (BrokenExecutor, TimeoutError):
                lane.restart()
                back.append((batch, None))
        return back

    def close(self, kill: bool = False) -> None:
        """End the workers; at once where asked."""
        for lane in [*self._free, *(lane for lane, _, _ in self._busy.values())]:
            if kill:
                lane.restart()
            else:
                lane.close()

    def _hangs(self, future: Future) -> bool:
        """Whether a worker is long past every limit. If so, this is written down in its stead."""
        _, batch, begun = self._busy[future]
        if time.monotonic() - begun < BUDGET + LOADING + FIRST + 2 * max(run.hard for run in batch.runs) + GRACE:
            return False
        for words in self._session.path.glob("runs-*.txt"):
            if words.stem == self._worker(batch):
                words.write_text(f"{TIMEOUT}ended by the parent)!\n", encoding="utf-8")
        return True

    def _worker(self, batch: Batch) -> str:
        """The name of the worker that has a batch in hand: who began one of its runs last."""
        from solverkit.bench.store import attempts

        found = attempts(self._session.path.parent, self._session.name, [run.id for run in batch.runs])
        starts = [(at, name) for attempt in found.values() if attempt.record is None for name, at in attempt.started]
        return max(starts, default=(0.0, ""))[1]
