"""Every command with its arguments and options, from click."""

from __future__ import annotations

import re
from typing import Any

import click

from docs._build.markdown import code, escaped, page, table
from solverkit.cli.app import EPILOG, app
from solverkit.registry import registry


def pages() -> dict[str, str]:
    """`reference/command-line.md`."""
    context = click.Context(app, info_name="solverkit")
    text = page(
        "# Command line",
        escaped(app.help or ""),
        "```\nsolverkit [OPTIONS] COMMAND [ARGS]...\n```",
        _options(app, context),
        "The result goes to stdout, progress and log to stderr. " + escaped(EPILOG.replace("\b", "")),
        *[_command(spec.name, registry.command(spec), context) for spec in registry.commands()],
    )
    return {"reference/command-line.md": text}


def _command(name: str, command: click.Command, parent: click.Context) -> str:
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join([f"solverkit {name}", *command.collect_usage_pieces(context)])
    return page(f"## {name}", _help(command.help or ""), f"```\n{usage}\n```", _options(command, context))


def _help(text: str) -> str:
    r"""Paragraphs; those that click must not fill, marked by \b, as they are."""
    parts = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if block.startswith("\b"):
            parts.append(f"```text\n{block.removeprefix(chr(8)).strip(chr(10))}\n```")
        else:
            parts.append(escaped(block))
    return page(*parts)


def _options(command: click.Command, context: click.Context) -> str:
    rows: list[tuple[str, str]] = []
    for parameter in command.get_params(context):
        record: Any = parameter.get_help_record(context)
        if record is not None:
            rows.append((code(record[0]), escaped(record[1])))
    return table(("option", "meaning"), rows)
