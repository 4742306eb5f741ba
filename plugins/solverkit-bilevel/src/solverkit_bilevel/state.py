"""Where a run of LV-HBA stands: arrays and numbers alone, so that a checkpoint holds all of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solverkit_bilevel.structure import Structure


@dataclass
class State:
    """The iterate, what the oracles gave there, and the memory of the line search.

    | field | paper | meaning |
    |---|---|---|
    | w | (x, y) | in C |
    | z, lam | z, lambda | multipliers of the scaled lower rows: the anchor, the saddle's |
    | d | t - y | the saddle's displacement |
    | c | c_k | penalty |
    """

    structure: Structure
    shapes: dict[str, list[int]]  # of the blocks of w, in order
    w: np.ndarray  # (n + m,)
    z: np.ndarray  # (k,)
    lam: np.ndarray  # (k,)
    d: np.ndarray  # (m,)
    warm: np.ndarray  # multipliers of the last projection onto C, its warm start
    c0: float
    c: float
    iterations: int = 0
    upper: float = 0.0  # F
    lower: float = 0.0  # f
    gap: float = 0.0  # f - v
    upper_slope: np.ndarray = field(default_factory=lambda: np.zeros(0))  # grad F
    gap_slope: np.ndarray = field(default_factory=lambda: np.zeros(0))  # grad_{x,y} (f - v)
    residual: float = 0.0  # R_k
    step: float = 1.0  # spectral step; alpha in the paper's schedule
    history: list[float] = field(default_factory=list)  # last values of psi_c at this c
    level_iterations: int = 0  # iterations at this c
    anchor: np.ndarray | None = None  # w at the end of the last level
    stuck: bool = False  # the last line search failed
    claimed: bool = False
    polished: bool = False

    @property
    def merit(self) -> float:
        """R_k / (1 + |grad F|) + sqrt((f - v) / (1 + |f|)): the gap is O(1/c^2), the error of x O(1/c)."""
        scale = 1 + float(np.linalg.norm(self.upper_slope))
        return self.residual / scale + float(np.sqrt(max(self.gap, 0.0) / (1 + abs(self.lower))))
