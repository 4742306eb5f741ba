"""Methods that go on where they should not."""

from __future__ import annotations

import numpy as np

from conformance_toy.good import Good, State
from conformance_toy.kind import Quadratic
from solverkit.plugin import Context


class Mends(Good):
    """Passes every gradient through `mended`."""

    def step(self, problem: Quadratic, state: State, ctx: Context) -> State:
        state.x = state.x - self.length(state) * state.gradient
        state.gradient = self.mended(problem, state.x)
        state.residual = float(np.linalg.norm(state.gradient))
        return state

    def mended(self, problem: Quadratic, x: np.ndarray) -> np.ndarray:
        """A gradient, whatever the oracle said."""
        raise AssertionError("a subclass says how")


class SwallowsNan(Mends):
    """NaN becomes 0, and 0 looks like an answer."""

    def mended(self, problem: Quadratic, x: np.ndarray) -> np.ndarray:
        return np.nan_to_num(problem.gradient(x))


class SwallowsErrors(Mends):
    """A failing oracle is taken for a flat one... for one step."""

    def mended(self, problem: Quadratic, x: np.ndarray) -> np.ndarray:
        try:
            return problem.gradient(x)
        except Exception:
            return np.ones_like(x)


class SwallowsInterrupts(Mends):
    """Ctrl-C is what other people press."""

    def mended(self, problem: Quadratic, x: np.ndarray) -> np.ndarray:
        try:
            return problem.gradient(x)
        except KeyboardInterrupt:
            return np.ones_like(x)


class Reshapes(Mends):
    """A gradient of another length counts as none."""

    def mended(self, problem: Quadratic, x: np.ndarray) -> np.ndarray:
        gradient = problem.gradient(x)
        return gradient if gradient.shape == x.shape else np.zeros_like(x)
