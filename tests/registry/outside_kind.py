"""A kind of problem that the core has never heard of: two-player zero-sum games on simplices, by hooks alone.

    min_x max_y x'Ay,   x and y probabilities

Here are the problem, its certificate, its part of the problem file, one method, two that lie, and one that never ends.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from solverkit.kinds.fields import Quantity, Schema, Shape
from solverkit.plugin import (
    Certificate,
    Field,
    Kind,
    KindSpec,
    Options,
    Problem,
    Solver,
    SolverSpec,
    Term,
    hookimpl,
)


@hookimpl
def solverkit_problem_kinds() -> list[KindSpec]:
    return [KindSpec("toy-game", "min over x, max over y of x'Ay on simplices", "outside_kind:ToyGameKind")]


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    def spec(name: str, target: str, **more: Any) -> SolverSpec:
        return SolverSpec(
            name, "toy-game", f"Toy: {target}.", f"outside_kind:{target}", "outside_kind:GameOptions", **more
        )

    return [
        spec("toy-extragradient", "Extragradient", priority=1, requires=("operator",), paper="Korpelevich 1976"),
        spec("toy-stays", "Stays"),
        spec("toy-leaves", "Leaves"),
        spec("toy-sleeps", "Sleeps"),
        spec("toy-picky", "Extragradient", requires=("resolvent", "hvp")),
    ]


@dataclass(frozen=True, eq=False)
class ToyGame(Problem):
    kind: ClassVar[str] = "toy-game"
    oracles: ClassVar[Mapping[str, str]] = {"operator": "nfev"}

    name: str
    payoff: np.ndarray  # (m, n)
    sign: float = 1.0  # -1: an operator that is wrong, for `check` to find
    expect: Mapping[str, Any] = field(default_factory=dict)

    @property
    def provides(self):
        return frozenset({"operator"})

    def start(self, rng):
        return {name: np.full(size, 1 / size) for name, size in zip(("x", "y"), self.payoff.shape, strict=True)}

    def fingerprint(self):
        return hashlib.sha256(repr((self.payoff.shape, self.payoff.tolist(), self.sign)).encode()).hexdigest()

    def to(self, device, dtype):
        return self

    def objective(self, point):
        return float(point["x"] @ self.payoff @ point["y"])

    @property
    def expected(self):
        return self.expect

    def operator(self, x, y):
        """The gradient in x, and minus the gradient in y."""
        return self.sign * (self.payoff @ y), -self.payoff.T @ x


class GameFile(Schema):
    shape: Shape
    payoff: Quantity
    wrong: bool = False


class ToyGameKind(Kind):
    name: ClassVar[str] = "toy-game"

    @property
    def schema(self):
        return GameFile

    def build(self, file, source):
        payoff = source.array(file.payoff, source.shape(file.shape, ("shape",)), ("payoff",))
        return ToyGame(source.name, payoff, -1.0 if file.wrong else 1.0, source.expect)

    def certify(self, problem, point, tol, seed):
        x, y = point["x"], point["y"]
        outside = max(abs(block.sum() - 1) + max(0.0, -block.min()) for block in (x, y))
        gap = (problem.payoff.T @ x).max() - (problem.payoff @ y).min()
        terms = (
            Term("simplex", float(outside), tol, feasibility=True),
            Term("gap", float(gap), tol, scaling=1.0 + float(np.abs(problem.payoff).max())),
        )
        return Certificate(terms, {"value": problem.objective(point)})

    def check(self, problem, point, seed):
        """The operator against differences of the objective, in one direction."""
        rng = np.random.default_rng(seed)
        dx, dy = (rng.standard_normal(size) for size in problem.payoff.shape)
        x, y = point["x"], point["y"]
        high, low = (problem.objective({"x": x + h * dx, "y": y + h * dy}) for h in (1e-4, -1e-4))
        gx, gy = problem.operator(x, y)
        return [Term("operator", abs((high - low) / 2e-4 - (gx @ dx - gy @ dy)), 1e-6)]


class GameOptions(Options):
    step: float | None = Field(
        None,
        gt=0,
        description="Step size; below 1 / L.",
        json_schema_extra={"symbol": "eta", "equation": "(3)"},
    )
    block: int = Field(50, ge=1, le=10_000, description="Inner iterations a step. Larger: cheaper steps.")


def project(v):
    """The nearest probability vector."""
    u = np.sort(v)[::-1]
    level = (np.cumsum(u) - 1) / np.arange(1, len(u) + 1)
    return np.maximum(v - level[np.flatnonzero(u > level)[-1]], 0)


@dataclass
class State:
    x: np.ndarray
    y: np.ndarray
    tol: float
    change: float = np.inf


class Extragradient(Solver):
    """v = P(u - eta F(u)),  u+ = P(u - eta F(v))."""

    Options = GameOptions

    def init(self, problem, start, ctx):
        return State(start["x"], start["y"], ctx.tol)

    def step(self, problem, state, ctx):
        eta = self.options.step or 0.9 / np.linalg.norm(problem.payoff, 2)
        for _ in range(self.options.block):
            gx, gy = problem.operator(state.x, state.y)
            gx, gy = problem.operator(project(state.x - eta * gx), project(state.y - eta * gy))
            x, y = project(state.x - eta * gx), project(state.y - eta * gy)
            state.change = float(np.abs(x - state.x).sum() + np.abs(y - state.y).sum())
            state.x, state.y = x, y
        return state

    def point(self, state):
        return {"x": state.x, "y": state.y}

    def report(self, state):
        return {"merit": state.change}

    def converged(self, state):
        return state.change < 0.01 * state.tol


class Stays(Extragradient):
    """Claims that the start is the answer."""

    def step(self, problem, state, ctx):
        return state

    def converged(self, state):
        return True


class Leaves(Stays):
    """Claims an answer outside of the simplex."""

    def point(self, state):
        return {"x": 2 * state.x, "y": state.y}


class Sleeps(Stays):
    """Never ends."""

    def step(self, problem, state, ctx):
        time.sleep(0.01)
        return state

    def converged(self, state):
        return False
