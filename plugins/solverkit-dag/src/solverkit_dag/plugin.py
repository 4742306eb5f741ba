"""What this distribution registers. Reading it imports nothing heavy."""

from __future__ import annotations

from solverkit.plugin import SolverSpec, hookimpl

PAPER = "arXiv 2305.17277"


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    """The methods of this distribution."""
    return [
        SolverSpec(
            name="topological-swaps",
            kind="dag",
            summary="Search over orders; every swap and insertion scored in closed form.",
            target="solverkit_dag.topological_swaps:TopologicalSwaps",
            options="solverkit_dag.options.swaps:TopologicalSwapsOptions",
            packages=("numpy", "scipy", "numba"),
            paper=PAPER,
            pays="Up to a few thousand variables by least squares, a few hundred by bic; refining any method's graph.",
            avoid="Standardized data or unequal noise with the score least-squares, whose optimum is then the wrong "
            "graph: take the score bic.",
            priority=10,
        ),
    ]
