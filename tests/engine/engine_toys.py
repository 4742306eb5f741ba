"""A quadratic, its certificate, and gradient descent on it: small enough to reason about, faulty on request."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from solverkit.engine.driver import run
from solverkit.engine.options import Options
from solverkit.engine.result import Result
from solverkit.engine.solver import OneShotSolver, Solver
from solverkit.kinds.base import Certificate, Kind, Problem, Term
from solverkit.registry.specs import KindSpec, SolverSpec


@dataclass(frozen=True, eq=False)
class Quadratic(Problem):
    """min 0.5 x'Dx - b'x with D diagonal. `fault(oracle, call)` may replace a value or raise."""

    kind: ClassVar[str] = "toy"
    oracles: ClassVar[dict[str, str]] = {"value": "nfev", "gradient": "njev"}
    name: str = "quadratic"
    diagonal: np.ndarray = field(default_factory=lambda: np.linspace(1.0, 3.0, 5))
    b: np.ndarray = field(default_factory=lambda: np.ones(5))
    fault: Callable[[str, int, Any], Any] | None = None
    made: list[str] = field(default_factory=list)  # every real call, whoever made it

    provides: ClassVar[frozenset[str]] = frozenset({"gradient"})

    def value(self, x: np.ndarray) -> float:
        with np.errstate(all="ignore"):
            return self._spoil("value", float(0.5 * x @ (self.diagonal * x) - self.b @ x))

    def gradient(self, x: np.ndarray) -> np.ndarray:
        return self._spoil("gradient", self.diagonal * x - self.b)

    def _spoil(self, oracle: str, value: Any) -> Any:
        self.made.append(oracle)
        return value if self.fault is None else self.fault(oracle, self.made.count(oracle), value)

    def objective(self, point):
        return float(0.5 * point["x"] @ (self.diagonal * point["x"]) - self.b @ point["x"])

    def flat(self, point):
        return point["x"].ravel()

    def blocks(self, z):
        return {"x": z.copy()}

    def start(self, rng):
        return {"x": rng.standard_normal(len(self.b))}

    def fingerprint(self):
        return hashlib.sha256(self.diagonal.tobytes() + self.b.tobytes()).hexdigest()

    def to(self, device, dtype):
        return self


class Toy(Kind):
    """Certifies stationarity from the data of the problem; `seen` counts the certificates."""

    name = "toy"

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.seen = 0

    schema = None
    build = None

    def certify(self, problem, point, tol, seed):
        self.seen += 1
        if self.fault:
            raise self.fault
        residual = float(np.abs(problem.diagonal * point["x"] - problem.b).max())
        violated = float(max(0.0, np.abs(point["x"]).max() - 100.0))
        terms = (Term("stationarity", residual, tol), Term("size", violated, tol, feasibility=True))
        return Certificate(terms, {"proven": "infeasible"} if "ray" in point else {})


class DescentOptions(Options):
    """Step and tricks."""

    step: float = 0.2
    noise: float = 0.0  # random part of the direction
    inner: int = 1  # gradient steps a step
    sleep: float = 0.0
    claim_at: int = 10**9  # iteration at which it claims convergence, true or not
    merit: bool = True


@dataclass
class Memory:
    """A nested part of the state."""

    seen: list[float]
    note: str | None = None


@dataclass
class DescentState:
    """Iterate, momentum, and a bit of everything that a checkpoint must hold."""

    x: np.ndarray
    previous: np.ndarray
    merit: float
    nit: int
    memory: Memory
    extra: dict[str, Any]


class Descent(Solver):
    """Gradient descent with a little momentum and noise."""

    Options = DescentOptions

    def init(self, problem, start, ctx):
        x = start["x"].copy()
        return DescentState(x, x.copy(), float("inf"), 0, Memory([]), {"shape": (len(x), 1)})

    def step(self, problem, state, ctx):
        options = self.options
        if options.sleep:
            time.sleep(options.sleep)
        for _ in range(options.inner):
            gradient = problem.gradient(state.x)
            if options.noise:
                gradient = gradient + options.noise * ctx.rng.standard_normal(len(state.x))
            ahead = state.x - options.step * gradient + 0.3 * (state.x - state.previous)
            state.previous, state.x = state.x, ahead
        state.merit = float(np.linalg.norm(gradient))
        state.nit += 1
        state.memory.seen = [*state.memory.seen[-3:], problem.value(state.x)]
        return state

    def point(self, state):
        return {"x": state.x}

    def report(self, state):
        return {"merit": state.merit} if self.options.merit else {"size": float(state.x @ state.x)}

    def converged(self, state):
        return state.nit >= self.options.claim_at


class Wrapped(OneShotSolver):
    """A tool that owns its loop."""

    Options = DescentOptions

    def solve(self, problem, start, ctx, observe):
        x = start["x"].copy()
        for _ in range(100_000):
            gradient = problem.gradient(x)
            x = x - self.options.step * gradient
            merit = float(np.linalg.norm(gradient))
            observe({"x": x}, merit=merit)
            if merit < 1e-9:
                break
        return {"x": x}


SPEC = SolverSpec("descent", "toy", "Gradient descent.", f"{__name__}:Descent", f"{__name__}:DescentOptions")
ONE_SHOT = SolverSpec("wrapped", "toy", "A tool.", f"{__name__}:Wrapped", f"{__name__}:DescentOptions")
KIND = KindSpec("toy", "Quadratics.", f"{__name__}:Toy")


def descend(
    problem: Problem | None = None, kind: Kind | None = None, options: dict | None = None, **how: Any
) -> Result:
    """One run of the toy method."""
    return run(problem or Quadratic(), SPEC, Descent(DescentOptions(**(options or {}))), kind or Toy(), **how)


def at(oracle: str, call: int, action: Any) -> Callable[[str, int, Any], Any]:
    """A fault: `action` (a value, or an exception) in place of one oracle's output at one call."""

    def fault(name, count, value):
        if name != oracle or count != call:
            return value
        if isinstance(action, BaseException):
            raise action
        return action(value) if callable(action) else action

    return fault
