"""`solverkit plugins`."""

from __future__ import annotations

from dataclasses import asdict

import click

from solverkit.cli import output
from solverkit.cli.arguments import json_flag
from solverkit.registry import PluginRecord, registry
from solverkit.registry.specs import CommandSpec, KindSpec, SolverSpec, SourceSpec

OFFERS = {"methods": SolverSpec, "kinds": KindSpec, "sources": SourceSpec, "commands": CommandSpec}


@click.command("plugins")
@json_flag
def command(json_: bool) -> None:
    """List the plugins, where they come from, and what is wrong.

    A plugin runs with your rights as soon as it is installed. Those whose distribution is not named like one of this
    project are marked `third party`; the name is no proof of origin, the file tells what is really loaded.
    """
    records = registry.plugins()
    if json_:
        output.as_json([as_dict(record) for record in records])
        return
    if not records:
        output.paragraph("No plugins are installed. Methods come as distributions, such as solverkit-bilevel.")
    for record in records:
        show(record)


def show(record: PluginRecord) -> None:
    """Print one plugin."""
    marks = [record.status, "" if record.project or not record.distribution else "third party"]
    output.heading(f"{record.origin}  [{', '.join(filter(None, marks))}]")
    rows = [("file", record.file)]
    rows += [(name, ", ".join(record.names(spec))) for name, spec in OFFERS.items()]
    rows += [("problem", record.error), ("remedy", record.remedy)]
    output.pairs((name, text) for name, text in rows if text)


def as_dict(record: PluginRecord) -> dict[str, object]:
    """The record as JSON."""
    fields = asdict(record)
    for name in ("specs", "core", "allowed"):
        del fields[name]
    offers = {name: list(record.names(spec)) for name, spec in OFFERS.items()}
    return {**fields, "status": record.status, "project": record.project, **offers}
