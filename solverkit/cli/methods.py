"""`solverkit methods`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from solverkit.cli import candidates, output
from solverkit.cli.arguments import allow_python, json_flag, problem_file
from solverkit.errors import SolverKitError
from solverkit.registry import published, registry
from solverkit.registry.packages import missing, pip_line
from solverkit.registry.specs import SolverSpec

if TYPE_CHECKING:
    from solverkit.kinds.base import Problem


@click.command("methods")
@click.option(
    "--for",
    "file",
    metavar="FILE",
    shell_complete=candidates.problem_files,
    help="Say which methods fit this problem, and why others do not.",
)
@click.option("--kind", metavar="KIND", shell_complete=candidates.kinds, help="Only methods for this kind of problem.")
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    shell_complete=candidates.devices,
    help="With --for: the device to run on.",
)
@json_flag
@allow_python
def command(file: str | None, kind: str | None, device: str, json_: bool, allow_python: bool) -> None:
    """List the methods, or those that fit a problem."""
    if file is not None:
        _for_problem(problem_file(file, allow_python), device, json_)
        return
    methods = registry.methods(kind)
    if kind is not None and not methods:
        known = sorted({spec.kind for spec in registry.methods()} | {spec.name for spec in registry.kinds()})
        raise click.UsageError(f"no methods for kind '{kind}' (kinds here: {', '.join(known)})")
    if json_:
        output.as_json([as_dict(spec) for spec in methods])
        return
    for name in dict.fromkeys(spec.kind for spec in methods):
        output.heading(name)
        output.pairs((spec.name, spec.summary) for spec in methods if spec.kind == name)
    if not methods:
        output.paragraph("No methods are installed. `solverkit plugins` shows what is there, and what is broken.")
        output.pairs((f"pip install {name}", ", ".join(kinds)) for name, kinds in published.METHODS.items())


def as_dict(spec: SolverSpec) -> dict[str, Any]:
    """The method as JSON."""
    names = ("name", "kind", "summary", "requires", "backends", "dtypes", "packages", "paper", "pays", "avoid")
    origin = registry.origin(spec)
    fields = {name: getattr(spec, name) for name in (*names, "priority")}
    absent = missing(spec.packages)
    return {**fields, "missing": absent, "distribution": origin.distribution, "version": origin.version}


def _for_problem(problem: Problem, device: str, json_: bool) -> None:
    methods = registry.methods(problem.kind)
    reasons = {spec.name: registry.fits(spec, problem, device) for spec in methods}
    try:
        default = registry.default(problem, device).name
    except SolverKitError:
        default = ""
    if json_:
        found = [{**as_dict(spec), "fits": not reasons[spec.name], "reasons": reasons[spec.name]} for spec in methods]
        head = {"problem": problem.name, "kind": problem.kind, "provides": sorted(problem.provides)}
        output.as_json({**head, "default": default or None, "methods": found})
        return
    output.heading(f"{problem.name}: {problem.kind} problem")
    output.pairs([("provides", ", ".join(sorted(problem.provides)) or "nothing beyond its values")])
    fitting = [spec for spec in methods if not reasons[spec.name]]
    output.heading("methods that fit")
    output.pairs((spec.name, _remark(spec, default)) for spec in fitting)
    if not fitting:
        output.paragraph("none", 2)
    if len(fitting) < len(methods):
        output.heading("methods that do not")
        output.pairs((spec.name, " ".join(reasons[spec.name])) for spec in methods if reasons[spec.name])


def _remark(spec: SolverSpec, default: str) -> str:
    text = f"(default) {spec.summary}" if spec.name == default else spec.summary
    if absent := missing(spec.packages):
        text += f" [not installed: {pip_line(absent)}]"
    return text
