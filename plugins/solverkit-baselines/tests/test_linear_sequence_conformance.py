"""The conformance kit on the peers for linear sequences, on a real ridge path: 71 systems in four steps."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from solverkit.formats.load import load
from solverkit.testing import Budget, SolverConformance

RIDGE = Path(__file__).parents[3] / "problems" / "linear-sequence" / "ridge-breast-cancer" / "problem.yaml"
BUDGET = Budget(max_time=20.0)


def large_penalties():
    """The last 25 systems of the path, which are well conditioned: two steps."""
    with np.load(RIDGE.parent / "data.npz") as data:
        given = {name: data[key][46:] for name, key in (("c", "shifts"), ("logc", "context"), ("path", "path"))}
    return load(RIDGE, data=given)


class TestScipyCg(SolverConformance):
    method = "scipy-cg"
    problems = (str(RIDGE),)
    budget = BUDGET


class TestSuperLu(SolverConformance):
    method = "superlu"
    problems = (str(RIDGE),)
    budget = BUDGET


@pytest.mark.skipif(find_spec("pyamg") is None, reason="PyAMG is not installed")
class TestPyAmg(SolverConformance):
    method = "pyamg"
    problems = (large_penalties,)
    budget = BUDGET
