"""CVXPY problems, both ways.

    result = sk.solve(problem)                                  # our Result; values and duals are on the problem
    problem.solve(solver=sk.cvxpy_solver("halpern"))            # CVXPY's own call, for scripts that exist

| the problem | goes to | by |
|---|---|---|
| linear, piecewise linear | `inclusion` | CVXPY's own matrices (`program.py`) |
| of the structured nonsmooth form | `composite` | its terms (`kinds/composite/cvxpy_model.py`) |
| quadratic with piecewise linear terms and rows | `nonlinear` | CVXPY's own matrices |
| other, of smooth atoms, epigraphs of the rest | `nonlinear` | expressions (`smooth.py`) |
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solverkit.cvxpy.call import cvxpy_solver as cvxpy_solver
    from solverkit.cvxpy.choose import reduce as reduce
    from solverkit.cvxpy.reduction import Reduction as Reduction

_HOME = {"reduce": "choose", "Reduction": "reduction", "cvxpy_solver": "call"}

__all__ = ["Reduction", "cvxpy_solver", "reduce"]


def __getattr__(name: str) -> Any:
    """A public name, imported from its home on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'solverkit.cvxpy' has no attribute {name!r}")
    return getattr(import_module(f"solverkit.cvxpy.{_HOME[name]}"), name)
