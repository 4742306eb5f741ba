"""Sequences of linear systems from Python, without a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.linear_sequence.called import Called, Make, entry
from solverkit.kinds.linear_sequence.limits import too_large
from solverkit.kinds.linear_sequence.problem import LinearSequence
from solverkit.kinds.linear_sequence.structure import Structure, structure
from solverkit.kinds.linear_sequence.systems import Given, Stored
from solverkit.kinds.linear_sequence.tape import Tape


def linear_sequence(
    systems: Iterable[tuple[Any, ...]] | Make,
    T: int | None = None,
    *,
    rtol: float | None = None,
    initial: Any = None,
    symmetric: bool = False,
    name: str = "linear-sequence",
    expect: Mapping[str, Any] | None = None,
) -> LinearSequence:
    """A sequence of systems A_t x_t = b_t from an iterable of them, or from a function that makes them.

    systems : an iterable of (A, b) or (A, b, context), which is consumed and recorded, or a function
        (t, previous) -> such a tuple, called when a system is needed, where b_t depends on the solution x_{t-1}.
        A is a sparse or dense (n, n) matrix, b is (n,), the context a number, a list, or a mapping of names to numbers.
        All matrices have one pattern; the same A in every tuple is kept once
    T : how many; needed for a function, and the most that is taken of an iterable
    rtol : relative residual that is asked for; the run's `tol` where it is None
    initial : (n,) the solution before the first one; zeros where it is None. Needed for a function
    symmetric : of a function's matrices: all are symmetric with a positive diagonal. Checked as they come; of an
        iterable it is found out, and need not be said

    Raises UsageError with the number of the system that cannot be used.

        problem = linear_sequence((A + c * I, b, {"shift": c}) for c, b in zip(shifts, rights))
    """
    if rtol is not None and not 0 < rtol < 1:
        raise UsageError(f"rtol is a number between 0 and 1; {rtol!r} was given")
    if T is not None and (isinstance(T, bool) or not isinstance(T, int | np.integer) or T < 1):
        raise UsageError(f"T is a whole number, 1 or more; {T!r} was given")
    if callable(systems):
        called = _called(systems, T, initial, symmetric)
        return LinearSequence(name, called, called.declared, rtol, expect=dict(expect or {}))
    stored = _recorded(systems, T, initial)
    return LinearSequence(name, stored, structure(stored.pattern, stored.matrices), rtol, expect=dict(expect or {}))


def _called(make: Callable[..., Any], T: int | None, initial: Any, symmetric: bool) -> Called:
    from solverkit.expressions.torch_callable import callable_digest

    if T is None or initial is None:
        raise UsageError("a function that makes systems needs T=, how many there are, and initial=, where it begins")
    first = np.array(initial, dtype=float)
    if first.ndim != 1 or not np.isfinite(first).all():
        raise UsageError(f"initial is a vector of finite numbers; one of shape {first.shape} was given")
    if problem := too_large(T, len(first)):
        raise UsageError(problem)
    declared = Structure(symmetric, symmetric, symmetric)
    return Called(make, int(T), first, declared, callable_digest(make, {"T": (int(T),), "x": first.shape}))


def _recorded(systems: Iterable[tuple[Any, ...]], T: int | None, initial: Any) -> Stored:
    tape: Tape | None = None
    for t, made in enumerate(systems):
        if T is not None and t == T:
            break
        new = entry(made, t)
        tape = tape or Tape(new)
        tape.add(new)
    if tape is None:
        raise UsageError("the sequence has no system")
    pattern, count = tape.first.pattern, len(tape.rights)
    if problem := too_large(count, pattern.n):
        raise UsageError(problem)
    begin = np.zeros(pattern.n) if initial is None else np.array(initial, dtype=float)
    if begin.shape != (pattern.n,) or not np.isfinite(begin).all():
        raise UsageError(f"initial is a vector of {pattern.n} finite numbers; one of shape {begin.shape} was given")
    right_sides = Given(np.array(tape.rights))
    return Stored(pattern, tape.matrices(), right_sides, np.array(tape.contexts), tape.first.context_names, begin)
