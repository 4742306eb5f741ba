"""`solverkit new-plugin`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from solverkit.cli import candidates, output


@click.command("new-plugin")
@click.argument("name")
@click.option(
    "--kind",
    default="nonlinear",
    show_default=True,
    metavar="KIND",
    shell_complete=candidates.kinds,
    help="The kind of problem that its method solves.",
)
@click.option("--out", default=".", metavar="DIR", help="Where the new folder is made.  [default: here]")
def command(name: str, kind: str, out: str) -> None:
    """Write a complete plugin package: a method, its options, tests, README, licence and CI.

    NAME is the name of the distribution, of the method, and of the new folder. The method is a short, real one of the
    kind; put yours in its place.
    """
    from solverkit.scaffold import write

    folder = write(name, kind, Path(out))
    output.heading(str(folder))
    output.pairs((str(path.relative_to(folder)), "") for path in sorted(folder.rglob("*")) if path.is_file())
    output.paragraph("Next: install it beside SolverKit, run its tests, use it:")
    for line in (
        f"cd {shlex.quote(str(folder))}",
        'pip install -e ".[test]"',
        "pytest",
        f"solverkit solve problems/first/problem.yaml --method {name}",
    ):
        click.echo(f"  {line}")
