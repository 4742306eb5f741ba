"""`solverkit describe`: everything about a method, from its record and its options model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from solverkit.cli import output
from solverkit.cli.arguments import json_flag
from solverkit.cli.candidates import methods
from solverkit.errors import UsageError
from solverkit.formats.load import SUFFIXES
from solverkit.registry import registry


@click.command("describe")
@click.argument("method", shell_complete=methods)
@json_flag
def command(method: str, json_: bool) -> None:
    """Explain a method: what it needs, when it pays, its options."""
    from solverkit.cli import facts
    from solverkit.cli.methods import as_dict

    if Path(method).suffix.lower() in SUFFIXES:
        raise UsageError(
            f"'{method}' is a file, and describe takes the name of a method. `solverkit methods --for {method}` lists "
            f"those that take it, `solverkit check {method}` looks at the file"
        )
    spec = registry.method(method)
    options = facts.options(spec)
    if json_:
        output.as_json({**as_dict(spec), "options": options})
        return
    output.heading(f"{spec.name}: for {spec.kind} problems")
    output.paragraph(spec.summary, 2)
    rows = facts.facts(spec)
    if lacking := facts.lacking(spec):
        rows.insert(-2, ("missing", lacking))
    output.pairs(rows)
    output.heading("options (--set name=value)")
    for entry in options:
        _show(entry, facts.values(entry), facts.default(entry) or facts.absent_default(entry))
    if not options:
        output.paragraph("none", 2)
    output.heading("limits, the same for every method")
    output.paragraph(", ".join(facts.LIMITS), 2)


def _show(entry: dict[str, Any], values: str, default: str) -> None:
    symbol = f" ({entry['symbol']})" if entry["symbol"] else ""
    chosen = entry["required"] or entry["default"] is None
    output.paragraph(f"{entry['name']}{symbol}: {values}; {default if chosen else f'default {default}'}", 2)
    text = " ".join(filter(None, [entry["description"], entry["equation"]]))
    if text:
        output.paragraph(text, 6)
