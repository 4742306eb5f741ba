"""Linear programs: scaled coordinates, the certificate's residuals, and rays that prove that there is no answer.

    min_x max_y  c'x + y'A x - sigma(y),   lower <= x <= upper,   sigma(y) = sup { y's : row_lower <= s <= row_upper }

In the words of the iteration the matrix is A' (its x has the n variables, its y the m rows). The proximal map of sigma
is v - s clip(v / s, row_lower, row_upper) (Moreau). Products are the problem's own, in its units, while
it is small; a large one is scaled once, to D A E (`preprocess.scaling`), and its products are charged.

Where there is no answer, T has no fixed point and the differences T(z_k) - z_k tend to a ray that says so (D. Applegate
et al., Infeasibility detection with PDHG, arXiv 2102.04592):

| ray | conditions | proves |
|---|---|---|
| y | y presses on finite sides alone, A'y on finite bounds alone, sigma(y) + sigma_X(-A'y) < 0 | infeasible |
| x | c'x < 0, A x and x within the recession cones of rows and bounds | unbounded, if feasible |
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, issparse

from solverkit.engine.solver import Context
from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.linear import optimality
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.rays import FAR, infeasibility, recession
from solverkit.kinds.inclusion.structure import LinearProgram
from solverkit_halpern.pdhg.norm import operator_norm
from solverkit_halpern.pdhg.options import HalpernOptions
from solverkit_halpern.pdhg.rays import cleaned, infeasible, support, unbounded
from solverkit_halpern.pdhg.state import PdhgState
from solverkit_halpern.preprocess.scaling import Scaling, equilibrated, rescaled

OWN_MATRIX = 20_000  # entries from which the scaled matrix is formed, both ways by rows: products by columns are slow
SCREEN = 1e-6  # by how much a difference may miss a proof, to be cleaned and looked at
RAY_AFTER = 200  # iterations before differences are looked at


class LinearModel:
    """A linear program in scaled coordinates."""

    check = 40
    longest = 0.36

    def __init__(self, problem: Inclusion, options: HalpernOptions, ctx: Context) -> None:
        program = problem.structure
        assert isinstance(program, LinearProgram)
        self.problem, self.program, self.ctx = problem, program, ctx
        m, n = program.A.shape
        self.shape = (n, m)
        self.sides = finite_sides(program.row_lower, program.row_upper)
        scaling = equilibrated(program.A, options.ruiz, options.pock_chambolle)
        self.scaling = rescaled(scaling, program.c, self.sides) if options.rescale else scaling
        self._scale(program, self.scaling)
        self._along = self._across = None  # D A E and its transpose, by rows
        if issparse(program.A) and program.A.nnz >= OWN_MATRIX:
            self._along = self.scaling.matrix(program.A)
            self._across = csr_array(self._along.T)
        ctx.charge("nmul", 2)
        exact = optimality(program, np.zeros(n + m))
        self._primal_scale, self._dual_scale = exact.primal_scale, exact.dual_scale

    def _scale(self, program: LinearProgram, s: Scaling) -> None:
        self.c = s.dual * s.columns * program.c
        self.lower, self.upper = s.x_scaled(program.lower), s.x_scaled(program.upper)
        self.row_lower, self.row_upper = s.primal * s.rows * program.row_lower, s.primal * s.rows * program.row_upper
        self._to_x, self._to_y = s.columns, s.rows

    def prox_x(self, v: np.ndarray, tau: float) -> np.ndarray:
        return np.clip(v - tau * self.c, self.lower, self.upper)

    def prox_y(self, v: np.ndarray, sigma: float) -> np.ndarray:
        return v - sigma * np.clip(v / sigma, self.row_lower, self.row_upper)

    def forward(self, y: np.ndarray) -> np.ndarray:
        if self._across is not None:
            self.ctx.charge("nmul", 1)
            return self._across @ y
        return self._to_x * self.problem.forward(self._to_y * y)

    def adjoint(self, x: np.ndarray) -> np.ndarray:
        if self._along is not None:
            self.ctx.charge("nmul", 1)
            return self._along @ x
        return self._to_y * self.problem.adjoint(self._to_x * x)

    def prepare(self, state: PdhgState) -> None:
        """The products are always the same."""

    def observe(self, state: PdhgState) -> None:
        """Residuals cost as much as a sparse product: they wait for `assess`."""

    def norm(self, state: PdhgState, faces: bool) -> tuple[float, np.ndarray]:
        if faces:
            return 0.0, state.vector
        found = operator_norm(self.forward, self.adjoint, state.vector, np.copy, np.copy, limit=40, rtol=1e-3)
        return found.value, found.vector

    def assess(self, state: PdhgState) -> None:
        """The certificate's relative residuals of T(z), from its products; the exact ones before a claim."""
        s, program, image = self.scaling, self.program, state.image
        x, y = s.x_back(image.x), s.y_back(image.y)
        activity = image.adjoint / (s.rows * s.primal)
        reduced = program.c + image.forward / (s.columns * s.dual)
        outside = np.maximum(program.row_lower - activity, activity - program.row_upper)
        primal = float(np.linalg.norm(np.maximum(outside, 0.0)))
        pulls, least, more = support(-reduced, program.lower, program.upper)
        _, sigma, terms = support(y, program.row_lower, program.row_upper)
        value = float(program.c @ x)
        dual_value = -sigma - least
        entering = float(np.abs(program.c) @ np.abs(x)) + terms + more
        gap_scale = min(1 + abs(value) + abs(dual_value), entering) or 1.0
        worst = max(
            primal / self._primal_scale,
            float(np.linalg.norm(pulls)) / self._dual_scale,
            abs(value - dual_value) / gap_scale,
        )
        state.merit = worst
        if worst <= self.ctx.tol:
            self._confirm(state, np.concatenate([x, y]))
        elif state.total >= RAY_AFTER:
            self._rays(state)

    def _confirm(self, state: PdhgState, u: np.ndarray) -> None:
        self.ctx.charge("nmul", 2)
        exact = optimality(self.program, u)
        state.merit = exact.worst
        state.done = state.merit <= self.ctx.tol

    def _rays(self, state: PdhgState) -> None:
        """What the differences of iterates prove, if anything: screened by products at hand, then held to the proof."""
        s, program, image = self.scaling, self.program, state.image
        for start in (state.current, state.anchor):
            dy = s.y_back(image.y - start.y)
            if infeasible(program, dy, (image.forward - start.forward) / (s.columns * s.dual), SCREEN):
                self.ctx.charge("nmul", 1)
                ray = cleaned(dy)
                margin, radius = infeasibility(program, ray)
                if margin > 0 and radius >= FAR * (1 + float(np.abs(s.x_back(image.x)).max(initial=0.0))):
                    state.verdict, state.ray_y = "infeasible", ray
                    return
            dx = s.x_back(image.x - start.x)
            if unbounded(program, dx, (image.adjoint - start.adjoint) / (s.rows * s.primal), SCREEN):
                self.ctx.charge("nmul", 1)
                ray = cleaned(dx)
                if recession(program, ray) > 0:
                    state.verdict, state.ray_x = "unbounded", ray
                    return

    def start(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scaled (x, y) of a given u = (x, y)."""
        n = self.shape[0]
        return self.scaling.x_scaled(np.clip(u[:n], self.program.lower, self.program.upper)), self.scaling.y_scaled(
            u[n:]
        )

    def answer(self, state: PdhgState) -> Point:
        s, image = self.scaling, state.image
        point = self.problem.blocks(np.concatenate([s.x_back(image.x), s.y_back(image.y)]))
        if state.ray_y is not None:
            point["infeasibility_ray"] = state.ray_y
        if state.ray_x is not None:
            point["unboundedness_ray"] = state.ray_x
        return point


def finite_sides(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """The larger finite side of each row in size, 0 where there is none."""
    sizes = [np.where(np.isfinite(side), np.abs(side), 0.0) for side in (lower, upper)]
    return np.maximum(*sizes)
