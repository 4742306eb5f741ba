"""SciPy's trust-constr: Byrd and Omojokun's trust-region SQP, within a barrier method where there are inequalities.

Its Lagrangian is f + v'c, as the kind's. The objective's Hessian is handed over as zero, and the whole Hessian of the
Lagrangian as the constraints' one, so that it is computed once an iteration; where every constraint is affine the other
way round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint, minimize
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator

from solverkit.engine.solver import Context, Observe, OneShotSolver, Stop
from solverkit.engine.status import Termination
from solverkit.kinds.base import Point
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit_baselines.nonlinear.options import TrustConstrOptions
from solverkit_baselines.nonlinear.program import Program
from solverkit_baselines.silence import SILENCE

MAX_ITER = 0  # SciPy's status where iterations are used up


class TrustConstr(OneShotSolver[Nonlinear]):
    """SciPy's method under its own stopping rule."""

    Options = TrustConstrOptions

    def solve(self, problem: Nonlinear, start: Point, ctx: Context, observe: Observe) -> Point:
        program, found = Program(problem), None
        try:
            found = self._minimize(program, problem.flat(start), ctx, observe)
        except ValueError as error:  # SciPy's answer to NaN, and to a ray of negative curvature
            if not program.invalid and "Negative curvature" not in str(error):
                raise
            if not program.invalid:
                raise Stop(Termination.STALLED, f"trust-constr says: {error}") from None
        if found is None or program.invalid:
            # the driver then names the oracle, and keeps the best point before
            return program.point(np.full(problem.n, np.nan))
        point = _answer(program, found)
        if found.status == MAX_ITER:
            raise Stop(Termination.MAX_ITER, f"trust-constr says: {found.message}", point)
        if found.constr_violation > ctx.tol:
            what = f"a constraint is broken by {found.constr_violation:.2g} where trust-constr ended: {found.message}"
            raise Stop(Termination.STALLED, what, point)
        return point

    def _minimize(self, program: Program, x: np.ndarray, ctx: Context, observe: Observe) -> Any:
        problem = program.problem

        def show(x: np.ndarray, state: Any) -> bool:
            if state.nit:
                merit = max(float(state.optimality), float(state.constr_violation))
                observe(_answer(program, state), merit=merit, objective=float(state.fun))
            return False

        with np.errstate(all="ignore"), SILENCE:  # SciPy warns of singular Jacobians, which it copes with
            return minimize(
                program.value,
                x,
                jac=program.gradient,
                hess=self._objective_hessian(program),
                bounds=None if "no-bounds" in problem.provides else Bounds(problem.lowest, problem.highest),
                constraints=self._constraints(program, x),
                method="trust-constr",
                callback=show,
                options=self._settings(ctx.tol, not {"equalities-only", "no-bounds"} <= problem.provides),
            )

    def _settings(self, tol: float, bounded: bool) -> dict[str, Any]:
        options, small = self.options, min(tol, 1e-8) / 10
        gtol = options.gtol
        if gtol is None:
            gtol = 0.0 if bounded else small
        return {
            "gtol": gtol,
            "xtol": options.xtol,
            "barrier_tol": small if options.barrier_tol is None else options.barrier_tol,
            "maxiter": options.scipy_max_iter,
        }

    def _objective_hessian(self, program: Program) -> Callable[[np.ndarray], Any]:
        problem = program.problem
        if problem.affine:
            return lambda x: _curvature(program, x, np.zeros(problem.m))
        none = csr_array((problem.n, problem.n))
        return lambda x: none

    def _constraints(self, program: Program, x: np.ndarray) -> list[Any]:
        problem = program.problem
        if not problem.m:
            return []
        if problem.affine:
            slope = program.slope(x)
            shift = program.constraints(x) - slope @ x
            return [LinearConstraint(slope, problem.lower - shift, problem.upper - shift)]

        def hessian(x: np.ndarray, v: np.ndarray) -> Any:
            return _curvature(program, x, v)

        return [NonlinearConstraint(program.constraints, problem.lower, problem.upper, program.slope, hessian)]


def _curvature(program: Program, x: np.ndarray, y: np.ndarray) -> Any:
    """Hessian of f + y'c, or the operator of its products where the problem has only those."""
    problem = program.problem
    y = np.array(y, dtype=float)
    if "hessian" in problem.provides:
        return program.curvature(x, y, 1.0)
    at = x.copy()
    return LinearOperator((problem.n, problem.n), matvec=lambda d: problem.hvp(at, y, np.ravel(d)), dtype=float)


def _answer(program: Program, state: Any) -> Point:
    """x with the multipliers that SciPy reports: of the constraints first, of the bounds last."""
    problem, given = program.problem, [np.ravel(part) for part in state.v]
    y = given.pop(0) if problem.m and given else np.zeros(0)
    z = given.pop(0) if given else np.zeros(problem.n)
    if len(y) != problem.m or len(z) != problem.n:
        return program.point(state.x)
    return program.point(state.x, y, z)
