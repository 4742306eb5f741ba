"""Wrong points and wrong oracles are not certified, unless an independent judge finds nothing wrong with them.

A few problems; `python -m tests.figures wrong_points` takes all.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import solverkit as sk
from solverkit.kinds.base import PointStatus
from solverkit.kinds.nonlinear.certificate import certify
from tests.nonlinear.adversary import answer, no_answer, wrong_oracles, wrong_points

PROBLEMS = Path(__file__).parents[2] / "problems" / "nonlinear"


@pytest.mark.parametrize("name", ["hs47", "waechter-biegler"])
def test_wrong_points(name):
    problem, rng = sk.load(PROBLEMS / name / "problem.yaml"), np.random.default_rng(1)
    tried = list(wrong_points(problem, answer(problem), rng, draws=1))
    assert len(tried) > 25
    for sort, point in tried:
        if certify(problem, point).status is PointStatus.CERTIFIED:
            assert no_answer(problem, problem.flat(point), rng) == "", sort


@pytest.mark.parametrize("name", ["hs71"])
def test_wrong_oracles(name):
    problem = sk.load(PROBLEMS / name / "problem.yaml")
    known = answer(problem)
    assert certify(problem, known).status is PointStatus.CERTIFIED
    tried = list(wrong_oracles(problem, known))
    assert len(tried) > 20
    for sort, changed in tried:
        assert not certify(changed, known)["oracles"].ok, sort


def test_the_judge_knows_right_from_wrong():
    problem, rng = sk.load(PROBLEMS / "hs71" / "problem.yaml"), np.random.default_rng(0)
    x = problem.flat(problem.expected["point"])
    assert no_answer(problem, x, rng) == ""
    assert no_answer(problem, np.array([1.2, 4.742999643601108, 3.821149982896107, 1.379408291726414]), rng)
    assert no_answer(problem, np.array([3.0, 3.0, 3.0, 2.0]), rng).startswith(("f falls", "infeasible"))


def test_one_variable_in_a_tiny_unit_hides_nothing():
    """Other side of the circle: f = 24.4 instead of 13.9, beside a gradient of 1e7 that every residual is small to."""
    problem = sk.load(PROBLEMS / "hs42-units" / "problem.yaml")
    z = 1.11082494
    x = np.array([2e-3, 1.96931524e3, -1e-6 * np.sqrt(2 - z * z), 1e6 * z])
    certificate = certify(problem, {"x": x})
    assert certificate.status is PointStatus.FEASIBLE
    assert "falls" in certificate["stationarity"].note
