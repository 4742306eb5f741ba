"""CVXPY's solvers give the answers that CVXPY gets from them, and can be ended at any moment."""

from __future__ import annotations

import time
from types import SimpleNamespace

import cvxpy as cp
import numpy as np
import pytest

from solverkit.engine.limits import LimitReached
from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit_baselines import cones

TIGHT = {"CLARABEL": {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10}, "SCS": {"eps_abs": 1e-8, "eps_rel": 1e-8}}
GO_ON = SimpleNamespace(look=lambda: None)


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
    ours, theirs = model(), model()
    cones.solve(ours, solver, dict(TIGHT[solver]), GO_ON)
    theirs.solve(solver=solver, **TIGHT[solver])
    assert ours.status == theirs.status == "optimal"
    (x, duals), (other, others) = values(ours), values(theirs)
    assert np.allclose(x, other, atol=1e-7)
    assert all(np.allclose(dual, other, atol=1e-6) for dual, other in zip(duals, others, strict=True))


class After:
    """A look that leaves `seconds` after it was first asked."""

    def __init__(self, seconds):
        self.seconds, self.first = seconds, None

    def look(self):
        self.first = self.first or time.monotonic()
        if time.monotonic() - self.first >= self.seconds:
            raise LimitReached(Termination.MAX_TIME)


@pytest.mark.parametrize(("solver", "small"), [("CLARABEL", 0), ("CLARABEL", 10**9), ("SCS", 0)])
def test_a_limit_ends_it(solver, small, monkeypatch, capfd):
    monkeypatch.setattr(cones, "SMALL", small)
    problem = model(60)
    endless = {"CLARABEL": {"max_iter": 10**6, "tol_gap_abs": 0.0, "tol_gap_rel": 0.0, "tol_feas": 0.0},
               "SCS": {"max_iters": 10**9, "eps_abs": 1e-30, "eps_rel": 1e-30, "eps_infeas": 1e-30}}  # fmt: skip
    begun = time.monotonic()
    with pytest.raises(LimitReached):
        cones.solve(problem, solver, endless[solver], After(0.0 if small else 0.2))
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
            cones.solve(problem, solver, dict(TIGHT[solver]), GO_ON)
        assert stop.value.termination is end


def test_a_process_that_ends_is_said(monkeypatch):
    def ended(*arguments, look):
        raise cones.ChildEnded("by SIGKILL")

    monkeypatch.setattr(cones, "in_child", ended)
    with pytest.raises(Stop, match="SCS ended without an answer, by SIGKILL"):
        cones.solve(model(), "SCS", {}, GO_ON)
