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
        SolverSpec(
            name="top-down",
            kind="dag",
            summary="Least conditional variance next: a Cholesky factorization with the least pivot, and no search.",
            target="solverkit_dag.order_rules:TopDown",
            options="solverkit_dag.options.orders:OrderRuleOptions",
            packages=("numpy", "scipy", "numba"),
            paper="Chen, Drton and Wang, Biometrika 2019",
            pays="Noise of equal variances and data in their own units: as good as a search there, in milliseconds.",
            avoid="Standardized data or unequal noise.",
        ),
        SolverSpec(
            name="sort-and-regress",
            kind="dag",
            summary="Variables by increasing variance, each regressed on those before it.",
            target="solverkit_dag.order_rules:SortAndRegress",
            options="solverkit_dag.options.orders:OrderRuleOptions",
            packages=("numpy", "scipy", "numba"),
            paper="arXiv 2102.13647",
            pays="To see what the units of simulated data give away.",
            avoid="Anything else: it knows nothing but the scales of the columns.",
        ),
        SolverSpec(
            name="notears",
            kind="dag",
            summary="Acyclicity as a smooth equation, by the augmented Lagrangian and L-BFGS-B.",
            target="solverkit_dag.notears:Notears",
            options="solverkit_dag.options.notears:NotearsOptions",
            requires=("least-squares",),
            packages=("numpy", "scipy"),
            paper="arXiv 1803.01422",
            pays="To compare with; up to about 50 variables.",
            avoid="Standardized data, and whenever a search over orders fits the problem: it is faster and better.",
        ),
        SolverSpec(
            name="colide",
            kind="dag",
            summary="Weights and noise scales together, by Adam with a log-det measure of cycles.",
            target="solverkit_dag.colide:Colide",
            options="solverkit_dag.options.colide:ColideOptions",
            requires=("gram",),
            packages=("numpy", "scipy"),
            paper="arXiv 2310.02895",
            pays="Unequal noise in known units, without a penalty to tune to its level.",
            avoid="Standardized data, and whenever bic with topological-swaps fits the problem.",
        ),
    ]
