"""`penalty` and `bsvrb` against SolverKit's contract."""

from __future__ import annotations

from pathlib import Path

from penalty_cases import quadratic, tasks

from solverkit.testing import Budget, SolverConformance

PROBLEMS = Path(__file__).parents[3] / "problems" / "bilevel"


class TestPenalty(SolverConformance):
    """Production, on problems with known answers."""

    method = "penalty"
    problems = (PROBLEMS / "lampariello-sagratella-2017-ex32" / "problem.yaml",)
    budget = Budget(steps=8, max_time=30.0)


class TestPenaltyPaper(SolverConformance):
    """The paper's single loop, which is not asked for an answer."""

    method = "penalty"
    problems = (quadratic(),)
    options = {"mode": "paper", "loop": "single", "block": 20}  # noqa: RUF012
    budget = Budget(steps=6, max_iter=30, max_time=30.0)


class TestBlocks(SolverConformance):
    """Sampled steps and the exact finish."""

    method = "bsvrb"
    problems = (tasks(6, k=2)[0],)
    options = {"block": 1, "sample": 3}  # noqa: RUF012
    budget = Budget(steps=12, max_time=30.0)
