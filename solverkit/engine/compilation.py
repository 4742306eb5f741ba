"""Numba's compilation of a kernel, which may be left between two of its passes alone.

An exception in the midst of one leaves LLVM's engine half built, which later frees what is freed: the process crashes.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

EVENTS = "numba.core.event"
PASS = "numba:run_pass"  # the event that Numba announces (its manual: Event API)


def compiles(frame: FrameType | None) -> bool:
    """Whether Numba is compiling there: a kernel that it has compiled has no frame."""
    while frame is not None:
        if frame.f_globals.get("__name__") == "numba.core.dispatcher":
            return True
        frame = frame.f_back
    return False


def leave_by(exception: BaseException) -> Callable[[], None]:
    """From here on `exception` is raised where a pass begins in this thread; what is returned ends that."""
    event: Any = sys.modules.get(EVENTS)
    if not hasattr(event, "Listener"):  # not imported, or not wholly
        return lambda: None
    thread = threading.current_thread()

    class Leaving(event.Listener):
        def on_start(self, started: Any) -> None:
            if threading.current_thread() is thread:
                raise exception

        def on_end(self, ended: Any) -> None:
            pass

    listener = Leaving()
    event.register(PASS, listener)
    return partial(event.unregister, PASS, listener)
