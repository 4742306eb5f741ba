"""What SolverKit reads first: a kind of problem, and a method that solves it."""

from solverkit.plugin import KindSpec, SolverSpec, hookimpl


@hookimpl
def solverkit_problem_kinds() -> list[KindSpec]:
    """The kind."""
    return [
        KindSpec("assignment", "Give each row a column of its own at the least cost.", "assignment.kind:AssignmentKind")
    ]


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    """SciPy's solver."""
    return [
        SolverSpec(
            name="shortest-augmenting-paths",
            kind="assignment",
            summary="SciPy's linear_sum_assignment.",
            target="assignment.method:ShortestAugmentingPaths",
            options="assignment.options:NoOptions",
            paper="Crouse, On implementing 2D rectangular assignment algorithms, 2016",
            pays="Always, up to some thousand rows.",
            avoid="Sparse costs of a million rows.",
            priority=1,
        )
    ]
