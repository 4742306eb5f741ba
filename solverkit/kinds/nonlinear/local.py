"""A nonlinear problem from one point: values and first derivatives, each evaluated once, and natural scales.

A row l <= c_i(x) <= u is broken by

    (l - c_i) / (||grad c_i||_2 + |l|)     or     (c_i - u) / (||grad c_i||_2 + |u|),

about the distance to the row, relative to its bound: multiplying the row by any number changes nothing. Where the
bound is not zero, ||grad c_i||_2 counts as sum_j |dc_i/dx_j| |x_j| at most: variables of size 1e-6 with gradients of
1e6 do not hide a row that is broken by a tenth of its bound. Where the distance is further than the size of x, the
gradient here says little, and the largest of a few near by takes its place; a row that has none anywhere is broken
by 1.
A multiplier
y_i counts by its force y_i ||grad c_i||_2. Bounds on x are rows whose gradient has length one.

The scale of forces is

    S = ||grad f||_inf + min(1, C) + 1e-6 C_0,      C_0 = max ||Hess f d||_inf,
    C = max(C_0, ||grad f(x + d / 10) - grad f||_inf 10),

both over random d with |d_j| between half of 1 + |x_j| and all of it. C is what the gradient changes by when x
changes by its own size, as it looks near by: further away f may grow with a fourth power. So S is one plus the
gradient for an objective of ordinary size, and still meaningful for an objective multiplied by 1e-8 or 1e8. Random
lengths, not signs alone: with |d_j| = 1 + |x_j| half of all d are blind to (x_1 - x_2)**2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array, issparse

from solverkit.kinds.nonlinear.problem import Matrix, Nonlinear
from solverkit.operators.qp import row_norms

TINY = 1e-300
EPS = float(np.finfo(float).eps)
ROUNDING = 8 * EPS
DRAWS = 2
NEAR = 0.1  # times d
CHUNK = 64  # rows of a dense Jacobian at a time, so that |J| is never a second copy of J


@dataclass(frozen=True, eq=False)
class Local:
    """Everything of first order at one point x."""

    problem: Nonlinear
    x: np.ndarray
    seed: int

    @cached_property
    def value(self) -> float:
        return self.problem.value(self.x)

    @cached_property
    def gradient(self) -> np.ndarray:
        return np.asarray(self.problem.gradient(self.x), dtype=float)

    @cached_property
    def rows(self) -> np.ndarray:
        """c(x), (m,)."""
        return np.asarray(self.problem.constraints(self.x), dtype=float)

    @cached_property
    def jacobian(self) -> Matrix:
        """(m, n), a csr_array or an ndarray."""
        jacobian = self.problem.jacobian(self.x)
        return csr_array(jacobian) if issparse(jacobian) else np.asarray(jacobian)

    @cached_property
    def norms(self) -> np.ndarray:
        """||grad c_i||_2, (m,)."""
        if isinstance(self.jacobian, np.ndarray):
            return np.sqrt(np.einsum("ij,ij->i", self.jacobian, self.jacobian))
        return row_norms(self.jacobian)

    @cached_property
    def lengths(self) -> np.ndarray:
        """sum_j |dc_i/dx_j| |x_j|, (m,): what c_i changes by when x changes by its own size."""
        jacobian, size = self.jacobian, np.abs(self.x)
        if not isinstance(jacobian, np.ndarray):
            return np.asarray(abs(jacobian) @ size)
        parts = [np.abs(jacobian[first : first + CHUNK]) @ size for first in range(0, len(jacobian), CHUNK)]
        return np.concatenate([np.zeros(0), *parts])

    @cached_property
    def size(self) -> np.ndarray:
        """1 + |x_j|, (n,)."""
        return 1 + np.abs(self.x)

    @cached_property
    def change(self) -> tuple[float, float]:
        """(C, C_0) of the module."""
        rng = np.random.default_rng(self.seed)
        none, size = np.zeros(self.problem.m), self.size
        around, near = [0.0], [0.0]
        for _ in range(DRAWS):
            direction = size * rng.choice([-1.0, 1.0], len(size)) * rng.uniform(0.5, 1.0, len(size))
            near.append(float(np.abs(self.problem.hvp(self.x, none, direction)).max(initial=0.0)))
            moved = np.asarray(self.problem.gradient(self.x + NEAR * direction)) - self.gradient
            around.append(float(np.abs(moved).max(initial=0.0)) / NEAR)
        exact = float(np.max(near))
        return max(exact, *(value for value in around if np.isfinite(value))), exact

    @cached_property
    def scale(self) -> float:
        """S of the module; 1 where f is constant."""
        if self.problem.objective_function.degree == 0:
            return 1.0
        largest = float(np.abs(self.gradient).max(initial=0.0))
        return max(largest + min(1.0, self.change[0]) + 1e-6 * self.change[1], TINY)

    @cached_property
    def relative_scale(self) -> float:
        """S where every coordinate is measured by 1 + |x_j|."""
        largest = float(np.abs(self.gradient * self.size).max(initial=0.0))
        return max(largest + min(1.0, self.change[0]) + 1e-6 * self.change[1], TINY)

    # -- distances to bounds, of rows and of variables: negative outside

    @cached_property
    def row_room(self) -> tuple[np.ndarray, np.ndarray]:
        """Scaled distances (above the lower bound, below the upper bound) of c, (m,) each; inf where open."""
        p = self.problem
        noise = ROUNDING * (self.lengths + np.abs(self.rows))
        return _room(self.rows, p.lower, p.upper, self.norms, noise, self.lengths)

    @cached_property
    def bound_room(self) -> tuple[np.ndarray, np.ndarray]:
        """The same of x, (n,) each."""
        one = np.ones(len(self.x))
        return _room(self.x, self.problem.lowest, self.problem.highest, one, ROUNDING * np.abs(self.x))

    @cached_property
    def violation(self) -> tuple[float, str]:
        """The worst broken row or bound, scaled, and its name. NaN where a row is."""
        worst, name = 0.0, ""
        for (below, above), label in ((self.row_room, self._row_name), (self.bound_room, self._bound_name)):
            room = np.minimum(below, above)
            if np.isnan(room).any():
                return float("nan"), label(int(np.flatnonzero(np.isnan(room))[0]))
            if label == self._row_name and room.size and -room.min() > float(self.size.max(initial=0.0)):
                room = self._flat_room(room)
            if room.size and -room.min() > worst:
                worst, name = float(-room.min()), label(int(room.argmin()))
        return worst, name

    def _flat_room(self, room: np.ndarray) -> np.ndarray:
        """`room`, with the sizes of rows in the place of gradients that all but vanish."""
        p = self.problem
        short = np.abs(self.rows - np.clip(self.rows, p.lower, p.upper))
        unit = self.row_sizes + np.where(self.rows > p.upper, np.abs(p.upper), np.abs(p.lower))
        flat = np.where(unit > TINY, short / unit, 1.0)
        return np.where(-room > self.size.max(), np.maximum(room, -flat), room)

    @cached_property
    def row_sizes(self) -> np.ndarray:
        """The largest ||grad c_i||_2 here and at points near by, (m,), at least TINY."""
        scale = self.norms.copy()
        rng = np.random.default_rng(self.seed)
        for _ in range(DRAWS):
            there = self.problem.jacobian(self.x + NEAR * self.size * rng.choice([-1.0, 1.0], len(self.x)))
            size = np.linalg.norm(there, axis=1) if isinstance(there, np.ndarray) else row_norms(csr_array(there))
            scale = np.maximum(scale, np.where(np.isfinite(size), size, 0.0))
        return np.maximum(scale, TINY)

    def _row_name(self, row: int) -> str:
        names = self.problem.row_names
        return names[row] if row < len(names) else f"row {row}"

    def _bound_name(self, index: int) -> str:
        blocks = self.problem.variables
        ends = np.cumsum([block.size for block in blocks])
        at = int(np.searchsorted(ends, index, side="right"))
        place = np.unravel_index(index - ends[at] + blocks[at].size, blocks[at].shape)
        return f"bound of {blocks[at].name}" + (f"[{','.join(map(str, place))}]" if place else "")

    def pulled_size(self, y: np.ndarray) -> float:
        """max of |J|'|y|: what rounding in J'y is relative to."""
        weights, jacobian = np.abs(y), self.jacobian
        if not isinstance(jacobian, np.ndarray):
            return float((abs(jacobian).T @ weights).max(initial=0.0))
        total = np.zeros(jacobian.shape[1])
        for first in range(0, len(weights), CHUNK):
            total += weights[first : first + CHUNK] @ np.abs(jacobian[first : first + CHUNK])
        return float(total.max(initial=0.0))


def _room(
    value: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    norms: np.ndarray,
    noise: np.ndarray,
    lengths: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    sides = []
    for bound, gap in ((lower, value - lower), (upper, upper - value)):
        there = np.isfinite(bound)
        size = np.where(there, np.abs(bound), 0.0)
        steep = norms if lengths is None else np.where(size > 0, np.minimum(norms, lengths), norms)
        unit = np.maximum(steep + size, TINY)
        gap = np.where(gap < 0, np.minimum(gap + noise, 0.0), gap)  # a violation within rounding is none
        sides.append(np.where(there, gap / unit, np.inf))
    return sides[0], sides[1]
