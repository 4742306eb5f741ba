"""Where a run of `bsvrb` stands: arrays and numbers alone, so that a checkpoint holds all of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solverkit_bilevel.penalty.domains import OwnRows
from solverkit_bilevel.penalty.projected import Walk

SAMPLED, EXACT = "sampled", "exact"


@dataclass
class State:
    """The iterate, its predecessor, one row of each estimator for every block, and the momentum of x.

    | field | paper | meaning |
    |---|---|---|
    | z, before | (x_t, y_t), (x_{t-1}, y_{t-1}) | (n + m,); `before` differs in x and in the rows of `changed` alone |
    | v, v_before | v_t, v_{t-1} | (n + m,), zero in the first n, so that they are directions for the Hessian |
    | slope | s_i | (m,) MSVR estimate of grad_y g_i, row by row; no entries where a = 1 |
    | tilt | u_i | (m,) MSVR estimate of H_i v_i - grad_y f_i (v2) |
    | bent | H_i | (count, k, k) MSVR estimate of the block Hessians (v1) |
    | momentum | z_t | (n,) STORM estimate of the hypergradient |
    """

    shapes: dict[str, list[int]]
    n: int
    rows: list[OwnRows | None]
    tol: float
    z: np.ndarray
    before: np.ndarray
    v: np.ndarray
    v_before: np.ndarray
    changed: np.ndarray  # blocks whose rows differ between z and before
    slope: np.ndarray = field(default_factory=lambda: np.zeros(0))
    tilt: np.ndarray = field(default_factory=lambda: np.zeros(0))
    bent: np.ndarray = field(default_factory=lambda: np.zeros(0))
    seen: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))  # blocks whose estimates have begun
    momentum: np.ndarray = field(default_factory=lambda: np.zeros(0))
    t: int = 0
    curvature: float = 0.0  # of F(x, y*(x)), seen at the start, times what retries showed
    retries: int = 0  # how often sampled steps were taken back
    phase: str = SAMPLED
    residual: float = np.inf  # |P(x - d) - x|, d the momentum or the hypergradient
    size: float = 0.0  # |grad F|
    upper: float = np.nan
    walk: Walk | None = None  # over x, of the exact finish
    lower: Walk | None = None  # over y
    claimed: bool = False
    since: int = 0
    best: float = np.inf

    @property
    def merit(self) -> float:
        """The residual relative to 1 + |grad F|, in [0, 1); 1 more while it is an estimate from samples."""
        rho = self.residual / (1 + self.size)
        small = rho / (1 + rho) if np.isfinite(rho) else (1.0 if rho == np.inf else np.nan)
        return small + (1.0 if self.phase == SAMPLED else 0.0)
