"""Where a run of `implicit-gradient` stands: arrays and numbers alone, so that a checkpoint holds all of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit_bilevel.hypergradient.descent import Walk
from solverkit_bilevel.hypergradient.oracles import Batches


@dataclass
class Drift:
    """The constant or decreasing steps of AID-BiO, ITD-BiO and stocBiO; see `constant_steps`."""

    z: np.ndarray  # (n + m,)
    lower_step: float  # alpha
    batches: Batches
    adjoint: np.ndarray  # (m,) of the last step, the next one's start with cg
    gradient: np.ndarray  # (n,) the last estimate of the hypergradient
    size: float = np.inf  # running mean of its norm
    upper: float = 0.0  # the last estimate of F, full oracles alone
    iterations: int = 0
    left: float = 0.0  # what the last adjoint system left, relative


@dataclass
class State:
    """One of the two phases, `drift` first where there is one."""

    shapes: dict[str, list[int]]  # of the blocks of (x, y), in order
    walk: Walk | None = None
    drift: Drift | None = None
    tol: float = 1e-6
    least: float = np.inf  # least relative residual so far: Phi falls all along, so later points are no worse
    escapes: int = 0  # from saddle points
    claimed: bool = False
    ended: bool = False

    @property
    def z(self) -> np.ndarray:
        """(x, y)."""
        if self.walk is not None:
            return self.walk.z
        assert self.drift is not None
        return self.drift.z
