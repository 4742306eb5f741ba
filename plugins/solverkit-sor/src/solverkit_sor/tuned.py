"""`SequenceTuner` as the decider of `sor-tuner`: the same rounds as `Bandit`, over solvers and parameters at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit_sor.bandit import Round
from solverkit_sor.solvers.base import Arm, Parameters
from solverkit_sor.tuner.saving import SavedTuner, plain, restore, snapshot
from solverkit_sor.tuner.sequence import SequenceTuner


class Tuned:
    """One tuner, drawing from the run's generator."""

    def __init__(self, tuner: SequenceTuner) -> None:
        self._tuner = tuner

    @property
    def cost(self) -> str:
        """`work` or `time`."""
        return str(self._tuner.cost)

    def solve(
        self,
        matrix: csr_array,
        rhs: np.ndarray,
        x0: np.ndarray | None,
        rtol: float,
        context: Any,
        rng: np.random.Generator,
    ) -> Round:
        """One round. UsageError as `SequenceTuner.solve` raises it."""
        self._tuner.rng = rng
        x, info = self._tuner.solve(matrix, rhs, x0, rtol=rtol, context=context)
        residual = float(np.linalg.norm(rhs - matrix @ x))
        return Round(x, info.arm, info.cost, info.iterations, info.converged, residual, info.message)

    def state(self) -> dict[str, Any]:
        """All but the generator, which is the run's, and what its solvers keep (`keeping`). Lists are the tuner's own:
        the history is read when a checkpoint is written, not copied at every step."""
        return snapshot(self._tuner)

    def load(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self._tuner = restore(SequenceTuner, SavedTuner.model_validate(plain(state)), None)

    @property
    def kept(self) -> dict[str, Arm]:
        """Solvers that keep what they build, by name."""
        return self._tuner._ready().keeping()

    def keeper(self, name: str) -> tuple[Arm, Parameters]:
        """The solver of that name, made where it is not there yet, and its parameters."""
        return self._tuner._ready().keeper(name, self._tuner.arms.parameters if self._tuner.arms else [])
