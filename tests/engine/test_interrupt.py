"""A Ctrl-C whose KeyboardInterrupt is lost, as in the import of a module in C, ends the run that begins later."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
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


@contextmanager
def sigints(*passes: int) -> Iterator[None]:
    """A SIGINT in the midst of each of these passes of Numba, by number; twice in one that is named twice."""
    machinery = pytest.importorskip("numba.core.compiler_machinery")
    former, count = machinery.PassManager._runPass, 0

    def one(*arguments: Any) -> object:
        nonlocal count
        number, count = count, count + 1
        if number not in passes:
            return former(*arguments)
        manager, index, instance, state = arguments
        method = instance.run_pass

        def run_pass(*given: Any) -> object:
            for _ in range(passes.count(number)):
                signal.raise_signal(signal.SIGINT)
            return method(*given)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(instance, "run_pass", run_pass)
            return former(manager, index, instance, state)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machinery.PassManager, "_runPass", one)
        yield
    assert count > min(passes)


def test_compilation_is_left_in_work_of_the_method(usual: None) -> None:
    added, values = kernel(), np.arange(5.0)
    with Interrupt() as interrupt:
        with (
            pytest.raises(LimitReached),
            interrupt.work(LimitReached(Termination.INTERRUPTED)),
            sigints(3),
        ):
            added(values)
        assert interrupt.requested
        assert added(values) == 10.0  # the next is not left


def test_compilation_that_begins_after_it_is_left_too(usual: None) -> None:
    added, values = kernel(), np.arange(5.0)
    with Interrupt() as interrupt, interrupt.work(LimitReached(Termination.INTERRUPTED)):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(LimitReached):
            added(values)


def test_a_second_one_leaves_compilation_for_good(usual: None) -> None:
    added, values = kernel(), np.arange(5.0)
    with (
        Interrupt() as interrupt,
        interrupt.work(LimitReached(Termination.INTERRUPTED)),
        pytest.raises(KeyboardInterrupt),
        sigints(3, 3),
    ):
        added(values)
    assert added(values) == 10.0


def test_another_thread_goes_on_compiling(usual: None) -> None:
    added, values = kernel(), np.arange(5.0)
    with Interrupt() as interrupt, interrupt.work(LimitReached(Termination.INTERRUPTED)):
        signal.raise_signal(signal.SIGINT)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(added, values).result() == 10.0


def test_a_third_one_leaves_it_anywhere(usual: None) -> None:
    added, values = kernel(), np.arange(5.0)
    with (
        Interrupt() as interrupt,
        interrupt.work(LimitReached(Termination.INTERRUPTED)),
        pytest.raises(KeyboardInterrupt) as third,
        sigints(0, 0, 0),
    ):
        added(values)
    assert "raise_signal" in str(third.traceback[-2].statement)


@pytest.mark.parametrize("module", [None, object()])  # not imported, or not wholly
def test_without_numba_the_first_is_told_and_the_second_raises(usual: None, module: object, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "numba.core.event", module)
    with Interrupt() as interrupt, interrupt.work(LimitReached(Termination.INTERRUPTED)):
        signal.raise_signal(signal.SIGINT)
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_elsewhere_compilation_goes_on(usual: None) -> None:
    added, values = kernel(), np.arange(5.0)
    with Interrupt() as interrupt:
        with sigints(3):
            assert added(values) == 10.0
        assert interrupt.requested


ANY_MOMENT = """
import os, random, signal, threading, time, warnings
from contextlib import suppress
import numba
import numpy as np
from solverkit.engine.interrupt import Interrupt
from solverkit.engine.limits import LimitReached
from solverkit.engine.status import Termination

def kernel():
    @numba.njit
    def added(values):
        total = 0.0
        for value in np.sort(values):
            total += value
        return total
    return added

warnings.simplefilter("ignore")  # of Numba
values = np.arange(5.0)
kernel()(values)
began = time.monotonic()
kernel()(values)
usual, generator, left = time.monotonic() - began, random.Random(0), 0
for _ in range(12):
    added, moment = kernel(), generator.uniform(0, usual)

    def send():
        time.sleep(moment)
        os.kill(os.getpid(), signal.SIGINT)

    sender = threading.Thread(target=send)
    with Interrupt() as interrupt:
        try:
            with interrupt.work(LimitReached(Termination.INTERRUPTED)):
                sender.start()
                added(values)
        except LimitReached:
            left += 1
        sender.join()
    assert added(values) == 10.0
print(left)
"""


def test_compilation_may_be_left_at_any_moment() -> None:
    pytest.importorskip("numba")
    done = subprocess.run([sys.executable, "-c", ANY_MOMENT], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert int(done.stdout) > 3


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
