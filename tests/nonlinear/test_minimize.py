"""`sk.minimize` and `scipy_method`: SciPy's arguments work, or are refused by name."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import BFGS, Bounds, LinearConstraint, NonlinearConstraint, rosen, rosen_der, rosen_hess
from scipy.optimize import rosen_hess_prod as rosen_product
from scipy.sparse import csr_array
from scipy.sparse.linalg import aslinearoperator

import solverkit as sk
from solverkit.kinds.nonlinear import scipy_problem
from solverkit.kinds.nonlinear.certificate import certify
from solverkit.scipy_interface.options import PLAIN, REFUSED, divided

START = np.array([-1.2, 1.0])
METHOD = "trust-constr"  # takes products, Hessians, bounds and constraints


def solve(fun=rosen, x0=START, method=METHOD, **given):
    result = sk.minimize(fun, x0, method=method, **given)
    assert result.success, result
    return result


class TestDerivatives:
    """Each way of giving them leads to (1, 1)."""

    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"jac": rosen_der},
            {"jac": rosen_der, "hess": rosen_hess},
            {"jac": rosen_der, "hess": lambda x: csr_array(rosen_hess(x))},
            {"jac": rosen_der, "hess": lambda x: aslinearoperator(rosen_hess(x))},
            {"jac": rosen_der, "hessp": rosen_product},
            {"jac": "3-point"},
            {"jac": "cs"},
            {"jac": rosen_der, "hess": "2-point"},
            {"jac": rosen_der, "hess": BFGS()},
        ],
    )
    def test_all_lead_to_the_answer(self, given):
        result = solve(**given)
        assert result.x == pytest.approx([1, 1], abs=1e-5)
        assert result.jac == pytest.approx([0, 0], abs=1e-5)
        assert result.fun == pytest.approx(0, abs=1e-9)

    def test_value_and_gradient_of_one_call(self):
        calls = []

        def both(x):
            calls.append(x)
            return rosen(x), rosen_der(x)

        problem = scipy_problem(both, START, jac=True)
        problem.value(START), problem.gradient(START), problem.vjp(START, np.zeros(0))
        assert len(calls) == 1
        assert solve(both, jac=True).x == pytest.approx([1, 1], abs=1e-5)

    def test_args_go_to_every_function(self):
        def fun(x, a, b):
            return a * np.sum((x - b) ** 2)

        given = {"jac": lambda x, a, b: 2 * a * (x - b), "hess": lambda x, a, b: 2 * a * np.eye(2)}
        assert solve(fun, args=(2.0, 3.0), **given).x == pytest.approx([3, 3])
        given = {"jac": given["jac"], "hessp": lambda x, p, a, b: 2 * a * p}
        assert solve(fun, args=(2.0, 3.0), **given).x == pytest.approx([3, 3])
        assert solve(lambda x, a: np.sum((x - a) ** 2), args=5.0).x == pytest.approx([5, 5])

    def test_differences_are_said(self):
        result = solve()
        assert result.notes[:2] == ["by differences: gradient of f (3-point)", "by differences: Hessian of f"]
        assert solve(jac=rosen_der, hess=rosen_hess).notes == []
        assert "differences" not in solve(jac=rosen_der, hess=rosen_hess).certificate.facts

    @pytest.mark.parametrize(
        "wrong", [lambda g: -g, lambda g: 2 * g, lambda g: 0 * g, lambda g: g + np.array([0.1, 0])]
    )
    def test_wrong_gradients_are_never_certified(self, wrong):
        """Even at the minimum, where a flipped, doubled or missing gradient vanishes as the right one does."""
        for x0 in ([1.0, 1.0], START):
            result = sk.minimize(rosen, x0, jac=lambda x: wrong(rosen_der(x)), method=METHOD, options={"maxiter": 50})
            assert not result.success
        assert not result.certificate["oracles"].ok

    @pytest.mark.parametrize("wrong", [-1.0, 2.0, 0.0, 0.99])
    @pytest.mark.parametrize("what", ["hess", "hessp", "jac of c", "hess of c"])
    def test_no_other_wrong_derivative_either(self, what, wrong):
        """At the right answer with the right multipliers."""

        def verdict(factor):
            f = {name: factor if name == what else 1.0 for name in ("hess", "hessp", "jac of c", "hess of c")}
            rows = NonlinearConstraint(
                lambda x: [x @ x + x[0] ** 4],
                -np.inf,
                2,
                lambda x: f["jac of c"] * np.array([2 * x + 4 * x**3 * [1, 0]]),
                lambda x, v: f["hess of c"] * v[0] * np.diag([2 + 12 * x[0] ** 2, 2]),
            )
            given = {"hess": lambda x: f["hess"] * np.diag([2.0, 2.0])}
            if what == "hessp":
                given = {"hessp": lambda x, p: f["hessp"] * 2 * p}
            given["jac"] = lambda x: 2 * (x - [3, 0])
            problem = scipy_problem(lambda x: (x[0] - 3) ** 2 + x[1] ** 2, [0, 0], constraints=rows, **given)
            return certify(problem, {"x": np.array([1.0, 0.0]), "multipliers": np.array([2 / 3])}).status

        assert verdict(1.0) is sk.PointStatus.CERTIFIED
        assert verdict(wrong) is not sk.PointStatus.CERTIFIED

    def test_each_point_is_evaluated_once(self):
        seen = {"f": 0, "g": 0, "c": 0, "J": 0}

        def counted(name, function):
            def call(x):
                seen[name] += 1
                return function(x)

            return call

        rows = NonlinearConstraint(counted("c", lambda x: [x @ x]), 0, 2, counted("J", lambda x: [2 * x]))
        problem = scipy_problem(counted("f", rosen), START, jac=counted("g", rosen_der), constraints=rows)
        seen.update(c=0)
        for _ in range(3):
            problem.value(START), problem.gradient(START), problem.constraints(START), problem.jacobian(START)
            problem.vjp(START, np.ones(1)), problem.jvp(START, START)
        assert seen == {"f": 1, "g": 1, "c": 1, "J": 1}

    def test_products_only_is_said(self):
        assert "hessian" not in scipy_problem(rosen, START, jac=rosen_der, hessp=rosen_product).provides
        assert "hessian" in scipy_problem(rosen, START, jac=rosen_der).provides

    @pytest.mark.parametrize("how", ["2-point", "3-point"])
    def test_against_exact_ones(self, how):
        x = np.array([0.3, -0.7, 1.1])
        problem = scipy_problem(rosen, x, jac=how)
        size = {"2-point": 1e-5, "3-point": 1e-8}[how]
        assert problem.gradient(x) == pytest.approx(rosen_der(x), rel=size, abs=10 * size)
        assert problem.hessian(x, np.zeros(0)) == pytest.approx(rosen_hess(x), rel=1e-2, abs=1e-1)
        assert scipy_problem(rosen, x, jac=rosen_der).hessian(x, np.zeros(0)) == pytest.approx(rosen_hess(x), rel=1e-7)

    def test_sparse_matrices_keep_one_pattern(self):
        rows = NonlinearConstraint(lambda x: x**2, 0, 4, lambda x: csr_array(np.diag(2 * x)))
        problem = scipy_problem(rosen, START, constraints=rows)
        first, second = problem.jacobian(np.array([1.0, 0.0])), problem.jacobian(np.array([1.0, 2.0]))
        third = problem.jacobian(np.array([0.0, 0.0]))
        assert second.toarray() == pytest.approx(np.diag([2.0, 4.0]))
        assert third.nnz == second.nnz
        assert first.toarray() == pytest.approx(np.diag([2.0, 0.0]))


class TestConstraints:
    """min (x - 2)^2 + (y - 1)^2 over several descriptions of x + y <= 2, x >= 0: (1.5, 0.5)."""

    fun, jac, hess = (
        staticmethod(lambda x: (x[0] - 2) ** 2 + (x[1] - 1) ** 2),
        staticmethod(lambda x: np.array([2 * (x[0] - 2), 2 * (x[1] - 1)])),
        staticmethod(lambda x: 2 * np.eye(2)),
    )

    @pytest.mark.parametrize(
        "constraints",
        [
            LinearConstraint([1, 1], -np.inf, 2),
            LinearConstraint(csr_array([[1.0, 1.0]]), ub=2),
            NonlinearConstraint(lambda x: x[0] + x[1], -np.inf, 2),
            NonlinearConstraint(
                lambda x: [x[0] + x[1]], [-np.inf], [2], lambda x: [[1, 1]], lambda x, v: np.zeros((2, 2))
            ),
            NonlinearConstraint(lambda x: np.exp(x[0] + x[1]), 0, np.exp(2), "3-point", finite_diff_rel_step=1e-5),
            NonlinearConstraint(lambda x: x[0] + x[1], -5, 2, finite_diff_jac_sparsity=[[1, 1]]),
            {"type": "ineq", "fun": lambda x: 2 - x[0] - x[1]},
            {"type": "ineq", "fun": lambda x, a: a - x[0] - x[1], "jac": lambda x, a: [-1, -1], "args": (2,)},
            [{"type": "eq", "fun": lambda x: x[0] + x[1] - 2}],
            [LinearConstraint(np.eye(2), -9, 9), {"type": "ineq", "fun": lambda x: 2 - x[0] - x[1]}],
        ],
    )
    def test_all_mean_the_same(self, constraints):
        result = solve(
            self.fun, [0, 0], jac=self.jac, hess=self.hess, constraints=constraints, bounds=Bounds(0, np.inf)
        )
        assert result.x == pytest.approx([1.5, 0.5], abs=1e-4)

    @pytest.mark.parametrize("bounds", [Bounds([0, 0], [1, np.inf]), [(0, 1), (0, None)], ([0, 1], [None, 5])])
    def test_bounds(self, bounds):
        result = solve(self.fun, [0.5, 0], jac=self.jac, hess=self.hess, bounds=bounds)
        assert result.x == pytest.approx([1, 1], abs=1e-4)

    def test_a_dense_matrix_is_not_copied(self):
        A = np.random.default_rng(0).normal(size=(20, 600))
        rows = LinearConstraint(A, 0, 0)
        problem = scipy_problem(lambda x: x @ x, np.ones(600), constraints=rows)
        assert np.shares_memory(problem.jacobian(np.zeros(600)), rows.A)
        assert {"affine-constraints", "equalities-only"} <= problem.provides


class TestRefused:
    @pytest.mark.parametrize(
        ("given", "word"),
        [
            ({"x0": [[1, 2]]}, "x0"),
            ({"x0": [1j, 0]}, "x0"),
            ({"x0": [np.nan, 0]}, "NaN"),
            ({"x0": []}, "x0"),
            ({"jac": "4-point"}, "jac"),
            ({"jac": 3}, "jac"),
            ({"hess": "exact"}, "hess"),
            ({"hessp": 1}, "hessp"),
            ({"bounds": [(0, 1)]}, "bounds"),
            ({"bounds": [(1, 0), (0, 1)]}, "no room"),
            ({"bounds": 3}, "bounds"),
            ({"bounds": Bounds(0, 1, keep_feasible=True)}, "keep_feasible"),
            ({"constraints": LinearConstraint([1, 1], 0, 1, keep_feasible=True)}, "keep_feasible"),
            ({"constraints": LinearConstraint([1, 1, 1], 0, 1)}, "columns"),
            ({"constraints": {"type": "le", "fun": rosen}}, "'eq' or 'ineq'"),
            ({"constraints": {"type": "eq", "fun": rosen, "hess": rosen_hess}}, "unknown key 'hess'"),
            ({"constraints": [rosen]}, r"constraints\[0\]"),
            ({"constraints": NonlinearConstraint(lambda x: 1 / 0, 0, 1)}, "ZeroDivisionError"),
            ({"constraints": NonlinearConstraint(lambda x: x, 0, 1, jac="x")}, "jac"),
            ({"constraints": NonlinearConstraint(lambda x: x, [0, 0, 0], 1)}, "shapes"),
            ({"options": {"maxfev": 3}}, "max_calls"),
            ({"options": {"maxiter": 3, "max_iter": 3}}, "maxiter"),
            ({"options": {"nosuch": 3}}, "nosuch"),
            ({"method": "nosuch"}, "nosuch"),
            ({"method": "lv-hba"}, "bilevel"),
            ({"options": {"dtype": "float32"}}, "float"),
        ],
    )
    def test_by_name(self, given, word):
        x0 = given.pop("x0", START)
        with pytest.raises(sk.UsageError, match=word):
            sk.minimize(rosen, x0, **({"method": METHOD} | given))

    def test_failures_of_the_function_come_back(self):
        result = sk.minimize(lambda x: np.ones(2), START, method=METHOD)
        assert result.termination is sk.Termination.ORACLE_FAILED
        assert "returned 2 numbers" in result.message + " ".join(result.notes)


class TestRuns:
    def test_options_of_the_run_and_of_the_method(self):
        result = sk.minimize(rosen, START, jac=rosen_der, method=METHOD, options={"maxiter": 2, "seed": 5})
        assert result.termination is sk.Termination.MAX_ITER
        assert result.seed == 5
        assert not result.success

    def test_callbacks(self):
        seen = []
        solve(callback=lambda x: seen.append(x))
        assert all(x.shape == (2,) for x in seen)
        assert seen

        def stop(intermediate_result):
            raise StopIteration

        assert sk.minimize(rosen, START, method=METHOD, callback=stop).termination is sk.Termination.CALLBACK

    def test_tol(self):
        assert solve(jac=rosen_der, hess=rosen_hess, tol=1e-9).tol == 1e-9

    def test_the_preferred_method(self):
        result = sk.minimize(rosen, START, jac=rosen_der, hess=rosen_hess)
        assert result.success
        assert result.method


class TestInsideSciPy:
    @pytest.mark.parametrize("given", [{"jac": rosen_der, "hess": rosen_hess}, {"jac": True}, {}])
    def test_minimize(self, given):
        fun = (lambda x: (rosen(x), rosen_der(x))) if given.get("jac") is True else rosen
        result = scipy.optimize.minimize(
            fun,
            START,
            method=sk.scipy_method(METHOD),
            bounds=[(None, 0.8), (None, None)],
            constraints={"type": "ineq", "fun": lambda x: 3 - x[0] - x[1]},
            tol=1e-7,
            options={"maxiter": 200},
            **given,
        )
        assert isinstance(result, sk.Result)
        assert result.success, result
        assert result.tol == 1e-7
        assert result.x == pytest.approx([0.8, 0.64], abs=1e-4)


class TestAtBounds:
    """Functions need not be defined outside of the bounds, nor vary where a variable is fixed."""

    @pytest.mark.parametrize("method", ["sketched-newton", "slsqp"])
    @pytest.mark.parametrize("given", [{}, {"jac": lambda x: [1 + math.log(x[0]), 2 * (x[1] - 3)]}])
    def test_a_function_that_raises_outside(self, method, given):
        """x log x on [0.5, 1] x [0, 2] by math.log: (0.5, 2), a corner."""

        def fun(x):
            if x[0] < 0.5 or x[1] > 2:
                raise ValueError("outside")
            return x[0] * math.log(x[0]) + (x[1] - 3) ** 2

        result = solve(fun, [0.9, 0.2], method, bounds=Bounds([0.5, 0], [1, 2]), **given)
        assert result.x == pytest.approx([0.5, 2], abs=1e-6)

    def test_within_the_bounds_the_error_is_the_user_s(self):
        def fun(x):
            if x[0] > 0.7:
                raise ValueError("mine")
            return -x[0]

        result = sk.minimize(fun, [0.5], method="slsqp", bounds=[(0, 1)])
        assert not result.success
        assert "mine" in result.message + " ".join(result.notes) + result.certificate.unverified

    @pytest.mark.parametrize("method", ["sketched-newton", "slsqp"])
    def test_a_variable_between_equal_bounds(self, method):
        result = solve(rosen, [0.3, 0.4, 0.5], method, bounds=[(None, None), (0.25, 0.25), (None, None)])
        assert result.x == pytest.approx([0.5046, 0.25, 0.0625], abs=1e-3)

    @pytest.mark.parametrize("method", ["sketched-newton", "ipopt", "slsqp", METHOD])
    def test_all_variables_between_equal_bounds(self, method):
        result = solve(rosen, [0.3, 0.4], method, bounds=[(4, 4), (5, 5)])
        assert result.x == pytest.approx([4, 5], abs=1e-12)

    def test_products_by_differences_from_a_corner(self):
        calls = []

        def gradient(x):
            calls.append(x.copy())
            return rosen_der(x)

        x, direction = np.array([-1.0, 2.0, 0.5]), np.array([-1.0, 0.7, 0.3])
        problem = scipy_problem(rosen, x, jac=gradient, bounds=Bounds([-1, 0, 0], [1, 2, 1]))
        found = problem.hvp(x, np.zeros(0), direction)
        assert found == pytest.approx(rosen_hess(x) @ direction, rel=1e-6)
        assert np.all((np.array(calls) >= [-1, 0, 0]) & (np.array(calls) <= [1, 2, 1]))

    def test_a_number_is_the_hessian_of_one_variable(self):
        assert solve(lambda x: x[0] ** 2, [3.0], jac=lambda x: 2 * x, hess=lambda x: 2).x == pytest.approx(
            [0], abs=1e-6
        )


class TestNames:
    """SciPy's names of methods and options."""

    @pytest.mark.parametrize("method", ["SLSQP", "slsqp", "Trust-Constr"])
    def test_methods_in_any_case_of_letters(self, method):
        assert solve(method=method, jac=rosen_der).method == method.lower()

    @pytest.mark.parametrize("method", PLAIN)
    def test_methods_of_scipy_alone(self, method):
        with pytest.raises(sk.UsageError, match=f"'{method}' is SciPy's own"):
            sk.minimize(rosen, START, method=method)

    @pytest.mark.parametrize("method", [None, "ipopt"])
    @pytest.mark.parametrize("option", REFUSED)
    def test_options_without_a_counterpart(self, option, method):
        with pytest.raises(sk.UsageError, match=f"options: {option} has no counterpart"):
            sk.minimize(rosen, START, method=method, options={option: 1})

    def test_a_method_s_own_option_of_the_same_name(self):
        result = sk.minimize(rosen, START, jac=rosen_der, method="SLSQP", options={"ftol": 1e-15, "disp": False})
        assert result.success
        assert result.options["ftol"] == 1e-15

    @pytest.mark.parametrize(
        ("options", "shown"),
        [
            ({"disp": True}, True),
            ({"verbose": 2}, True),
            ({"iprint": 2}, True),
            ({"iprint": 1}, False),
            ({"disp": False, "iprint": 3}, False),
            ({"verbose": 0}, False),
            ({}, False),
        ],
    )
    def test_what_shows_progress(self, options, shown):
        assert bool(divided(options, frozenset()).run.get("progress")) == shown

    def test_the_relative_step_reaches_f_and_dicts(self):
        seen = []
        sk.minimize(
            lambda x: seen.append(x[0]) or x[0] ** 2,
            [1.0],
            jac="2-point",
            method="slsqp",
            constraints={"type": "ineq", "fun": lambda x: seen.append(x[0]) or x[0] - 0.5, "jac": "2-point"},
            options={"finite_diff_rel_step": 0.125, "maxiter": 1},
        )
        assert seen.count(1.125) == 2

    def test_wrong_arguments_are_value_errors_too(self):
        with pytest.raises(ValueError, match="no room"):
            sk.minimize(rosen, START, bounds=[(1, 0), (0, 1)])
        with pytest.raises(ValueError, match="no counterpart"):
            sk.minimize(rosen, START, options={"maxfev": 1})


class TestCallbacksOfTrustConstr:
    def test_two_arguments(self):
        seen = []
        solve(callback=lambda x, state: seen.append((x.shape, state.nit == state.niter, np.isfinite(state.fun))))
        assert set(seen) == {((2,), True, True)}

    @pytest.mark.parametrize("stop", [lambda x: True, lambda x, state: True, lambda intermediate_result: True])
    def test_true_ends_the_run(self, stop):
        result = sk.minimize(rosen, START, method=METHOD, callback=stop)
        assert result.termination is sk.Termination.CALLBACK
        assert result.nit <= 2
