"""In which order the driver calls a method, told by one that writes down its calls."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

import solverkit as sk
from solverkit.plugin import (
    Certificate,
    Kind,
    KindSpec,
    OneShotSolver,
    Options,
    Problem,
    Solver,
    SolverSpec,
    Stop,
    Term,
    Termination,
    Unsuitable,
    hookimpl,
)
from solverkit.registry import registry

CALLS: list[str] = []


@dataclass(frozen=True, eq=False)
class Line(Problem):
    """Find 3."""

    kind: ClassVar[str] = "promise-line"
    oracles: ClassVar[Mapping[str, str]] = {"error": "nfev"}
    name: str = "line"

    @property
    def provides(self) -> frozenset[str]:
        return frozenset()

    def start(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {"x": np.zeros(1)}

    def fingerprint(self) -> str:
        return "0" * 64

    def to(self, device: str, dtype: str) -> Line:
        return self

    def error(self, x: np.ndarray) -> float:
        return float(abs(x[0] - 3))


class LineKind(Kind):
    """Certified where x is 3."""

    name: ClassVar[str] = "promise-line"

    @property
    def schema(self) -> Any:
        return Options

    def build(self, file: Any, source: Any) -> Line:
        return Line(source.name)

    def certify(self, problem: Line, point: dict[str, np.ndarray], tol: float, seed: int) -> Certificate:
        if CALLS[-1:] != ["certify"]:  # how often is not promised
            CALLS.append("certify")
        return Certificate((Term("error", problem.error(point["x"]), tol),))


@dataclass
class State:
    x: np.ndarray


class WalkerOptions(Options):
    """Options of `promise-walker`."""

    trouble: Literal["", "raises", "refuses", "stops"] = ""


class Walker(Solver[Line, State]):
    """One to the right a step."""

    Options = WalkerOptions

    def init(self, problem: Line, start: Any, ctx: Any) -> State:
        CALLS.append("init")
        if self.options.trouble == "refuses":
            raise Unsuitable("on purpose")
        return State(start["x"])

    def step(self, problem: Line, state: State, ctx: Any) -> State:
        CALLS.append("step")
        problem.error(state.x)
        if self.options.trouble == "raises":
            raise ArithmeticError("on purpose")
        if self.options.trouble == "stops":
            raise Stop(Termination.STALLED, "on purpose", {"x": state.x + 1})
        return State(state.x + 1)

    def written(self, state: State) -> None:
        CALLS.append("written")

    def point(self, state: State) -> dict[str, np.ndarray]:
        CALLS.append("point")
        return {"x": state.x}

    def report(self, state: State) -> dict[str, float]:
        CALLS.append("report")
        return {"merit": float(abs(state.x[0] - 3))}

    def converged(self, state: State) -> bool:
        CALLS.append("converged")
        return bool(state.x[0] == 3)

    def finish(self, problem: Line, state: State, ctx: Any) -> State:
        CALLS.append("finish")
        return state


class Jumper(OneShotSolver[Line]):
    """There at once."""

    Options = Options

    def solve(self, problem: Line, start: Any, ctx: Any, observe: Any) -> dict[str, np.ndarray]:
        CALLS.append("solve")
        observe({"x": start["x"] + 1}, merit=problem.error(start["x"] + 1))
        return {"x": start["x"] + 3}


class Plugin:
    """As a module with hooks."""

    @hookimpl
    def solverkit_problem_kinds(self) -> list[KindSpec]:
        return [KindSpec("promise-line", "Find 3.", "tests.promise.called:LineKind")]

    @hookimpl
    def solverkit_solvers(self) -> list[SolverSpec]:
        walker = "tests.promise.called:Walker", "tests.promise.called:WalkerOptions"
        jumper = "tests.promise.called:Jumper", "solverkit.plugin:Options"
        return [
            SolverSpec("promise-walker", "promise-line", "Walk.", *walker),
            SolverSpec("promise-jumper", "promise-line", "Jump.", *jumper),
        ]


def called() -> dict[str, list[str]]:
    """The calls of runs that end in each way, and then how the run ended and how often the oracle was called."""
    walk = "promise-walker"
    with registry.using(Plugin(), "promise"), tempfile.TemporaryDirectory() as folder:
        return {
            "a run": _calls(lambda: sk.solve(Line(), walk)),
            "a run of one step": _calls(lambda: sk.solve(Line(), walk, max_iter=1, out=folder, checkpoint=0.0)),
            "the same resumed": _calls(lambda: sk.resume(folder, Line(), max_iter=10)),
            "a run that the callback ends": _calls(lambda: sk.solve(Line(), walk, callback=_end)),
            "a run to its target": _calls(lambda: sk.solve(Line(), walk, target=1)),
            "a step that raises": _calls(lambda: sk.solve(Line(), walk, {"trouble": "raises"})),
            "a step that stops with a point": _calls(lambda: sk.solve(Line(), walk, {"trouble": "stops"})),
            "an init that refuses": _calls(lambda: sk.solve(Line(), walk, {"trouble": "refuses"})),
            "a one-shot run": _calls(lambda: sk.solve(Line(), "promise-jumper")),
        }


def _end(*_: Any) -> None:
    raise StopIteration


def _calls(work: Callable[[], sk.Result]) -> list[str]:
    CALLS.clear()
    try:
        result = work()
    except sk.SolverKitError as error:
        return [*CALLS, f"{type(error).__name__}: {error}"]
    return [*CALLS, f"{result.termination.name}, {result.point_status.name}, {result.counts.get('nfev', 0)} calls"]
