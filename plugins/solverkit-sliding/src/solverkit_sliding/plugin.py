"""What this distribution registers. Reading it imports nothing heavy."""

from __future__ import annotations

from solverkit.plugin import SolverSpec, hookimpl


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    """The methods of this distribution."""
    return []
