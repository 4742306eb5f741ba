"""What the variance-reduced methods ask of a sampled operator: draws, and steps from one full evaluation to the next.

Two implementations: `oracles` calls the problem's counted oracles in a Python loop and serves every problem, `compiled`
runs kernels on the matrix of a bilinear problem and charges what they do. Arrays are changed in place; random numbers
come in as arrays, so that both do the same for the same draws.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Components(Protocol):
    """F as a sum of `count` components that can be drawn."""

    compiled: bool  # whether kernels evaluate them
    count: int  # n
    mean_lipschitz: float | None  # L_Q for these draws

    def draw(self, rng: np.random.Generator, steps: int, batch: int) -> np.ndarray:
        """Samples of so many steps, (steps, batch, ...)."""
        ...

    def page(
        self,
        u: np.ndarray,
        previous: np.ndarray,
        estimate: np.ndarray,
        anchor: np.ndarray,
        step: float,
        anchoring: np.ndarray,
        samples: np.ndarray,
    ) -> None:
        """Anchored steps with PAGE batches; see `kernels.page`. 2 b evaluations a step."""
        ...

    def reflected(
        self,
        v: np.ndarray,
        w: np.ndarray,
        before: np.ndarray,
        base: np.ndarray,
        scale: float,
        pull: float,
        step: float,
        alpha: float,
        samples: np.ndarray,
    ) -> None:
        """Forward-reflected-backward steps, one sample each; see `kernels.reflected`. 2 evaluations a step.

        Projections are resolvents of `step * scale` G."""
        ...

    def extragradient(
        self,
        v: np.ndarray,
        w: np.ndarray,
        base: np.ndarray,
        total: np.ndarray,
        step: float,
        alpha: float,
        samples: np.ndarray,
    ) -> None:
        """Extragradient steps, one sample each; see `kernels.extragradient`. 2 evaluations a step."""
        ...
