"""Ctrl-C: the first ends the run after its step, with the best point; the second raises KeyboardInterrupt."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

from solverkit.engine.compilation import compiles, leave_by


class Remembered:
    """Python's own answer to SIGINT, KeyboardInterrupt, by a handler that knows whether it came to that.

    Raised while a module in C is imported, or an object is freed, the exception is lost: a run that begins later
    asks for it (`Interrupt`).
    """

    def __init__(self) -> None:
        self.arrived = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.arrived = True
        raise KeyboardInterrupt


def remember() -> None:
    """From here on a SIGINT is remembered; for a process that is a command, as early as can be.

    Where its exception is lost nothing is printed of it.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, Remembered())
        sys.unraisablehook = partial(_told, sys.unraisablehook)


def _told(usual: Callable[[Any], object], lost: Any) -> None:
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        usual(lost)


def lost() -> bool:
    """Whether one came whose exception went astray: as an import that fails, say, with an ImportError in its place."""
    handler = signal.getsignal(signal.SIGINT)
    return isinstance(handler, Remembered) and handler.arrived


def forget() -> None:
    """From here on a SIGINT ends the process at once: all is written, and finalizers would print where it hit them."""
    if isinstance(signal.getsignal(signal.SIGINT), Remembered):
        signal.signal(signal.SIGINT, signal.SIG_DFL)


class Interrupt:
    """A context in which the first SIGINT sets `requested`. Outside the main thread it does nothing.

    A process that ignores SIGINT (nohup, a job in the background) goes on ignoring it. One that was remembered, and
    whose exception was lost, is the first. In `work`, Numba's compilation of kernels is left where its next pass
    begins: it may take fifteen seconds, in which no oracle is called. A second leaves it there too, a third anywhere.
    """

    def __init__(self) -> None:
        self.requested = False
        self._leave: BaseException | None = None
        self._last = False  # the next one raises wherever it comes
        self._stay: Callable[[], None] = _nothing
        self._former: Any = None
        self._installed = False

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            self._former = signal.getsignal(signal.SIGINT)
            if self._former not in (None, signal.SIG_IGN):
                signal.signal(signal.SIGINT, self._handle)
                self._installed = True
                if isinstance(self._former, Remembered):
                    self.requested, self._former.arrived = self._former.arrived, False
        return self

    def __exit__(self, *exception: object) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, self._former)
            self._installed = False

    @contextmanager
    def work(self, leave: BaseException) -> Iterator[None]:
        """Around work that may be left anywhere, by `leave`."""
        self._leave = leave
        try:
            yield
        finally:
            self._leave = None
            self._stay()
            self._stay = _nothing

    def _handle(self, number: int, frame: FrameType | None) -> None:
        second, self.requested = self.requested, True
        if second and (self._leave is None or self._last or not compiles(frame)):
            raise KeyboardInterrupt
        if self._leave is not None:
            self._last = second
            self._stay()
            self._stay = leave_by(KeyboardInterrupt() if second else self._leave)


def _nothing() -> None:
    pass
