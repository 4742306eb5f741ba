"""`solverkit report`: the runs of a suite as a table, a page, CSV or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from solverkit.cli import candidates, output
from solverkit.cli.arguments import json_flag
from solverkit.errors import UsageError
from solverkit.text import clean

if TYPE_CHECKING:
    from solverkit.bench.report import Report


@click.command("report")
@click.argument("folder", metavar="DIR", shell_complete=candidates.folders)
@click.option("--baseline", metavar="LABEL", help="Ratios refer to this method; default: the one that solved most.")
@click.option("--html", metavar="FILE", help="Write a page with plots, complete in itself.")
@click.option("--csv", metavar="FILE", help="Write a line for every run.")
@json_flag
def command(folder: str, baseline: str | None, html: str | None, csv: str | None, json_: bool) -> None:
    """Compare the methods of the suite whose runs are in the folder DIR.

    Works while runs are still being added. Only certified runs count as solved.
    """
    from solverkit.bench import report as reports
    from solverkit.bench import store

    runs = store.read(_folder(folder))
    report = reports.summarize(runs.records, runs.environments, runs.suite, baseline, runs.skipped_lines)
    for file, make in ((html, reports.page), (csv, reports.csv)):
        if file:
            _write(file, make(report))
    if json_:
        output.as_json(reports.document(report))
    else:
        _show(report)


def _folder(folder: str) -> str:
    import os

    if not os.path.isdir(folder):
        raise UsageError(f"{clean(folder)} is not a folder; give the one that `solverkit bench` wrote its runs to")
    return folder


def _write(file: str, text: str) -> None:
    from pathlib import Path

    from solverkit.engine.files import replace_file

    try:
        replace_file(Path(file), text.encode("utf-8", "replace"))
    except OSError as error:
        raise UsageError(f"{clean(file)} could not be written: {error.strerror or error}") from None
    click.echo(f"written: {clean(file)}", err=True)


def _show(report: Report) -> None:
    from solverkit.bench.report import sections

    for number, section in enumerate(sections(report, output.width())):
        if number:
            click.echo()
        output.heading(section.heading)
        for line in section.lines:
            click.echo(line)
