"""Steps by the problem's own oracles: any finite sum, any resolvent, one Python call for each batch.

What the compiled kernels do for bilinear problems, written with `components` and `resolvent`, which the engine counts.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.sampling.alias import AliasTable
from solverkit_halpern.sampling.subsets import subsets


class OracleComponents:
    """See `base.Components`. Draws follow the operator's weights; without weights they are uniform."""

    compiled = False

    def __init__(self, problem: Inclusion, repeat: bool = True) -> None:
        self.problem = problem
        self.count = problem.count
        self.mean_lipschitz = problem.part.mean_lipschitz
        weights = problem.part.weights
        self._table = None if weights is None else AliasTable.of(weights)
        self._repeat = repeat

    def draw(self, rng: np.random.Generator, steps: int, batch: int) -> np.ndarray:
        """Indices (steps, batch): by weight with repetition, or uniform subsets where `repeat` is off."""
        if self._table is not None:
            return self._table.draw(rng, (steps, batch))
        if self._repeat or batch > self.count:
            return rng.integers(0, self.count, (steps, batch))
        return subsets(rng, steps, batch, self.count)

    def _difference(self, u: np.ndarray, v: np.ndarray, samples: np.ndarray) -> np.ndarray:
        return self.problem.components(u, samples) - self.problem.components(v, samples)

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
        """Anchored steps with PAGE batches."""
        for weight, batch in zip(anchoring, samples, strict=True):
            estimate += self._difference(u, previous, batch)
            previous[:] = u
            u[:] = self.problem.resolvent(weight * anchor + (1.0 - weight) * u - step * estimate, step)

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
        """Forward-reflected-backward steps."""
        old = before
        for batch in samples:
            change = scale * self._difference(v, old, batch) + pull * (v - old)
            v[:] = self.problem.resolvent(alpha * v + (1.0 - alpha) * w - step * (base + change), step * scale)
            old = w

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
        """Extragradient steps."""
        for batch in samples:
            middle = alpha * v + (1.0 - alpha) * w
            half = self.problem.resolvent(middle - step * base, step)
            change = self._difference(half, w, batch)
            v[:] = self.problem.resolvent(middle - step * (base + change), step)
            total += half
