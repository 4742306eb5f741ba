"""Oracles that are counted: a twin of the problem whose oracles pass through a ledger.

The twin is of the problem's own class and shares all its data. Each oracle named in `problem.oracles` is shadowed on
the instance by a closure that counts the call, names the oracle in any error, and notes the first value that is not
finite. The closure calls the original problem, so an oracle that uses another one is counted once.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeVar

import numpy as np

from solverkit.kinds.base import Problem, Weighted
from solverkit.text import clean

P = TypeVar("P", bound=Problem)


class OracleError(Exception):
    """An oracle raised, or returned something that is no value: which one, at which call, and why."""

    def __init__(self, oracle: str, call: int, why: str) -> None:
        self.oracle, self.call, self.why = oracle, call, why
        super().__init__(f"oracle {oracle!r} failed at call {call}: {why}")

    def __reduce__(self) -> tuple:
        return (type(self), (self.oracle, self.call, self.why))


@dataclass(frozen=True)
class Suspect:
    """An oracle call that may explain a failure which shows later."""

    oracle: str
    call: int
    what: str

    def __str__(self) -> str:
        return f"oracle {self.oracle!r} {self.what} at call {self.call}"


@dataclass(frozen=True)
class Entry:
    """One oracle in the ledger: its counter, and access to the counts that its closure holds."""

    counter: str
    calls: Callable[[], int]
    work: Callable[[], int]  # calls, or the sum of the weights of a `Weighted` counter
    write: Callable[[int, int], None]


class Odd:
    """Odd values of one sort. `first` is the first of the latest unbroken series of steps that had some: a NaN in the
    state brings others forth in every step that follows, and they explain nothing."""

    def __init__(self) -> None:
        self.first: Suspect | None = None
        self._now = False  # whether this step has one
        self._before = False  # whether the step before had one

    @property
    def recent(self) -> bool:
        """Whether this step or the one before had one."""
        return self._now or self._before

    def arm(self) -> None:
        """A new step begins."""
        self._before, self._now = self._now, False

    def note(self, suspect: Suspect) -> None:
        """An odd value."""
        if not self.recent:
            self.first = suspect
        self._now = True


class Ledger:
    """The oracle calls of one run."""

    def __init__(self) -> None:
        self._nonfinite, self._reshaped = Odd(), Odd()
        self.charged: dict[str, int] = {}  # by counter: work of compiled kernels, by the method's word
        self._oracles: dict[str, Entry] = {}

    def enter(self, oracle: str, entry: Entry) -> None:
        """Add one oracle."""
        self._oracles[oracle] = entry

    def charge(self, counter: str, amount: int) -> None:
        """Add work that no closure saw; see `engine.solver.Charge`."""
        self.charged[counter] = self.charged.get(counter, 0) + int(amount)

    @property
    def nonfinite(self) -> Suspect | None:
        """The first NaN or Inf of the latest series of steps that had some."""
        return self._nonfinite.first

    def arm(self) -> None:
        """A new step begins."""
        self._nonfinite.arm()
        self._reshaped.arm()

    def note(self, oracle: str, call: int, what: str, reshaped: bool = False) -> None:
        """Keep an odd value if it is the first of its series."""
        (self._reshaped if reshaped else self._nonfinite).note(Suspect(oracle, call, what))

    def suspects(self) -> list[Suspect]:
        """What was odd in this step or the one before."""
        return [odd.first for odd in (self._nonfinite, self._reshaped) if odd.recent and odd.first is not None]

    def by_oracle(self) -> dict[str, int]:
        """Calls of each oracle by its method name."""
        return {oracle: entry.calls() for oracle, entry in self._oracles.items()}

    def counts(self) -> dict[str, int]:
        """Work by counter (nfev, njev, ...), what was charged included; 0 for one that was never used."""
        counts = {entry.counter: 0 for entry in self._oracles.values()}
        for entry in self._oracles.values():
            counts[entry.counter] += entry.work()
        for counter, amount in self.charged.items():
            counts[counter] = counts.get(counter, 0) + amount
        return counts

    def total(self) -> int:
        """The sum of `counts`, which is what `max_calls` limits."""
        total = sum(self.charged.values())
        for entry in self._oracles.values():
            total += entry.work()
        return total

    def save(self) -> dict[str, Any]:
        """The counts as JSON, for a checkpoint."""
        oracles = {oracle: [entry.calls(), entry.work()] for oracle, entry in self._oracles.items()}
        return {"oracles": oracles, "charged": self.charged}

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on from what `save` gave."""
        self.charged = dict(saved["charged"])
        for oracle, (calls, work) in saved["oracles"].items():
            if oracle in self._oracles:
                self._oracles[oracle].write(calls, work)


def counted(problem: P, ledger: Ledger, guard: Callable[[], None] | None = None) -> P:
    """A twin of `problem` whose oracles are counted in `ledger`.

    `guard` is called before each oracle call, and may raise to leave a tool that owns its loop.
    """
    twin = copy.copy(problem)
    for oracle, counter in problem.oracles.items():
        method = getattr(problem, oracle)
        if not callable(method) or isinstance(getattr(type(problem), oracle, None), property):
            raise TypeError(f"{type(problem).__name__}.oracles names {oracle!r}, which is not a method")
        twin.__dict__[oracle] = _closure(ledger, oracle, counter, method, guard, problem.oracle_shapes.get(oracle))
    return twin


