"""CVXPY problems given to `sk.solve`: the kind they go to, the answer against Clarabel, what is put back on them."""

from __future__ import annotations

import pickle

import cvxpy as cp
import numpy as np
import pytest
from cvxpy.tests import solver_test_helpers

import solverkit as sk
from solverkit.cvxpy import reduce
from solverkit.engine.result import Result
from solverkit.errors import UsageError
from tests.soak import cvxpy_problems

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((12, 5)), RNG.standard_normal(12)


def test_random_problems_of_every_family_agree_with_clarabel():
    tally = cvxpy_problems.run(3 * len(cvxpy_problems.FAMILIES), seed=11)
    assert not tally.failures
    assert all(kind in tally.facts["kinds"] for kind in ("inclusion", "composite", "nonlinear"))


def kinds():
    x, y = cp.Variable(5), cp.Variable()
    square, norm = cp.sum_squares(A @ x - B), cp.norm1(x)
    return {
        "linear": (cp.Problem(cp.Maximize(B[:5] @ x), [cp.norm_inf(x) <= 1]), "inclusion"),
        "absolute": (cp.Problem(cp.Minimize(cp.norm1(A @ x - B))), "inclusion"),
        "lasso": (cp.Problem(cp.Minimize(square + norm)), "composite"),
        "least squares": (cp.Problem(cp.Minimize(square)), "nonlinear"),
        "lasso with rows": (cp.Problem(cp.Minimize(square + norm), [A[:2] @ x <= 0.1]), "nonlinear"),
        "two variables": (cp.Problem(cp.Minimize(square + norm + cp.square(y - x[0]))), "nonlinear"),
        "logistic": (cp.Problem(cp.Minimize(cp.sum(cp.logistic(A @ x + y)) + cp.sum_squares(x) + y**2)), "nonlinear"),
        "cone": (cp.Problem(cp.Minimize(B[:5] @ x), [cp.norm(A @ x) <= 1]), "nonlinear"),
    }


@pytest.mark.parametrize("name", kinds())
def test_the_kind_and_the_reduction_are_named(name):
    model, kind = kinds()[name]
    result = sk.solve(model)
    assert result.success, result.message
    assert result.kind == kind
    assert result.notes[0].startswith(f"CVXPY problem as {kind}: ")
    assert model.status == "optimal"
    assert result.fun == pytest.approx(model.value, abs=1e-5)
    assert {"cvxpy_constraints", "cvxpy_objective"} <= {term.name for term in result.certificate.terms}
    assert model.solver_stats.extra_stats is result


def test_a_method_decides_for_its_kind():
    x = cp.Variable(4, name="x")
    model = cp.Problem(cp.Minimize(cp.norm1(x - 1)), [x <= 0.5])
    assert sk.solve(model).kind == "inclusion"
    assert sk.solve(model, "ipopt").kind == "nonlinear"
    assert model.value == pytest.approx(2, abs=1e-5)
    assert sk.solve(model, "condat-vu").kind == "composite"
    assert model.value == pytest.approx(2, abs=1e-4)
    for method, message in (("lv-hba", "not 'bilevel'"), ("nope", "unknown method")):
        with pytest.raises(UsageError, match=message):
            sk.solve(model, method)
    with pytest.raises(UsageError, match="no linear program"):
        sk.solve(cp.Problem(cp.Minimize(cp.sum_squares(x))), "halpern")


def test_load_leaves_the_problem_alone():
    x = cp.Variable(3)
    x.value = np.array([1.0, 2.0, 3.0])
    model = cp.Problem(cp.Minimize(cp.sum(cp.exp(x)) + cp.max(x)), [cp.norm(x) <= 2])
    sk.load(model)
    np.testing.assert_array_equal(x.value, [1, 2, 3])
    assert model.status is None
    assert sk.load(model).fingerprint() == sk.load(model).fingerprint()


def test_results_are_saved_loaded_and_verified(tmp_path):
    x = cp.Variable(3, name="x")
    model = cp.Problem(cp.Maximize(cp.sum(cp.log(x)) - cp.norm(x)), [cp.sum(x) <= 5])
    result = sk.solve(model, out=tmp_path)
    again = Result.load(tmp_path)
    assert again.success
    assert again.notes[0] == result.notes[0]
    assert again.fun == pytest.approx(model.value, abs=1e-6)
    assert sk.verify(tmp_path, model).status.name == "CERTIFIED"
    assert pickle.loads(pickle.dumps(result)).success
    stopped = tmp_path / "stopped"
    sk.solve(model, out=stopped, max_iter=2)
    assert sk.resume(stopped, model, max_iter=1000).success
    assert model.status == "optimal"


