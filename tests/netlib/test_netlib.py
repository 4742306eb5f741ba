"""Certificates on programs of Netlib; `python -m tests.soak netlib` has the long form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

import solverkit as sk
from solverkit.kinds.base import PointStatus
from solverkit.kinds.inclusion.certificate import certify
from solverkit.kinds.inclusion.rays import INFEASIBILITY
from tests.netlib.programs import Program, programs
from tests.soak import netlib

PROBLEMS = Path(__file__).parents[2] / "problems" / "inclusion"
PROGRAMS = programs()


def farkas(program: Program) -> np.ndarray:
    """The multipliers of the least sum of broken rows, by SciPy: min sum(s) s.t. A x within its sides up to s."""
    A, m = program.A.toarray(), len(program.row_upper)
    above, below = np.isfinite(program.row_upper), np.isfinite(program.row_lower)
    slack = np.eye(m)
    found = linprog(
        np.concatenate([np.zeros(len(program.c)), np.ones(m)]),
        A_ub=np.vstack([np.hstack([A, -slack])[above], np.hstack([-A, -slack])[below]]),
        b_ub=np.concatenate([program.row_upper[above], -program.row_lower[below]]),
        bounds=[*zip(program.lower, program.upper, strict=True), *[(0, None)] * m],
    )
    assert found.fun > 0
    y = np.zeros(m)
    y[above] -= found.ineqlin.marginals[: above.sum()]
    y[below] += found.ineqlin.marginals[above.sum() :]
    return y


def test_answers_are_certified_and_wrong_ones_and_infeasible_programs_are_not():
    tally = netlib.run(44, seed=0)
    assert tally.failures == []
    assert tally.facts["infeasible programs"] == 4
    assert tally.facts["wrong answers"] == 31


@pytest.mark.parametrize("name", ["afiro", "kb2", "adlittle"])
def test_the_shipped_files_are_the_programs(name: str):
    problem = sk.load(PROBLEMS / f"netlib-{name}" / "problem.yaml")
    program, form = PROGRAMS[name], problem.structure
    assert np.array_equal(form.A.toarray(), program.A.toarray())
    assert np.array_equal(form.c, program.c)
    for side in ("row_lower", "row_upper", "lower", "upper"):
        assert np.array_equal(getattr(form, side), getattr(program, side))
    assert problem.expect["objective"] == pytest.approx(program.value, rel=1e-10)


def test_the_shipped_infeasible_program_is_never_certified_and_proven_infeasible():
    problem = sk.load(PROBLEMS / "netlib-itest6" / "problem.yaml")
    x, y = np.zeros(problem.variables[0].size), farkas(PROGRAMS["itest6"])
    certificate = certify(problem, {"x": x, "y": y, INFEASIBILITY: y})
    assert certificate.status is PointStatus.INFEASIBLE
    assert certificate.facts["proven"] == "infeasible"


@pytest.mark.parametrize("name", ["galenet", "woodinfe", "forest6"])
@pytest.mark.parametrize("dust", [0.0, 1e-17, 1e-15])
def test_a_farkas_vector_proves_with_rounding_where_it_should_be_zero(name: str, dust: float):
    program = PROGRAMS[name]
    y = farkas(program)
    y = np.where(y == 0, dust * np.abs(y).max(), y)
    facts = certify(program.problem(), {"x": np.zeros(len(program.c)), "y": 0 * y, INFEASIBILITY: y}).facts
    assert facts.get("proven") == "infeasible"


def test_a_vector_that_is_no_farkas_vector_proves_nothing():
    program = PROGRAMS["afiro"]
    y = np.random.default_rng(0).standard_normal(len(program.row_upper))
    facts = certify(program.problem(), {"x": np.zeros(len(program.c)), "y": y, INFEASIBILITY: y}).facts
    assert "proven" not in facts


def test_a_few_rows_that_carry_nearly_all_of_F_are_no_error_of_its_components():
    result = sk.solve(PROGRAMS["fffff800"].problem(), "highs-simplex")  # samples of the components miss them
    assert result.certificate["oracles"].ok
    assert result.point_status is PointStatus.CERTIFIED


@pytest.mark.parametrize("name", ["qual", "vol1"])
def test_highs_gives_a_proof_where_its_presolve_alone_saw_that_there_is_no_point(name: str):
    result = sk.solve(PROGRAMS[name].problem(), "highs-simplex")
    assert result.point_status is PointStatus.INFEASIBLE
    assert result.certificate.facts["proven"] == "infeasible"
