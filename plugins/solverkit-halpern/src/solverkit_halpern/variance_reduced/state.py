"""What a run of `vr-halpern` remembers between steps of the driver."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solverkit_halpern.extragradient.iteration import Iterate
from solverkit_halpern.extragradient.merit import Quality
from solverkit_halpern.extragradient.shapes import Shapes
from solverkit_halpern.extragradient.watch import Watch

GROWTH = 1.5  # of the residual of Algorithm 1, for its guard to act


def _empty() -> np.ndarray:
    return np.empty(0)


@dataclass
class State:
    """One of the three algorithms, and what they share."""

    algorithm: str  # page, forb or full
    u: np.ndarray  # (N,) u_k
    anchor: np.ndarray  # u_0 of the current round
    step: float  # eta
    mean: float  # L_Q, given or probed
    quality: Quality
    shapes: Shapes
    k: int = 0  # iterations of this round
    total: int = 0  # iterations of all rounds
    anchor_merit: float = np.inf
    # page
    previous: np.ndarray = field(default_factory=_empty)  # u_{k-1}
    estimate: np.ndarray = field(default_factory=_empty)  # g_{k-1}
    watch: Watch = field(default_factory=lambda: Watch(GROWTH))  # of the residual at full evaluations
    halvings: int = 0
    drift: float = 0.0  # ||g_{k-1} - F(u_k)|| / ||F(u_k)|| at the latest refresh
    # forb
    inner_step: float = 0.0  # tau
    inner_count: int = 0  # component steps of the latest inner problem
    # full
    full: Iterate | None = None

    def move_anchor(self) -> None:
        """A new round from where the run stands."""
        self.anchor, self.k = self.u.copy(), 0
        self.anchor_merit = self.quality.merit
