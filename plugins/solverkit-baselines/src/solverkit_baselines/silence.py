"""Python's warnings off, for runs in several threads at once.

`warnings.catch_warnings` keeps and restores the filters of the whole process: where two threads overlap, the one that
ends last restores what the other had set, for good. Here the first run to begin keeps the filters, and the last to end
restores them.
"""

from __future__ import annotations

import threading
import warnings


class Silence:
    """A context manager for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = 0
        self._filters = warnings.catch_warnings(action="ignore")

    def __enter__(self) -> None:
        with self._lock:
            if not self._runs:
                self._filters = warnings.catch_warnings(action="ignore")
                self._filters.__enter__()
            self._runs += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._runs -= 1
            if not self._runs:
                self._filters.__exit__(None, None, None)


SILENCE = Silence()
"""The one of this plugin: two of them would restore each other's filters."""
