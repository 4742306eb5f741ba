"""A CVXPY problem as a problem of ours: what was done to it, and the answer put back on it.

The certificate is the kind's, of the reduced problem. Two terms are added to it, in CVXPY's own evaluation of the
values that were written back, so that a mistake of the reduction cannot hide:

| term | value | scaling | tolerance |
|---|---|---|---|
| cvxpy_constraints | worst violation of a constraint or attribute | 1 + its largest side | 100 tol, at most 1e-2 |
| cvxpy_objective | |CVXPY's objective - ours| | 1 + |CVXPY's objective| | the same |
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import cvxpy.settings as s
import numpy as np
from cvxpy.problems.problem import SolverStats
from cvxpy.reductions.solution import Solution, failure_solution

from solverkit.cvxpy.program import Program
from solverkit.cvxpy.solver import as_solution
from solverkit.cvxpy.start import usable
from solverkit.cvxpy.status import status
from solverkit.engine.status import PointStatus, exit_code, proven
from solverkit.kinds.base import Point, Problem, Term

if TYPE_CHECKING:
    from solverkit.cvxpy.smooth import Smooth
    from solverkit.engine.result import Result
    from solverkit.kinds.composite.problem import Composite


@dataclass(eq=False)
class Reduction(ABC):
    """`problem` is ours, of `kind` for the reason `why`; `steps` are what was done. `model` is CVXPY's."""

    model: Any
    evaluated: Any  # the same with the values of its parameters
    kind: str
    why: str
    steps: tuple[str, ...]

    @property
    @abstractmethod
    def problem(self) -> Problem:
        """The reduced problem."""

    @abstractmethod
    def solution(self, result: Result) -> Solution:
        """CVXPY's solution of `evaluated`."""

    @property
    def sentence(self) -> str:
        """For the result's notes."""
        done = "; ".join(self.steps) or "nothing else changed"
        return f"CVXPY problem as {self.kind}: {self.why}; {done}"

    def start(self) -> Point | None:
        """The values that the variables have; None where that is no start."""
        return None

    def finish(self, result: Result) -> None:
        """Put values, duals, value and status on the CVXPY problem, check it there, and say so in the result."""
        solution = self._named(self.solution(result))
        model = self.model
        result.notes.insert(0, self.sentence)
        if solution.status in s.ERROR:
            model._clear_solution()
            model._status = solution.status
        else:
            model.unpack(solution)
        model._solver_stats = SolverStats.from_dict(solution.attr, f"SOLVERKIT_{result.method.upper()}")
        if solution.status not in s.SOLUTION_PRESENT:
            return
        own = _value(model)
        if type(model.objective).__name__ == "Maximize" and self.kind == "composite":
            result.fun = -result.fun  # this kind has no word for a maximization
        wide = max(result.tol, min(100 * result.tol, 1e-2))
        worst, where = violation(model)
        added = (
            Term("cvxpy_constraints", worst, wide, feasibility=True, note="" if worst <= wide else f"worst: {where}"),
            Term("cvxpy_objective", abs(own - result.fun), wide, 1 + abs(own)),
        )
        _join(result, added)
        if result.point_status is not PointStatus.CERTIFIED and model._status == s.OPTIMAL:
            model._status = s.OPTIMAL_INACCURATE

    def _failure(self, found: str, attributes: Mapping[str, Any]) -> Solution:
        """No answer; the value is infinite in the user's sense."""
        solution = failure_solution(found, attributes)
        if solution.opt_val is not None and type(self.model.objective).__name__ == "Maximize":
            solution.opt_val = -solution.opt_val
        return solution

    def _named(self, solution: Solution) -> Solution:
        """Duals of the problem without parameters, by the ids of the constraints that the user made."""
        pairs = zip(self.model.constraints, self.evaluated.constraints, strict=True)
        duals = solution.dual_vars or {}
        solution.dual_vars = {own.id: duals[new.id] for own, new in pairs if new.id in duals}
        return solution


