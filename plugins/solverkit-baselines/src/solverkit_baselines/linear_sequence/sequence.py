"""What the peers share: they go through the systems one after another, each solved by itself.

A step is one system, or a block of small ones. What a system costs is in iterations; `Solved` says how it was solved.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from solverkit.kinds.linear_sequence import LinearSequence
from solverkit.kinds.linear_sequence.certificate import ALLOWANCE, relative_residual
from solverkit.kinds.linear_sequence.problem import COST, SOLUTIONS
from solverkit.kinds.linear_sequence.systems import System
from solverkit.plugin import Context, Point, Solver, Stop, Termination

BLOCK = 20_000  # entries of matrices in a step: a step of many small systems costs about as much as one large one


class Solved(NamedTuple):
    """The answer to one system."""

    x: np.ndarray  # (n,)
    cost: float  # in iterations


@dataclass
class State:
    """Where a run is. Rows of systems that were not reached are zero."""

    x: np.ndarray  # (T, n)
    cost: np.ndarray  # (T,)
    target: float  # relative residual that is asked for
    t: int = 0  # systems done
    first: int = 0  # of the systems of the latest step
    unsolved: list[int] = field(default_factory=list)
    residual: float = 0.0  # the largest so far
    built: int = -1  # system whose matrix the preconditioner or factor was made of; -1: none yet
    solves: int = 0  # since it was made
    spent: float = 0.0  # in iterations since then, the making included


class SequenceSolver(Solver[LinearSequence, State]):
    """One system after another, by `solve`."""

    @abstractmethod
    def solve(self, problem: LinearSequence, state: State, system: System, ctx: Context) -> Solved:
        """The answer to system number `state.t`, charged."""

    def init(self, problem: LinearSequence, start: Point, ctx: Context) -> State:
        """Nothing is solved; the start has no meaning, since each system has its own."""
        shape = (problem.T, problem.n)
        return State(np.zeros(shape), np.zeros(problem.T), problem.target(ctx.tol))

    def step(self, problem: LinearSequence, state: State, ctx: Context) -> State:
        """The next system, or a block of them. `Stop` at the end where some are not solved."""
        state.first = state.t
        for _ in range(max(1, BLOCK // (problem.pattern.nnz + problem.n))):
            if state.t == problem.T:
                break
            self._next(problem, state, ctx)
        finite = np.isfinite(state.x[state.first : state.t]).all()
        if state.t == problem.T and state.unsolved and finite:
            text = f"{len(state.unsolved)} of {problem.T} systems were not solved, the first is {state.unsolved[0]}"
            raise Stop(Termination.STALLED, text, self.point(state))
        return state

    def _next(self, problem: LinearSequence, state: State, ctx: Context) -> None:
        system = problem.system(state.t, before(problem, state))
        sound = np.isfinite(system.matrix.data).all() and np.isfinite(system.rhs).all()
        # A NaN goes on into the solution, where the driver sees it: no tool has to work on it in vain.
        solved = self.solve(problem, state, system, ctx) if sound else Solved(np.full(problem.n, np.nan), 0.0)
        residual = relative_residual(system.matrix, solved.x, system.rhs)
        if not residual <= ALLOWANCE * state.target:
            state.unsolved.append(state.t)
        state.residual = max(state.residual, residual)
        state.x[state.t], state.cost[state.t] = solved
        state.t += 1

    def point(self, state: State) -> Point:
        """Solutions and costs."""
        return {SOLUTIONS: state.x, COST: state.cost}

    def written(self, state: State) -> dict[str, slice]:
        """The systems of the latest step."""
        return dict.fromkeys((SOLUTIONS, COST), slice(state.first, state.t))

    def report(self, state: State) -> dict[str, float]:
        """Systems done, total cost, largest residual."""
        return {"systems": float(state.t), "total_cost": float(state.cost.sum()), "residual": state.residual}

    def converged(self, state: State) -> bool:
        """Every system is solved."""
        return state.t == len(state.x) and not state.unsolved


def before(problem: LinearSequence, state: State) -> np.ndarray:
    """The solution before the next system, (n,)."""
    return state.x[state.t - 1] if state.t else problem.initial


def first_iterate(rule: str, problem: LinearSequence, state: State) -> np.ndarray:
    """Where an iterative method begins with the next system, (n,), a new array."""
    if rule == "zero" or (rule == "auto" and not problem.depends):
        return np.zeros(problem.n)
    last = before(problem, state)
    if rule != "extrapolated" or state.t == 0:
        return last.copy()
    return 2 * last - (state.x[state.t - 2] if state.t > 1 else problem.initial)


def same_matrix(one: Any, other: Any) -> bool:
    """Whether two matrices of one pattern are equal."""
    return one is other or one.data is other.data or np.array_equal(one.data, other.data)
