"""Games whose rows and columns are in very different units: r2HPDHG in the coordinates of D A E.

    x = D x~,  y = E y~:    min max x~' (D A E) y~   over { x~ >= 0, d'x~ = 1 } and { y~ >= 0, e'y~ = 1 }

d and e bring rows and columns of the double-centred matrix to one root mean square, by Ruiz's rounds. Projections onto
a simplex with weights d go by Michelot's active sets, tangents are the orthogonal complement of d. On games whose
factors spread little this gains nothing, and the plain coordinates serve.

| here | meaning |
|---|---|
| rows, columns | (p,) d and (q,) e, geometric mean 1 |
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse

from solverkit.engine.solver import Context
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.pdhg.game import FACE_SHARE, FACE_STEPS, SETTLED, WHOLE_STEPS, GameModel
from solverkit_halpern.pdhg.norm import operator_norm
from solverkit_halpern.pdhg.options import HalpernOptions
from solverkit_halpern.pdhg.state import PdhgState

ENTRIES = 1_000_000  # of a matrix up to which the factors are looked for: ten passes over it
SPREAD = 8.0  # largest over least factor from which scaling pays
ROUNDS = 10
NOISE = 1e-14  # entries of the centred matrix below this, relative to the largest payoff, are rounding
Factors = tuple[np.ndarray, np.ndarray]


def factors_of(matrix: Any) -> Factors | None:
    """(d, e) where they spread enough to matter."""
    if matrix.shape[0] * matrix.shape[1] > ENTRIES or min(matrix.shape) < 2:
        return None
    A = matrix.toarray() if issparse(matrix) else matrix
    largest = float(np.abs(A).max()) or 1.0
    A = A / largest
    size = (A - A.mean(axis=0) - A.mean(axis=1)[:, None] + A.mean()) ** 2
    size[size < NOISE**2] = 0.0
    rows, columns = np.ones(A.shape[0]), np.ones(A.shape[1])
    for _ in range(ROUNDS):
        scaled = rows[:, None] ** 2 * size * columns**2
        rows, columns = _divided(rows, scaled.mean(axis=1)), _divided(columns, scaled.mean(axis=0))
    if max(rows.max() / rows.min(), columns.max() / columns.min()) < SPREAD:
        return None
    return rows, columns


def _divided(factors: np.ndarray, squares: np.ndarray) -> np.ndarray:
    found = factors / np.where(squares > 0, squares, 1.0) ** 0.25
    return found / np.exp(np.log(found).mean())


def project(v: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The nearest point of { u >= 0, weights'u = 1 }, weights > 0: u = max(v - t weights, 0) with the t that fits."""
    v = v - (v / weights).max() * weights  # large common parts would drown the 1
    active = np.ones(len(v), dtype=bool)
    while True:
        held = weights[active]
        t = (held @ v[active] - 1.0) / (held @ held)
        fewer = active & (v > t * weights)
        if fewer.sum() in (active.sum(), 0):
            return np.where(active, np.maximum(v - t * weights, 0.0), 0.0)
        active = fewer


class ScaledGameModel(GameModel):
    """A `GameModel` in scaled coordinates, by double precision products."""

    def __init__(self, problem: Inclusion, options: HalpernOptions, ctx: Context, factors: Factors) -> None:
        super().__init__(problem, options, ctx)
        self.rows, self.columns = factors

    def prox_x(self, v: np.ndarray, tau: float) -> np.ndarray:
        return project(v, self.rows)

    def prox_y(self, v: np.ndarray, sigma: float) -> np.ndarray:
        return project(v, self.columns)

    def forward(self, y: np.ndarray) -> np.ndarray:
        return self.rows * self.problem.forward(self.columns * y)

    def adjoint(self, x: np.ndarray) -> np.ndarray:
        return self.columns * self.problem.adjoint(self.rows * x)

    def prepare(self, state: PdhgState) -> None:
        """The products are always the same."""

    def observe(self, state: PdhgState) -> None:
        image = state.image
        upper, lower = float((image.adjoint / self.columns).max()), float((image.forward / self.rows).min())
        if not (np.isfinite(upper) and np.isfinite(lower)):
            state.merit = np.nan
            return
        if upper < state.upper:
            state.upper, state.best_x = upper, self.rows * image.x
        if lower > state.lower:
            state.lower, state.best_y = lower, self.columns * image.y
        state.merit = state.upper - state.lower
        if state.merit <= self.target:
            state.done = self._holds(state)

    def _holds(self, state: PdhgState) -> bool:
        """Whether strategies with a sum of exactly 1 have that gap: two products."""
        assert state.best_x is not None
        assert state.best_y is not None
        x, y = state.best_x / state.best_x.sum(), state.best_y / state.best_y.sum()
        upper, lower = float(self.problem.adjoint(x).max()), float(self.problem.forward(y).min())
        state.best_x, state.best_y, state.upper, state.lower = x, y, upper, lower
        state.merit = upper - lower
        return bool(state.merit <= self.target)

    def norm(self, state: PdhgState, faces: bool) -> tuple[float, np.ndarray]:
        if faces and state.total < SETTLED:
            return 0.0, state.vector
        played = (state.image.x > 0, state.image.y > 0) if faces else (self.rows > 0, self.columns > 0)
        left, right = _tangent(self.rows, played[0]), _tangent(self.columns, played[1])
        steps, rtol = (FACE_STEPS, 0.02) if faces else (WHOLE_STEPS, 0.01)
        found = operator_norm(self.forward, self.adjoint, state.vector, left, right, steps, rtol=rtol)
        return found.value / (FACE_SHARE if faces else 1.0), found.vector

    def start(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The strategies of u, projected onto the simplices, in scaled coordinates."""
        x, y = super().start(u)
        return x / self.rows, y / self.columns

    def answer(self, state: PdhgState) -> dict[str, np.ndarray]:
        x = self.rows * state.image.x if state.best_x is None else state.best_x
        y = self.columns * state.image.y if state.best_y is None else state.best_y
        return self.problem.blocks(np.concatenate([x / x.sum(), y / y.sum()]))


def _tangent(weights: np.ndarray, played: np.ndarray) -> Any:
    """The projection onto { v : v = 0 where not played, weights'v = 0 }."""
    held = np.where(played, weights, 0.0)
    square = float(held @ held) or 1.0

    def onto(v: np.ndarray) -> np.ndarray:
        return np.where(played, v, 0.0) - (float(held @ v) / square) * held

    return onto
