"""Where a run of LV-HBA stands: arrays and numbers alone, so that a checkpoint holds all of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solverkit_bilevel.structure import Structure

MEMORY = 10  # pairs of the L-BFGS in `descent`


@dataclass
class Descent:
    """Where the descent of F(x, y*(x)) stands; see `descent`."""

    lam: np.ndarray  # multipliers of the follower's rows
    slope: np.ndarray  # (n,) hypergradient
    moves: list[np.ndarray] = field(default_factory=list)  # differences of x
    turns: list[np.ndarray] = field(default_factory=list)  # and of the hypergradient
    values: list[float] = field(default_factory=list)  # last values of F(x, y*(x))
    least: float = np.inf  # rho of the best iterate; F falls all along, so later ones are no worse answers
    iterations: int = 0

    def remember(self, move: np.ndarray, turn: np.ndarray) -> None:
        """Add a pair, drop the oldest."""
        self.moves, self.turns = [*self.moves, move][-MEMORY:], [*self.turns, turn][-MEMORY:]


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
    ended: bool = False  # stopped of itself, without a claim
    polished: bool = False
    open_gap: float | None = None  # production: a larger relative gap is open, and no gradient outweighs it
    descent: Descent | None = None  # what has taken over from the projected steps, if anything

    @property
    def rho(self) -> float:
        """R_k / (1 + |grad F|)."""
        return self.residual / (1 + float(np.linalg.norm(self.upper_slope)))

    @property
    def merit(self) -> float:
        """Stationarity plus sqrt((f - v) / (1 + |f|)): the gap is O(1/c^2), the error of x O(1/c).

        Stationarity is rho in the paper's schedule. In production it is rho / (1 + rho), and an open gap counts 1
        more: a point whose y does not answer its x is never better than one whose y does.
        """
        rho = self.rho if self.descent is None or self.polished else min(self.rho, self.descent.least)
        gap = max(self.gap, 0.0) / (1 + abs(self.lower))
        if self.open_gap is None:
            return rho + float(np.sqrt(gap))
        return rho / (1 + rho) + float(np.sqrt(gap)) + (1.0 if gap > self.open_gap else 0.0)
