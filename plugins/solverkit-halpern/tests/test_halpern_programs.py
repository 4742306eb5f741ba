"""The linear programs of the repository: ten families, certified, with the values of HiGHS's simplex method."""

from __future__ import annotations

from pathlib import Path

import pytest

import solverkit as sk

PROGRAMS = sorted((Path(__file__).parents[3] / "problems" / "inclusion").glob("lp-*/model.mps"))


def test_there_are_ten():
    assert len(PROGRAMS) >= 10


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.parent.name)
def test_certified_with_the_expected_value(path):
    problem = sk.load(path.parent / "problem.yaml")
    found = sk.solve(problem, method="halpern", tol=1e-7, max_time=60)
    assert found.success, found.message
    value = problem.expected["objective"]
    assert abs(found.fun - value) <= 1e-6 * (1 + abs(value))
