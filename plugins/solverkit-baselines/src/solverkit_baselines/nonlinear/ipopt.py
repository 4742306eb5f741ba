"""IPOPT as CasADi brings it along, on the problem's counted oracles or on its graphs (Waechter and Biegler 2006).

Its multipliers have the signs of the kind's Lagrangian already: CasADi's is f + lam_g'c + lam_x'x too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.engine.solver import Context, Observe, OneShotSolver, Stop
from solverkit.engine.status import Termination
from solverkit.errors import Unsuitable
from solverkit.kinds.base import Point
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit_baselines.ipopt import INVALID, SOLVED, Ipopt
from solverkit_baselines.nlpsol import Bounds, Iterate
from solverkit_baselines.nonlinear import native
from solverkit_baselines.nonlinear.options import IpoptOptions
from solverkit_baselines.nonlinear.program import Program

ENDS = {
    "Infeasible_Problem_Detected": Termination.INFEASIBLE,
    "Diverging_Iterates": Termination.UNBOUNDED,
    "Maximum_Iterations_Exceeded": Termination.MAX_ITER,
}
"""What an IPOPT status says of the run; every other failure is STALLED."""


class IpoptPeer(OneShotSolver[Nonlinear]):
    """A filter line-search interior point method."""

    Options = IpoptOptions

    def solve(self, problem: Nonlinear, start: Point, ctx: Context, observe: Observe) -> Point:
        x, program = problem.flat(start), Program(problem)
        if self.options.functions == "native":
            end, status = self._native(program, x, ctx, observe)
        else:
            end, status = self._oracles(program, x, ctx, observe)
        if status == INVALID:
            # the driver then names the oracle, and keeps the best point before
            return program.point(np.full(len(x), np.nan))
        point = program.point(end.v, end.rows, end.bounds)
        if status not in SOLVED:
            message = f"IPOPT says {status.replace('_', ' ')}"
            raise Stop(ENDS.get(status, Termination.STALLED), message, point)
        return point

    def _oracles(self, program: Program, x: np.ndarray, ctx: Context, observe: Observe) -> tuple[Iterate, str]:
        problem = program.problem
        exact = self.options.hessian == "exact"
        if exact and "hessian" not in problem.provides:
            raise Unsuitable(
                f"method 'ipopt' needs 'hessian'; problem {problem.name!r} has products with it only. Set "
                "hessian=limited-memory"
            )
        bounds = Bounds(problem.lowest, problem.highest, problem.lower, problem.upper)
        ipopt = Ipopt(program, exact, None, ctx.look, program.patterns(x, exact))
        return ipopt.solve(Iterate(x), bounds, self._settings(ctx.tol), _Show(program, observe))

    def _native(self, program: Program, x: np.ndarray, ctx: Context, observe: Observe) -> tuple[Iterate, str]:
        first = True

        def look(iterate: Iterate, value: float) -> None:
            nonlocal first
            if not first:
                observe(program.point(iterate.v, iterate.rows, iterate.bounds), objective=value)
            first = False

        settings = self._settings(ctx.tol) | {"hessian_approximation": self.options.hessian}
        return native.solve(program.problem, x, settings, look, ctx.charge)

    def _settings(self, tol: float) -> dict[str, Any]:
        options = self.options
        return {
            "tol": min(tol, 1e-8) if options.ipopt_tol is None else options.ipopt_tol,
            "bound_relax_factor": options.bound_relax_factor,
            "mu_strategy": options.mu_strategy,
            "linear_solver": options.linear_solver,
            "max_iter": options.ipopt_max_iter,
        }


class _Show:
    """IPOPT's iterates for the driver. The start is none; what is asked here IPOPT asks at the same point itself."""

    def __init__(self, program: Program, observe: Observe) -> None:
        self._program, self._observe, self._first = program, observe, True

    def __call__(self, iterate: Iterate) -> None:
        first, self._first = self._first, False
        program, x, y, z = self._program, iterate.v, iterate.rows, iterate.bounds
        if first or y is None or z is None or not np.isfinite(x).all():
            return
        violation = program.violation(x)
        merit = max(program.stationarity(x, y, z), violation)
        self._observe(program.point(x, y, z), merit=merit, objective=program.value(x), violation=violation)
