"""One system after another, solved by one solver whose parameter a learner chooses.

    i_t = choose(c_t);   x_t = solve(A_t, b_t; value i_t);   update(i_t, c_t, cost_t)

A trial that does not converge within the cap is finished by the safe solver, from where the trial stood or, if it
diverged, from where it began. The learner is charged for both.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_array

from solverkit_sor.learners.base import Learner
from solverkit_sor.solvers.base import Arm, Parameters

Cost = Literal["work", "iterations", "time"]


@dataclass(frozen=True)
class Round:
    """What became of one system."""

    x: np.ndarray  # (n,)
    arm: int
    cost: float
    iterations: int  # of trial and rescue together
    converged: bool
    residual: float  # |b - A x|_2
    rescued: str = ""  # why the safe solver took over; empty where it did not


@dataclass(frozen=True)
class Bandit:
    """A solver, the values of its parameter, and who chooses among them."""

    arm: Arm
    parameters: tuple[Parameters, ...]  # by arm index
    learner: Learner
    safe: Arm
    cap: int
    cost: Cost

    def solve(
        self,
        matrix: csr_array,
        rhs: np.ndarray,
        x0: np.ndarray | None,
        rtol: float,
        context: Any,
        rng: np.random.Generator,
    ) -> Round:
        """One round. UsageError as the arm raises it."""
        began = time.process_time()
        chosen = self.learner.choose(context, rng)
        trial = self.arm.solve(matrix, rhs, x0, rtol, self.cap, self.parameters[chosen])
        last, iterations, work, rescued = trial, trial.iterations, trial.work, ""
        if not trial.converged:
            rescued = f"arm {chosen} of {self.arm.name}: {trial.outcome.value}; {self.safe.name} went on"
            first = float(np.linalg.norm(rhs if x0 is None else rhs - matrix @ x0))
            begin = trial.x if trial.residual <= first else x0
            last = self.safe.solve(matrix, rhs, begin, rtol)
            iterations, work = iterations + last.iterations, work + last.work
        if self.cost == "work":
            cost = work
        elif self.cost == "time":
            cost = time.process_time() - began
        else:
            cost = trial.iterations + (self._in_iterations(last.work, matrix) if rescued else 0.0)
        self.learner.update(chosen, context, cost)
        return Round(last.x, chosen, cost, iterations, last.converged, last.residual, rescued)

    def state(self) -> dict[str, Any]:
        """The learner's."""
        return self.learner.state()

    def load(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self.learner.load(state)

    @property
    def kept(self) -> dict[str, Arm]:
        """Solvers that may keep what they build, by name."""
        return {"arm": self.arm, "safe": self.safe}

    def keeper(self, name: str) -> tuple[Arm, Parameters]:
        """The solver of that name, and the parameters of its preconditioner."""
        return (self.arm, self.parameters[0]) if name == "arm" else (self.safe, {})

    def _in_iterations(self, work: float, matrix: csr_array) -> float:
        """`work` of the safe solver in iterations of the arm, so that both can be added."""
        n, nnz = matrix.shape[0], matrix.nnz
        return work / (self.arm.work(n, nnz, 2) - self.arm.work(n, nnz, 1))
