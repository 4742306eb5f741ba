"""Bilinear saddle points over any two blocks whose proximal maps are known: the general form.

    0 in (c + A y + df(x),  b - A'x + dg(y))

The merit is the natural residual with step 1 / ||A||, from products at hand; `anchored.claim` says when it is enough.
"""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Context
from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.anchored.claim import Claim
from solverkit_halpern.pdhg.norm import operator_norm
from solverkit_halpern.pdhg.state import PdhgState


class SaddleModel:
    """Two blocks, F(x, y) = (c + A y, b - A'x)."""

    check = 10
    longest = 0.36

    def __init__(self, problem: Inclusion, ctx: Context) -> None:
        assert problem.bilinear is not None
        self.problem, self.ctx = problem, ctx
        self.shape = problem.bilinear.matrix.shape
        self.c, self.b = problem.bilinear.linear_x, problem.bilinear.linear_y
        self._f, self._g = problem.sets
        self._claim = Claim(problem, ctx)

    def prox_x(self, v: np.ndarray, tau: float) -> np.ndarray:
        return self._f.prox(v - tau * self.c, tau)

    def prox_y(self, v: np.ndarray, sigma: float) -> np.ndarray:
        return self._g.prox(v - sigma * self.b, sigma)

    def forward(self, y: np.ndarray) -> np.ndarray:
        return self.problem.forward(y)

    def adjoint(self, x: np.ndarray) -> np.ndarray:
        return self.problem.adjoint(x)

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
        image, step = state.image, 1.0 / state.norm
        ahead_x = self._f.prox(image.x - step * (self.c + image.forward), step)
        ahead_y = self._g.prox(image.y - step * (self.b - image.adjoint), step)
        self.ctx.charge("nprox", 1)
        moved = np.concatenate([image.x - ahead_x, image.y - ahead_y]) / step
        state.merit = float(np.abs(moved).max(initial=0.0))
        u = np.concatenate([image.x, image.y])
        if self._claim.due(u, state.merit, state.asked):
            state.asked, state.done = state.merit, self._claim.holds(u, step)

    def start(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(x, y) of u."""
        p = self.shape[0]
        return u[:p], u[p:]

    def answer(self, state: PdhgState) -> Point:
        return self.problem.blocks(np.concatenate([state.image.x, state.image.y]))
