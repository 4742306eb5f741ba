"""The page of the scoreboard, docs/reference/scoreboard.md."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from tests.scoreboard.board import Run

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "scoreboard.md"

TOP = """# Scoreboard: claims against verdicts

What methods say of their answers on problems that set traps, what is true, and what the core's certificate says of the
same answers. Made by `make scoreboard`; the test `tests/scoreboard` runs two of the traps again and compares.

- **claims**: the method says `success=True`
- **wrong**: of these, at a point that is no local minimizer: none exists, or each is further than 1 % away (10 % where
  f is noisy) and f is above its value there by more than 1e-6
- **certified**: answers that the core certifies, whatever the method says
- **wrong certified**: of these, at a point that is no local minimizer

SciPy's methods run with their defaults. Ours claim success only where the core certifies, so both counts are one.
"""


def text(runs: Sequence[Run]) -> str:
    """Tables by method and by trap."""
    methods = list(dict.fromkeys((run.library, run.method) for run in runs))
    lines = [
        TOP,
        f"Versions: SciPy {version('scipy')}, NumPy {version('numpy')}.",
        "",
        "| library | method | traps | claims | wrong | certified | wrong certified |",
        "|---|---|---|---|---|---|---|",
    ]
    for library, method in methods:
        lines.append(
            f"| {library} | {method} | {_counts([r for r in runs if (r.library, r.method) == (library, method)])} |"
        )
    for library in ("SciPy", "SolverKit"):
        lines.append(f"| **{library}** | all | {_counts([r for r in runs if r.library == library])} |")
    lines += [
        "",
        "| trap | SciPy's wrong claims | certified of SciPy's answers | ours that are certified |",
        "|---|---|---|---|",
    ]
    for trap in dict.fromkeys(run.trap for run in runs):
        theirs = [run for run in runs if run.trap == trap and run.library == "SciPy"]
        ours = [run for run in runs if run.trap == trap and run.library == "SolverKit"]
        wrong = ", ".join(run.method for run in theirs if run.wrong_claim) or "none"
        seen = f"{sum(r.certified for r in theirs)} of {len(theirs)}, {sum(r.wrong_verdict for r in theirs)} wrong"
        mine = f"{sum(r.certified for r in ours)} of {len(ours)}, {sum(r.wrong_verdict for r in ours)} wrong"
        lines.append(f"| {trap} | {wrong} | {seen} | {mine} |")
    return "\n".join([*lines, ""])


def _counts(runs: Sequence[Run]) -> str:
    counts = (
        len(runs),
        sum(run.claimed for run in runs),
        sum(run.wrong_claim for run in runs),
        sum(run.certified for run in runs),
        sum(run.wrong_verdict for run in runs),
    )
    return " | ".join(map(str, counts))
