"""The runs of a suite on a Dask scheduler: `dask scheduler`, and `dask worker ADDRESS` wherever there is room.

The folder of the runs is on a disk that all workers share. A batch whose worker dies is given to another one by Dask,
and by us where Dask gives up; what was recorded before is found on disk: nothing is lost and nothing counts twice.
"""

from __future__ import annotations

import time
from typing import Any

from solverkit.bench.session import Session
from solverkit.bench.work import Batch, Finished, work
from solverkit.errors import MissingPackage, UsageError
from solverkit.text import clean

AHEAD = 2
"""Batches a thread of the cluster that are handed out at a time."""
LOOK = 0.01
"""Seconds between two looks at what came back; the client keeps that up to date by itself."""
CONNECT = 30
"""Seconds in which the scheduler must answer."""


class Dask:
    """The workers of one scheduler, as many as it has at each moment."""

    def __init__(self, address: str, session: Session) -> None:
        try:
            import distributed
        except ImportError:
            raise MissingPackage(
                "--dask needs distributed, which is not installed. Run: pip install distributed"
            ) from None
        self._distributed: Any = distributed
        try:
            self._client: Any = distributed.Client(address, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise UsageError(f"no Dask scheduler answers at {clean(address)}: {clean(error)}") from None
        self._session = session
        self._busy: dict[Any, Batch] = {}
        self.slots = self._threads()

    def room(self) -> int:
        """How many more batches it takes now."""
        self.slots = self._threads()
        return max(AHEAD * self.slots - len(self._busy), 0)

    def submit(self, batch: Batch) -> None:
        """Hand a batch to the scheduler."""
        future = self._client.submit(work, batch, key=f"solverkit-{batch.key}-{time.monotonic_ns()}", pure=False)
        self._busy[future] = batch

    def collect(self, timeout: float) -> list[tuple[Batch, list[Finished] | None]]:
        """Batches that came back, None for one that Dask gave up. Raises what a worker raised."""
        deadline = time.monotonic() + timeout
        while not (done := [future for future in self._busy if future.done()]) and time.monotonic() < deadline:
            time.sleep(LOOK)
        return [(self._busy.pop(future), self._result(future)) for future in done]

    def close(self, kill: bool = False) -> None:
        """Let go of the scheduler; its workers stay."""
        if kill and self._busy:
            self._client.cancel(list(self._busy))
        self._client.close()

    def _result(self, future: Any) -> list[Finished] | None:
        try:
            return future.result(timeout=CONNECT)
        except (self._distributed.scheduler.KilledWorker, self._distributed.CancelledError):
            return None

    def _threads(self) -> int:
        return sum(self._client.nthreads().values())
