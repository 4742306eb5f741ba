"""Proofs that a linear program has no answer are taken where they are proofs, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from solverkit.kinds.base import Certificate
from solverkit.kinds.inclusion import Inclusion, linear_program, rays
from solverkit.kinds.inclusion.certificate import certify


def verdict(problem: Inclusion, **rays: np.ndarray) -> Certificate:
    return certify(problem, {**problem.start(np.random.default_rng(0)), **rays})


def random_infeasible(seed: int, unit: float) -> tuple[Inclusion, np.ndarray]:
    """Rows whose weighted sum says 0 <= -1, mixed with others, and the weights."""
    rng = np.random.default_rng(seed)
    A, y = rng.standard_normal((5, 4)), rng.uniform(0.5, 1, 5)
    A[4] = -(y[:4] @ A[:4]) / y[4]
    upper = rng.standard_normal(5)
    upper[4] = (-0.1 - y[:4] @ upper[:4]) / y[4]
    rows = np.vstack([A, rng.standard_normal((2, 4))])
    high = unit * np.append(upper, [5.0, 5.0])
    return linear_program(np.ones(4), rows, -np.inf, high, lower=-np.inf), np.append(y, [0, 0])


@pytest.mark.parametrize("unit", [1.0, 1e-4, 1e4])
@pytest.mark.parametrize("seed", range(5))
def test_farkas(seed: int, unit: float) -> None:
    problem, y = random_infeasible(seed, unit)
    assert verdict(problem, infeasibility_ray=3 * y).facts["proven"] == "infeasible"
    rng = np.random.default_rng(seed)
    for wrong in (-y, np.abs(rng.standard_normal(7)), y + 1e-3, y[:3], 0 * y, y * np.nan):
        assert "proven" not in verdict(problem, infeasibility_ray=wrong).facts


def test_bounds_take_part_in_a_proof() -> None:
    problem = linear_program([0, 0], [[1, 1]], 3, np.inf, lower=0, upper=1)  # x1 + x2 >= 3 in the unit square
    assert verdict(problem, infeasibility_ray=np.array([-1.0])).facts["proven"] == "infeasible"
    assert "proven" not in verdict(problem, infeasibility_ray=np.array([1.0])).facts


@pytest.mark.parametrize("seed", range(20))
def test_no_feasible_program_is_proven_infeasible(seed: int) -> None:
    rng = np.random.default_rng(seed)
    A, x = rng.standard_normal((4, 5)), rng.uniform(0, 1, 5)
    activity = A @ x
    problem = linear_program(rng.standard_normal(5), A, activity - rng.uniform(0, 0.1, 4), activity, upper=1)
    for _ in range(50):
        ray = rng.standard_normal(4) * 10.0 ** rng.uniform(-8, 8)
        assert "proven" not in verdict(problem, infeasibility_ray=ray).facts


def test_rays_of_unboundedness() -> None:
    problem = linear_program([-1, 1], [[1, -1]], -np.inf, 2.0, lower=[0, 0])  # x1 - x2 <= 2: bounded by -2
    for d in ([1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]):
        assert "proven" not in verdict(problem, unboundedness_ray=np.array(d)).facts
    problem = linear_program([-2, 1], [[1, -1]], -np.inf, 2.0, lower=[0, 0])
    assert verdict(problem, unboundedness_ray=np.array([5.0, 5.0])).facts["proven"] == "unbounded"
    assert verdict(problem, unboundedness_ray=np.array([1.0, 1.0 + 1e-12])).facts["proven"] == "unbounded"
    assert "proven" not in verdict(problem, unboundedness_ray=np.array([1.0, 0.5])).facts


def test_a_ray_without_a_feasible_point_proves_nothing() -> None:
    problem = linear_program([-1, 0], [[0, 1], [0, 1]], [1, -np.inf], [np.inf, 0])  # x2 >= 1 and x2 <= 0
    ray = np.array([1.0, 0.0])
    assert "proven" not in verdict(problem, unboundedness_ray=ray).facts
    both = verdict(problem, unboundedness_ray=ray, infeasibility_ray=np.array([-1.0, 1.0]))
    assert both.facts["proven"] == "infeasible"
    problem = linear_program([-1, 0], [[0, 1]], 1, np.inf)  # the start is infeasible, the program is not
    assert verdict(problem, unboundedness_ray=ray).facts["proven"] == "unbounded"
    assert linprog([-1, 0], A_ub=[[0, -1]], b_ub=[-1]).status == 3


def test_no_point_is_sought_in_a_program_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = linear_program([-1, 0], [[0, 1]], 1, np.inf)  # the start is infeasible
    monkeypatch.setattr(rays, "MAX_LP", 1)
    assert "proven" not in verdict(problem, unboundedness_ray=np.array([1.0, 0.0])).facts
