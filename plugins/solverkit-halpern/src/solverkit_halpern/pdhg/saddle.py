"""Bilinear saddle points over any two blocks whose proximal maps are known: the general form.

    0 in (c + A y + df(x),  b - A'x + dg(y))

The merit is the natural residual with step 1 / ||A||, from products at hand; `anchored.claim` says when it is enough.
Where both blocks lie in boxes, as in sequence form, the iteration works in the coordinates of D A E (`preprocess`).
Games in sequence form are claimed by their exact gap.
"""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Context
from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.gap import sequence_bracket
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.structure import SequenceForm
from solverkit.operators.proximal import Box
from solverkit_halpern.anchored.claim import Claim
from solverkit_halpern.pdhg.norm import operator_norm
from solverkit_halpern.pdhg.options import HalpernOptions
from solverkit_halpern.pdhg.state import PdhgState
from solverkit_halpern.preprocess.scaling import equilibrated


class SaddleModel:
    """Two blocks, F(x, y) = (c + A y, b - A'x)."""

    check = 10
    longest = 0.36

    def __init__(self, problem: Inclusion, options: HalpernOptions, ctx: Context) -> None:
        form = problem.bilinear
        assert form is not None
        self.problem, self.ctx = problem, ctx
        self.shape = form.matrix.shape
        self._f, self._g = problem.sets
        self._rows, self._columns = np.ones(self.shape[0]), np.ones(self.shape[1])
        self._step = 0.0
        self._scaled = isinstance(self._f, Box) and isinstance(self._g, Box)
        if isinstance(self._f, Box) and isinstance(self._g, Box):
            found = equilibrated(form.matrix, options.ruiz, options.pock_chambolle)
            self._rows, self._columns = found.rows, found.columns
            self._f, self._g = _divided(self._f, self._rows), _divided(self._g, self._columns)
        self.c, self.b = self._rows * form.linear_x, self._columns * form.linear_y
        self._claim = Claim(problem, ctx)

    def prox_x(self, v: np.ndarray, tau: float) -> np.ndarray:
        return self._f.prox(v - tau * self.c, tau)

    def prox_y(self, v: np.ndarray, sigma: float) -> np.ndarray:
        return self._g.prox(v - sigma * self.b, sigma)

    def forward(self, y: np.ndarray) -> np.ndarray:
        return self._rows * self.problem.forward(self._columns * y)

    def adjoint(self, x: np.ndarray) -> np.ndarray:
        return self._columns * self.problem.adjoint(self._rows * x)

    def prepare(self, state: PdhgState) -> None:
        """The products are always the same."""

    def observe(self, state: PdhgState) -> None:
        """The residual costs proximal maps: it waits for `assess`."""

    def norm(self, state: PdhgState, faces: bool) -> tuple[float, np.ndarray]:
        if faces:
            return 0.0, state.vector
        found = operator_norm(self.forward, self.adjoint, state.vector, np.copy, np.copy, limit=40, rtol=1e-3)
        return found.value, found.vector

    def assess(self, state: PdhgState) -> None:
        form, image = self.problem.bilinear, state.image
        assert form is not None
        if not self._step:
            self._step = self._given_step(state)
        x, y, step = self._rows * image.x, self._columns * image.y, self._step
        f, g = self.problem.sets
        ahead_x = f.prox(x - step * (form.linear_x + image.forward / self._rows), step)
        ahead_y = g.prox(y - step * (form.linear_y - image.adjoint / self._columns), step)
        self.ctx.charge("nprox", 1)
        moved = np.concatenate([x - ahead_x, y - ahead_y]) / step
        state.merit = float(np.abs(moved).max(initial=0.0))
        u = np.concatenate([x, y])
        if self._claim.due(u, state.merit, state.asked):
            state.asked, state.done = state.merit, self._claim.holds(u, step) and self._gap_holds(u)

    def _gap_holds(self, u: np.ndarray) -> bool:
        """Whether the exact gap of a game in sequence form is within the tolerance: four linear programs a look."""
        form = self.problem.structure
        if not isinstance(form, SequenceForm):
            return True
        try:
            found = sequence_bracket(form, u)
        except ValueError:
            return False
        return found.violation <= self.ctx.tol and found.gap <= self.ctx.tol * form.scale

    def _given_step(self, state: PdhgState) -> float:
        """1 / ||A|| of the matrix as it was given, for the residual of the certificate."""
        if not self._scaled:
            return 1.0 / state.norm
        problem = self.problem
        found = operator_norm(problem.forward, problem.adjoint, state.vector, np.copy, np.copy, rtol=0.01)
        return 1.0 / (1.02 * found.value or 1.0)

    def start(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(x, y) of u."""
        p = self.shape[0]
        return u[:p] / self._rows, u[p:] / self._columns

    def answer(self, state: PdhgState) -> Point:
        return self.problem.blocks(np.concatenate([self._rows * state.image.x, self._columns * state.image.y]))


def _divided(box: Box, factors: np.ndarray) -> Box:
    """The box of v / factors."""
    return Box(box.lower.host / factors, box.upper.host / factors)
