"""The component methods against SolverKit's contract, on small problems."""

from __future__ import annotations

from vr_cases import gaussian, least_squares

from solverkit.kinds.inclusion.build import inclusion
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.testing import Budget, SolverConformance


def small_game() -> Inclusion:
    """Two boards of unequal size."""
    return gaussian(7, 5, seed=2)


def curved() -> Inclusion:
    """A monotone operator that is neither linear nor skew."""
    variables = {"u": {"shape": 3, "start": 0.5}}
    data = {"A": [[1.0, 2.0, 0.0], [-2.0, 1.0, 1.0], [0.0, -1.0, 0.5]]}
    return inclusion("A @ u + 0.1*exp(u) - 1", variables, data=data)


class TestExtragradient(SolverConformance):
    """The defaults, a few iterations a step."""

    method = "extragradient"
    problems = (small_game,)
    options = {"block": 4}  # noqa: RUF012
    tol = 1e-4
    budget = Budget(steps=6, max_time=20.0)


class TestForb(SolverConformance):
    """The defaults, a few iterations a step."""

    method = "forb"
    problems = (curved,)
    options = {"block": 4}  # noqa: RUF012
    tol = 1e-4
    budget = Budget(steps=6, max_time=20.0)


class TestVRExtragradient(SolverConformance):
    """Compiled components."""

    method = "vr-extragradient"
    problems = (small_game,)
    tol = 1e-2
    budget = Budget(steps=6, max_time=20.0)


class TestPage(SolverConformance):
    """Algorithm 1 by the problem's oracles."""

    method = "vr-halpern"
    problems = (least_squares,)
    options = {"algorithm": "page", "block": 10}  # noqa: RUF012
    tol = 1e-4
    budget = Budget(steps=6, max_time=20.0)


class TestInexact(SolverConformance):
    """Algorithm 2, compiled."""

    method = "vr-halpern"
    problems = (small_game,)
    options = {"algorithm": "forb"}  # noqa: RUF012
    tol = 1e-2
    budget = Budget(steps=6, max_time=20.0)


class TestFull(SolverConformance):
    """What the rule takes on a small game: full evaluations."""

    method = "vr-halpern"
    problems = (small_game,)
    options = {"block": 4}  # noqa: RUF012
    tol = 1e-4
    budget = Budget(steps=6, max_time=20.0)
