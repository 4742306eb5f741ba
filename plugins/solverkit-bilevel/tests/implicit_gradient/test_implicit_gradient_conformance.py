"""`implicit-gradient` against SolverKit's contract."""

from __future__ import annotations

from hypergradient_cases import curved, sampled

from solverkit.testing import Budget, SolverConformance


class TestProduction(SolverConformance):
    """The defaults."""

    method = "implicit-gradient"
    problems = (curved,)
    budget = Budget(steps=8, max_time=30.0)


class TestSamples(SolverConformance):
    """Stochastic steps, and the handover in the middle of a short run."""

    method = "implicit-gradient"
    problems = (sampled,)
    options = {"oracles": "samples", "solver": "neumann", "block": 2, "stochastic_steps": 10, "batch": 8}  # noqa: RUF012
    budget = Budget(steps=8, max_time=30.0)


class TestPaper(SolverConformance):
    """Constant steps, which are not asked for an answer."""

    method = "implicit-gradient"
    problems = (curved,)
    options = {"mode": "paper", "block": 5, "upper_step": 0.01}  # noqa: RUF012
    budget = Budget(steps=8, max_iter=30, max_time=30.0)
