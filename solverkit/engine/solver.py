"""The protocol of a method: three functions of state and what the driver needs to know about them.

A method holds mathematics alone. It never counts, times, prints, stops or looks for NaN: that is the driver's work.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from solverkit.engine.status import Termination
from solverkit.kinds.base import Point, Problem

if TYPE_CHECKING:
    import numpy as np
    from pydantic import BaseModel

P = TypeVar("P", bound=Problem)
S = TypeVar("S")


class Charge(Protocol):
    """How a method accounts for oracle work that a compiled kernel did on the problem's raw data, out of the proxy's
    sight. The result lists these counters under `charged`: they are the method's word."""

    def __call__(self, counter: str, amount: int) -> None: ...


class Log(Protocol):
    """Where a method says something worth reading: one sentence a call, shown on stderr and kept in the trace."""

    def __call__(self, message: str) -> None: ...


class Stop(Exception):
    """Raised by a method, or a tool it wraps, that ends without convergence and knows why.

    `termination` is STALLED, INFEASIBLE, UNBOUNDED, or a limit of the tool's own (MAX_ITER, ...). `message` adds what
    the method knows. `point` is its last answer, with any proof of infeasibility as a block of its own; without one the
    best point so far is the answer.
    """

    def __init__(self, termination: Termination, message: str = "", point: Point | None = None) -> None:
        self.termination, self.message, self.point = termination, message, point
        super().__init__(message or termination.value)

    def __reduce__(self) -> tuple:
        return (type(self), (self.termination, self.message, self.point))


def _nothing() -> None:
    """There is no limit to look at."""


@dataclass(frozen=True)
class Context:
    """What a run gives its method besides the problem. There are no globals."""

    rng: np.random.Generator  # the only source of randomness; its state is part of a checkpoint
    tol: float  # the tolerance that the certificate will use
    device: str
    dtype: str
    log: Log
    charge: Charge
    look: Callable[[], None] = _nothing
    """For a tool that shows no candidates while it runs, and for long stretches of a step without an oracle call: it
    leaves where a limit is reached (in a step: long past it), as an oracle call does. It counts as no iteration, so
    that a trace does not depend on how often the clock was asked."""


class Solver(ABC, Generic[P, S]):
    """One iterative method.

    The state S is a dataclass whose fields are arrays, numbers, strings, None, and lists, dicts or dataclasses of
    those: the engine saves and restores it without help. Whatever can be recomputed from problem and options
    (factorizations, compiled kernels) does not belong there: keep it in a `functools.cached_property`-like cache on the
    solver, built by `init` and rebuilt on demand after a resume.
    """

    Options: ClassVar[type[BaseModel]]

    def __init__(self, options: Any) -> None:
        self.options = options

    @abstractmethod
    def init(self, problem: P, start: Point, ctx: Context) -> S:
        """The state before the first step. `start` holds every block of `problem.start`, and may hold more."""

    @abstractmethod
    def step(self, problem: P, state: S, ctx: Context) -> S:
        """One reportable iteration; a cheap method does a block of inner ones. May change `state` in place.

        An oracle call or `ctx.look` leaves a step that takes far too long, by a BaseException that must pass."""

    @abstractmethod
    def point(self, state: S) -> Point:
        """The current answer as named blocks. The driver copies what it keeps."""

    @abstractmethod
    def report(self, state: S) -> dict[str, float]:
        """Scalars for the trace. `merit` (lower is better) picks the best point; without it the last one is kept.
        `objective` spares callbacks an evaluation. A merit of NaN or minus infinity ends the run as NOT_FINITE."""

    @abstractmethod
    def converged(self, state: S) -> bool:
        """The solver's own claim. The certificate decides.

        Asked after each step, and on a restored state before any step: a tolerance it needs belongs in the state."""

    def written(self, state: S) -> Mapping[str, slice] | None:
        """For points that are long tables, filled row by row, of methods without a `merit`: the rows that the latest
        step wrote, by block; a block that is not named was left alone. The driver looks at and copies these alone.

        None: any part of the point may have changed."""
        return None

    def finish(self, problem: P, state: S, ctx: Context) -> S:
        """Called once after the last step: polishing, unscaling. Not after Ctrl-C, a failure, a reached target, a step
        left half done, or a `Stop` that brings its point.

        After a limit on time or calls it may take as much as the greatest step took; then its next oracle call leaves
        it, and the best point stands.

        Where the certificate likes the best point before it better, that one is the answer."""
        return state


class Observe(Protocol):
    """How a one-shot method shows a candidate: the driver keeps the best and looks at limits and Ctrl-C."""

    def __call__(self, point: Point, **report: float) -> None: ...


class OneShotSolver(ABC, Generic[P]):
    """A tool that owns its loop, run under the same counting, limits and certificate.

    A limit that is reached while the tool runs leaves it by an exception from the next oracle call or `observe`; do not
    catch bare exceptions around either.
    """

    Options: ClassVar[type[BaseModel]]

    def __init__(self, options: Any) -> None:
        self.options = options

    @abstractmethod
    def solve(self, problem: P, start: Point, ctx: Context, observe: Observe) -> Point:
        """The tool's answer; call `observe` on candidates along the way where the tool allows it."""
