"""A problem whose functions fail ends a run, never the caller."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse, vstack

from solverkit.engine.points import is_finite
from solverkit.engine.result import Result
from solverkit.engine.status import FAILURES, LIMITS, Termination
from solverkit.kinds.base import PointStatus
from solverkit.testing.catalogue import check
from solverkit.testing.digest import digest
from solverkit.testing.instruments import Book
from solverkit.testing.report import Failed, Skipped
from solverkit.testing.subject import Subject, must

NEEDS = ("counts", "same_seed", "point", "reading", "dtype")
EXTRA = 30  # steps that a method may take to notice
Spoil = Callable[[Callable[[], Any]], Any]
"""An oracle's call, to what it gives instead."""


class Injected(Exception):
    """Raised by an oracle on purpose."""


@dataclass
class Faulty:
    """One run in which an oracle failed on purpose."""

    oracle: str
    call: int  # among the calls of this oracle
    step: int  # steps that were complete
    result: Result

    def __str__(self) -> str:
        return f"{self.oracle!r} at its call {self.call}, in step {self.step + 1}"


@check("let NaN pass through to report and point, or raise Stop(STALLED) once nothing helps", needs=NEEDS)
def oracle_nan(subject: Subject) -> None:
    """Where every oracle returns NaN from some call on, the run ends as a failure that names one of them, and the
    answer is a finite point from before."""
    for k in _positions(subject):
        run = _run(subject, k, _spoiled_by(_nan), once=False)
        if run is None:
            continue
        result, where = run.result, f"NaN from {run} on: {run.result.message}"
        over = result.termination is Termination.CONVERGED and not _false_claim(subject, result)
        stopped = result.termination in FAILURES
        limited = subject.one_shot and result.termination in LIMITS  # a tool may go on in the hope of recovery
        must(over or stopped or limited, f"the run went on as if nothing had happened. {where}")
        must("oracle '" in result.message or not stopped, f"the message names no oracle. {where}")
        must(is_finite(result.point), f"the answer is not finite. {where}")
        if stopped and (subject.one_shot or result.nit <= run.step + 1):
            must(_kept(subject, run), f"the answer is not the best point from before. {where}")


@check("catch no bare Exception around an oracle", needs=NEEDS)
def oracle_exception(subject: Subject) -> None:
    """Where an oracle raises, the run ends as ORACLE_FAILED, names the oracle and the call, and returns the best point
    from before."""
    for k in _positions(subject):
        run = _run(subject, k, _raise)
        if run is not None:
            _must_fail_at(subject, run, "an exception")


@check(
    "rely on no output before its shape and type are right; catch no bare Exception",
    needs=(*NEEDS, "claim", "oracle_exception"),
)
def oracle_nonsense(subject: Subject) -> None:
    """Where an oracle returns None or complex numbers, the run ends as ORACLE_FAILED and names it. Where it returns
    another shape from some call on, the run is not raised out of and ends in no claim that does not hold."""
    for k in _positions(subject)[:3]:
        for what, spoil in (("None", _none), ("complex numbers", _spoiled_by(_complex))):
            run = _run(subject, k, spoil)
            if run is not None:
                _must_fail_at(subject, run, what)
        run = _run(subject, k, _spoiled_by(_longer), once=False)
        if run is not None:
            result, where = run.result, f"another shape from {run}: {run.result.message}"
            must(not _false_claim(subject, result), f"it claims convergence. {where}")


@check("catch neither BaseException nor KeyboardInterrupt", needs=NEEDS)
def interrupt(subject: Subject) -> None:
    """The first Ctrl-C ends the run after its step with the best point; a second one, which raises KeyboardInterrupt in
    the middle of a step, is not held up."""
    if threading.current_thread() is not threading.main_thread():
        raise Skipped("signals reach the main thread alone")
    with _default_sigint():
        for k in _positions(subject):
            run = _run(subject, k, _signal)
            if run is not None:
                where = f"Ctrl-C in {run}: {run.result.message}"
                over = run.result.termination is Termination.CONVERGED
                must(over or run.result.termination is Termination.INTERRUPTED, f"the run went on. {where}")
                must(subject.one_shot or run.result.nit <= run.step + 1, f"it took more than its step. {where}")
                must(over or _kept(subject, run), f"the answer is not the best point so far. {where}")
            try:
                run = _run(subject, k, _keyboard)
            except KeyboardInterrupt:
                continue
            if run is not None:
                ended = run.result.termination is Termination.INTERRUPTED
                must(ended, f"KeyboardInterrupt out of oracle {run} was swallowed: {run.result.message}")


