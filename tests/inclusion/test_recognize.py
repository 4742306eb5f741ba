"""Payoffs that are bilinear are known as such, whatever they are written like."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from solverkit.kinds.base import PointStatus
from solverkit.kinds.inclusion import game, saddle
from solverkit.kinds.inclusion.certificate import certify
from tests.inclusion.cases import equilibrium

A = np.random.default_rng(0).standard_normal((3, 4))
FREE = {"shape": 3}, {"shape": 4}
SIMPLEX = {"shape": 3, "set": "simplex"}, {"shape": 4, "set": "simplex"}


def test_a_bilinear_payoff_is_its_matrix() -> None:
    c, b = np.arange(3.0), np.arange(4.0)
    text = "dot(x, A @ y) + dot(c, x) - 2*dot(b, y) + x[0]*y[1] + 7"
    problem = saddle({"x": FREE[0]}, {"y": FREE[1]}, text, data={"A": A, "c": c, "b": b})
    assert problem.form == "saddle"
    assert problem.bilinear is not None
    matrix = A.copy()
    matrix[0, 1] += 1
    np.testing.assert_allclose(problem.bilinear.matrix, matrix)
    u = np.random.default_rng(1).standard_normal(7)
    x, y = u[:3], u[3:]
    np.testing.assert_allclose(problem.operator(u), np.concatenate([matrix @ y + c, 2 * b - matrix.T @ x]))
    assert problem.objective({"x": x, "y": y}) == pytest.approx(x @ matrix @ y + c @ x - 2 * b @ y + 7)


@pytest.mark.parametrize(
    "text",
    ["dot(x, A @ y) + 0.1*sum(x**2)", "dot(x, A @ y) - 0.1*y[0]**2", "sum(x) - sum(y)", "dot(x, A @ y) + exp(x[0])"],
)
def test_what_is_not_bilinear_stays_what_it_is(text: str) -> None:
    assert saddle({"x": FREE[0]}, {"y": FREE[1]}, text, data={"A": A}).bilinear is None


def test_a_game_written_as_a_payoff_is_a_game() -> None:
    problem = saddle({"x": SIMPLEX[0]}, {"y": SIMPLEX[1]}, "dot(x, A @ y)", data={"A": A})
    assert problem.form == "game"
    np.testing.assert_array_equal(problem.bilinear.matrix, A)  # type: ignore[union-attr]
    shifted = saddle({"x": SIMPLEX[0]}, {"y": SIMPLEX[1]}, "dot(x, A @ y) + x[1] - 2*y[2] + 3", data={"A": A})
    B = A + 3
    B[1] += 1
    B[:, 2] -= 2
    x, y, value = equilibrium(B)
    certificate = certify(shifted, {"x": x, "y": y})
    assert certificate.status is PointStatus.CERTIFIED
    assert certificate.facts["objective"] == pytest.approx(value)
    twin = saddle({"x": SIMPLEX[0]}, {"y": SIMPLEX[1]}, "dot(x, A @ y)", data={"A": csr_array(A)})
    np.testing.assert_allclose(twin.bilinear.matrix, game(A).bilinear.matrix)  # type: ignore[union-attr]


def test_a_bilinear_saddle_on_boxes_is_certified_where_it_is_solved() -> None:
    """min over |x| <= 1 of max over |y| <= 1 is min of the 1-norm of A'x - b, a linear program."""
    b = np.random.default_rng(2).standard_normal(4)
    problem = saddle(
        {"x": {"shape": 3, "lower": -1, "upper": 1}},
        {"y": {"shape": 4, "lower": -1, "upper": 1}},
        "dot(x, A @ y) - dot(b, y)",
        data={"A": A, "b": b},
    )
    found = linprog(
        np.concatenate([np.zeros(3), np.ones(4)]),
        A_ub=np.block([[A.T, -np.eye(4)], [-A.T, -np.eye(4)]]),
        b_ub=np.concatenate([b, -b]),
        bounds=[(-1, 1)] * 3 + [(0, None)] * 4,
    )
    x = found.x[:3]
    y = -(found.ineqlin.marginals[:4] - found.ineqlin.marginals[4:])
    certificate = certify(problem, {"x": x, "y": y})
    assert certificate.status is PointStatus.CERTIFIED
    assert certificate.facts["objective"] == pytest.approx(found.fun)
    assert certificate.facts["monotone"] == "proven"
    for move in np.random.default_rng(3).standard_normal((100, 7)):
        u = np.clip(np.concatenate([x, y]) + 0.1 * move, -1, 1)
        assert certify(problem, problem.blocks(u)).status is not PointStatus.CERTIFIED
