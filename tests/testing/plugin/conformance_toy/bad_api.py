"""Methods whose parts are not what the protocol says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from conformance_toy.good import Good, State
from conformance_toy.kind import Quadratic
from conformance_toy.options import Bare
from solverkit.plugin import Context, Point


class NoDescription(Good):
    """An option without a word on what it does."""

    Options = Bare


class OtherOptions(Good):
    """The class names one options model, its record another."""

    Options = Bare


class WrongShape(Good):
    """A column where the problem has a vector."""

    def point(self, state: State) -> Point:
        return {"x": state.x[:, None]}


class TextReport(Good):
    """A word among the scalars."""

    def report(self, state: State) -> dict:
        return {"merit": state.residual, "phase": "descent"}


class ClaimByNumber(Good):
    """An array in the place of a truth value."""

    def converged(self, state: State) -> np.ndarray:
        return np.array([state.residual <= state.target])


class SharedBuffer(Good):
    """A point that `report` overwrites; the state itself is untouched."""

    def point(self, state: State) -> Point:
        self.buffer = state.x.copy()
        return {"x": self.buffer}

    def report(self, state: State) -> dict[str, float]:
        if hasattr(self, "buffer"):
            self.buffer[:] = 0.0
        return super().report(state)


@dataclass
class WithFunction(State):
    """A state that holds code."""

    square: Callable[[float], float] = field(default=lambda value: value * value)


class Lambda(Good):
    """A state that no file can hold."""

    def init(self, problem: Quadratic, start: Point, ctx: Context) -> WithFunction:
        return WithFunction(**vars(super().init(problem, start, ctx)))


class Remembers(Good):
    """The second run of one instance takes other steps than the first."""

    runs = 0

    def init(self, problem: Quadratic, start: Point, ctx: Context) -> State:
        self.runs += 1
        state = super().init(problem, start, ctx)
        state.target /= self.runs
        state.x = state.x + (self.runs - 1)
        state.gradient = problem.gradient(state.x)
        return state
