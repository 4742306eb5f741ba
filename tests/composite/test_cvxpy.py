"""CVXPY problems as objects: the same objective, the same answer, their own values untouched, refusals by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import solverkit as sk
from solverkit.errors import UsageError
from solverkit.kinds.composite import Composite, from_cvxpy
from solverkit.kinds.composite.terms import Euclidean

cp = pytest.importorskip("cvxpy")

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((30, 20)), RNG.standard_normal(30)
SIGNS = np.sign(B)


def models() -> dict[str, Any]:
    x, X = cp.Variable(20, name="x"), cp.Variable((4, 5))
    up = cp.Variable(20, nonneg=True)
    within = cp.Variable(20, bounds=[-1, 0.3])
    rows = cp.reshape(up, (4, 5), order="C")
    return {
        "fused": cp.Problem(
            cp.Minimize(
                cp.sum_squares(A @ x - B) / 60 + 0.1 * cp.tv(x) + 0.05 * cp.norm1(x) + 0.02 * cp.sum_squares(x)
            ),
            [x >= -1, x <= 2, x[3] <= 0.1],
        ),
        "logistic": cp.Problem(
            cp.Minimize(
                cp.sum(cp.logistic(cp.multiply(-SIGNS, A @ x))) / 30 + 0.1 * cp.norm(x, 2) + 0.01 * cp.norm_inf(x - 1)
            )
        ),
        "huber": cp.Problem(cp.Minimize(cp.sum(cp.huber(A @ up - B, 0.3)) + 0.1 * cp.norm1(up) + 0.1 * cp.sum(up) + 3)),
        "image": cp.Problem(
            cp.Minimize(
                0.5 * cp.sum_squares(X - B[:20].reshape(4, 5))
                + 0.3 * cp.tv(X)
                + 0.1 * cp.sum(cp.norm(X, 2, axis=1))
                + 0.2 * cp.sum(cp.norm(X, 2, axis=0))
            )
        ),
        "simplex": cp.Problem(
            cp.Minimize(
                cp.sum_squares(A @ up - B) + cp.max(A @ up) + cp.sum(cp.pos(up - 0.1)) + cp.mixed_norm(rows, 2, 1)
            ),
            [cp.sum(up) == 2],
        ),
        "absolute": cp.Problem(
            cp.Minimize(cp.sum(cp.square(A @ within - B)) / 2 + cp.sum(cp.abs(A[:20] @ within) + 2 * cp.abs(within)))
        ),
    }


@pytest.mark.parametrize("name", models())
def test_the_objective_and_the_answer_are_cvxpys(name: str) -> None:
    model = models()[name]
    (x,) = model.variables()
    start = np.full(x.shape, 0.25)
    x.value = start
    problem = from_cvxpy(model)
    np.testing.assert_array_equal(x.value, start)
    tried = 0
    for k in range(20):
        point = np.clip(RNG.uniform(-1, 1, x.shape), -1, 0.05) if k % 2 else RNG.uniform(0, 0.1, x.shape)
        point = 2 * np.abs(point) / np.abs(point).sum() if name == "simplex" else point
        x.save_value(point)
        inside = all(constraint.violation().max() < 1e-9 for constraint in model.constraints)
        inside = inside and x.project(point) == pytest.approx(point)
        if inside:
            np.testing.assert_allclose(problem.objective({problem.variable.name: point}), model.objective.value)
            tried += 1
    assert tried >= 5
    model.solve(solver=cp.CLARABEL)
    found = sk.solve(model, "cvxpy-clarabel", tol=1e-5)
    np.testing.assert_allclose(found.fun, model.value, rtol=1e-5)
    assert found.point_status.name == "CERTIFIED", found.message


def test_load_and_parts() -> None:
    problem = sk.load(models()["fused"])
    assert isinstance(problem, Composite)
    assert isinstance(problem.simple, Euclidean)
    assert problem.variable.name == "x"
    assert problem.simple.strong == pytest.approx(0.04)
    assert problem.provides >= {"structured", "strongly-convex", "samples", "quadratic"}
    assert type(problem.simple.rest).__name__ == "Bounded"
    with pytest.raises(UsageError, match="data of its own"):
        sk.load(models()["fused"], parameters={"a": 1.0})


def refused() -> list[tuple[Any, str]]:
    x, z = cp.Variable(20), cp.Variable(20)
    square = cp.sum_squares(x)
    return [
        (cp.Problem(cp.Minimize(cp.sum(cp.exp(x)))), "exp"),
        (cp.Problem(cp.Minimize(square), [cp.norm(x) <= 1]), "no bound"),
        (cp.Problem(cp.Minimize(square), [x[0] + x[1] <= 1]), "no bound"),
        (cp.Problem(cp.Minimize(square), [x[0] + x[1] == 1]), "neither a bound"),
        (cp.Problem(cp.Minimize(square), [cp.sum(x) == 1]), "simplex"),
        (cp.Problem(cp.Maximize(-square)), "maximizes"),
        (cp.Problem(cp.Minimize(square + cp.norm1(z))), "one variable"),
        (cp.Problem(cp.Minimize(cp.sum(cp.logistic(x - 1)))), "constant in it"),
        (cp.Problem(cp.Minimize(cp.sum(cp.sqrt(x)))), "not convex"),
        (cp.Problem(cp.Minimize(cp.sum_squares(cp.Variable(3, integer=True)))), "attributes"),
    ]


@pytest.mark.parametrize("case", range(len(refused())))
def test_others_are_refused_by_name(case: int) -> None:
    model, message = refused()[case]
    with pytest.raises(UsageError, match=message):
        from_cvxpy(model)
