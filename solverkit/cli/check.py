"""`solverkit check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from solverkit.cli import output, report
from solverkit.cli.arguments import allow_python, json_flag, parameter, problem_file
from solverkit.registry import registry

if TYPE_CHECKING:
    from solverkit.kinds.base import Point, Problem, Term

TOL = 1e-6  # of a certificate of which only the term `oracles` is read


@click.command("check")
@click.argument("file")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the start and the directions.")
@parameter
@json_flag
@allow_python
def command(file: str, seed: int, parameters: tuple[str, ...], json_: bool, allow_python: bool) -> int:
    """Validate FILE, and compare derivatives with differences at the start.

    Exit code 0: usable; 2: the file is wrong, every place is named; 5: derivatives do not agree with values.
    """
    import numpy as np

    problem = problem_file(file, allow_python, parameters)
    start = problem.start(np.random.default_rng(seed))
    terms = derivatives(problem, start, seed)
    fitting = [spec.name for spec in registry.methods(problem.kind) if not registry.fits(spec, problem)]
    if json_:
        output.as_json(_as_dict(problem, start, terms, fitting))
    else:
        _show(problem, start, terms, fitting)
    return 0 if all(term.ok for term in terms or []) else 5


def derivatives(problem: Problem, start: Point, seed: int) -> list[Term] | None:
    """The oracles against differences; None for a kind that does not compare them.

    A kind may say it oracle by oracle, in `check(problem, point, seed) -> list[Term]`. Of one that does not, the term
    `oracles` of its certificate is taken."""
    kind = registry.kind(problem.kind)
    compare = getattr(kind, "check", None)
    if compare is not None:
        return list(compare(problem, start, seed))
    certificate = kind.certify(problem, start, TOL, seed)
    return [term for term in certificate.terms if term.name == "oracles"] or None


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
