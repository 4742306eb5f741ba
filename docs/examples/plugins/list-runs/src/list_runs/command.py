"""`solverkit list-runs FOLDER`."""

from pathlib import Path

import click

import solverkit as sk


@click.command("list-runs")
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
def command(folder: str) -> None:
    """List the results below FOLDER: status, method, problem and where it is."""
    found = 0
    for file in sorted(Path(folder).rglob("result.json")):
        try:
            result = sk.Result.load(file.parent)
        except sk.InvalidProblem as error:
            click.echo(f"unreadable  {str(error).splitlines()[0]}", err=True)
            continue
        found += 1
        click.echo(f"{result.point_status.name:<10}  {result.method:<20}  {result.problem:<20}  {file.parent}")
    click.echo(f"{found} results below {folder}", err=True)
