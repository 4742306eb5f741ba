"""Methods that leave traces outside of their run."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from conformance_toy.good import Good, State
from conformance_toy.kind import Quadratic
from solverkit.plugin import Context, Point


class MutatesStart(Good):
    """Iterates in the array it was given."""

    def init(self, problem: Quadratic, start: Point, ctx: Context) -> State:
        state = super().init(problem, start, ctx)
        start["x"] += 1.0
        return state


class MutatesProblem(Good):
    """Moves the start of the problem to where it is."""

    def step(self, problem: Quadratic, state: State, ctx: Context) -> State:
        state = super().step(problem, state, ctx)
        problem.origin[:] = state.x
        return state


class GlobalRandom(Good):
    """Draws from NumPy's global generator."""

    def step(self, problem: Quadratic, state: State, ctx: Context) -> State:
        state = super().step(problem, state, ctx)
        state.noise = float(np.random.random())  # noqa: NPY002
        return state


class Prints(Good):
    """Tells the terminal how it goes."""

    def step(self, problem: Quadratic, state: State, ctx: Context) -> State:
        state = super().step(problem, state, ctx)
        print("residual", state.residual)
        return state


class PrintsBelow(Good):
    """The same from a library that knows nothing of `sys.stdout`."""

    def step(self, problem: Quadratic, state: State, ctx: Context) -> State:
        os.write(2, b"step\n")
        return super().step(problem, state, ctx)


class Threads(Good):
    """Takes one BLAS thread more than the user gave it."""

    def init(self, problem: Quadratic, start: Point, ctx: Context) -> State:
        threads = max((pool["num_threads"] for pool in threadpool_info()), default=1)
        threadpool_limits(threads + 1)
        return super().init(problem, start, ctx)


class Filters(Good):
    """Silences everybody's warnings."""

    def init(self, problem: Quadratic, start: Point, ctx: Context) -> State:
        warnings.filterwarnings("ignore", message="toy warning of no one")
        return super().init(problem, start, ctx)


class Environ(Good):
    """Sets a variable for the processes to come."""

    def init(self, problem: Quadratic, start: Point, ctx: Context) -> State:
        os.environ["CONFORMANCE_TOY"] = "was here"
        return super().init(problem, start, ctx)


class Writes(Good):
    """Keeps a file of its own."""

    def init(self, problem: Quadratic, start: Point, ctx: Context) -> State:
        Path("toy.log").write_text("started\n", encoding="utf-8")
        return super().init(problem, start, ctx)


class Single(Good):
    """Answers in single precision whatever was asked for."""

    def point(self, state: State) -> Point:
        return {"x": state.x.astype(np.float32)}