@dataclass(eq=False)
class ByMatrices(Reduction):
    """A linear or quadratic program, by CVXPY's chain of reductions."""

    program: Program = field(kw_only=True)
    chain: Any = field(kw_only=True)
    inverse: Any = field(kw_only=True)

    @property
    def problem(self) -> Problem:
        return self.program.problem

    def solution(self, result: Result) -> Solution:
        solution = as_solution(self.program, result, self.inverse[-1])
        for reduction, inverse in reversed(list(zip(self.chain.reductions[:-1], self.inverse[:-1], strict=True))):
            solution = reduction.invert(solution, inverse)
        return solution


@dataclass(eq=False)
class ByExpressions(Reduction):
    """A problem of smooth atoms."""

    smooth: Smooth = field(kw_only=True)

    @property
    def problem(self) -> Problem:
        return self.smooth.problem

    def solution(self, result: Result) -> Solution:
        found, attributes = status(result), _attributes(result)
        if found not in s.SOLUTION_PRESENT:
            return self._failure(found, attributes)
        primal = self.smooth.primal(result.point)
        for variable in self.smooth.smoothed.problem.variables():
            variable.save_value(primal[variable.id])
        duals = self.smooth.duals(result.point, result.seed)
        return self.smooth.smoothed.invert(Solution(found, result.fun, primal, duals, attributes))

    def start(self) -> Point | None:
        problem, names = self.smooth.problem, self.smooth.names
        values = {variable.id: variable.value for variable in self.smooth.smoothed.problem.variables()}
        if any(value is None for value in values.values()):
            return None
        point = {names[key][0]: np.asarray(value, dtype=float) for key, value in values.items()}
        return point if usable(problem, problem.flat(point)) else None


@dataclass(eq=False)
class ByTerms(Reduction):
    """A problem of the structured nonsmooth form. Its kind has no multipliers: duals stay None."""

    composite: Composite = field(kw_only=True)

    @property
    def problem(self) -> Problem:
        return self.composite

    def solution(self, result: Result) -> Solution:
        found, attributes = status(result), _attributes(result)
        if found not in s.SOLUTION_PRESENT:
            return self._failure(found, attributes)
        (variable,) = self.model.variables()
        value = np.asarray(result.point[self.composite.variable.name]).reshape(variable.shape)
        duals = {c.id: None for c in self.evaluated.constraints}
        return Solution(found, result.fun, {variable.id: value}, duals, attributes)


def violation(model: Any) -> tuple[float, str]:
    """(the worst violation of a constraint or an attribute over 1 + its size, which one), as CVXPY evaluates them."""
    worst, where = 0.0, ""
    for constraint in model.constraints:
        size = 1 + max((float(np.abs(_dense(arg.value)).max(initial=0.0)) for arg in constraint.args), default=0.0)
        found = float(np.max(np.abs(constraint.violation()), initial=0.0)) / size
        if not found <= worst:
            worst, where = found if np.isfinite(found) else np.inf, str(constraint)[:80]
    for variable in model.variables():
        value = _dense(variable.value)
        gap = np.abs(_dense(variable.project(value)) - value).max(initial=0.0)
        found = float(gap) / (1 + float(np.abs(value).max(initial=0.0)))
        if not found <= worst:
            worst, where = found if np.isfinite(found) else np.inf, f"attributes of {variable.name()}"
    return worst, where


def _attributes(result: Result) -> Mapping[str, Any]:
    return {s.SOLVE_TIME: result.timing["solve"], s.NUM_ITERS: result.nit, s.EXTRA_STATS: result}


def _value(model: Any) -> float:
    value = model.objective.value
    return float("nan") if value is None else float(np.asarray(value).ravel()[0])


def _dense(value: Any) -> np.ndarray:
    return np.asarray(value.toarray() if hasattr(value, "toarray") else value, dtype=float)


def _join(result: Result, terms: tuple[Term, ...]) -> None:
    """Add terms to the certificate, and let everything follow that follows from it."""
    before = result.point_status
    result.certificate = replace(result.certificate, terms=(*result.certificate.terms, *terms))
    now = result.certificate.status
    if now is before:
        return
    result.point_status, result.success = now, now is PointStatus.CERTIFIED
    result.status = exit_code(result.termination, now, proven(result.termination, result.certificate))
    result.message = f"{now.name}: {now.value}. {result.termination.name}: {result.termination.value}."
