"""Where a run of `implicit-gradient` stands: arrays and numbers alone, so that a checkpoint holds all of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit_bilevel.hypergradient.oracles import Batches
from solverkit_bilevel.hypergradient.settle import Settling


@dataclass
class Drift:
    """The constant or decreasing steps of AID-BiO, ITD-BiO and stocBiO; see `constant_steps`."""

    z: np.ndarray  # (n + m,)
    lower_step: float  # alpha
    batches: Batches
    adjoint: np.ndarray  # (m,) of the last step, the next one's start with cg
    gradient: np.ndarray  # (n,) the last estimate of the hypergradient
    size: float = np.inf  # running mean of its norm
    iterations: int = 0
    left: float = 0.0  # what the last adjoint system left, relative


@dataclass
class State:
    """One of the two phases, `drift` first where there is one."""

    shapes: dict[str, list[int]]  # of the blocks of (x, y), in order
    settling: Settling | None = None
    drift: Drift | None = None
    still: bool = False  # the constant steps with full oracles have come to rest

    @property
    def z(self) -> np.ndarray:
        """(x, y)."""
        if self.settling is not None:
            return self.settling.walk.z
        assert self.drift is not None
        return self.drift.z
