"""One method that keeps the contract, and ways to break a run."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench_toy.kind import Line
from bench_toy.options import Pace
from solverkit.plugin import Context, Point, Solver


@dataclass
class State:
    """Where it is."""

    x: np.ndarray
    distance: float = float("inf")


class Quick(Solver[Line, State]):
    """One step of the length asked for, to the answer."""

    Options = Pace

    def init(self, problem: Line, start: Point, ctx: Context) -> State:
        return State(start["x"])

    def step(self, problem: Line, state: State, ctx: Context) -> State:
        time.sleep(self.options.seconds)
        state.x = state.x - problem.distance(state.x)
        state.distance = abs(problem.distance(state.x))
        return state

    def point(self, state: State) -> Point:
        return {"x": state.x}

    def report(self, state: State) -> dict[str, float]:
        return {"merit": state.distance}

    def converged(self, state: State) -> bool:
        return state.distance == 0.0


class Hangs(Quick):
    """Does not come back from a step, but for the first one in a process, with which a worker warms up."""

    steps = 0

    def step(self, problem: Line, state: State, ctx: Context) -> State:
        Hangs.steps += 1
        while Hangs.steps > 1:
            time.sleep(1.0)
        return state


class Dies(Quick):
    """Takes its process with it."""

    def step(self, problem: Line, state: State, ctx: Context) -> State:
        os.kill(os.getpid(), signal.SIGSEGV)
        return state


class DiesOnce(Quick):
    """Takes its process with it the first time."""

    def step(self, problem: Line, state: State, ctx: Context) -> State:
        mark = Path(self.options.mark)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step(problem, state, ctx)


class Raises(Quick):
    """Raises an error of its own."""

    def step(self, problem: Line, state: State, ctx: Context) -> State:
        raise RuntimeError("an error of the method")


class Stays(Quick):
    """Says that the start is the answer."""

    def converged(self, state: State) -> bool:
        return True
