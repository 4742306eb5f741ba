"""`solverkit resume`."""

from __future__ import annotations

from typing import Any

import click

from solverkit.cli import candidates
from solverkit.cli.arguments import allow_python, json_flag, parameter, problem_or_path, stored
from solverkit.cli.solve import finish, progress
from solverkit.errors import UsageError


@click.command("resume")
@click.argument("folder", metavar="DIR", shell_complete=candidates.folders)
@click.option(
    "--problem",
    metavar="FILE",
    shell_complete=candidates.problem_files,
    help="The problem's file, where it moved or --parameter was used.",
)
@parameter
@click.option("--max-time", type=float, metavar="SECONDS", help="A new limit, counted from the run's beginning.")
@click.option("--max-iter", type=int, metavar="N", help="A new limit, counted from the run's beginning.")
@click.option("--max-calls", type=int, metavar="N", help="A new limit, counted from the run's beginning.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@json_flag
@allow_python
def command(
    folder: str,
    problem: str | None,
    parameters: tuple[str, ...],
    quiet: bool,
    json_: bool,
    allow_python: bool,
    **limits: Any,
) -> int:
    """Go on with the run whose --out was DIR.

    It goes on from the last checkpoint, with the problem, method and options it was begun with.
    """
    from solverkit import api

    stored(folder)
    if parameters and problem is None:
        raise UsageError("--parameter changes a problem file: name it with --problem")
    found = None if problem is None else problem_or_path(problem, allow_python, parameters)
    given = {name: value for name, value in limits.items() if value is not None}
    result = api.resume(folder, found, progress=progress(quiet), allow_python=allow_python, **given)
    return finish(result, folder, json_)
