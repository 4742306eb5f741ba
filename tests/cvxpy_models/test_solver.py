"""`problem.solve(solver=sk.cvxpy_solver(...))`: CVXPY's own test problems, statuses, options, warm starts."""

from __future__ import annotations

import subprocess
import sys
import warnings

import cvxpy as cp
import numpy as np
import pytest
from cvxpy.tests.solver_test_helpers import StandardTestInfeasibleProblems, StandardTestLPs, StandardTestQPs

import solverkit as sk
from solverkit.errors import UsageError

LINEAR = ("lp_0", "lp_1", "lp_2", "lp_3", "lp_4", "lp_5", "lp_6", "lp_bound_attr")
QUADRATIC = ("qp_0", "qp_parameter_update", "qp_bound_attr")
INFEASIBLE = ("lp_ineq_constraints", "lp_eq_constraints")
"""CVXPY's standard tests that apply: of the others lp_7 needs the package sdpap, the rest need integers or cones."""


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
@pytest.mark.parametrize("method", ["halpern", "highs-simplex", "sketched-newton", "ipopt"])
@pytest.mark.parametrize("name", LINEAR)
def test_cvxpys_own_linear_programs(method, name):
    getattr(StandardTestLPs, f"test_{name}")(solver=sk.cvxpy_solver(method, tol=1e-8))


@pytest.mark.parametrize("method", ["sketched-newton", "ipopt"])
@pytest.mark.parametrize("name", QUADRATIC)
def test_cvxpys_own_quadratic_programs(method, name):
    getattr(StandardTestQPs, f"test_{name}")(solver=sk.cvxpy_solver(method, tol=1e-8))


@pytest.mark.parametrize("method", ["halpern", "sketched-newton", None])
@pytest.mark.parametrize("name", INFEASIBLE)
def test_cvxpys_own_infeasible_programs_with_their_farkas_vectors(method, name):
    getattr(StandardTestInfeasibleProblems, f"test_{name}")(solver=sk.cvxpy_solver(method))


def quadratic():
    x = cp.Variable(4)
    return cp.Problem(cp.Minimize(cp.sum_squares(x - np.arange(4))), [cp.sum(x) == 3, x <= 1.5])


def linear():
    x = cp.Variable(4)
    return cp.Problem(cp.Maximize(np.arange(4) @ x + 2), [cp.sum(x) <= 1, x >= 0])


def test_the_method_is_chosen_by_the_objective():
    solver = sk.cvxpy_solver()
    assert linear().solve(solver=solver) == pytest.approx(5, abs=1e-5)
    assert solver.result.kind == "inclusion"
    assert quadratic().solve(solver=solver) == pytest.approx(quadratic().solve(solver=cp.CLARABEL), abs=1e-5)
    assert solver.result.kind == "nonlinear"


def test_what_a_method_cannot_take_is_said():
    x = cp.Variable(3)
    with pytest.raises(cp.SolverError, match="'halpern' is for linear programs"):
        quadratic().solve(solver=sk.cvxpy_solver("halpern"))
    with pytest.raises(cp.SolverError, match="needs SOC"):
        cp.Problem(cp.Minimize(cp.norm(x))).solve(solver=sk.cvxpy_solver())
    with pytest.raises(cp.SolverError, match="needs ExpCone"):
        cp.Problem(cp.Minimize(cp.sum(cp.exp(x)))).solve(solver=sk.cvxpy_solver())
    with pytest.raises(cp.SolverError, match="mixed-integer"):
        cp.Problem(cp.Minimize(cp.sum(cp.Variable(2, boolean=True)))).solve(solver=sk.cvxpy_solver())
    with pytest.raises(UsageError, match=r"sk.solve\(problem, method='gradient-sliding'\)"):
        sk.cvxpy_solver("gradient-sliding")
    with pytest.raises(UsageError, match="no option 'nonsense'"):
        linear().solve(solver=sk.cvxpy_solver("halpern", nonsense=1))


def test_options_of_the_solve_go_before_those_of_the_solver():
    solver = sk.cvxpy_solver("halpern", tol=1e-3, step=0.5)
    linear().solve(solver=solver, tol=1e-9)
    assert solver.result.tol == 1e-9
    assert solver.result.options["step"] == 0.5


def test_statistics_and_the_progress(capfd):
    model = linear()
    model.solve(solver=sk.cvxpy_solver("halpern"), verbose=True)
    stats = model.solver_stats
    assert stats.solver_name == "SOLVERKIT_HALPERN"
    assert stats.num_iters == stats.extra_stats.nit > 0
    assert stats.solve_time > 0
    assert stats.extra_stats.certificate["gap"].ok
    assert "residual" in capfd.readouterr().err


def test_a_limit_is_a_limit_and_nearly_is_inaccurate():
    model = quadratic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CVXPY says that the solution may be inaccurate
        model.solve(solver=sk.cvxpy_solver("sketched-newton", max_iter=1))
        assert model.status == cp.USER_LIMIT
        assert model.variables()[0].value is not None
        rng = np.random.default_rng(0)
        x, A = cp.Variable(20), rng.standard_normal((40, 20))
        model = cp.Problem(cp.Minimize(cp.norm1(A @ x - rng.standard_normal(40))))
        statuses = []
        for limit in (1, 3, 10, 30, 100, 1000):
            solver = sk.cvxpy_solver("halpern", max_iter=limit, block=10)
            model.solve(solver=solver, warm_start=False)
            worst = max(term.value / term.scaling / term.tolerance for term in solver.result.certificate.terms)
            statuses.append(model.status)
            expected = cp.OPTIMAL if worst <= 1 else cp.OPTIMAL_INACCURATE if worst <= 100 else cp.USER_LIMIT
            assert model.status == expected
    assert statuses[0] == cp.USER_LIMIT
    assert statuses[-1] == cp.OPTIMAL


def test_a_warm_start_begins_at_the_last_answer():
    rng = np.random.default_rng(1)
    x, low = cp.Variable(10), cp.Parameter(value=0.0)
    model = cp.Problem(cp.Minimize(rng.uniform(0.5, 1, 10) @ x), [rng.uniform(0, 1, (6, 10)) @ x >= 1, x >= low])
    solver = sk.cvxpy_solver("halpern", block=1)
    model.solve(solver=solver)
    cold = solver.result.nit
    low.value = 1e-6
    model.solve(solver=solver, warm_start=True)
    assert solver.result.nit < cold / 2
    model.solve(solver=solver, warm_start=False)
    assert solver.result.nit > cold / 2


def test_importing_solverkit_imports_no_cvxpy_and_a_missing_one_is_a_pip_line():
    code = """
import sys
import solverkit as sk
assert "cvxpy" not in sys.modules and callable(sk.cvxpy_solver) and "cvxpy" not in sys.modules
sys.modules["cvxpy"] = None
try:
    sk.cvxpy_solver("halpern")
except sk.MissingPackage as error:
    assert 'pip install "solverkit[cvxpy]"' in str(error), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
