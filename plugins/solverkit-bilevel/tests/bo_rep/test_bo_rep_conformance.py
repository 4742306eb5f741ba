"""`bo-rep` against SolverKit's contract."""

from __future__ import annotations

from hypergradient_cases import curved, sampled

from solverkit.testing import Budget, SolverConformance


class TestProduction(SolverConformance):
    """Refinement, stochastic steps and the handover within a short run."""

    method = "bo-rep"
    problems = (sampled,)
    options = {"epochs": 2, "epoch_steps": 5, "block": 3, "handover": 12, "batch": 8}  # noqa: RUF012
    budget = Budget(steps=9, max_time=30.0)


class TestPaper(SolverConformance):
    """Constant steps, which are not asked for an answer."""

    method = "bo-rep"
    problems = (curved,)
    options = {"mode": "paper", "epochs": 2, "epoch_steps": 5, "block": 5}  # noqa: RUF012
    budget = Budget(steps=8, max_iter=30, max_time=30.0)
