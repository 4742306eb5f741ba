"""Where a run of `bo-rep` stands: arrays and numbers alone, so that a checkpoint holds all of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solverkit_bilevel.hypergradient.oracles import Batches
from solverkit_bilevel.hypergradient.settle import Settling


@dataclass
class Loop:
    """The iterate of the published algorithm and what its steps are chosen by.

    | field | paper | meaning |
    |---|---|---|
    | point | (x_t, y_t) | |
    | z, m, t | z_t, m_t, t | linear system, momentum, steps of x done |
    | gamma, nu, radius | gamma, nu, R | production: first of gamma_t, nu_t; R follows `drift` |
    | epoch | s | epochs of the refinement done |
    """

    point: np.ndarray  # (n + m,)
    z: np.ndarray  # (m,)
    m: np.ndarray  # (n,)
    batches: Batches
    eta: float
    gamma: float
    nu: float
    radius: float
    largest: float  # L
    along: np.ndarray  # (m,) its direction
    epoch: int = 0
    t: int = 0
    drift: float = 0.0  # recent length of an update of y
    size: float = np.inf  # running mean of |m|
    windows: list[float] = field(default_factory=list)  # mean |m| of the last complete windows
    filling: float = 0.0  # sum of |m| in the current one
    rhs: float = 0.0  # recent |F_y|, slowly forgotten
    left: float = 0.0  # |f_yy z - F_y| of the last step
    bend: float = 0.0  # recent curvature |m_t+1 - m_t| / |x_t - x_t-1|, slowly forgotten
    moved: float = 0.0  # |x_t - x_t-1|


@dataclass
class State:
    """`loop` first, `settling` after the handover."""

    shapes: dict[str, list[int]]  # of the blocks of (x, y), in order
    loop: Loop | None = None
    settling: Settling | None = None

    @property
    def z(self) -> np.ndarray:
        """(x, y)."""
        if self.settling is not None:
            return self.settling.walk.z
        assert self.loop is not None
        return self.loop.point
