"""Batches against the same problems solved one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import solverkit as sk
from solverkit.errors import UsageError
from solverkit.kinds.nonlinear.build import nonlinear
from solverkit_sketched_newton.batch import BatchStatus, solve_batch
from solverkit_sketched_newton.generators import parametric_batch

OBJECTIVE = "0.5*normsq(x - a) + 0.05*sum(x**4) + dot(q, sin(2*x)) + 0.2*dot(Q @ x, x)"
ROWS = ["A @ x + 0.2*(B @ x**2) - r", "C @ x + normsq(x)/20 - s"]


def arguments(count, n=6, rows=3, seed=0):
    data = parametric_batch(count, n, rows, seed)
    equations = data["r"].shape[1]
    inequalities = data["s"].shape[1]
    return {
        "objective": OBJECTIVE,
        "parameters": {name: data.pop(name) for name in ("a", "r", "s")},
        "x0": np.zeros(n),
        "constraints": ROWS,
        "lower": np.concatenate([np.zeros(equations), np.full(inequalities, -np.inf)]),
        "upper": 0.0,
        "lowest": -1.5,
        "highest": 1.5,
        "data": data,
    }


def test_as_one_by_one():
    """Certified, and the same points as `sketched-newton` started there (the problems have several minima)."""
    given = arguments(4)
    batch = solve_batch(**given, certify=True)
    assert batch.success.all()
    assert (batch.status == BatchStatus.CONVERGED).all()
    for row in range(4):
        p = {name: value[row] for name, value in given["parameters"].items()}
        problem = nonlinear(
            {"x": {"shape": 6, "lower": -1.5, "upper": 1.5, "start": batch.x[row]}},
            OBJECTIVE,
            {"equations": ROWS[0] + " == 0", "inequalities": ROWS[1] + " <= 0"},
            {**given["data"], **p},
        )
        alone = sk.solve(problem, method="sketched-newton", tol=1e-8)
        assert alone.point_status.name == "CERTIFIED"
        np.testing.assert_allclose(batch.x[row], alone.point["x"], atol=1e-6)
        assert batch.fun[row] == pytest.approx(alone.fun, abs=1e-8)
        np.testing.assert_allclose(batch.multipliers[row], alone.point["multipliers"], atol=1e-5)
        np.testing.assert_allclose(batch.bound_multipliers[row], alone.point["bound_multipliers"], atol=1e-5)


def test_rows_do_not_see_each_other():
    """Any subset, any order: the same answers."""
    given = arguments(9)
    whole = solve_batch(**given)
    order = np.array([7, 2, 5])
    some = solve_batch(**{**given, "parameters": {k: v[order] for k, v in given["parameters"].items()}})
    np.testing.assert_allclose(some.x, whole.x[order], atol=1e-9)
    np.testing.assert_array_equal(some.iterations, whole.iterations[order])


def test_torch_functions_and_a_closed_form():
    """min |x - p|^2 / 2 with sum x = 0, from functions and without names."""
    p = np.random.default_rng(0).normal(size=(5, 3))
    found = solve_batch(
        lambda x, p: 0.5 * torch.sum((x - p["p"]) ** 2), p, np.zeros((5, 3)), lambda x, p: torch.sum(x)[None]
    )
    np.testing.assert_allclose(found.x, p - p.mean(axis=1, keepdims=True), atol=1e-9)
    np.testing.assert_allclose(found.multipliers[:, 0], p.mean(axis=1), atol=1e-9)
    assert found.iterations.max() == 1


def test_bounds_alone():
    p = np.array([[-2.0], [0.3], [5.0]])
    found = solve_batch("sum((x - p)**2)", p, np.zeros(1), lowest=-1, highest=1, certify=True)
    np.testing.assert_allclose(found.x[:, 0], [-1, 0.3, 1], atol=1e-7)
    np.testing.assert_allclose(found.bound_multipliers[:, 0], [-2, 0, 8], atol=1e-6)
    assert found.success.all()


def test_saddles_are_left():
    """x = 0 is a maximum of -x^2 + x^4 and a saddle in two variables: the curvature test sees it."""
    found = solve_batch("p[0]*(x[1]**2 - x[0]**2 + x[0]**4)", np.ones((2, 1)), np.array([[1e-3, 1.0], [-1e-3, 1.0]]))
    np.testing.assert_allclose(np.abs(found.x), [[np.sqrt(0.5), 0]] * 2, atol=1e-7)


def test_dependent_rows():
    p = np.array([[1.0], [2.0]])
    found = solve_batch("normsq(x)", p, np.ones(3), ["sum(x) - p", "2*sum(x) - 2*p"])
    np.testing.assert_allclose(found.x, np.repeat(p / 3, 3, axis=1), atol=1e-7)


def test_what_cannot_be_solved_is_not_called_solved():
    """One infeasible problem among feasible ones."""
    p = np.array([[0.5], [3.0], [-0.5]])
    found = solve_batch("normsq(x)", p, np.zeros(2), "sum(x) - p", lowest=-1, highest=1, max_iter=60, certify=True)
    np.testing.assert_array_equal(found.success, [True, False, True])
    assert found.status[1] != BatchStatus.CONVERGED
    assert found.violation[1] > 0.5
    np.testing.assert_allclose(found.x[[0, 2]], [[0.25] * 2, [-0.25] * 2], atol=1e-7)
    few = solve_batch("sum((x - p)**4)", p, np.full(1, 30.0), max_iter=2)
    assert (few.status == BatchStatus.MAX_ITER).all()


def test_not_finite_trials_shorten_the_step():
    """log is not there below zero, and the first full step would go there."""
    found = solve_batch("sum(p*x - log(x))", np.array([[0.5], [4.0]]), np.full(1, 3.0))
    np.testing.assert_allclose(found.x[:, 0], [2.0, 0.25], atol=1e-7)


def test_what_is_refused():
    good = arguments(3)
    with pytest.raises(UsageError, match="common first length"):
        solve_batch("sum(x*p)", {"p": np.ones((2, 1)), "q": np.ones((3, 1))}, np.ones(1))
    with pytest.raises(UsageError, match="x0 has shape"):
        solve_batch(**{**good, "x0": np.zeros((2, 6))})
    with pytest.raises(UsageError, match="lowest has shape"):
        solve_batch(**{**good, "lowest": np.zeros(5)})
    with pytest.raises(UsageError, match="lowest < highest"):
        solve_batch(**{**good, "lowest": 2.0})
    with pytest.raises(UsageError, match="device"):
        solve_batch(**good, device="cuda:99")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_the_same_on_a_gpu():
    given = arguments(20)
    np.testing.assert_allclose(solve_batch(**given, device="cuda").x, solve_batch(**given).x, atol=1e-7)
