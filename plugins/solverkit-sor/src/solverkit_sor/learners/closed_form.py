"""The relaxation factor by formula, from gap = lambda_min(D^-1 A) = 1 - beta.

    SSOR-CG   w = 2 / (1 + sqrt(2 gap))                       Axelsson, Iterative Solution Methods, 1994
    SOR       w = 1 + (beta / (1 + sqrt(1 - beta^2)))^2       Young 1954, consistently ordered A

The gap comes free from a CG solve as its smallest Ritz value, or as the Rayleigh quotient of a vector near the lowest
eigenvector. Both lie above lambda_min, so w errs on the safe, small side. The formula is near the optimum for constant
coefficients. Where isolated tiny eigenvalues set the gap (rough coefficients) CG deflates them, and the formula's w
is far too large: use it as one arm among others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from solverkit_sor.learners.base import Learner, State, number

HIGHEST = 1.9
"""Formula values are clipped to [1, HIGHEST]: beyond it the cost climbs steeply and the gap is least certain."""


def ssor_relaxation(gap: float) -> float:
    """w for SSOR-preconditioned CG, in [1, 1.9]; natural ordering."""
    return float(np.clip(2.0 / (1.0 + np.sqrt(2.0 * max(gap, 0.0))), 1.0, HIGHEST))


def sor_relaxation(gap: float) -> float:
    """Young's optimal w for SOR, in [1, 1.9]."""
    beta = min(max(1.0 - gap, 0.0), 1.0)
    return float(np.clip(1.0 + (beta / (1.0 + np.sqrt(1.0 - beta * beta))) ** 2, 1.0, HIGHEST))


def shifted_gap(gap: float, diagonal: float, shift: float) -> float:
    """lambda_min of the Jacobi-scaled A + shift I from that of A, whose diagonal is the constant `diagonal`."""
    return (gap * diagonal + shift) / (diagonal + shift)


class ClosedForm(Learner):
    """The arm nearest to the formula, distances in log(2 - w). The context is the gap, and nothing is learnt."""

    def __init__(self, relaxations: np.ndarray, method: Literal["sor", "ssor-cg"] = "ssor-cg") -> None:
        """relaxations : (arms,) the factors w, all below 2."""
        super().__init__(len(relaxations))
        self.places = np.log(2.0 - np.asarray(relaxations, dtype=np.float64))
        self.formula = sor_relaxation if method == "sor" else ssor_relaxation

    def choose(self, context: Any, rng: np.random.Generator) -> int:
        relaxation = self.formula(number(context, "the closed form"))
        return int(np.argmin(np.abs(self.places - np.log(2.0 - relaxation))))

    def update(self, arm: int, context: Any, cost: float) -> None:
        self.checked(arm, cost)

    def state(self) -> State:
        return {}

    def load(self, state: Mapping[str, Any]) -> None:
        """Nothing was learnt, so there is nothing to restore."""
