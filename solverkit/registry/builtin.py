"""The kinds of the core, registered through the same hook as a third party's."""

from __future__ import annotations

from solverkit.registry.hookspecs import hookimpl
from solverkit.registry.specs import KindSpec, SourceSpec


@hookimpl
def solverkit_problem_kinds() -> list[KindSpec]:
    """The kinds that come with the core."""
    return [
        KindSpec(
            "bilevel",
            "min F(x, y) subject to y solving a constrained lower problem",
            "solverkit.kinds.bilevel.kind:BilevelKind",
        ),
        KindSpec(
            "dag",
            "min score(W) subject to W being the weights of a directed acyclic graph",
            "solverkit.kinds.dag.kind:DagKind",
        ),
        KindSpec(
            "inclusion",
            "0 in F(u) + G(u), F monotone: games, saddle points, variational inequalities, linear programs",
            "solverkit.kinds.inclusion.kind:InclusionKind",
        ),
        KindSpec(
            "linear-sequence",
            "A_t x_t = b_t for t = 1, ..., T, sparse systems of one pattern",
            "solverkit.kinds.linear_sequence.kind:LinearSequenceKind",
        ),
        KindSpec(
            "nonlinear",
            "min f(x) subject to lower <= c(x) <= upper and bounds on x",
            "solverkit.kinds.nonlinear.kind:NonlinearKind",
        ),
    ]


@hookimpl
def solverkit_sources() -> list[SourceSpec]:
    """Seeded data that belong to a kind rather than to a method."""
    module = "solverkit.kinds.dag.generators"
    return [
        SourceSpec("linear-sem", "Samples of a linear structural model on a random graph.", f"{module}:linear_sem"),
        SourceSpec("logistic-sem", "Binary samples of a logistic structural model.", f"{module}:logistic_sem"),
        SourceSpec("mlp-sem", "Samples of a nonlinear structural model of random networks.", f"{module}:mlp_sem"),
    ]
