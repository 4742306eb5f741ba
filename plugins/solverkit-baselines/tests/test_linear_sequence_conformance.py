"""The conformance kit on the peers for linear sequences, on a real ridge path: 71 systems in four steps."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from solverkit.testing import Budget, SolverConformance

RIDGE = str(Path(__file__).parents[3] / "problems" / "linear-sequence" / "ridge-breast-cancer" / "problem.yaml")
BUDGET = Budget(max_time=20.0)


class TestScipyCg(SolverConformance):
    method = "scipy-cg"
    problems = (RIDGE,)
    budget = BUDGET


class TestSuperLu(SolverConformance):
    method = "superlu"
    problems = (RIDGE,)
    budget = BUDGET


@pytest.mark.skipif(find_spec("pyamg") is None, reason="PyAMG is not installed")
class TestPyAmg(SolverConformance):
    method = "pyamg"
    problems = (RIDGE,)
    budget = BUDGET