@pytest.mark.parametrize("kind", ["linear", "smooth", "structured"])
def test_a_mistake_of_the_reduction_cannot_hide(kind):
    x = cp.Variable(3)
    model = {
        "linear": cp.Problem(cp.Minimize(cp.sum(x)), [x >= 1]),
        "smooth": cp.Problem(cp.Minimize(cp.sum(cp.exp(x))), [x >= 1]),
        "structured": cp.Problem(cp.Minimize(cp.sum_squares(x) + cp.norm1(x - 2)), [x >= 1]),
    }[kind]
    other = cp.Problem(model.objective, [x >= 0])
    reduction = reduce(other)
    reduction.model, reduction.evaluated = model, model
    result = sk.solve(reduction.problem)
    assert result.success
    reduction.finish(result)
    if kind == "structured":  # its minimizer is 0.5, so that only the constraint is broken
        assert not result.certificate["cvxpy_constraints"].ok
    assert not result.success
    assert result.point_status.name == "INFEASIBLE"
    assert result.status != 0
    assert model.status == "optimal_inaccurate"


@pytest.mark.filterwarnings("ignore:The problem has an expression with dimension greater than 2")
def test_parameters_attributes_and_shapes():
    weight, low = cp.Parameter(nonneg=True, name="weight"), cp.Parameter(2, name="low")
    X, T = cp.Variable((2, 3), name="X", bounds=[-0.5, 2]), cp.Variable((2, 2, 2))
    S, D = cp.Variable((2, 2), symmetric=True), cp.Variable((2, 2), diag=True)
    C = RNG.standard_normal((2, 3))
    model = cp.Problem(
        cp.Minimize(
            weight * cp.sum(cp.exp(X - C)) + cp.sum_squares(S - C[:, :2]) + cp.sum_squares(D - C[:, 1:])
            + cp.sum(cp.exp(T) - T) + cp.max(S)
        ),
        [cp.reshape(X, (3, 2), order="C")[0] >= low, X[1] @ C[0] <= 0.3, S[0, 1] >= 0.2],
    )  # fmt: skip
    with pytest.raises(UsageError, match="weight, low have no value"):
        sk.solve(model)
    for value in (0.5, 2.0):
        weight.value, low.value = value, np.array([0.1, -0.2])
        model.solve(solver=cp.CLARABEL)
        expected, duals = model.value, [constraint.dual_value for constraint in model.constraints]
        result = sk.solve(model)
        assert result.success, result.message
        assert model.value == pytest.approx(expected, rel=1e-6)
        for constraint, dual in zip(model.constraints, duals, strict=True):
            assert np.shape(constraint.dual_value) == np.shape(dual)
            np.testing.assert_allclose(constraint.dual_value, dual, atol=1e-4)
        assert S.value[0, 1] == S.value[1, 0]
    assert result.point["X"].shape == (2, 3)


def test_multipliers_of_constraints_with_parameters_are_put_back():
    """A problem that is not DPP is solved with its parameters as numbers: the constraints are others then."""
    x, a, b = cp.Variable(2), cp.Parameter(value=2.0), cp.Parameter(value=1.0)
    model = cp.Problem(cp.Minimize(cp.sum_squares(x)), [(a * b) * x[0] >= 4, a * x[1] == b])
    assert sk.solve(model).success
    assert model.constraints[0].dual_value == pytest.approx(2, abs=1e-4)
    assert model.constraints[1].dual_value == pytest.approx(-0.5, abs=1e-4)


def test_values_are_a_warm_start():
    x = cp.Variable(5)
    model = cp.Problem(cp.Minimize(cp.sum(cp.logistic(A @ x)) + cp.sum_squares(x - 1)))
    cold = sk.solve(model)
    warm = sk.solve(model)
    assert cold.success
    assert warm.success
    assert warm.nit < cold.nit


@pytest.mark.parametrize("name", ["lp_0", "lp_1", "lp_2", "lp_bound_attr", "qp_0", "qp_bound_attr"])
def test_cvxpys_own_problems(name):
    _agrees(getattr(solver_test_helpers, name)(), name != "qp_bound_attr")


