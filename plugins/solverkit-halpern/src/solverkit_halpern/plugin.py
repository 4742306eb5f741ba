"""What this distribution registers. Reading it imports nothing heavy."""

from __future__ import annotations

from solverkit.plugin import SolverSpec, hookimpl


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    """The methods of this distribution."""
    return [
        SolverSpec(
            name="halpern",
            kind="inclusion",
            summary="Anchored iterations with restarts: reflected Halpern PDHG for games, LPs and bilinear saddle points.",
            target="solverkit_halpern.pdhg.method:Halpern",
            options="solverkit_halpern.pdhg.options:HalpernOptions",
            requires=("resolvent",),
            backends=("cpu", "cuda"),
            packages=("scipy",),
            paper="H. Lu, J. Yang, Restarted Halpern PDHG for linear programming, arXiv 2407.16144; weight control: H. Lu, "
            "Z. Peng, J. Yang, cuPDLPx, arXiv 2507.14051; anchored gradients: T. Yoon, E. K. Ryu, arXiv 2102.07922",
            pays="Games and linear programs that are large or dense, to moderate accuracy: two products an iteration.",
            avoid="Small linear programs to high accuracy, where simplex and interior point methods are exact and fast.",
            priority=10,
        ),
    ]
