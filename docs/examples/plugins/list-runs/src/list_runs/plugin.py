"""What SolverKit reads first: a command."""

from solverkit.plugin import CommandSpec, hookimpl


@hookimpl
def solverkit_commands() -> list[CommandSpec]:
    """The command."""
    return [CommandSpec("list-runs", "List the results below a folder.", "list_runs.command:command")]
