"""`sketched-newton` against SolverKit's contract, on small problems with known answers."""

from __future__ import annotations

from pathlib import Path

from solverkit.testing import Budget, SolverConformance

PROBLEMS = Path(__file__).parents[3] / "problems" / "nonlinear"


def problem(name: str) -> Path:
    """The file of a problem in the repository."""
    return PROBLEMS / name / "problem.yaml"


class TestProduction(SolverConformance):
    """Equalities alone; inequalities and bounds."""

    method = "sketched-newton"
    problems = (problem("hs6"), problem("hs71"))
    budget = Budget(steps=6, max_time=30.0)


class TestPaper(SolverConformance):
    """The published iteration, which draws random numbers and whose target is not the certificate's."""

    method = "sketched-newton"
    problems = (problem("hs40"),)
    options = {"mode": "paper", "inner": "kaczmarz", "inner_steps": 2000}  # noqa: RUF012
    budget = Budget(steps=3, max_iter=5, max_time=30.0)
