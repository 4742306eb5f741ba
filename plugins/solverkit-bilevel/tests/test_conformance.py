"""`lv-hba` against SolverKit's contract, on small problems with known answers."""

from __future__ import annotations

from pathlib import Path

from solverkit.testing import Budget, SolverConformance

PROBLEMS = Path(__file__).parents[3] / "problems" / "bilevel"


def problem(name: str) -> Path:
    """The file of a problem in the repository."""
    return PROBLEMS / name / "problem.yaml"


class TestProduction(SolverConformance):
    """The default schedule; short steps, so that there is something between start and answer."""

    method = "lv-hba"
    problems = (problem("coupled-merely-convex"), problem("dempe-2012"), problem("bard-1988-ex1"))
    options = {"block": 4}  # noqa: RUF012
    budget = Budget(steps=8, max_time=30.0)


class TestPaper(SolverConformance):
    """The paper's iteration to the letter, which is not asked for an answer."""

    method = "lv-hba"
    problems = (problem("dempe-2012"),)
    options = {"schedule": "paper", "block": 50}  # noqa: RUF012
    budget = Budget(steps=8, max_iter=50, max_time=30.0)
