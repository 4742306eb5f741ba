"""The nonlinear problem files: definitions, derivatives, expected answers."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import solverkit as sk
from solverkit.bench.suite import load_suite
from solverkit.kinds.base import PointStatus
from solverkit.kinds.nonlinear.kind import NonlinearKind
from tests.nonlinear_problems.cutest import VALUES

PROBLEMS = Path(__file__).parents[2] / "problems"
OWN = "poisson-control", "logistic", "dense-constraints", "pyomo"  # large or generated: their own tests
NAMES = sorted(
    path.parent.name for path in (PROBLEMS / "nonlinear").glob("*/problem.yaml") if not path.parent.name.startswith(OWN)
)
UNCERTIFIABLE = {"hs13"}  # a cusp: its minimizer has no multipliers


@cache
def shipped(name):
    return sk.load(PROBLEMS / "nonlinear" / name / "problem.yaml")


def with_point():
    marked = re.compile(r"^expect: .*point:|^  point:", re.MULTILINE)
    return [name for name in NAMES if marked.search((PROBLEMS / "nonlinear" / name / "problem.yaml").read_text())]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_bears_its_folders_name_and_has_a_source(name):
    text = (PROBLEMS / "nonlinear" / name / "problem.yaml").read_text()
    assert f"\nname: {name}\n" in text
    assert "\nsource:\n" in text
    assert text.startswith("# ")


@pytest.mark.parametrize("name", VALUES)
def test_functions_are_those_of_the_collection(name):
    problem = shipped(name)
    x = problem.flat(problem.start(None)) + np.linspace(0.1, 0.2, problem.n)
    bound = np.where(np.isfinite(problem.lower), problem.lower, problem.upper)
    f, residual = VALUES[name]
    assert problem.value(x) == pytest.approx(f, rel=1e-10, abs=1e-12)
    assert np.abs(problem.constraints(x) - bound).sum() == pytest.approx(residual, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_agree_with_differences_beside_the_start(name):
    problem = shipped(name)
    rng = np.random.default_rng(0)
    x = problem.flat(problem.start(rng)) + 0.01
    d, y = rng.standard_normal(problem.n) / np.sqrt(problem.n), rng.standard_normal(problem.m)
    step = 1e-6 * (1 + np.abs(x).max())
    ahead, behind = x + step * d, x - step * d

    def near(derivative, difference, size):
        assert np.abs(derivative - difference).max(initial=0.0) <= 2e-7 * (1 + np.abs(size).max(initial=0.0))

    slope = (problem.value(ahead) - problem.value(behind)) / (2 * step)
    near(problem.gradient(x) @ d, slope, np.abs(problem.value(x)) / step * 1e-8 + np.abs(slope))
    rows = (problem.constraints(ahead) - problem.constraints(behind)) / (2 * step)
    near(problem.jacobian(x) @ d, rows, np.append(rows, problem.constraints(x)))
    slopes = [problem.gradient(z) + problem.vjp(z, y) for z in (ahead, behind)]
    near(problem.hessian(x, y) @ d, (slopes[0] - slopes[1]) / (2 * step), np.concatenate(slopes))


@pytest.mark.parametrize("name", with_point())
def test_the_expected_point_is_an_answer(name):
    problem = shipped(name)
    certificate = NonlinearKind().certify(problem, dict(problem.expected["point"]), 1e-8, 0)
    wanted = PointStatus.FEASIBLE if name in UNCERTIFIABLE else PointStatus.CERTIFIED
    assert certificate.status is wanted, certificate
    assert problem.objective(problem.expected["point"]) == pytest.approx(
        problem.expected["objective"], rel=1e-12, abs=1e-12
    )


@pytest.mark.parametrize("name", [name for name in with_point() if name not in UNCERTIFIABLE])
def test_a_point_beside_the_expected_one_is_none(name):
    problem = shipped(name)
    rng = np.random.default_rng(1)
    point = {
        block: value + 1e-3 * (1 + abs(value)) * rng.choice([-1.0, 1.0], np.shape(value))
        for block, value in problem.expected["point"].items()
    }
    assert NonlinearKind().certify(problem, point, 1e-8, 0).status is not PointStatus.CERTIFIED


def test_the_suites_name_every_problem_once():
    files = []
    for suite in ("nonlinear-41", "nonlinear-peers"):
        _, cases = load_suite(PROBLEMS / "suites" / f"{suite}.yaml")
        files += sorted({Path(case.file).parent.name for case in cases})
    assert sorted(files) == NAMES
    for suite in ("nonlinear-41", "nonlinear-paper"):
        assert len(load_suite(PROBLEMS / "suites" / f"{suite}.yaml")[1]) == 41


def test_bounds_that_contradict_each_other_are_found_at_loading(tmp_path):
    path = tmp_path / "problem.yaml"
    path.write_text(
        "solverkit: 1\nkind: nonlinear\nname: none\n"
        "variables: {x: {shape: 2, lower: [0, 2], upper: 1}}\nminimize: sum(x)\n"
        "subject_to:\n  range: 3 <= sum(x) <= 2\n"
    )
    with pytest.raises(sk.InvalidProblem) as caught:
        sk.load(path)
    box, row = caught.value.defects
    assert (box.line, row.line) == (4, 7)
    assert "leave no room at element 1" in box.message
    assert "lower bound exceeds" in row.message
