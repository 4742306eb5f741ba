"""The conformance kit on the nonlinear peers, two problems each."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from solverkit.engine.status import Termination
from solverkit.testing import SolverConformance
from solverkit.testing.instruments import Book
from solverkit.testing.subject import Subject

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


@pytest.mark.parametrize("oracle", ["gradient", "jacobian", "constraints"])
def test_another_shape_is_told_by_the_result_and_not_printed(oracle, capfd):
    def fault(call, name, value):
        found = value()
        return np.concatenate([found, found]) if name == oracle and isinstance(found, np.ndarray) else found

    result = Subject("ipopt", TWO[0]).solve(book=Book(fault=fault), max_iter=10)
    if oracle != "jacobian":  # which is sparse, and left as it is
        assert result.termination in (Termination.SOLVER_FAILED, Termination.ORACLE_FAILED), result.message
        assert "IPOPT expects" in result.message or oracle in result.message
    assert "Traceback" not in "".join(capfd.readouterr())