def guarded(problem: P, guard: Callable[[], None]) -> P:
    """A twin of a counted problem that calls `guard` before each oracle call."""
    twin = copy.copy(problem)
    for oracle in problem.oracles:
        twin.__dict__[oracle] = _after(guard, getattr(problem, oracle))
    return twin


def _after(guard: Callable[[], None], method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        guard()
        return method(*args, **kwargs)

    return call


def _closure(
    ledger: Ledger,
    name: str,
    counter: str | Weighted,
    oracle: Callable,
    guard: Callable[[], None] | None,
    expected: tuple[int, ...] | None,
) -> Callable:
    """`oracle` with its count. The common cases (a float, a vector shaped as before) are decided in line."""
    calls = 0
    form = expected  # shape of the latest output; before the first, what the problem says
    dtype: Any = None  # its dtype where it was a real array, which is what the fast path asks for
    array, square = np.ndarray, np.vdot
    before = None if isinstance(counter, Weighted) else guard  # the weight is not counted either where the guard leaves

    def call(*args: Any, **keywords: Any) -> Any:
        nonlocal calls, form, dtype
        if before is not None:
            before()
        calls += 1
        try:
            value = oracle(*args, **keywords)
        except Exception as cause:
            raise OracleError(name, calls, _reason(cause, args)) from cause
        if type(value) is array:
            if value.dtype is dtype and value.shape == form and isfinite(square(value, value)):
                return value
        elif type(value) is float and isfinite(value):
            return value
        shape = _inspect(ledger, name, calls, value)
        if form is not None and shape != form:
            if expected is not None:
                raise OracleError(name, calls, f"it returned the shape {shape} instead of {expected}")
            ledger.note(name, calls, f"changed its shape from {form} to {shape}", reshaped=True)
        form, dtype = shape, value.dtype if type(value) is array and value.dtype.kind == "f" else None
        return value

    def write(count: int, _: int) -> None:
        nonlocal calls
        calls = count

    if isinstance(counter, Weighted):
        weigh = _weighted(ledger, name, counter, call, lambda: calls, write)
        return weigh if guard is None else _after(guard, weigh)
    ledger.enter(name, Entry(counter, lambda: calls, lambda: calls, write))
    return call


def _weighted(
    ledger: Ledger,
    name: str,
    counter: Weighted,
    call: Callable,
    calls: Callable[[], int],
    write_calls: Callable[[int, int], None],
) -> Callable:
    """`call`, which moves its counter by the weight of its arguments."""
    work = 0
    by = counter.by

    def weigh(*args: Any, **keywords: Any) -> Any:
        nonlocal work
        try:
            work += int(by(*args, **keywords))
        except Exception as cause:
            raise OracleError(name, calls() + 1, _reason(cause, args)) from cause
        return call(*args, **keywords)

    def write(count: int, amount: int) -> None:
        nonlocal work
        work = amount
        write_calls(count, amount)

    ledger.enter(name, Entry(counter.counter, calls, lambda: work, write))
    return weigh


def _inspect(ledger: Ledger, name: str, call: int, value: Any) -> tuple[int, ...]:
    """The shape of an output; what is no real value raises, what is not finite is noted."""
    if value is None:
        raise OracleError(name, call, "it returned None instead of a value")
    parts = value if isinstance(value, (tuple, list)) else (value,)
    for part in parts:
        form = getattr(getattr(part, "dtype", None), "kind", "")
        if isinstance(part, complex) or form == "c":
            raise OracleError(name, call, "it returned complex numbers")
        if isinstance(part, (str, bytes)) or form in ("O", "S", "U", "V"):
            raise OracleError(name, call, f"it returned {type(part).__name__} instead of numbers")
        if not finite(part):
            ledger.note(name, call, "returned a value that is not finite")
    return tuple(getattr(value, "shape", ()))


def finite(value: Any) -> bool:
    """Whether a number, dense or sparse array, or tensor on the CPU holds no NaN or Inf; true for anything else.

    A tensor on a device is not looked at: that would synchronize at every call.
    """
    if isinstance(value, (int, float)):
        return isinstance(value, int) or isfinite(value)
    if isinstance(value, np.generic):
        return bool(np.isfinite(value)) if value.dtype.kind in "fc" else True
    data = value if isinstance(value, np.ndarray) else getattr(value, "data", None)
    if isinstance(data, np.ndarray):
        return _finite_array(data)
    if type(value).__module__ == "torch" and hasattr(value, "detach") and value.device.type == "cpu":
        dense = value.detach().coalesce().values() if value.is_sparse else value.detach()
        return bool(dense.isfinite().all())
    return True


def _finite_array(data: np.ndarray) -> bool:
    if data.dtype.kind not in "fc":
        return True
    if data.dtype.kind == "f" and isfinite(np.vdot(data, data)):  # vdot, unlike dot, warns of nothing
        return True
    return bool(np.isfinite(data).all())  # the square may overflow where the values do not


def _reason(cause: Exception, args: tuple) -> str:
    """The cause in one line, with what is known of the argument."""
    text = clean(f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__)
    return text if all(finite(argument) for argument in args) else f"{text} (its argument was not finite)"
