"""The contract, and SciPy's answers."""

import numpy as np
import pytest
from assignment.problem import Assignment

import solverkit as sk
from solverkit.testing import SolverConformance


def workers() -> Assignment:
    """Eight rows with costs that are no integers."""
    cost = np.random.default_rng(3).normal(size=(8, 8))
    return Assignment("workers", cost)


class TestContract(SolverConformance):
    """One test a check."""

    method = "auction"
    problems = (workers,)


@pytest.mark.parametrize("n", [1, 2, 30])
def test_the_answers_are_those_of_shortest_paths(n: int) -> None:
    problem = Assignment("random", np.random.default_rng(n).integers(0, 100, (n, n)).astype(float))
    results = [sk.solve(problem, name) for name in ("auction", "shortest-augmenting-paths")]
    assert all(result.success for result in results)
    assert results[0].fun == results[1].fun
