"""The conformance kit on both peers; it finds them by entry point, so the distribution has to be installed."""

from pathlib import Path

from solverkit.testing import SolverConformance

PROBLEMS = Path(__file__).parents[3] / "problems" / "bilevel"


class TestKktIpopt(SolverConformance):
    method = "kkt-ipopt"
    problems = (str(PROBLEMS / "bard-1988-ex1" / "problem.yaml"),)


class TestNested(SolverConformance):
    method = "nested"
    problems = (str(PROBLEMS / "colson-2002-bipa4" / "problem.yaml"),)
