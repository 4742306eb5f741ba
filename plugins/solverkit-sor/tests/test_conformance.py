"""`sor-tuner` against SolverKit's contract, on small sequences."""

from __future__ import annotations

from pathlib import Path

from solverkit.testing import Budget, SolverConformance

PROBLEMS = Path(__file__).parents[3] / "problems" / "linear-sequence"


def problem(name: str) -> Path:
    """The file of a problem in the repository."""
    return PROBLEMS / name / "problem.yaml"


class TestProduction(SolverConformance):
    """The defaults, a few systems a step."""

    method = "sor-tuner"
    problems = (problem("spring-chain"), problem("ridge-breast-cancer"))
    options = {"block": 3}  # noqa: RUF012
    budget = Budget(steps=8, max_time=30.0)


class TestPaper(SolverConformance):
    """The paper's bandit over SOR."""

    method = "sor-tuner"
    problems = (problem("karate-diffusion"),)
    options = {"mode": "paper", "block": 3}  # noqa: RUF012
    budget = Budget(steps=8, max_time=30.0)
