"""What this distribution registers. Reading it imports nothing heavy."""

from __future__ import annotations

from solverkit.plugin import SolverSpec, SourceSpec, hookimpl


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


@hookimpl
def solverkit_sources() -> list[SourceSpec]:
    """Seeded data of the structured examples."""
    module = "solverkit_sketched_newton.generators"
    return [
        SourceSpec(
            "poisson-control",
            "The five-point Laplacian and the wanted state of a control problem, `size` points a side.",
            f"{module}:poisson_control",
        ),
        SourceSpec(
            "dense-constraints",
            "A separable objective with dense equations, and sparse samples for a Gram matrix where asked.",
            f"{module}:dense_constraints",
        ),
        SourceSpec(
            "sphere-logistic",
            "Samples, labels and random equations of a logistic regression on the unit sphere.",
            f"{module}:sphere_logistic",
        ),
        SourceSpec(
            "breast-cancer-logistic",
            "The same equations with scikit-learn's breast cancer data.",
            f"{module}:breast_cancer_logistic",
        ),
    ]
