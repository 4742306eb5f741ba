"""Systems that a Python function makes when they are asked for: nothing is recorded, each is checked as it comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.linear_sequence.pattern import Pattern
from solverkit.kinds.linear_sequence.structure import Structure, asymmetric
from solverkit.kinds.linear_sequence.systems import System

Make = Callable[[int, np.ndarray], tuple[Any, ...]]
"""(t, x_{t-1}) -> (A_t, b_t) or (A_t, b_t, context_t)."""


class Called:
    """Systems by a function. What `declared` says of the matrices is checked at each of them."""

    depends = True
    constant = False

    def __init__(self, make: Make, T: int, initial: np.ndarray, declared: Structure, digest: str) -> None:
        self.make = make
        self.T = T
        self.initial = initial
        self.declared = declared
        self._digest = digest
        first = entry(make(0, initial.copy()), 0)
        self.pattern = first.pattern
        self.context_names = first.context_names
        if self.pattern.n != len(initial):
            raise UsageError(f"the systems have {self.pattern.n} unknowns, and initial= has {len(initial)}")
        self._checked(first, 0)

    def system(self, t: int, previous: np.ndarray) -> System:
        """The system number t, by a call of the function. UsageError where it does not fit the ones before."""
        made = entry(self.make(t, previous.copy()), t)
        self._checked(made, t)
        return System(self.pattern.matrix(made.values), made.rhs, made.context)

    def _checked(self, made: Entry, t: int) -> None:
        made.fits(self.pattern, self.context_names, t)
        declared = self.declared
        if declared.symmetric and (place := asymmetric(self.pattern, made.values)):
            i, j = place
            raise UsageError(f"system {t}: a[{i},{j}] and a[{j},{i}] differ; leave symmetric=True out")
        diagonal = np.where(self.pattern.diagonal >= 0, made.values[self.pattern.diagonal], 0.0)
        if declared.positive_diagonal and not np.all(diagonal > 0):
            i = int(np.flatnonzero(~(diagonal > 0))[0])
            raise UsageError(f"system {t}: a[{i},{i}] = {diagonal[i]:.6g}; leave symmetric=True out")

    def digest(self) -> str:
        """Hex sha256 of the function's source and of what it closes over; see `callable_digest`."""
        return self._digest


class Entry:
    """One system as a user gives it, taken apart: A, b and the context (nothing, a number, a list or a mapping)."""

    def __init__(self, pattern: Pattern, values: np.ndarray, rhs: np.ndarray, context: Any) -> None:
        self.pattern = pattern
        self.values = values
        self.rhs = rhs
        if isinstance(context, Mapping):
            self.context_names = tuple(str(name) for name in context)
            context = list(context.values())
        else:
            context = [] if context is None else np.atleast_1d(context)
            count = len(context)
            self.context_names = ("context",) if count == 1 else tuple(f"context{k}" for k in range(count))
        self.context = np.asarray(context, dtype=float)

    def fits(self, pattern: Pattern, context_names: tuple[str, ...], t: int) -> None:
        """UsageError, with the number of the system, for what is not finite or unlike the systems before."""
        if self.pattern.n != pattern.n:
            raise UsageError(f"system {t} has {self.pattern.n} unknowns; those before it have {pattern.n}")
        if not pattern.same(self.pattern):
            raise UsageError(
                f"system {t}: the matrix has {self.pattern.nnz} entries in other places than the {pattern.nnz} of "
                "those before it. All matrices of a sequence have one pattern: keep zeros that are only sometimes zero"
            )
        if self.rhs.shape != (pattern.n,):
            raise UsageError(f"system {t}: the right-hand side has shape {self.rhs.shape}, not ({pattern.n},)")
        if self.context_names != context_names or self.context.shape != (len(context_names),):
            before = ", ".join(context_names) or "none"
            raise UsageError(
                f"system {t} has the context {', '.join(self.context_names) or 'none'}; those before it have {before}"
            )
        for what, array in (("matrix", self.values), ("right-hand side", self.rhs), ("context", self.context)):
            if not np.isfinite(array).all():
                raise UsageError(f"system {t}: the {what} holds NaN or an infinity")


def entry(made: Any, t: int) -> Entry:
    """What a user's function or iterator gives for the system number t. UsageError where it is no system."""
    if not isinstance(made, tuple) or len(made) not in (2, 3):
        raise UsageError(f"system {t} is a tuple (A, b) or (A, b, context), not {type(made).__name__}")
    try:
        pattern, values = Pattern.of(made[0])
        rhs = np.array(made[1], dtype=float)
        return Entry(pattern, values.copy(), rhs, made[2] if len(made) == 3 else None)
    except (TypeError, ValueError) as error:
        raise UsageError(f"system {t}: {error}") from None
