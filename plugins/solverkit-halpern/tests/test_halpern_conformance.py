"""`halpern` against SolverKit's contract, in each of its iterations."""

from __future__ import annotations

from halpern_cases import boxes, program, rotation, small_game

from solverkit.testing import Budget, SolverConformance


class TestProduction(SolverConformance):
    """The defaults on each form."""

    method = "halpern"
    problems = (small_game, program, boxes)
    options = {"block": 10}  # noqa: RUF012
    budget = Budget(max_time=10.0)


class TestAnchored(SolverConformance):
    """Operators without a matrix."""

    method = "halpern"
    problems = (rotation,)
    options = {"block": 10}  # noqa: RUF012
    budget = Budget(max_time=10.0)
