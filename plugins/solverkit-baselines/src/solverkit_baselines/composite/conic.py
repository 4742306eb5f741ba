"""CVXPY with a conic solver: Clarabel, an interior point method, or SCS, operator splitting.

CVXPY is part of the comparison: what it spends on the way to the solver counts.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from solverkit.engine.solver import Context, Observe, OneShotSolver
from solverkit.kinds.base import Point
from solverkit.kinds.composite.problem import DUAL, Composite
from solverkit_baselines.composite.model import model_of
from solverkit_baselines.composite.options import ConicOptions
from solverkit_baselines.cones import LARGE, Look, elsewhere, solve


class Conic(OneShotSolver[Composite]):
    """CVXPY with one of the solvers below."""

    Options = ConicOptions
    solver: ClassVar[str]

    @abstractmethod
    def settings(self, tol: float) -> dict[str, Any]:
        """What the solver is given."""

    def solve(self, problem: Composite, start: Point, ctx: Context, observe: Observe) -> Point:
        observe(start)
        if problem.n > LARGE:
            return elsewhere(
                type(self).answer, self, replace(problem), ctx.tol, None, look=ctx.look
            )  # no counting oracles
        return self.answer(problem, ctx.tol, ctx.look)

    def answer(self, problem: Composite, tol: float, look: Look | None) -> Point:
        """What CVXPY finds, with the multiplier of K x = z."""
        model = model_of(problem)
        solve(model.problem, self.solver, self.settings(tol), look)
        point = problem.blocks(_feasible(problem, np.asarray(model.x.value, dtype=float)))
        if model.link is not None:
            point[DUAL] = np.asarray(model.link.dual_value, dtype=float)
        return point


def _feasible(problem: Composite, x: np.ndarray) -> np.ndarray:
    """x without what the tolerance let it be outside of X."""
    if problem.simple.geometry == "entropy":
        x = np.maximum(x, 0.0)
        return x / x.sum()
    return x if problem.simple.violation(x) == 0 else _projected(problem, x)


def _projected(problem: Composite, x: np.ndarray) -> np.ndarray:
    rest: Any = getattr(problem.simple, "rest", None)
    part: Any = getattr(rest, "box", rest)
    return part.project(x) if hasattr(part, "project") else x


class CvxpyClarabel(Conic):
    """Clarabel."""

    solver = "CLARABEL"

    def settings(self, tol: float) -> dict[str, Any]:
        tolerance = self.options.tolerance or max(tol / 10, 1e-12)
        names = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), tolerance)
        return {**names, "max_iter": self.options.iterations or 500}


class CvxpyScs(Conic):
    """SCS."""

    solver = "SCS"

    def settings(self, tol: float) -> dict[str, Any]:
        tolerance = self.options.tolerance or max(tol / 100, 1e-9)
        return {"eps_abs": tolerance, "eps_rel": tolerance, "max_iters": self.options.iterations or 100_000}
