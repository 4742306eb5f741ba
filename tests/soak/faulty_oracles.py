"""R12: an oracle that fails at its k-th call ends no run by a traceback, and the best earlier point is returned.

Every method, on a small problem of its kind. An oracle raises, or gives NaN, an infinity, None, a string, complex
numbers, another shape or another value each time; at one call or from it on; at the first fifty calls and some later
ones. What must hold: a result comes back, its point is finite, no wrong point is CERTIFIED, and where the run ended
because of the fault, the message names the oracle and the call.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import numpy as np
from scipy.sparse import issparse

from solverkit.engine.points import is_finite
from solverkit.engine.result import Result
from solverkit.engine.status import Termination
from solverkit.errors import Unsuitable
from solverkit.kinds.base import PointStatus
from solverkit.testing.instruments import Book
from solverkit.testing.subject import Budget, Subject
from tests.methods.subjects import Chosen, chosen
from tests.soak import Tally

CASES = 4000
STEPS = 12
LONG = 60.0  # seconds of one run after which it counts as hanging
ENDED_BY_IT = (Termination.ORACLE_FAILED, Termination.NOT_FINITE)


class Injected(Exception):
    """Raised by an oracle on purpose."""


def _raise(value: Any, rng: np.random.Generator) -> Any:
    raise Injected("on purpose")


def _filled(number: float) -> Callable[[Any, np.random.Generator], Any]:
    def fault(value: Any, rng: np.random.Generator) -> Any:
        if issparse(value):
            value = value.copy()
            value.data[:] = number
            return value
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            return np.full_like(value, number)
        if isinstance(value, (float, np.floating)):
            return number
        if isinstance(value, tuple) and not hasattr(value, "_fields"):
            return tuple(fault(part, rng) for part in value)
        return value

    return fault


def _complex(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, np.ndarray):
        return value + 1j
    return complex(value, 1.0) if isinstance(value, (float, np.floating)) else value


def _longer(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, np.ndarray) and value.ndim:
        return np.concatenate([value, value])
    return np.zeros(2) if isinstance(value, (float, np.floating)) else value


def _unstable(value: Any, rng: np.random.Generator) -> Any:
    """Another value each time: as far off as a bug that keeps a buffer would be."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value + rng.standard_normal(value.shape) * (1 + np.abs(value))
    return float(value + rng.standard_normal() * (1 + abs(value))) if isinstance(value, (float, np.floating)) else value


FAULTS: dict[str, Callable[[Any, np.random.Generator], Any]] = {
    "raises": _raise,
    "NaN": _filled(float("nan")),
    "infinity": _filled(float("inf")),
    "minus infinity": _filled(float("-inf")),
    "None": lambda value, rng: None,
    "a string": lambda value, rng: "seven",
    "complex numbers": _complex,
    "another shape": _longer,
    "another value each time": _unstable,
}


@dataclass(frozen=True)
class Case:
    """One fault."""

    chosen: Chosen
    fault: str
    call: int
    once: bool

    def __str__(self) -> str:
        when = "at call" if self.once else "from call"
        return f"{self.chosen.method} on {self.chosen.path.parent.name}: {self.fault} {when} {self.call}"


@cache
def _subject(chosen: Chosen) -> Subject:
    return Subject(chosen.method, chosen.path, budget=Budget(steps=STEPS, max_time=LONG), processes=False)


def cases(seed: int) -> Iterator[Case]:
    """All of them in a random order, each method in its turn."""
    rng = np.random.default_rng(seed)
    every = []
    for each in chosen():
        calls = len(_subject(each).short.oracles)
        late = rng.integers(51, max(calls, 52), 10) if calls > 51 else []
        places = [*range(1, min(calls, 50) + 1), *map(int, late)]
        mine = [Case(each, fault, call, once) for fault in FAULTS for call in places for once in (True, False)]
        rng.shuffle(mine)  # type: ignore[arg-type]
        every.append(mine)
    for turn in range(max(map(len, every))):
        yield from (mine[turn] for mine in every if turn < len(mine))


def run(count: int, seed: int) -> Tally:
    """So many faults."""
    tally, slowest = Tally(), 0.0
    ended: dict[str, int] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in islice(cases(seed), count):
            begun = time.perf_counter()
            failure, result = _tried(case)
            slowest = max(slowest, time.perf_counter() - begun)
            tally.count(f"{case}: {failure}" if failure else "")
            if result is not None:
                ended[result.termination.name] = ended.get(result.termination.name, 0) + 1
    tally.facts = {"slowest": f"{slowest:.1f} s", **{name: ended[name] for name in sorted(ended)}}
    return tally


def _tried(case: Case) -> tuple[str, Result | None]:
    """What went wrong; empty where all is as it must be."""
    subject, book = _subject(case.chosen), Book()
    rng, hit = np.random.default_rng(case.call), []

    def fault(call: int, oracle: str, value: Callable[[], Any]) -> Any:
        if call < case.call or (case.once and call > case.call):
            return value()
        hit.append((oracle, book.oracles.count(oracle)))
        return FAULTS[case.fault](value(), rng)

    book.fault = fault
    begun = time.perf_counter()
    try:
        result = subject.solve(book=book, certify=True, keep_finish=False, max_iter=STEPS)
    except Exception as error:
        # a method that looks at the structure of a problem first may find none in random values
        refused = isinstance(error, Unsuitable) and FAULTS[case.fault] is _unstable and hit
        return "" if refused else f"raised {type(error).__name__}: {error}", None
    return _wrong(case, subject, result, hit, time.perf_counter() - begun), result


def _wrong(case: Case, subject: Subject, result: Result, hit: list, seconds: float) -> str:
    if seconds > LONG + 5:
        return f"took {seconds:.0f} s"
    if not is_finite(result.point):
        return "the point is not finite"
    verdict = subject.certificate(result.point).status
    if result.point_status is PointStatus.CERTIFIED and verdict is not PointStatus.CERTIFIED:
        return "certified, and the problem without faults does not hold it"
    if result.termination in ENDED_BY_IT and hit and not _named(result, hit):
        return f"names another oracle or call than {hit[:3]}: {result.message[-300:]}"
    if case.fault in ("raises", "None", "a string") and hit and result.termination is not Termination.ORACLE_FAILED:
        return f"{hit[0]} went unnoticed: {result.termination.name}"
    return ""


def _named(result: Result, hit: list) -> bool:
    """Whether the message names an oracle that failed, and one of its calls."""
    said = re.findall(r"oracle '(\w+)' [^']*?at call (\d+)", result.message)
    return any((oracle, int(call)) in hit for oracle, call in said)
