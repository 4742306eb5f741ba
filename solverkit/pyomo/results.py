"""A result in Pyomo's words.

| ours | Pyomo's termination condition |
|---|---|
| CERTIFIED | optimal |
| MAX_TIME, MAX_ITER, MAX_CALLS | maxTimeLimit, maxIterations, maxEvaluations |
| INFEASIBLE, UNBOUNDED, with a proof that the certificate checked | infeasible, unbounded |
| INFEASIBLE without one; CONVERGED at an infeasible point | noSolution: "no feasible solution found but not proven" |
| CONVERGED at a feasible point that is not certified | feasible |
| STALLED | minStepLength |
| CALLBACK, INTERRUPTED | userInterrupt |
| NOT_FINITE, ORACLE_FAILED, SOLVER_FAILED; a point at which nothing can be computed | error |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyomo.core import SymbolMap, minimize
from pyomo.core.base.PyomoModel import ModelSolutions
from pyomo.core.kernel.block import IBlock
from pyomo.opt import Solution, SolverResults, SolverStatus
from pyomo.opt import TerminationCondition as Condition

from solverkit.engine.status import PointStatus, Termination, proven
from solverkit.errors import UsageError
from solverkit.pyomo.model import Written
from solverkit.pyomo.prices import shadow_prices

if TYPE_CHECKING:
    from solverkit.engine.result import Result

_CONDITIONS = {
    Termination.MAX_TIME: Condition.maxTimeLimit,
    Termination.MAX_ITER: Condition.maxIterations,
    Termination.MAX_CALLS: Condition.maxEvaluations,
    Termination.STALLED: Condition.minStepLength,
    Termination.CALLBACK: Condition.userInterrupt,
    Termination.INTERRUPTED: Condition.userInterrupt,
    Termination.NOT_FINITE: Condition.error,
    Termination.ORACLE_FAILED: Condition.error,
    Termination.SOLVER_FAILED: Condition.error,
}


def condition(result: Result) -> Condition:
    """Why the run ended and what its point is, as one of Pyomo's conditions."""
    if result.point_status is PointStatus.CERTIFIED:
        return Condition.optimal
    if result.point_status is PointStatus.UNVERIFIED and result.termination in (
        Termination.CONVERGED,
        Termination.STALLED,
    ):
        return Condition.error
    if result.termination in (Termination.INFEASIBLE, Termination.UNBOUNDED):
        if proven(result.termination, result.certificate):
            return Condition.infeasible if result.termination is Termination.INFEASIBLE else Condition.unbounded
        return Condition.noSolution if result.termination is Termination.INFEASIBLE else Condition.other
    if result.termination in _CONDITIONS:
        return _CONDITIONS[result.termination]
    return Condition.noSolution if result.point_status is PointStatus.INFEASIBLE else Condition.feasible


def as_results(written: Written, result: Result) -> SolverResults:
    """Statuses, sizes, bounds and time; the solution itself is added by `add_solution`."""
    found = SolverResults()
    problem = written.nonlinear
    found.problem.name = problem.name
    found.problem.sense = -1 if problem.maximize else minimize
    found.problem.number_of_objectives = 1
    found.problem.number_of_constraints = problem.m
    found.problem.number_of_variables = problem.n
    found.problem.number_of_continuous_variables = problem.n
    if result.point_status in (PointStatus.CERTIFIED, PointStatus.FEASIBLE):
        if problem.maximize:
            found.problem.lower_bound = float(result.fun)
        else:
            found.problem.upper_bound = float(result.fun)
    found.solver.name = f"solverkit ({result.method})"
    found.solver.message = result.message
    found.solver.return_code = result.status
    found.solver.wallclock_time = result.timing["total"]
    found.solver.termination_condition = condition(result)
    found.solver.status = Condition.to_solver_status(found.solver.termination_condition)
    return found


def infeasible(name: str, message: str) -> SolverResults:
    """The results of a model that is infeasible as it stands, see `NeverHolds`."""
    found = SolverResults()
    found.problem.name = name
    found.solver.name = "solverkit"
    found.solver.message = message
    found.solver.termination_condition = Condition.infeasible
    found.solver.status = SolverStatus.warning
    return found


def add_solution(found: SolverResults, written: Written, result: Result) -> None:
    """Keep the answer in the results, for `model.solutions.load_from(results)`; the model's values stay as they are."""
    if isinstance(written.model, IBlock):
        raise UsageError("a kernel model loads no results; leave load_solutions out, or use solverkit.pyomo.solve")
    if not hasattr(written.model, "solutions"):
        written.model.solutions = ModelSolutions(written.model)  # a block that is no model has none of its own
    symbols = SymbolMap()
    names = {
        kind: [symbols.addSymbol(part, f"{kind}{k}") or f"{kind}{k}" for k, part in enumerate(parts)]
        for kind, parts in (("x", written.variables), ("c", written.constraints))
    }
    prices = shadow_prices(written, result)
    dual, rc = prices["dual"], prices["rc"]
    solution: Any = Solution()
    for name, value, price in zip(names["x"], written.x(result.point).tolist(), rc.tolist(), strict=True):
        solution.variable[name] = {"Value": value, "Rc": price}
    for name, price in zip(names["c"], dual.tolist(), strict=True):
        solution.constraint[name] = {"Dual": price}
    found.solution.insert(solution)
    written.model.solutions.add_symbol_map(symbols)
    found._smap_id = id(symbols)
