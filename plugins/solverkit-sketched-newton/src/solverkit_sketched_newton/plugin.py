"""What this distribution registers. Reading it imports nothing heavy."""

from __future__ import annotations

from solverkit.plugin import SolverSpec, hookimpl


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    """`sketched-newton`."""
    return [
        SolverSpec(
            name="sketched-newton",
            kind="nonlinear",
            summary="Newton steps with an exact augmented Lagrangian, and inner solvers that use structure.",
            target="solverkit_sketched_newton.sketched_newton:SketchedNewton",
            options="solverkit_sketched_newton.options:SketchedNewtonOptions",
            requires=("gradient", "jacobian"),
            packages=("numpy", "scipy"),
            paper="arXiv 2305.18379",
            pays="Second derivatives are known; few dense constraints, or constraints that fix some variables.",
            avoid="Functions with kinks, or noisy ones; global optima of nonconvex problems are not looked for.",
            priority=10,
        )
    ]
