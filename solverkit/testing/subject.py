"""One method on one problem: what the checks run, each run on fresh ground.

There are two ways to run it. `solve` is the engine's own, with everything that a user gets. `walk` goes through the
protocol by hand, so that a check can look at the state between two steps and nothing but the method can be at fault.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from solverkit.engine.checkpoint import Checkpoint
from solverkit.engine.driver import run
from solverkit.engine.limits import Limits
from solverkit.engine.points import as_float64, copy_point
from solverkit.engine.result import Result
from solverkit.engine.solver import Context, OneShotSolver, Stop
from solverkit.errors import SolverKitError
from solverkit.kinds.base import Certificate, Point, Problem
from solverkit.registry import registry
from solverkit.testing.digest import digest
from solverkit.testing.elsewhere import Answer, ask
from solverkit.testing.ground import SEED, Ground, ground
from solverkit.testing.instruments import Book, observed, watched
from solverkit.testing.report import Failed, Skipped


@dataclass(frozen=True)
class Budget:
    """How much the checks may spend on one problem."""

    steps: int = 12  # of a short run, in which most checks look
    max_iter: int | None = None  # of a full run, from the start to the answer
    max_time: float = 60.0  # seconds of a full run
    limit_time: float = 0.3  # seconds of the run that is to be stopped by the clock


@dataclass
class Walk:
    """A run by hand: what the method showed after `init` and after each step."""

    solver: Any
    state: Any = None
    points: list[Point] = field(default_factory=list)
    reports: list[Any] = field(default_factory=list)
    claims: list[Any] = field(default_factory=list)
    left: Ground = field(default_factory=Ground)  # what it changed around it

    def look(self) -> None:
        """Read the state as the driver does."""
        self.points.append(copy_point(self.solver.point(self.state)))
        self.reports.append(self.solver.report(self.state))
        self.claims.append(self.solver.converged(self.state))


@dataclass
class Subject:
    """A method, its options, and one problem."""

    method: str
    source: Any  # a problem, a path of a problem file, or a function that makes a problem
    options: Mapping[str, Any] = field(default_factory=dict)
    tol: float = 1e-6
    budget: Budget = field(default_factory=Budget)
    processes: bool = True  # whether checks may start another process, which costs seconds

    @cached_property
    def spec(self) -> Any:
        """The method's record."""
        return registry.method(self.method)

    @cached_property
    def solver_class(self) -> type:
        """The method's class, imported."""
        return registry.resolve(self.spec)[0]

    @cached_property
    def importable(self) -> bool:
        """Whether there is a class to check."""
        try:
            return bool(self.solver_class)
        except SolverKitError:
            return False

    @cached_property
    def problem(self) -> Problem:
        """The problem, made once."""
        return build(self.source)

    @property
    def one_shot(self) -> bool:
        """Whether the method owns its loop, so that there is no state to look at."""
        return issubclass(self.solver_class, OneShotSolver)

    def processes_only(self) -> None:
        """Stand aside where no other process is to be started."""
        if not self.processes:
            raise Skipped("asked of another process on the first problem")

    def steps_only(self) -> None:
        """Stand aside for methods without a state."""
        if self.one_shot:
            raise Skipped("the method owns its loop: there is no state")

    def solver(self) -> Any:
        """A new instance with the options asked for."""
        cls, model = registry.resolve(self.spec)
        return cls(model(**self.options))

    def solve(
        self,
        *,
        certify: bool = False,
        solver: Any = None,
        book: Book | None = None,
        keep_finish: bool = True,
        out: Path | None = None,
        resume_from: Checkpoint | None = None,
        max_iter: int | None = None,
        max_time: float | None = None,
        max_calls: int | None = None,
    ) -> Result:
        """A run by the engine. `book` keeps the kit's own record of it.

        Without `certify` the point stays UNVERIFIED: most checks look at the run, and certificates cost more than it.
        """
        solver, problem = solver or self.solver(), self.problem
        if book is not None:
            solver, problem = watched(solver, book, keep_finish), observed(problem, book)
        limits = Limits(max_iter, self.budget.max_time if max_time is None else max_time, max_calls)
        kind = registry.kind(problem.kind) if certify else _NoVerdict()
        with ground():
            return run(
                problem,
                self.spec,
                solver,
                kind,
                limits=limits,
                tol=self.tol,
                seed=SEED,
                out=out,
                resume_from=resume_from,
            )

    @cached_property
    def full(self) -> Result:
        """The run to the end, certified, made once."""
        return self.solve(certify=True, max_iter=self.budget.max_iter)

    @cached_property
    def short(self) -> Book:
        """The kit's record of a short run without faults, made once."""
        book = Book()
        self.solve(book=book, keep_finish=False, max_iter=self.budget.steps)
        return book

    @cached_property
    def half(self) -> int:
        """Steps after which a run is cut in two: half of a short run, or of a full one where that is shorter; 0 where
        there is nothing to cut."""
        if self.one_shot:
            return 0
        return self.solve(max_iter=self.budget.steps).nit // 2

    @cached_property
    def elsewhere(self) -> Answer:
        """The same in another process, asked once."""
        return ask(self, self.half)

    def walk(
        self,
        steps: int | None = None,
        dtype: str = "float64",
        solver: Any = None,
        each: Callable[[Walk], None] = Walk.look,
        start: Point | None = None,
    ) -> Walk:
        """A run by hand of at most `steps` steps, with `each` called after `init` and after each of them.

        A method that owns its loop is left from `observe` after so many candidates.
        """
        problem = self.problem.to("cpu", dtype)
        ctx = context(self.tol, dtype)
        start = self.start() if start is None else start
        walk = Walk(solver or self.solver())
        steps = self.budget.steps if steps is None else steps
        go = _candidates if self.one_shot else _steps
        with ground() as walk.left, suppress(Stop, _Enough):
            go(walk, problem, start, ctx, steps, each)
        return walk

    def certificate(self, point: Point) -> Certificate:
        """What the kind itself says of a point, apart from any run."""
        kind = registry.kind(self.problem.kind)
        return kind.certify(self.problem, as_float64(point), self.tol, SEED)

    def start(self) -> Point:
        """Where a run begins, copied."""
        return copy_point(self.problem.start(np.random.default_rng(SEED)))

    def portable(self) -> bytes:
        """The source as bytes that another process can read. Skipped where that is not possible."""
        source = str(Path(self.source).resolve()) if isinstance(self.source, (str, Path)) else self.source
        try:
            return pickle.dumps(source)
        except Exception as error:
            text = f"the problem cannot be sent to another process ({type(error).__name__}: {error}); "
            raise Skipped(text + "give the path of its file, or a function of a module that builds it") from None


