"""The certificate against all permutations, and the method against SolverKit's contract."""

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from assignment.kind import AssignmentKind
from assignment.problem import Assignment

import solverkit as sk
from solverkit.testing import SolverConformance

PROBLEM = Path(__file__).parents[1] / "problems" / "workers" / "problem.yaml"


class TestContract(SolverConformance):
    """One test a check."""

    method = "shortest-augmenting-paths"
    problems = (PROBLEM,)


@pytest.mark.parametrize("seed", range(20))
def test_the_certificate_holds_for_the_best_of_all_and_for_no_other(seed: int) -> None:
    cost = np.random.default_rng(seed).integers(-9, 9, (5, 5)).astype(float)
    problem = Assignment("random", cost)
    points = [{"match": np.array(each, dtype=float)} for each in permutations(range(5))]
    best = min(problem.objective(point) for point in points)
    for point in points:
        certificate = AssignmentKind().certify(problem, point, 1e-6, 0)
        assert (certificate.status is sk.PointStatus.CERTIFIED) == (problem.objective(point) == best)
        assert certificate.facts["lower_bound"] <= best + 1e-9


@pytest.mark.parametrize("match", [[0, 0, 1, 2], [0, 1, 2, 4], [0, 1, 2], [0.5, 1, 2, 3], [np.nan, 1, 2, 3]])
def test_what_is_no_matching_is_infeasible(match: list[float]) -> None:
    certificate = AssignmentKind().certify(sk.load(PROBLEM), {"match": np.array(match)}, 1e-6, 0)
    assert certificate.status is sk.PointStatus.INFEASIBLE
