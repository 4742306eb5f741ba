"""The inequality that the theory of sliding rests on, asserted step by step.

    E_k <= (1 - gamma_k) E_{k-1} + gamma_k e_k,     E_k = D_k + A_k V(x_k, u)

D_k = Psi(xb_k) - Psi(u) for subgradients; Psi_eta(xb_k) - Psi(u) + eta_k D_Y for smoothed h. It holds for any u of the
domain, not for the minimizer alone, so a run can check itself without knowing an answer: u is the block `reference` of
the start where it has one (tests give Clarabel's minimizer), the start itself otherwise. The recursion's own condition,
gamma_k (beta_k + (beta_k + mu) delta_k) <= (1 - gamma_k) A_{k-1}, is asserted beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.kinds.composite.problem import Composite

REFERENCE = "reference"
"""Block of a start that holds the u of the inequality, of the shape of x."""

ROUNDING = 1e-11
"""Slack, relative to the sizes that enter."""


@dataclass
class Potential:
    """E of the latest step, and what it is measured against."""

    reference: np.ndarray  # (n,) u
    value: float  # Psi(u)
    difference: float = 0.0  # D_k
    energy: float = 0.0  # E_k

    def advance(
        self,
        problem: Composite,
        *,
        level: float,  # Psi or Psi_eta at xb_k, plus eta_k D_Y
        gamma: float,
        beta: float,
        mu: float,
        delta: float,
        before: float,  # A_{k-1}; infinite at the first step
        after: float,  # A_k
        old: np.ndarray,  # x_{k-1}
        new: np.ndarray,  # x_k
        error: float,  # e_k
    ) -> None:
        """Look at one step. RuntimeError where the inequality breaks, with the values."""
        carried = gamma * (beta + (beta + mu) * delta)
        first = gamma == 1.0
        if not first and carried > (1 - gamma) * before * (1 + 1e-9):
            raise RuntimeError(f"the recursion breaks: {carried:.17g} > {(1 - gamma) * before:.17g}")
        distance = problem.simple.distance(new, self.reference)
        difference = level - self.value
        energy = difference + after * distance
        rest = carried * problem.simple.distance(old, self.reference) if first else (1 - gamma) * self.energy
        allowed = rest + gamma * error
        slack = ROUNDING * (1 + abs(level) + abs(self.value) + after * distance + abs(allowed))
        if not energy <= allowed + slack:
            raise RuntimeError(f"the potential rises: E_k = {energy:.17g} > {allowed:.17g}, gamma = {gamma:.3g}")
        self.difference, self.energy = difference, energy
