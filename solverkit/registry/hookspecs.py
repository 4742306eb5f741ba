"""The four hooks of a plugin. Each returns static records; none is handed anything, so none can do work."""

from __future__ import annotations

import pluggy

from solverkit.registry.specs import CommandSpec, KindSpec, SolverSpec, SourceSpec

PROJECT = "solverkit"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def solverkit_solvers() -> list[SolverSpec]:
    """The methods of this plugin."""
    raise AssertionError("a hook specification is never called")


@hookspec
def solverkit_problem_kinds() -> list[KindSpec]:
    """The kinds of problem of this plugin."""
    raise AssertionError("a hook specification is never called")


@hookspec
def solverkit_sources() -> list[SourceSpec]:
    """The data generators of this plugin."""
    raise AssertionError("a hook specification is never called")


@hookspec
def solverkit_commands() -> list[CommandSpec]:
    """The commands of this plugin."""
    raise AssertionError("a hook specification is never called")
