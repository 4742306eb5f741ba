"""Clarabel, an interior point method, as CVXPY calls it: the program in CVXPY's words, and its duals.

CVXPY is part of the comparison: what it spends on the way to the solver counts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from solverkit.engine.solver import Context, Observe, OneShotSolver
from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_baselines.cones import SMALL, Look, elsewhere, solve
from solverkit_baselines.inclusion.options import CvxpyOptions
from solverkit_baselines.inclusion.program import Program, program_of


class Cvxpy(OneShotSolver[Inclusion]):
    """CVXPY with Clarabel."""

    Options = CvxpyOptions

    def solve(self, problem: Inclusion, start: Point, ctx: Context, observe: Observe) -> Point:
        program = program_of(problem, "cvxpy")
        observe(start)
        tolerance = self.options.tolerance or max(ctx.tol / 10, 1e-12)
        if program.A.nnz > SMALL:
            plain = replace(program, back=np.append)  # the way back stays here: it cannot be handed over
            x, y = elsewhere(answer, plain, tolerance, None, look=ctx.look)
        else:
            x, y = answer(program, tolerance, ctx.look)
        return program.point(problem, x, y)


def answer(program: Program, tolerance: float, look: Look | None) -> tuple[np.ndarray, np.ndarray]:
    """x, and the multipliers of the rows."""
    import cvxpy

    x = cvxpy.Variable(len(program.c))
    rows = _rows(program, x)
    model = cvxpy.Problem(cvxpy.Minimize(program.c @ x), [constraint for constraint, *_ in rows])
    settings = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), tolerance)
    solve(model, cvxpy.CLARABEL, settings, look)
    y = np.zeros(len(program.row_lower))
    for constraint, places, sign in rows:
        if places is not None:
            y[places] += sign * np.atleast_1d(constraint.dual_value)
    return np.asarray(x.value), y


def _rows(program: Program, x: Any) -> list[tuple[Any, np.ndarray | None, float]]:
    """Constraints with the rows whose multipliers they are, and the sign; None for bounds."""
    A = program.A.tocsr()
    low, high = program.row_lower, program.row_upper
    equal = low == high
    made: list[tuple[Any, np.ndarray | None, float]] = []
    for places, side, sign in (
        (np.flatnonzero(equal), high, 1.0),
        (np.flatnonzero(np.isfinite(high) & ~equal), high, 1.0),
        (np.flatnonzero(np.isfinite(low) & ~equal), low, -1.0),
    ):
        if len(places):
            activity = A[places] @ x
            exact = bool(equal[places[0]])
            made.append((activity == side[places] if exact else sign * activity <= sign * side[places], places, sign))
    for side, sign in ((program.upper, 1.0), (program.lower, -1.0)):
        places = np.flatnonzero(np.isfinite(side))
        if len(places):
            made.append((sign * x[places] <= sign * side[places], None, 0.0))
    return made
