"""A plugin for the tests of suites: a tiny kind, one good method, and methods that end badly."""

from __future__ import annotations

from solverkit.plugin import KindSpec, SolverSpec, hookimpl

KIND = "toy-line"


def _spec(name: str, target: str, **more: tuple[str, ...]) -> SolverSpec:
    return SolverSpec(name, KIND, "For tests.", f"bench_toy.methods:{target}", "bench_toy.options:Pace", **more)


@hookimpl
def solverkit_problem_kinds() -> list[KindSpec]:
    """The toy kind."""
    return [KindSpec(KIND, "min (x - a)^2, for tests", "bench_toy.kind:LineKind")]


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    """One good method, and the others."""
    return [
        _spec("toy-quick", "Quick"),
        _spec("toy-hangs", "Hangs"),
        _spec("toy-dies", "Dies"),
        _spec("toy-dies-once", "DiesOnce"),
        _spec("toy-raises", "Raises"),
        _spec("toy-stays", "Stays"),
        _spec("toy-lacks", "Quick", packages=("nobody_has_this_package",)),
        _spec("toy-picky", "Quick", requires=("hvp",)),
    ]
