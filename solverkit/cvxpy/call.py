"""The way from CVXPY to our methods; it imports CVXPY when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solverkit.cvxpy.solver import SolverKit


def cvxpy_solver(method: str | None = None, **options: Any) -> SolverKit:
    """A solver for `problem.solve(solver=...)`.

    method : name of a method of the kind `inclusion` (linear programs) or `nonlinear` (quadratic programs too); None
        picks one that fits at each solve
    options : tol, max_time, max_iter, max_calls, seed, device, dtype, and the method's own; those of `problem.solve`
        go before them

    `problem.solver_stats.extra_stats` is our Result, with its certificate. Raises UsageError for methods of other
    kinds, MissingPackage.
    """
    from solverkit.cvxpy.solver import SolverKit

    return SolverKit(method, options)
