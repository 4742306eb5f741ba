"""Where a run of `penalty` stands: arrays and numbers alone, so that a checkpoint holds all of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solverkit_bilevel.penalty.domains import OwnRows
from solverkit_bilevel.penalty.projected import Walk

LEVELS, EXTRAPOLATED, IMPLICIT = "levels", "extrapolated", "implicit"


@dataclass
class Schedule:
    """Paper mode: the iterates and momenta.

    | field | paper | meaning |
    |---|---|---|
    | y, z | y, z | approximate minimizers of h_s and of f |
    | for_x, for_y, for_z | d | STORM momenta; unused in the double loop |
    | before | - | (x, y, z) and s of the last iteration, where the momenta were taken |
    """

    y: np.ndarray
    z: np.ndarray
    k: int = 0
    moved: float = np.inf  # |x_{k+1} - x_k| / alpha_k
    for_x: np.ndarray = field(default_factory=lambda: np.zeros(0))
    for_y: np.ndarray = field(default_factory=lambda: np.zeros(0))
    for_z: np.ndarray = field(default_factory=lambda: np.zeros(0))
    before: list[np.ndarray] = field(default_factory=list)
    s_before: float = 0.0


@dataclass
class State:
    """Production: the outer walk, the minimizations over y that it warm starts, and the bias as measured."""

    shapes: dict[str, list[int]]  # of the blocks of (x, y), in order
    n: int
    rows: list[OwnRows | None]  # of X and Y
    x: Walk
    ys: list[Walk]  # of the rungs 0, s, s/2, ...
    s: float
    s_first: float
    eta: float  # inner accuracy, relative
    tol: float
    phase: str = LEVELS
    order: int = 1
    level: int = 0  # values of s so far
    size: float = 0.0  # |grad F|
    upper: float = np.nan  # F(x, y_0)
    residual: float = np.inf  # of the function that x descends
    bias: float = np.inf  # of its gradient, as the extrapolation measured it
    psi: list[float] = field(default_factory=list)  # psi at s, s/2, s/4 when last measured
    psi_zero: float = np.nan  # and their extrapolation
    adjoint: np.ndarray = field(default_factory=lambda: np.zeros(0))
    finish: str = ""  # how the bias is being removed: `extrapolate`, `extrapolate-answer`, `implicit` or `none`
    settled: np.ndarray | None = None  # x at the last s, for the extrapolation of the answer
    answer: np.ndarray | None = None  # the extrapolation before this one
    iterations: int = 0
    inner: int = 0
    best: float = np.inf  # least residual for the present function of x
    since: int = 0  # steps since it fell to nine tenths
    claimed: bool = False
    jumps: int = 0  # claims taken back since another y had a lower f
    unsettled: bool = False  # the warning that psi_s does not settle was given
    schedule: Schedule | None = None

    @property
    def y(self) -> np.ndarray:
        """y_0."""
        return self.ys[0].v if self.schedule is None else self.schedule.z

    @property
    def rho(self) -> float:
        """The residual relative to 1 + |grad F|."""
        return self.residual / (1 + self.size)

    @property
    def merit(self) -> float:
        """Stationarity in [0, 1), the bias in [0, 1], and 1 more while s is still being lowered."""
        rho = self.rho
        small = rho / (1 + rho) if np.isfinite(rho) else (1.0 if rho == np.inf else np.nan)
        if self.schedule is not None:
            return small + self.s
        bias = 0.0 if self.phase == IMPLICIT else min(self.bias / (1 + self.size), 1.0)
        return small + bias + (1.0 if self.phase == LEVELS else 0.0)