def _positions(subject: Subject) -> list[int]:
    """Calls at which to fail: the first, the second, the middle one, and the first of each oracle; six at most."""
    names = subject.short.oracles
    if not names:
        raise Skipped("the method called no oracle in a short run")
    first = {name: k for k, name in reversed(list(enumerate(names, 1)))}
    chosen = [1, 2, len(names) // 2 + 1, *sorted(first.values())]
    return sorted({k for k in dict.fromkeys(chosen) if k <= len(names)})[:6]


def _run(subject: Subject, k: int, spoil: Spoil, once: bool = True) -> Faulty | None:
    """A run in which call `k` fails, or every call from `k` on. None where it never came to that, or no value could be
    spoiled. A run that raises has failed the check."""
    hits: list[tuple[str, int, int]] = []
    book = Book()

    def fault(call: int, oracle: str, value: Callable[[], Any]) -> Any:
        if call < k or (once and call > k):
            return value()
        if call == k:
            hits.append((oracle, book.oracles.count(oracle), max(len(book.calls) - 1, 0)))
        try:
            return spoil(value)
        except _Unspoiled as unspoiled:
            if call == k:
                hits.clear()
            return unspoiled.value

    book.fault = fault
    try:
        result = subject.solve(book=book, keep_finish=False, max_iter=subject.budget.steps + EXTRA)
    except Exception as error:
        raise Failed(f"the run raised {type(error).__name__}: {error} (call {k} failed on purpose)") from None
    return Faulty(*hits[0], result) if hits else None


def _must_fail_at(subject: Subject, run: Faulty, what: str) -> None:
    """The run ended as ORACLE_FAILED at the very call, with the best point from before."""
    result, where = run.result, f"{what} from {run}: {run.result.message}"
    must(result.termination is Termination.ORACLE_FAILED, f"the run went on or hid the cause. {where}")
    named = f"oracle {run.oracle!r}" in result.message and re.search(rf"\bcall {run.call}\b", result.message)
    must(named, f"the message does not name oracle and call. {where}")
    must(_kept(subject, run), f"the answer is not the best point from before. {where}")


def _false_claim(subject: Subject, result: Result) -> bool:
    """Whether the method says it has converged, and the certificate does not hold."""
    converged = result.termination is Termination.CONVERGED
    return converged and subject.certificate(result.point).status is not PointStatus.CERTIFIED


def _kept(subject: Subject, run: Faulty) -> bool:
    """Whether the answer is what a run without faults had found by then; the start itself, if `init` did not end."""
    if run.result.nit == 0 and digest(run.result.point) == digest(subject.start()):
        return True
    for nit in {run.result.nit, max(run.result.nit - 1, 0)}:
        sound = subject.solve(book=Book(), keep_finish=False, max_iter=nit)
        if digest(sound.point) == digest(run.result.point):
            return True
    return False


class _Unspoiled(Exception):
    """A value with nothing in it to spoil."""

    def __init__(self, value: Any) -> None:
        self.value = value
        super().__init__()


def _spoiled_by(change: Callable[[Any], Any]) -> Spoil:
    def spoil(value: Callable[[], Any]) -> Any:
        return change(value())

    return spoil


def _nan(value: Any) -> Any:
    if issparse(value) and value.nnz:
        value = value.copy()
        value.data[:] = np.nan
        return value
    if isinstance(value, np.ndarray) and value.size and value.dtype.kind == "f":
        return np.full_like(value, np.nan)
    if isinstance(value, (float, np.floating)):
        return float("nan")
    if isinstance(value, (list, tuple)) and value:
        return _with_first(value, _nan(value[0]))
    raise _Unspoiled(value)


def _with_first(value: Any, first: Any) -> Any:
    """A list, tuple or named tuple with another first part."""
    parts = [first, *value[1:]]
    return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)


def _complex(value: Any) -> Any:
    if issparse(value) or isinstance(value, np.ndarray):
        return value.astype(complex)
    if isinstance(value, (list, tuple)) and value:
        return _with_first(value, _complex(value[0]))
    if isinstance(value, (float, np.floating)):
        return complex(value, 1.0)
    raise _Unspoiled(value)


def _longer(value: Any) -> Any:
    if issparse(value):
        return vstack([value, value[:1]]).tocsr() if value.shape[0] else value
    if isinstance(value, np.ndarray) and value.ndim and value.size:
        return np.concatenate([value, value, value])
    if isinstance(value, (float, np.floating)):
        return np.full(2, value)
    raise _Unspoiled(value)


def _none(value: Callable[[], Any]) -> Any:
    return None


def _raise(value: Callable[[], Any]) -> Any:
    raise Injected("a fault of the conformance kit")


def _signal(value: Callable[[], Any]) -> Any:
    signal.raise_signal(signal.SIGINT)
    return value()


def _keyboard(value: Callable[[], Any]) -> Any:
    raise KeyboardInterrupt


@contextmanager
def _default_sigint() -> Iterator[None]:
    """SIGINT as in an interactive process, whatever started this one."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
