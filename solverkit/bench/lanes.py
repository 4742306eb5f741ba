"""Lanes of work on this machine: each a loky executor of one worker, so that a death in one is felt in no other."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from solverkit.bench.environment import thread_variables
from solverkit.errors import MissingPackage

LOOK = 0.5
"""Seconds between two looks of a worker whether its parent is alive."""


class Lane:
    """One worker process, started on first use and anew after its death."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._executor: Any = None

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future:
        """Run a function in the worker."""
        if self._executor is None:
            self._executor = _executor(self._threads)
        return self._executor.submit(function, *arguments)

    def restart(self) -> None:
        """End the worker now, whatever it does; the next call gets a new one."""
        if self._executor is not None:
            executor, self._executor = self._executor, None
            for process in list((executor._processes or {}).values()):
                with contextlib.suppress(OSError, ValueError):
                    os.kill(process.pid, signal.SIGKILL)  # a stopped process hears nothing else
            executor.shutdown(wait=True, kill_workers=True)

    def close(self) -> None:
        """End the worker after what it has in hand."""
        if self._executor is not None:
            self._executor.shutdown(wait=True)
            self._executor = None


def check_loky() -> None:
    """Raise MissingPackage where loky is not installed."""
    _loky()


def _loky() -> Any:
    try:
        from joblib.externals.loky import ProcessPoolExecutor
    except ImportError:
        raise MissingPackage("worker processes need joblib, which is not installed. Run: pip install joblib") from None
    return ProcessPoolExecutor


def _executor(threads: int) -> Any:
    variables = thread_variables(threads)
    return _loky()(max_workers=1, env=variables, initializer=_enter, initargs=(os.getpid(),))


def _enter(parent: int) -> None:
    """In the worker: Ctrl-C is the parent's to hear, and its death is the worker's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os._exit(1)
