"""A Ctrl-C whose KeyboardInterrupt is lost, as in the import of a module in C, ends the run that begins later."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solverkit.engine.interrupt import Interrupt, Remembered, remember
from solverkit.engine.limits import LimitReached
from solverkit.engine.status import Termination

PROBLEM = Path(__file__).parents[2] / "problems" / "nonlinear" / "hs28" / "problem.yaml"
LOST = """
import os, signal, sys
from solverkit.engine import interrupt

former = interrupt.remember

def remember():
    former()
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:  # as where it is raised in a destructor
        pass

interrupt.remember = remember
from solverkit.cli import main
main()
"""


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def test_one_that_was_lost_is_the_first(usual: None) -> None:
    remember()
    with suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    with Interrupt() as interrupt:
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with Interrupt() as interrupt:  # it ends one run alone
        assert not interrupt.requested


def test_without_one_a_run_goes_on(usual: None) -> None:
    remember()
    with Interrupt() as interrupt:
        assert not interrupt.requested
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("other", [signal.SIG_IGN, lambda number, frame: None])
def test_a_handler_of_somebody_else_stays(usual: None, other: object) -> None:
    signal.signal(signal.SIGINT, other)  # type: ignore[arg-type]
    remember()
    assert signal.getsignal(signal.SIGINT) is other
    assert not isinstance(other, Remembered)


def test_a_command_whose_interrupt_was_lost_ends() -> None:
    command = [sys.executable, "-c", LOST, "solve", str(PROBLEM), "--max-time", "60", "--tol", "1e-14", "--quiet"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr


def kernel() -> Any:
    """One that Numba has not compiled, and takes a good part of a second for."""
    numba = pytest.importorskip("numba")

    @numba.njit
    def added(values: Any) -> float:
        total = 0.0
        for value in np.sort(values):
            total += value
        return total

    return added


def interrupted(work: Callable[[], object]) -> object:
    """Work in whose midst a SIGINT comes, once Numba has begun to compile."""
    seen: list[float] = []

    def send() -> None:
        while not any("numba/core/dispatcher" in frame.filename for frame in traceback.extract_stack(main_frame())):
            time.sleep(0.001)
        seen.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    def main_frame() -> Any:
        return sys._current_frames()[threading.main_thread().ident or 0]

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        return work()
    finally:
        sender.join(10)
        assert seen


def test_compilation_is_left_at_once_in_work_of_the_method(usual: None) -> None:
    added, values = kernel(), np.arange(5.0)
    with Interrupt() as interrupt:
        with pytest.raises(LimitReached), interrupt.work(LimitReached(Termination.INTERRUPTED)):
            interrupted(lambda: added(values))
        assert interrupt.requested
    assert added(values) == 10.0


def test_elsewhere_compilation_goes_on(usual: None) -> None:
    added, values = kernel(), np.arange(5.0)
    with Interrupt() as interrupt:
        assert interrupted(lambda: added(values)) == 10.0
        assert interrupt.requested


FREED = """
from solverkit.engine.interrupt import remember

class Freed:
    def __init__(self, error):
        self.error = error

    def __del__(self):
        raise self.error

remember()
Freed(KeyboardInterrupt())
Freed(ValueError("of somebody else"))
"""


def test_nothing_is_printed_of_one_that_is_lost() -> None:
    done = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, timeout=60, check=True)
    assert "KeyboardInterrupt" not in done.stderr
    assert "of somebody else" in done.stderr


LATE = """
import atexit, os, signal, time
from solverkit.cli import main

def last_duty():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(30)

atexit.register(last_duty)
main()
"""


def test_one_that_comes_after_the_answer_ends_the_process_without_a_word() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LATE, "solve", str(PROBLEM)],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert done.returncode == -signal.SIGINT
    assert "CERTIFIED" in done.stdout
    assert "Traceback" not in done.stderr


ASTRAY = """
import os, signal, sys
from solverkit.engine import interrupt
from solverkit.errors import UsageError

former = interrupt.remember

def remember():
    former()
    import solverkit.cli.app
    from solverkit.cli import run
    def invoke(context):
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:  # as where a module in C is being imported
            raise {error}("initialization failed")
    run.app.invoke = invoke

interrupt.remember = remember
from solverkit.cli import main
main()
"""


@pytest.mark.parametrize("error", ["ImportError", "UsageError"])
def test_one_that_comes_out_as_another_error_is_an_interruption(error: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASTRAY.replace("{error}", error), "methods"],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert (done.returncode, done.stderr) == (130, "solverkit: interrupted\n")
