"""When a run without a gap of its own may say that it has converged.

    r_i = |u - u+|_i / (eta s_i),   d_i = |F(u+) + (u - u+) / eta - F(u)|_i / s_i,   u+ = J(u - eta F(u))

both within the tolerance, s_i the size of F_i at u and at two points about 1 + |u_i| away. The certificate measures the
same with scales from more points, hence larger ones, and with a step at least as long as eta, so that it sees no larger
residual. A look costs four evaluations of F: it is taken when the residual has come near, and then each time that it
has fallen to SHRUNK of what it was at the look before.
"""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Context
from solverkit.kinds.inclusion.problem import Inclusion

NEAR = 100.0  # times the tolerance: from where on looks are taken
SHRUNK = 0.8
PROBES = 2
INSIDE = 1e-12  # step of a resolvent that finds the domain
FLOOR = 1e-9  # least scale of a coordinate, relative to the largest


class Claim:
    """Looks sparingly; `asked`, the residual of the latest look, is kept by the caller, whose state is saved."""

    def __init__(self, problem: Inclusion, ctx: Context) -> None:
        self._problem, self._ctx = problem, ctx

    def due(self, u: np.ndarray, residual: float, asked: float) -> bool:
        """Whether the residual has come so far that a look is worth it."""
        threshold = NEAR * self._ctx.tol * (1 + float(np.abs(u).max(initial=0.0)))
        return residual <= min(SHRUNK * asked, threshold)

    def holds(self, u: np.ndarray, step: float) -> bool:
        """Whether both conditions hold at u with eta = step."""
        problem, tol = self._problem, self._ctx.tol
        value = problem.operator(u)
        ahead = problem.resolvent(u - step * value, step)
        moved = (u - ahead) / step
        scales = self._scales(u, value)
        if not np.all(np.abs(moved) <= tol * scales):
            return False
        return bool(np.all(np.abs(problem.operator(ahead) + moved - value) <= 2 * tol * scales))

    def _scales(self, u: np.ndarray, value: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(0)
        scales = np.abs(value)
        for _ in range(PROBES):
            apart = (1 + np.abs(u)) * rng.choice([-1.0, 1.0], len(u)) * rng.uniform(0.5, 1.0, len(u))
            there = self._problem.operator(self._problem.resolvent(u + apart, INSIDE))
            if np.isfinite(there).all():
                scales = np.maximum(scales, np.maximum(np.abs(there), np.abs(there - value)))
        scales = np.maximum(scales, FLOOR * scales.max(initial=0.0))
        return np.where(scales > 0, scales, 1.0)
