"""Zero-sum games on simplices: the gap is exact, costs nothing, and keeps the best of each player.

    gap = max_j (A'x)_j - min_i (A y)_i

The iteration has A'x and A y of each T(z) at hand, so the gap is known at each iteration. Its two halves do not depend
on each other: the x that secures least and the y that secures most may come from different iterations.

Steps go by ||C A C||, C v = v - mean(v) (`preprocess.centring`); after a restart, in production, by the norm of A from
the tangent of the face that y lies in to that of x: rows and columns that are not played do not limit the step while
they stay so. A step that turns out too long for the faces is seen in the residual, and the norm on the whole simplices
takes over for some epochs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.engine.solver import Context
from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.structure import Game, payoff_scale
from solverkit.operators.proximal import Simplex
from solverkit_halpern.pdhg.norm import operator_norm
from solverkit_halpern.pdhg.options import HalpernOptions
from solverkit_halpern.pdhg.products import DeviceProducts, SingleProducts
from solverkit_halpern.pdhg.state import PdhgState
from solverkit_halpern.preprocess.centring import centre

EXACT_SCALE = 100_000  # entries up to which the scale of payoffs is exact; beyond it is sampled, as that is cheap
SAMPLED = (500, 200)  # rows and columns of the sample
SHARE = 0.9  # of a sampled scale: the gap that is claimed is smaller than need be rather than larger
MIXED_ENTRIES = 250_000
MIXED_REACH = 3e-6  # tolerance that single precision reaches with room, relative to the scale of payoffs
ROUNDING = 16 * float(np.finfo(np.float32).eps)  # of products, relative to the largest
MIXED_AFTER = 30  # iterations in double first: easy games end before a copy pays
WHOLE_STEPS = 10
FACE_STEPS = 4
FACE_SHARE = 0.97  # 1 over the factor by which a norm from a few products may be too small
SETTLED = 20  # iterations before faces mean anything


class GameModel:
    """A game on two simplices of total 1, in its own coordinates."""

    check = 1
    longest = 0.5

    def __init__(self, problem: Inclusion, options: HalpernOptions, ctx: Context) -> None:
        assert problem.bilinear is not None
        assert isinstance(problem.structure, Game)
        self.problem, self.options, self.ctx = problem, options, ctx
        self.shape = problem.bilinear.matrix.shape
        self.target = ctx.tol * _scale(problem.structure)
        self._simplex = Simplex()
        self._single: SingleProducts | None = None
        self._products: Any = problem
        self._mixed = False
        if ctx.device != "cpu":
            self._products = DeviceProducts(problem.bilinear.matrix, ctx.device, ctx.charge)
        self._eager = options.mode == "production"
        self._centring = options.centring if options.centring is not None else options.mode != "paper"

    def prox_x(self, v: np.ndarray, tau: float) -> np.ndarray:
        return self._simplex.project(v)

    prox_y = prox_x

    def forward(self, y: np.ndarray) -> np.ndarray:
        return self._products.forward(y)

    def adjoint(self, x: np.ndarray) -> np.ndarray:
        return self._products.adjoint(x)

    def prepare(self, state: PdhgState) -> None:
        """Choose the products of this iteration."""
        if self.ctx.device != "cpu":
            return
        mixed = state.total >= MIXED_AFTER and state.checked == 0 and self._may_mix()
        if mixed and self._single is None:
            assert self.problem.bilinear is not None
            self._single = SingleProducts(self.problem.bilinear.matrix, self.ctx.charge)
        self._products, self._mixed = (self._single, True) if mixed else (self.problem, False)

    def _may_mix(self) -> bool:
        matrix = self.problem.bilinear.matrix if self.problem.bilinear is not None else None
        asked = self.options.precision
        if asked == "auto" and self.options.mode == "paper":
            return False
        if asked == "double" or not isinstance(matrix, np.ndarray) or matrix.dtype != float or self.ctx.device != "cpu":
            return False
        return asked == "mixed" or (matrix.size >= MIXED_ENTRIES and self.ctx.tol >= MIXED_REACH)

    def observe(self, state: PdhgState) -> None:
        image = state.image
        upper, lower = float(image.adjoint.max()), float(image.forward.min())
        if not (np.isfinite(upper) and np.isfinite(lower)):
            state.merit = np.nan
            return
        if upper < state.upper:
            state.upper, state.best_x = upper, image.x
        if lower > state.lower:
            state.lower, state.best_y = lower, image.y
        state.merit = state.upper - state.lower
        if self._eager and state.merit <= max(self.target, self._floor(state)):
            self._confirm(state)

    def assess(self, state: PdhgState) -> None:
        """In production nothing is left to do: `observe` knows all."""
        if state.merit <= max(self.target, self._floor(state)):
            self._confirm(state)

    def _floor(self, state: PdhgState) -> float:
        """The gap below which single precision shows its own rounding; 0 in double."""
        if not self._mixed:
            return 0.0
        return ROUNDING * max(float(np.abs(state.image.forward).max()), float(np.abs(state.image.adjoint).max()))

    def _confirm(self, state: PdhgState) -> None:
        """What was found in single precision is claimed only if it holds in double; else double goes on."""
        if self._mixed:
            assert state.best_x is not None
            assert state.best_y is not None
            state.upper = float(self.problem.adjoint(state.best_x).max())
            state.lower = float(self.problem.forward(state.best_y).min())
            state.merit = state.upper - state.lower
            state.checked = state.total
            self.prepare(state)
        state.done = bool(state.merit <= self.target)

    def norm(self, state: PdhgState, faces: bool) -> tuple[float, np.ndarray]:
        if faces and state.total < SETTLED:
            return 0.0, state.vector
        if faces:
            played_x, played_y = state.image.x > 0, state.image.y > 0
            found = operator_norm(
                self.forward, self.adjoint, state.vector, _on(played_x), _on(played_y), FACE_STEPS, rtol=0.02
            )
            return found.value / FACE_SHARE, found.vector
        whole = centre if self._centring else np.copy
        found = operator_norm(self.forward, self.adjoint, state.vector, whole, whole, WHOLE_STEPS, rtol=0.01)
        return found.value, found.vector

    def start(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The strategies of u, projected."""
        p = self.shape[0]
        return self._simplex.project(u[:p]), self._simplex.project(u[p:])

    def answer(self, state: PdhgState) -> Point:
        x = state.image.x if state.best_x is None else state.best_x
        y = state.image.y if state.best_y is None else state.best_y
        return self.problem.blocks(np.concatenate([x, y]))


def _on(played: np.ndarray) -> Any:
    """The projection onto { v : v = 0 where not played, sum v = 0 }."""
    count = max(int(played.sum()), 1)

    def project(v: np.ndarray) -> np.ndarray:
        held = np.where(played, v, 0.0)
        return np.where(played, held - held.sum() / count, 0.0)

    return project


def _scale(game: Game) -> float:
    """The scale of payoffs that the certificate measures the gap by; for a large dense matrix a sample of it."""
    matrix = game.matrix
    if not isinstance(matrix, np.ndarray) or matrix.size <= EXACT_SCALE:
        return game.scale
    strides = [max(length // most, 1) for length, most in zip(matrix.shape, SAMPLED, strict=True)]
    return SHARE * payoff_scale(np.ascontiguousarray(matrix[:: strides[0], :: strides[1]]))
