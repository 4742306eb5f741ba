"""The conformance kit on the nonlinear peers, two problems each."""

from pathlib import Path
from typing import ClassVar

from solverkit.testing import SolverConformance

PROBLEMS = Path(__file__).parents[3] / "problems" / "nonlinear"
TWO = tuple(str(PROBLEMS / name / "problem.yaml") for name in ("hs71", "bt11"))


class TestIpopt(SolverConformance):
    method = "ipopt"
    problems = TWO


class TestIpoptNative(SolverConformance):
    method = "ipopt"
    problems = TWO[:1]
    options: ClassVar = {"functions": "native"}


class TestTrustConstr(SolverConformance):
    method = "trust-constr"
    problems = TWO


class TestSlsqp(SolverConformance):
    method = "slsqp"
    problems = TWO
