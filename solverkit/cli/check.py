"""`solverkit check`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from solverkit.cli import candidates, output, report
from solverkit.cli.arguments import allow_python, existing, json_flag, parameter, problem_file, settings
from solverkit.registry import registry

if TYPE_CHECKING:
    from solverkit.kinds.base import Point, Problem, Term


@click.command("check")
@click.argument("file", shell_complete=candidates.problem_files)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the start and the directions.")
@parameter
@click.option("--reduce", "reduce_", is_flag=True, help="Find the smallest file that shows the same failure.")
@click.option(
    "-m",
    "--method",
    metavar="NAME",
    shell_complete=candidates.methods,
    help="With --reduce: the failure is one of this method.",
)
@click.option("--set", "set_", metavar="NAME=VALUE", multiple=True, help="With --method: an option of it; repeatable.")
@click.option("--limit", type=float, default=10.0, show_default=True, help="With --reduce: seconds of one try.")
@click.option("--max-time", type=float, default=300.0, show_default=True, help="With --reduce: seconds in all.")
@click.option("--out", metavar="DIR", help="With --reduce: where the small file goes; FILE.reduced by default.")
@json_flag
@allow_python
def command(
    file: str, seed: int, parameters: tuple[str, ...], json_: bool, allow_python: bool, reduce_: bool, **reduction: Any
) -> int:
    """Validate FILE, and compare derivatives with differences at the start.

    Exit code 0: usable; 2: the file is wrong, every place is named; 5: derivatives do not agree with values.

    With --reduce, a file that is refused, crashes a reader, hangs or has wrong derivatives, or with --method one that
    is not solved, becomes a small file with the same failure. It is tried in a process of its own. Exit code 0: found;
    2: nothing fails.
    """
    if reduce_:
        return _reduce(existing(file), seed, json_, allow_python, **reduction)
    import numpy as np

    from solverkit.derivatives import derivatives

    problem = problem_file(file, allow_python, parameters)
    start = problem.start(np.random.default_rng(seed))
    terms = derivatives(problem, start, seed)
    fitting = [spec.name for spec in registry.methods(problem.kind) if not registry.fits(spec, problem)]
    if json_:
        output.as_json(_as_dict(problem, start, terms, fitting))
    else:
        _show(problem, start, terms, fitting)
    return 0 if all(term.ok for term in terms or []) else 5


def _reduce(
    file: str,
    seed: int,
    json_: bool,
    allow_python: bool,
    method: str | None,
    set_: tuple[str, ...],
    limit: float,
    max_time: float,
    out: str | None,
) -> int:
    from pathlib import Path

    from solverkit.reduction import Question, reduce

    if method:
        registry.method(method)
    question = Question(method or "", settings(set_), seed=seed, allow_python=allow_python, limit=limit)
    found = reduce(Path(file), question, Path(out or f"{file}.reduced"), max_time)
    if json_:
        output.as_json({**asdict(found), "file": str(found.file), "failure": str(found.failure)})
        return 0
    output.pairs(
        [
            ("failure", found.failure),
            ("smallest file", found.file),
            ("bytes", f"{found.after} of {found.before}, data included, after {found.tries} tries"),
            ("", "" if found.whole else "ended early: it may get smaller still with a larger --max-time"),
        ]
    )
    return 0


def _show(problem: Problem, start: Point, terms: list[Term] | None, fitting: list[str]) -> None:
    output.heading(f"{problem.name}: {problem.kind} problem")
    output.pairs(
        [
            ("provides", ", ".join(sorted(problem.provides)) or "nothing beyond its values"),
            ("start", ", ".join(f"{name} {_shape(block.shape)}" for name, block in start.items())),
            ("expected", ", ".join(problem.expected) or "nothing"),
            ("fingerprint", problem.fingerprint()),
            ("methods", ", ".join(fitting) or "none that fits is installed"),
        ]
    )
    if terms is None:
        output.paragraph(f"no derivatives to compare: all oracles of kind {problem.kind} are made from its data")
        return
    output.heading("derivatives against differences, at the start")
    output.table(
        ("oracle", "ratio", "tolerance", "agrees"),
        [(t.name, f"{t.value / t.scaling:.2e}", f"{t.tolerance:.1e}", "yes" if t.ok else "NO") for t in terms],
    )
    output.pairs((term.name, term.note) for term in terms if term.note)


def _shape(shape: tuple[int, ...]) -> str:
    return f"({' x '.join(str(length) for length in shape)})" if shape else ""


def _as_dict(problem: Problem, start: Point, terms: list[Term] | None, fitting: list[str]) -> dict[str, Any]:
    return {
        "problem": problem.name,
        "kind": problem.kind,
        "provides": sorted(problem.provides),
        "fingerprint": problem.fingerprint(),
        "start": {name: list(block.shape) for name, block in start.items()},
        "methods": fitting,
        "derivatives": None if terms is None else report.terms_list(terms),
    }
