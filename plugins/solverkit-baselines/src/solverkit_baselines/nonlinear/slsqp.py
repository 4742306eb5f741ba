"""SciPy's SLSQP: sequential quadratic programming with a dense BFGS matrix (Kraft 1988).

SciPy wants equations c(x) = 0 and inequalities c(x) >= 0, and gives multipliers l of L = f - l'c for them, equations
first. A row of the problem becomes c - lower, and another one upper - c where it has both sides; then
y = -l for the former and +l for the latter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import Bounds, minimize
from scipy.sparse import issparse

from solverkit.engine.solver import Context, Observe, OneShotSolver, Stop
from solverkit.engine.status import Termination
from solverkit.errors import Unsuitable
from solverkit.kinds.base import Point
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit_baselines.nonlinear.options import SlsqpOptions
from solverkit_baselines.nonlinear.program import Program

LARGEST = 2000  # variables: the matrices are dense, and a step costs their cube
ENDS = {4: Termination.INFEASIBLE, 9: Termination.MAX_ITER}
"""What an exit mode of SLSQP says of the run; every other failure is STALLED."""


class Slsqp(OneShotSolver[Nonlinear]):
    """SciPy's method under its own line search and stopping rule."""

    Options = SlsqpOptions

    def solve(self, problem: Nonlinear, start: Point, ctx: Context, observe: Observe) -> Point:
        if problem.n > LARGEST:
            raise Unsuitable(
                f"method 'slsqp' is dense and takes at most {LARGEST} variables; problem {problem.name!r} has "
                f"{problem.n}. Use 'ipopt' or 'trust-constr'"
            )
        program, rows = Program(problem), _Rows(problem)
        if (problem.lowest == problem.highest).all():
            return program.point(problem.lowest)  # SciPy then runs no method, and hands out no status

        def show(x: np.ndarray) -> None:
            violation, value = program.violation(x), program.value(x)
            if not program.invalid:  # where a value was no number, SciPy goes on and x means nothing
                observe(program.point(x), objective=value, violation=violation)

        with np.errstate(all="ignore"):
            found = minimize(
                program.value,
                np.clip(problem.flat(start), problem.lowest, problem.highest),
                jac=program.gradient,
                bounds=Bounds(problem.lowest, problem.highest),
                constraints=rows.constraints(program),
                method="SLSQP",
                callback=show,
                options={"ftol": self.options.ftol, "maxiter": self.options.scipy_max_iter},
            )
        point = program.point(found.x, rows.multipliers(found))
        if found.status != 0 and program.invalid:
            # the driver then names the oracle, and keeps the best point before
            return program.point(np.full(problem.n, np.nan))
        if found.status != 0:
            raise Stop(ENDS.get(found.status, Termination.STALLED), f"SLSQP says: {found.message}", point)
        return point


class _Rows:
    """Which rows of c are equations, and which have a lower, an upper bound."""

    def __init__(self, problem: Nonlinear) -> None:
        lower, upper = problem.lower, problem.upper
        equal = lower == upper
        self._rows, self._lower, self._upper = problem.m, lower, upper
        self._equal = np.flatnonzero(equal)
        self._above = np.flatnonzero(np.isfinite(lower) & ~equal)
        self._below = np.flatnonzero(np.isfinite(upper) & ~equal)

    def constraints(self, program: Program) -> list[dict[str, Any]]:
        """SciPy's dictionaries."""
        equal, above, below = self._equal, self._above, self._below

        def slope(x: np.ndarray) -> np.ndarray:
            jacobian = program.slope(x)
            return jacobian.toarray() if issparse(jacobian) else jacobian

        def equations(x: np.ndarray) -> np.ndarray:
            return program.constraints(x)[equal] - self._lower[equal]

        def inequalities(x: np.ndarray) -> np.ndarray:
            c = program.constraints(x)
            return np.concatenate([c[above] - self._lower[above], self._upper[below] - c[below]])

        def inequality_slopes(x: np.ndarray) -> np.ndarray:
            jacobian = slope(x)
            return np.vstack([jacobian[above], -jacobian[below]])

        made: list[dict[str, Any]] = []
        if len(equal):
            made.append({"type": "eq", "fun": equations, "jac": lambda x: slope(x)[equal]})
        if len(above) + len(below):
            made.append({"type": "ineq", "fun": inequalities, "jac": inequality_slopes})
        return made

    def multipliers(self, found: Any) -> np.ndarray | None:
        """y of the kind's Lagrangian, (m,); None from a SciPy that gives none."""
        given = getattr(found, "multipliers", None)
        equal, above, below = self._equal, self._above, self._below
        if given is None or len(given) != len(equal) + len(above) + len(below):
            return None
        parts = np.split(np.asarray(given, dtype=float), [len(equal), len(equal) + len(above)])
        y = np.zeros(self._rows)
        for rows, sign, part in zip((equal, above, below), (-1.0, -1.0, 1.0), parts, strict=True):
            y[rows] += sign * part
        return y
