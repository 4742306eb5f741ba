"""CVXPY's solvers give the answers that CVXPY gets from them, and can be ended at any moment."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import cvxpy as cp
import numpy as np
import pytest

import solverkit as sk
from solverkit.engine.child import in_child
from solverkit.engine.limits import LimitReached
from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit_baselines import cones
from solverkit_baselines.composite import conic
from solverkit_baselines.inclusion import convex

PROBLEMS = Path(__file__).parents[3] / "problems"
TIGHT = {"CLARABEL": {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10}, "SCS": {"eps_abs": 1e-8, "eps_rel": 1e-8}}


def go_on():
    """No limit."""


def model(n=6):
    """Rows of every cone: zeros, nonnegatives, second-order, exponential; with a quadratic objective."""
    rng = np.random.default_rng(n)
    x, z = cp.Variable(n), cp.Variable(n)
    A, b = rng.standard_normal((2 * n, n)), rng.standard_normal(2 * n)
    cost = cp.sum_squares(A @ x - b) + cp.norm2(z) + cp.sum(cp.logistic(z[:2]))
    return cp.Problem(cp.Minimize(cost), [z == x[::-1], x <= 0.3, cp.sum(x) >= -1])


def values(problem):
    return np.concatenate([each.value for each in problem.variables()]), [
        np.atleast_1d(each.dual_value) for each in problem.constraints
    ]


@pytest.mark.parametrize("small", [0, cones.SMALL], ids=["process", "here"])
@pytest.mark.parametrize("solver", ["CLARABEL", "SCS"])
def test_the_answer_is_that_of_cvxpy(solver, small, monkeypatch):
    monkeypatch.setattr(cones, "SMALL", small)
    handed, ours, theirs = [], model(), model()
    monkeypatch.setattr(cones, "in_child", lambda *work, look: handed.append(work) or in_child(*work, look=look))
    cones.solve(ours, solver, dict(TIGHT[solver]), go_on)
    assert len(handed) == (solver == "SCS" or not small)
    theirs.solve(solver=solver, **TIGHT[solver])
    assert ours.status == theirs.status == "optimal"
    (x, duals), (other, others) = values(ours), values(theirs)
    assert np.allclose(x, other, atol=1e-7)
    assert all(np.allclose(dual, other, atol=1e-6) for dual, other in zip(duals, others, strict=True))


def over():
    """A limit that is reached."""
    raise LimitReached(Termination.MAX_TIME)


@pytest.mark.parametrize(("solver", "small"), [("CLARABEL", 0), ("CLARABEL", 10**9), ("SCS", 0)])
def test_a_limit_ends_it(solver, small, monkeypatch, capfd):
    monkeypatch.setattr(cones, "SMALL", small)
    problem = model(60)
    endless = {"CLARABEL": {"max_iter": 10**6, "tol_gap_abs": 0.0, "tol_gap_rel": 0.0, "tol_feas": 0.0},
               "SCS": {"max_iters": 10**9, "eps_abs": 1e-30, "eps_rel": 1e-30, "eps_infeas": 1e-30}}  # fmt: skip
    begun = time.monotonic()
    with pytest.raises(LimitReached):
        cones.solve(problem, solver, endless[solver], over)
    assert time.monotonic() - begun < 5.0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("solver", ["CLARABEL", "SCS"])
def test_claims_are_passed_on(solver):
    x = cp.Variable(2)
    for problem, end in (
        (cp.Problem(cp.Minimize(cp.sum(x)), [x >= 1, cp.sum(x) <= 0]), Termination.INFEASIBLE),
        (cp.Problem(cp.Minimize(cp.sum(x)), [x <= 1]), Termination.UNBOUNDED),
    ):
        with pytest.raises(Stop) as stop:
            cones.solve(problem, solver, dict(TIGHT[solver]), go_on)
        assert stop.value.termination is end


def test_a_process_that_ends_is_said(monkeypatch):
    def ended(*arguments, look):
        raise cones.ChildEnded("by SIGKILL")

    monkeypatch.setattr(cones, "in_child", ended)
    with pytest.raises(Stop, match="process ended without an answer, by SIGKILL"):
        cones.solve(model(), "SCS", {}, go_on)


@pytest.mark.parametrize("method", ["cvxpy-clarabel", "cvxpy-scs"])
def test_a_large_problem_is_wholly_elsewhere(method, monkeypatch):
    problem = sk.load(PROBLEMS / "composite" / "fused-lasso" / "problem.yaml")
    here = sk.solve(problem, method)
    monkeypatch.setattr(conic, "LARGE", 0)
    there = sk.solve(problem, method)
    assert np.array_equal(here.x, there.x)
    assert here.termination is there.termination
    monkeypatch.setattr(conic, "model_of", lambda problem: 1 / 0)  # here, which is not asked
    assert sk.solve(problem, method, max_time=0.0).termination is Termination.MAX_TIME


def test_a_large_linear_program_is_wholly_elsewhere(monkeypatch):
    problem = sk.load(PROBLEMS / "inclusion" / "lp-diet" / "problem.yaml")
    here = sk.solve(problem, "cvxpy")
    monkeypatch.setattr(convex, "SMALL", 0)
    there = sk.solve(problem, "cvxpy")
    assert np.array_equal(here.x, there.x)
    assert there.success
    monkeypatch.setattr(convex, "_rows", lambda program, x: 1 / 0)  # here, which is not asked
    assert sk.solve(problem, "cvxpy").success


def test_an_inaccurate_answer_is_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rough = model()
        cones.solve(rough, "CLARABEL", {"max_iter": 6}, go_on)
    assert rough.status == "optimal_inaccurate"