class _NoVerdict:
    """In the place of a kind, where no certificate is asked for."""

    def certify(self, problem: Problem, point: Point, tol: float, seed: int) -> Certificate:
        """No terms, no verdict."""
        return Certificate((), unverified="the check asked for no certificate")


class _Enough(BaseException):
    """Leaves a tool that owns its loop."""


def _steps(walk: Walk, problem: Problem, start: Point, ctx: Context, steps: int, each: Callable) -> None:
    walk.state = walk.solver.init(problem, start, ctx)
    each(walk)
    for _ in range(steps):
        if walk.solver.converged(walk.state):
            return
        walk.state = walk.solver.step(problem, walk.state, ctx)
        each(walk)


def _candidates(walk: Walk, problem: Problem, start: Point, ctx: Context, steps: int, each: Callable) -> None:
    def observe(point: Point, **report: float) -> None:
        walk.points.append(copy_point(point))
        walk.reports.append(report)
        if len(walk.points) > steps:
            raise _Enough

    walk.points.append(copy_point(walk.solver.solve(problem, start, ctx, observe)))


def build(source: Any) -> Problem:
    """The problem that a source stands for."""
    if isinstance(source, Problem):
        return source
    if isinstance(source, (str, Path)):
        from solverkit.api import load

        return load(source)
    return source()


def label(source: Any) -> str:
    """A short name for a source, without building it."""
    if isinstance(source, Problem):
        return source.name
    if isinstance(source, (str, Path)):
        path = Path(source)
        return path.parent.name if path.stem == "problem" else path.stem
    return getattr(source, "__name__", type(source).__name__)


def context(tol: float, dtype: str) -> Context:
    """What a run gives its method, with a log and an account that lead nowhere."""

    def log(message: str) -> None:
        return None

    def charge(counter: str, amount: int) -> None:
        return None

    return Context(np.random.default_rng([SEED, 1]), tol, "cpu", dtype, log, charge)


def trace_digest(result: Result, after: int = 0) -> str:
    """What a run found, times left out: equal where two runs are equal bit for bit.

    Of the trace, the records of iterations beyond `after`. Oracle counts are not part of it: a run that was resumed may
    have had caches to rebuild.
    """
    records = [[record["nit"], record["report"]] for record in result.trace if record["nit"] > after]
    return digest([records, result.nit, result.termination.name, result.point])


def data_digest(problem: Problem) -> str:
    """What a problem holds, caches left out."""
    if is_dataclass(problem):
        return digest({f.name: getattr(problem, f.name) for f in fields(problem)})
    return digest(vars(problem))


def difference(one: Result, other: Result, after: int = 0) -> str:
    """Where two runs part, in a few words."""
    theirs = {record["nit"]: record["report"] for record in other.trace}
    for record in one.trace:
        nit = record["nit"]
        if nit > after and nit in theirs and digest(record["report"]) != digest(theirs[nit]):
            return f"first different report at iteration {nit}: {record['report']} and {theirs[nit]}"
    if one.nit != other.nit:
        return f"{one.nit} and {other.nit} iterations ({one.termination.name}, {other.termination.name})"
    return f"points {one.point} and {other.point}"


def must(condition: object, seen: str) -> None:
    """Fail the check with what was seen, unless `condition` holds."""
    if not condition:
        raise Failed(seen)
