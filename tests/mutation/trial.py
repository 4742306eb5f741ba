"""One mutant against the tests that take its line, in a fork of a process that has the libraries already."""

from __future__ import annotations

import contextlib
import importlib.machinery
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"


def warm() -> None:
    """Import what tests import, but nothing of SolverKit's own."""
    for name in ("casadi", "cvxpy", "numba", "numpy", "pandas", "pytest", "scipy.optimize", "scipy.sparse", "torch"):
        with contextlib.suppress(ImportError):
            __import__(name)


def trial(file: Path, source: str, tests: Sequence[str], seconds: float) -> str:
    """Fork, run the tests until one fails, and say which end it was. A mutant that does not end is told apart."""
    child = os.fork()
    if child == 0:
        _child(file, source, tests)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return SURVIVED if status == 0 else KILLED
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return TIMED_OUT


def _child(file: Path, source: str, tests: Sequence[str]) -> None:
    """Never returns."""
    os.setsid()
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    changed, real = str(file), importlib.machinery.SourceFileLoader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, name: str) -> object:
        return compile(source, changed, "exec") if self.path == changed else real(self, name)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
    code = 1
    try:
        import pytest

        code = int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]))
    finally:
        sys.stdout.flush()
        os._exit(0 if code == 0 else 1)
