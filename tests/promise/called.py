"""In which order the driver calls a method, told by one that writes down its calls."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import solverkit as sk
from solverkit.plugin import Certificate, Kind, KindSpec, Options, Problem, Solver, SolverSpec, Term, hookimpl
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
        CALLS.append("certify")
        return Certificate((Term("error", problem.error(point["x"]), tol),))


@dataclass
class State:
    x: np.ndarray


class Walker(Solver[Line, State]):
    """One to the right a step."""

    Options = Options

    def init(self, problem: Line, start: Any, ctx: Any) -> State:
        CALLS.append("init")
        return State(start["x"])

    def step(self, problem: Line, state: State, ctx: Any) -> State:
        CALLS.append("step")
        return State(state.x + 1)

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


class Plugin:
    """As a module with hooks."""

    @hookimpl
    def solverkit_problem_kinds(self) -> list[KindSpec]:
        return [KindSpec("promise-line", "Find 3.", "tests.promise.called:LineKind")]

    @hookimpl
    def solverkit_solvers(self) -> list[SolverSpec]:
        targets = "tests.promise.called:Walker", "solverkit.plugin:Options"
        return [SolverSpec("promise-walker", "promise-line", "Walk.", *targets)]


def called() -> dict[str, list[str]]:
    """The calls of a whole run, and of one that is stopped and resumed."""
    with registry.using(Plugin(), "promise"), tempfile.TemporaryDirectory() as folder:
        whole = _calls(lambda: sk.solve(Line(), "promise-walker"))
        stopped = _calls(lambda: sk.solve(Line(), "promise-walker", max_iter=1, out=folder, checkpoint=0.0))
        resumed = _calls(lambda: sk.resume(folder, Line(), max_iter=10))
    return {"a run": whole, "a run of one step": stopped, "the same resumed": resumed}


def _calls(work: Any) -> list[str]:
    CALLS.clear()
    work()
    return list(CALLS)