@pytest.mark.parametrize("method", [None, "ipopt"])
@pytest.mark.parametrize("name", ["socp_1", "socp_2", "socp_3(0)", "socp_3(1)", "socp_4"])
def test_cvxpys_own_second_order_cones(name, method):
    made, _, axis = name.partition("(")
    _agrees(getattr(solver_test_helpers, made)(*([int(axis[0])] if axis else [])), True, method)


def _agrees(case, all_multipliers, method=None):
    """Objective, values, multipliers and the conditions of optimality, by CVXPY's own checks."""
    result = sk.solve(case.prob, method, tol=1e-8)
    assert result.success, result.message
    case.verify_objective(places=4)
    case.verify_primal_values(places=4)
    case.check_primal_feasibility(places=4)
    if all_multipliers:
        case.verify_dual_values(places=4)
        case.check_complementarity(places=4)
        case.check_stationary_lagrangian(places=4)
        case.check_dual_domains(places=4)


def test_the_tip_of_a_cone_is_no_certified_answer():
    """Smooth rows have no derivative there: CVXPY hears that the answer is inaccurate, and gets it."""
    case = solver_test_helpers.socp_0()
    result = sk.solve(case.prob)
    assert not result.success
    assert case.prob.status == "optimal_inaccurate"
    case.verify_objective(places=4)


def without_answer():
    x = cp.Variable(2)
    return [
        (cp.Problem(cp.Minimize(0 * x[0]), [x[0] >= 1, x[0] <= 0]), "infeasible", np.inf),
        (cp.Problem(cp.Maximize(x[0]), [cp.sum(x) == 3, x <= 1]), "infeasible", -np.inf),
        (cp.Problem(cp.Maximize(x[0]), [x[1] <= 1]), "unbounded", np.inf),
        (cp.Problem(cp.Minimize(cp.square(x[0]) - x[1])), "unbounded", -np.inf),
        (cp.Problem(cp.Minimize(cp.sum(cp.exp(x))), [cp.sum_squares(x) <= 1, x >= 1]), "infeasible", np.inf),
        (cp.Problem(cp.Maximize(cp.sum(cp.log(x))), [cp.sum(x) <= 1, x >= 1]), "infeasible", -np.inf),
    ]


@pytest.mark.parametrize("case", range(len(without_answer())))
def test_proofs_become_cvxpys_statuses(case):
    model, status, value = without_answer()[case]
    result = sk.solve(model)
    assert result.status == 4
    assert model.status == status
    assert model.value == value
    assert all(variable.value is None for variable in model.variables())


def test_stopped_runs_are_called_so():
    x = cp.Variable(5)
    model = cp.Problem(cp.Minimize(cp.norm1(A @ x - B)), [cp.sum(x) == 1])
    result = sk.solve(model, "halpern", {"block": 1}, max_iter=3)
    assert result.termination.name == "MAX_ITER"
    assert model.status == "user_limit"
    assert x.value is not None


def refused():
    x, S = cp.Variable(3), cp.Variable((2, 2), symmetric=True)
    return [
        (cp.Problem(cp.Minimize(cp.lambda_max(S))), "lambda_max needs a cone of semidefinite"),
        (cp.Problem(cp.Minimize(cp.trace(S)), [S >> 0]), r"cone \(PSD\)"),
        (cp.Problem(cp.Minimize(x[0]), [cp.ExpCone(x[0], x[1], x[2])]), r"cone \(ExpCone\)"),
        (cp.Problem(cp.Minimize(cp.norm(x, 3))), "pnorm with p = 3"),
        (cp.Problem(cp.Minimize(cp.transforms.indicator([x >= 0]) + cp.sum_squares(x))), "indicator"),
        (cp.Problem(cp.Minimize(cp.sum(cp.Variable(2, boolean=True)))), "boolean"),
        (cp.Problem(cp.Minimize(cp.sum(cp.Variable(2, integer=True)))), "integer"),
        (cp.Problem(cp.Minimize(cp.trace(cp.Variable((2, 2), PSD=True)))), "PSD"),
        (cp.Problem(cp.Minimize(cp.sum(cp.sqrt(x)))), "not convex"),
        (cp.Problem(cp.Minimize(3)), "no variables"),
        (x, "a cvxpy.Problem, not Variable"),
    ]


@pytest.mark.parametrize("case", range(len(refused())))
def test_what_no_kind_has_is_refused_by_name(case):
    model, message = refused()[case]
    with pytest.raises(UsageError, match=message):
        sk.solve(model)
