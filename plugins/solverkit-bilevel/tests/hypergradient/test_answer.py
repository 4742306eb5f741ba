"""The lower level by Newton's method with conjugate gradients."""

from __future__ import annotations

import numpy as np
import pytest
from hypergradient_cases import answer_by_newton, curved, tail, with_ledger

from solverkit.kinds.bilevel.build import bilevel
from solverkit_bilevel.hypergradient.answer import solve_lower


@pytest.mark.parametrize("condition", [1.0, 1e4])
def test_a_quadratic_takes_one_system(condition):
    case = tail(4, 7, condition=condition)
    problem, ledger = with_ledger(case.problem)
    x = np.full(4, 0.7)
    found = solve_lower(problem, np.concatenate([x, np.zeros(7)]), 1e-9)
    assert found.solved
    np.testing.assert_allclose(found.z[4:], case.answer(x), atol=1e-8)
    assert ledger.by_oracle()["lower_gradient"] <= 3


@pytest.mark.parametrize("start", [0.0, 5.0, -8.0])
def test_a_curved_level_is_solved_to_rounding_without_a_value_of_f(start):
    problem, ledger = with_ledger(curved())
    x = np.array([0.4, -0.2, 0.7, 0.1])
    found = solve_lower(problem, np.concatenate([x, np.full(5, start)]), 1e-12)
    np.testing.assert_allclose(found.z[4:], answer_by_newton(problem, x), atol=1e-12)
    assert ledger.by_oracle()["lower"] == 0


def test_negative_curvature_leads_to_a_minimizer():
    problem = bilevel(
        upper={"variables": {"x": {"shape": 1}}, "minimize": "x[0]**2"},
        lower={"variables": {"y": {"shape": 2}}, "minimize": "sum((y**2 - 1)**2) + 0.1*x[0]*sum(y)"},
    )
    found = solve_lower(problem, np.array([0.1, 0.05, -0.1]), 1e-10)
    assert found.solved
    assert np.linalg.eigvalsh(problem.lower_hessian(found.z).toarray()[1:, 1:])[0] > 0


def test_rounding_ends_the_search_and_is_told():
    scaled = curved()
    found = solve_lower(scaled, np.concatenate([np.full(4, 30.0), np.zeros(5)]), 1e-300)
    assert not found.solved
    assert found.residual <= 1e-10
