"""Methods that say more than they know, or do more than is counted."""

from __future__ import annotations

import numpy as np

from conformance_toy.good import Good, State
from conformance_toy.kind import Quadratic
from solverkit.plugin import Context


class AtOnce(Good):
    """Claims convergence wherever it is."""

    def converged(self, state: State) -> bool:
        return True


class Around(Good):
    """Takes its gradients from somewhere else than the counted oracle."""

    def step(self, problem: Quadratic, state: State, ctx: Context) -> State:
        state.x = state.x - self.length(state) * state.gradient
        state.gradient = self.elsewhere(problem, state.x)
        state.residual = float(np.linalg.norm(state.gradient))
        return state

    def elsewhere(self, problem: Quadratic, x: np.ndarray) -> np.ndarray:
        """The gradient, uncounted."""
        raise AssertionError("a subclass says where from")


class PastTheCounter(Around):
    """Calls the oracle on the class, where the engine does not count."""

    def elsewhere(self, problem: Quadratic, x: np.ndarray) -> np.ndarray:
        return type(problem).gradient(problem, x)


class PastTheOracles(Around):
    """Calls the function that the oracle is made of."""

    def elsewhere(self, problem: Quadratic, x: np.ndarray) -> np.ndarray:
        return problem.product(x) - problem.vector
