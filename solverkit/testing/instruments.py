"""A problem that keeps a record of its own, apart from the engine's, and can fail on purpose.

Two layers are watched. Oracles are overridden in a subclass, below the counters that the engine puts on an instance, so
a call that goes around those counters is seen all the same. The functions that a problem is made of are wrapped as
well, so a call that goes around the oracles is seen too. Only what happens inside the method's own code is recorded:
the certificate and the driver may call what they like.
"""

from __future__ import annotations

import copy
import functools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from time import perf_counter
from typing import Any

from solverkit.engine.solver import OneShotSolver
from solverkit.expressions.function import Function
from solverkit.kinds.base import Problem

FUNCTION = ("__call__", "value", "vjp", "jvp", "jacobian", "hvp", "hessian", "gradient")
"""What does arithmetic in a function of a problem."""

PARTS = ("init", "step", "point", "report", "converged", "finish")


@dataclass
class Book:
    """What one run did, as the kit saw it."""

    fault: Callable[[int, str, Callable[[], Any]], Any] | None = None  # (call, oracle, value) -> value
    inside: int = 0  # > 0 while the method's own code runs
    deep: int = 0  # > 0 within an oracle
    oracles: list[str] = field(default_factory=list)  # the oracle of each call, in order
    counts: Counter[str] = field(default_factory=Counter)  # by counter, weights included
    around: Counter[str] = field(default_factory=Counter)  # functions called outside of any oracle
    seconds: list[float] = field(default_factory=list)  # of init and of each step
    calls: list[int] = field(default_factory=list)  # oracle calls of init and of each step

    def call(self, oracle: str, counter: Any, arguments: tuple, value: Callable[[], Any]) -> Any:
        """One call of an oracle: recorded and made to fail where it is the method's and the outermost."""
        if not self.inside or self.deep:
            return value()
        self.oracles.append(oracle)
        if isinstance(counter, str):
            self.counts[counter] += 1
        else:
            self.counts[counter.counter] += counter.by(*arguments)
        self.deep += 1
        try:
            return self.fault(len(self.oracles), oracle, value) if self.fault else value()
        finally:
            self.deep -= 1

    def raw(self, name: str, value: Callable[[], Any]) -> Any:
        """One call of a function of the problem."""
        if self.inside and not self.deep:
            self.around[name] += 1
        self.deep += 1
        try:
            return value()
        finally:
            self.deep -= 1


def observed(problem: Problem, book: Book) -> Problem:
    """A twin of `problem` that writes into `book`. Equal in data, fingerprint and class hierarchy."""
    cls = type(problem)
    body = {name: _oracle(cls, name, counter, book) for name, counter in problem.oracles.items()}
    twin = copy.copy(problem)
    own = {f.name for f in fields(problem)} if is_dataclass(problem) else set(vars(problem))
    for name, value in list(vars(twin).items()):
        if name in own:
            twin.__dict__[name] = _watched(value, name, book)
        else:
            del twin.__dict__[name]  # a cached value may hold a function that is not watched
    object.__setattr__(twin, "__class__", type(cls.__name__, (cls,), body))  # the class may be frozen
    return twin


def _oracle(cls: type, name: str, counter: Any, book: Book) -> Callable:
    original = getattr(cls, name)

    @functools.wraps(original)
    def oracle(self: Any, *arguments: Any, **keywords: Any) -> Any:
        return book.call(name, counter, arguments, lambda: original(self, *arguments, **keywords))

    return oracle


def _watched(value: Any, name: str, book: Book) -> Any:
    """`value` with every function in it wrapped."""
    if isinstance(value, type):
        return value
    if isinstance(value, Function) or callable(value):
        return _watched_object(value, name, book) or _watched_callable(value, name, book)
    if is_dataclass(value):
        changed = {}
        for part in fields(value):
            before = getattr(value, part.name, None)
            after = _watched(before, f"{name}.{part.name}", book)
            if after is not before and part.init:
                changed[part.name] = after
        return replace(value, **changed) if changed else value  # type: ignore[type-var]
    if type(value) in (list, tuple):
        parts = [_watched(part, f"{name}[{k}]", book) for k, part in enumerate(value)]
        return type(value)(parts) if any(a is not b for a, b in zip(parts, value, strict=True)) else value
    if type(value) is dict:
        return {key: _watched(part, f"{name}[{key!r}]", book) for key, part in value.items()}
    return value


def _watched_callable(value: Any, name: str, book: Book) -> Any:
    """A function that calls `value`; an object that is more than a function and cannot be subclassed stays as it is."""
    if not callable(value) or isinstance(value, Function):
        return value

    @functools.wraps(value)
    def call(*arguments: Any, **keywords: Any) -> Any:
        return book.raw(name, lambda: value(*arguments, **keywords))

    return call


def _watched_object(value: Any, name: str, book: Book) -> Any:
    """A copy in a subclass of its own class; None where the class does not allow it (a function, an extension type)."""
    cls = type(value)
    names = [member for member in FUNCTION if callable(getattr(cls, member, None))]
    body = {member: _member(cls, member, f"{name}.{member}", book) for member in names}
    try:
        twin = copy.copy(value)
        object.__setattr__(twin, "__class__", type(cls.__name__, (cls,), {"__slots__": (), **body}))
    except TypeError:
        return None
    return twin


def _member(cls: type, member: str, name: str, book: Book) -> Callable:
    original = getattr(cls, member)

    @functools.wraps(original)
    def call(self: Any, *arguments: Any, **keywords: Any) -> Any:
        return book.raw(name, lambda: original(self, *arguments, **keywords))

    return call


def watched(solver: Any, book: Book, keep_finish: bool = True) -> Any:
    """The same instance, whose parts tell `book` when their code runs.

    With `keep_finish` False, `finish` does nothing: the run ends as one that failed would.
    """
    if isinstance(solver, OneShotSolver):
        vars(solver)["solve"] = _one_shot(solver.solve, book)
        return solver
    for name in PARTS:
        vars(solver)[name] = _part(getattr(solver, name), name, book)
    if not keep_finish:
        vars(solver)["finish"] = lambda problem, state, ctx: state
    return solver


def _part(original: Callable, name: str, book: Book) -> Callable:
    @functools.wraps(original)
    def part(*arguments: Any, **keywords: Any) -> Any:
        before, began = len(book.oracles), perf_counter()
        book.inside += 1
        try:
            return original(*arguments, **keywords)
        finally:
            book.inside -= 1
            if name in ("init", "step") and not book.inside:
                book.seconds.append(perf_counter() - began)
                book.calls.append(len(book.oracles) - before)

    return part


def _one_shot(original: Callable, book: Book) -> Callable:
    @functools.wraps(original)
    def solve(problem: Problem, start: Any, ctx: Any, observe: Callable) -> Any:
        def outside(*arguments: Any, **keywords: Any) -> Any:
            book.inside -= 1
            try:
                return observe(*arguments, **keywords)
            finally:
                book.inside += 1

        book.inside += 1
        try:
            return original(problem, start, ctx, outside)
        finally:
            book.inside -= 1

    return solve
