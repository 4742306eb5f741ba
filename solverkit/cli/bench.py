"""`solverkit bench`: make the runs of a suite, and compare them."""

from __future__ import annotations

from typing import Any

import click

from solverkit.cli import candidates
from solverkit.cli.arguments import allow_python, existing, json_flag

DONE, LEFT, INTERRUPTED = 0, 3, 130


@click.command("bench")
@click.argument("suite", metavar="SUITE.yaml", shell_complete=candidates.suite_files)
@click.option("--jobs", type=int, default=1, show_default=True, metavar="N", help="Worker processes.")
@click.option("--dask", metavar="ADDRESS", help="Make the runs on the workers of a Dask scheduler, tcp://host:8786.")
@click.option(
    "--out",
    metavar="DIR",
    shell_complete=candidates.folders,
    help="Folder of the runs; default: results/NAME of the suite.",
)
@click.option("--time-limit", type=float, metavar="SECONDS", help="Begin no run after this time; the rest waits.")
@click.option(
    "--retry",
    multiple=True,
    type=click.Choice(["failed", "timeout", "crashed"]),
    help="Make runs that ended so again; repeatable.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@json_flag
@allow_python
@click.pass_context
def command(ctx: click.Context, suite: str, out: str | None, quiet: bool, json_: bool, **given: Any) -> int:
    """Run the methods of SUITE.yaml on its problems, and compare them.

    Every run is certified while it goes on, and ends where the certificate holds. Runs are kept as they come: after a
    kill, Ctrl-C or --time-limit the same command makes those that are left. A run that crashes or hangs is recorded as
    such. The exit code is 0 where every run is on disk, 3 where some are left.
    """
    from solverkit import api
    from solverkit.bench.suite import load_suite
    from solverkit.cli.bench_report import command as report

    path = existing(suite)
    folder = out or f"results/{load_suite(path)[0].name}"
    table = api.bench(path, out=folder, progress=not quiet, **given)
    if table.records:
        page = f"{folder}/report.html"
        ctx.invoke(report, folder=folder, baseline=None, html=page, csv=None, json_=json_)
    if table.interrupted:
        return INTERRUPTED
    if table.left:
        click.echo(f"{table.left} runs are left: the same command goes on", err=True)
    return LEFT if table.left else DONE
