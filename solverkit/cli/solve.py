"""`solverkit solve`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from solverkit.cli import candidates, output
from solverkit.cli.arguments import allow_python, json_flag, parameter, problem_or_path, settings, stored

if TYPE_CHECKING:
    from solverkit.engine.progress import Mode
    from solverkit.engine.result import Result


@click.command("solve")
@click.argument("file", shell_complete=candidates.problem_files)
@click.option(
    "-m",
    "--method",
    metavar="NAME",
    shell_complete=candidates.methods,
    help="The method; by default the preferred one that fits.",
)
@parameter
@click.option(
    "--set",
    "set_",
    metavar="NAME=VALUE",
    multiple=True,
    shell_complete=candidates.options,
    help="An option of the method; repeatable.",
)
@click.option("--tol", type=float, default=1e-6, show_default=True, help="Tolerance of the certificate.")
@click.option("--max-time", type=float, metavar="SECONDS", help="Stop after this time; the best point counts.")
@click.option("--max-iter", type=int, metavar="N", help="Stop after this many steps.")
@click.option("--max-calls", type=int, metavar="N", help="Stop after this many oracle calls.")
@click.option("--target", is_flag=True, help="Stop as soon as the certificate holds.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all randomness.")
@click.option("--device", default="cpu", show_default=True, shell_complete=candidates.devices, help="cpu or cuda.")
@click.option(
    "--dtype", default="float64", show_default=True, shell_complete=candidates.dtypes, help="Arithmetic of the method."
)
@click.option(
    "--start",
    metavar="DIR",
    shell_complete=candidates.folders,
    help="Start at the point of a former run's --out folder.",
)
@click.option(
    "--out",
    metavar="DIR",
    shell_complete=candidates.folders,
    help="Write result.json, point.npz, trace.jsonl and checkpoints here.",
)
@click.option(
    "--checkpoint",
    type=float,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="With --out: seconds between checkpoints.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@json_flag
@allow_python
@click.pass_context
def command(ctx: click.Context, **given: Any) -> int:
    """Solve the problem in FILE, and certify the answer.

    The result goes to stdout, progress to stderr. The exit code is 0 where the answer is certified.
    """
    from solverkit import api

    result = api.solve(
        problem_or_path(given["file"], given["allow_python"], given["parameters"]),
        given["method"],
        settings(given["set_"]),
        tol=given["tol"],
        max_time=given["max_time"],
        max_iter=given["max_iter"],
        max_calls=given["max_calls"],
        seed=given["seed"],
        device=given["device"],
        dtype=given["dtype"],
        out=given["out"],
        checkpoint=given["checkpoint"],
        start=stored(given["start"]) if given["start"] else None,
        target=given["target"],
        progress=progress(given["quiet"]),
        allow_python=given["allow_python"],
    )
    if given["method"] is None and not given["quiet"]:
        click.echo(f"method {result.method}: the preferred one that fits; --method names another", err=True)
    return finish(result, given["out"], given["json_"])


def progress(quiet: bool) -> Mode:
    """What to show on stderr: nothing, a line that renews itself, or plain lines where stderr is no terminal."""
    if quiet:
        return False
    return True if sys.stderr.isatty() else "log"


def finish(result: Result, out: str | None, json_: bool) -> int:
    """Print the result; its exit code."""
    if json_:
        # where nothing was saved there is no file that a large block could be found in: then all of it is printed
        output.as_json(result.to_json() if result.folder else result.to_json(large=sys.maxsize))
    else:
        from solverkit.cli import report

        report.show(result)
        if result.folder:
            output.pairs([("written to", out)], indent=0)
    return int(result.status)
