"""Methods of ours as solvers of CVXPY: `problem.solve(solver=sk.cvxpy_solver("halpern", tol=1e-8))`.

CVXPY reduces the problem to min x'P x / 2 + q'x with linear rows and bounds, and maps the answer back. Methods of the
kind `inclusion` take P = 0, those of the kind `nonlinear` any positive semidefinite P.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import MissingPackage, Unsuitable, UsageError

try:
    import cvxpy.settings as s
    from cvxpy.error import SolverError
    from cvxpy.reductions.solution import Solution, failure_solution
    from cvxpy.reductions.solvers.qp_solvers.qp_solver import QpSolver
    from cvxpy.reductions.solvers.utilities import extract_dual_value, get_dual_values
except ImportError:
    raise MissingPackage('CVXPY problems need CVXPY; pip install "solverkit[cvxpy]"') from None

from solverkit.cvxpy.program import Program, program
from solverkit.cvxpy.status import status

if TYPE_CHECKING:
    from solverkit.engine.result import Result

KINDS = ("inclusion", "nonlinear")
SHARED = ("tol", "max_time", "max_iter", "max_calls", "seed", "device", "dtype")
"""Options that mean the same for every method; all others are the method's own."""


class SolverKit(QpSolver):
    """A solver in CVXPY's sense; `result` is our result of the last solve."""

    MIP_CAPABLE = False
    BOUNDED_VARIABLES = True

    def __init__(self, method: str | None = None, options: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.method, self.options = method, dict(options or {})
        self.kind = "" if method is None else _kind(method)
        self.result: Result | None = None

    def name(self) -> str:
        """`SOLVERKIT`, with the method's name where one was asked for."""
        return "SOLVERKIT" if self.method is None else f"SOLVERKIT_{self.method.upper()}"

    def import_solver(self) -> None:
        """There is nothing that could be missing."""

    def can_solve(self, problem_form: Any) -> bool:
        """Whether the cones are those of a quadratic program; SolverError names a quadratic objective of an LP method,
        and cones that are neither."""
        cones = sorted(
            cone.__name__ for cone in problem_form.cones(quad_obj=True) - frozenset(self.SUPPORTED_CONSTRAINTS)
        )
        if cones:
            raise SolverError(
                f"{self.name()} takes linear and quadratic programs; this problem needs {', '.join(cones)}: "
                "sk.solve(problem) takes smooth and second-order cone problems, CLARABEL and SCS the rest"
            )
        if self.kind == "inclusion" and not problem_form.is_lp():
            raise SolverError(
                f"method '{self.method}' is for linear programs and this objective is quadratic; take one for "
                "nonlinear problems, or sk.cvxpy_solver() for one that fits"
            )
        return super().can_solve(problem_form)

    def solve_via_data(
        self,
        data: dict[str, Any],
        warm_start: bool,
        verbose: bool,
        solver_opts: Mapping[str, Any],
        solver_cache: dict[str, Any] | None = None,
    ) -> tuple[Program, Result]:
        """(the problem, its result). A warm start begins at the last answer of the same size."""
        from solverkit import api

        kind = self.kind or ("nonlinear" if data[s.P].count_nonzero() else "inclusion")
        # `use_quad_obj` is CVXPY's own: whether it keeps the objective quadratic, decided before the data are made
        chosen = {name: value for name, value in {**self.options, **solver_opts}.items() if name != "use_quad_obj"}
        shared = {name: chosen.pop(name) for name in SHARED if name in chosen}
        posed = program(data, 0.0, kind, "cvxpy")
        start = _last(solver_cache, self.name(), posed) if warm_start else None
        progress: Any = "log" if verbose else False
        try:
            self.result = api.solve(posed.problem, self.method, chosen, start=start, progress=progress, **shared)
        except Unsuitable as error:
            raise SolverError(str(error)) from None
        if solver_cache is not None and self.result.success:
            solver_cache[self.name()] = self.result.point
        return posed, self.result

    def invert(self, solution: tuple[Program, Result], inverse_data: Mapping[str, Any]) -> Solution:
        """CVXPY's solution of the reduced problem."""
        return as_solution(*solution, inverse_data)

    def cite(self, data: Mapping[str, Any]) -> str:
        """Where there is nothing to cite but the method's own paper, see `solverkit describe METHOD`."""
        return ""


def as_solution(posed: Program, result: Result, inverse_data: Mapping[str, Any]) -> Solution:
    """CVXPY's solution of the program that it posed: x, duals by constraint, status, statistics."""
    found = status(result)
    attributes = {
        s.SOLVE_TIME: result.timing["solve"],
        s.NUM_ITERS: result.nit,
        s.EXTRA_STATS: result,
    }
    if found in s.SOLUTION_PRESENT:
        value = posed.value(result.point) + inverse_data[s.OFFSET]
        primal = {inverse_data[QpSolver.VAR_ID]: posed.x(result.point)}
        multipliers = posed.multipliers(result.point, result.seed)
        return Solution(found, value, primal, _duals(multipliers, inverse_data), attributes)
    farkas = posed.farkas(result.point) if found in (s.INFEASIBLE, s.INFEASIBLE_INACCURATE) else None
    return failure_solution(found, attributes, None if farkas is None else _duals(farkas, inverse_data))


def _duals(y: np.ndarray, inverse_data: Mapping[str, Any]) -> dict[int, Any]:
    """By the id of the constraint: equalities come first."""
    first = inverse_data[QpSolver.DIMS].zero
    equalities = get_dual_values(y[:first], extract_dual_value, inverse_data[QpSolver.EQ_CONSTR])
    return equalities | get_dual_values(y[first:], extract_dual_value, inverse_data[QpSolver.NEQ_CONSTR])


def _last(cache: dict[str, Any] | None, name: str, posed: Program) -> Any:
    """The last answer, where it has the blocks of this problem."""
    point = (cache or {}).get(name)
    if point is None:
        return None
    own = posed.problem.start(np.random.default_rng(0))
    same = all(key in point and np.shape(point[key]) == np.shape(block) for key, block in own.items())
    return {key: point[key] for key in own} if same else None


def _kind(method: str) -> str:
    from solverkit.registry import registry

    kind = registry.method(method).kind
    if kind not in KINDS:
        raise UsageError(
            f"method '{method}' is for {kind} problems; CVXPY's solvers get matrices, and lose that form: "
            f"sk.solve(problem, method='{method}') keeps it"
        )
    return kind
