"""`solverkit schema`."""

from __future__ import annotations

import click

from solverkit.cli import candidates
from solverkit.errors import UsageError
from solverkit.text import clean


@click.command("schema")
@click.argument("what", type=click.Choice(["problem", "suite"]))
@click.option(
    "--kind", metavar="KIND", shell_complete=candidates.kinds, help="Problem files of this kind alone; default: of all."
)
@click.option("--out", metavar="FILE", help="Write it to this file instead of stdout.")
def command(what: str, kind: str | None, out: str | None) -> None:
    """Print the JSON Schema of problem or suite files, for editors.

    It is made from the models that read the files, with those of the kinds that plugins bring.
    """
    import json

    from solverkit import schema

    if what == "suite" and kind is not None:
        raise UsageError("--kind belongs to `solverkit schema problem`; a suite holds problems of every kind")
    content = schema.suite() if what == "suite" else schema.problem(kind)
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    if out is None:
        click.echo(text)
        return
    from pathlib import Path

    from solverkit.engine.files import replace_file

    try:
        replace_file(Path(out), f"{text}\n".encode())
    except OSError as error:
        raise UsageError(f"{clean(out)} could not be written: {error.strerror or error}") from None
    click.echo(f"written: {clean(out)}", err=True)
