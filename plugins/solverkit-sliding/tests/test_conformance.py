"""The methods against SolverKit's contract, on small problems with known answers."""

from __future__ import annotations

from sliding_cases import fused

from solverkit.testing import Budget, SolverConformance

BUDGET = Budget(steps=5, max_iter=200, max_time=20.0)


class TestAccelerated(SolverConformance):
    """Production."""

    method = "accelerated-gradient-sliding"
    problems = (fused,)
    tol = 1e-4
    budget = BUDGET


class TestSubgradients(SolverConformance):
    """Production."""

    method = "gradient-sliding"
    problems = (fused,)
    tol = 1e-2
    budget = BUDGET


class TestCondatVu(SolverConformance):
    """With steps that balance themselves."""

    method = "condat-vu"
    problems = (fused,)
    tol = 1e-4
    budget = BUDGET


class TestSmoothedFista(SolverConformance):
    """eta fixed."""

    method = "smoothed-fista"
    problems = (fused,)
    tol = 1e-2
    budget = BUDGET


class TestRestarted(SolverConformance):
    """Lan's phases."""

    method = "restarted-sliding"
    problems = (fused,)
    tol = 1e-1
    budget = BUDGET


class TestAuto(SolverConformance):
    """With the decision made: a clock decides otherwise, and differs from run to run."""

    method = "composite-auto"
    problems = (fused,)
    options = {"method": "condat-vu"}  # noqa: RUF012
    tol = 1e-4
    budget = BUDGET
