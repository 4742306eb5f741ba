"""Pyomo models solved as they are, and Pyomo's own door: values, shadow prices, statuses, refusals."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyomo.environ as pyo
import pytest

import solverkit as sk
import solverkit.pyomo

METHODS = ["ipopt", "sketched-newton", "slsqp"]


def projection(sense=pyo.minimize, total=2.0, limit=0.8):
    """min (or max -) x^2 + y^2 + 1 s.t. x + y >= total, y <= limit: x = total - limit, y = limit.

    The shadow price of `total` is 2 x, that of `limit` 2 y - 2 x.
    """
    model = pyo.ConcreteModel("projection")
    model.x = pyo.Var(initialize=0.3)
    model.y = pyo.Var(initialize=0.4, bounds=(None, limit))
    value = model.x**2 + model.y**2 + 1
    model.cost = pyo.Objective(expr=value if sense == pyo.minimize else -value, sense=sense)
    model.total = pyo.Constraint(expr=model.x + model.y >= total)
    model.loose = pyo.Constraint(expr=model.x - model.y <= 10)
    model.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    model.rc = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    return model


def build_indexed():
    """Something of Pyomo's that is no model."""
    model = pyo.ConcreteModel()
    model.x = pyo.Var([1, 2])
    return model.x


def solve(model, **how):
    return pyo.SolverFactory("solverkit").solve(model, **how)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sense", [pyo.minimize, pyo.maximize], ids=["min", "max"])
def test_values_and_shadow_prices_are_on_the_model(method, sense):
    model = projection(sense)
    results = solve(model, method=method)
    assert pyo.check_optimal_termination(results)
    assert model.x.value == pytest.approx(1.2, abs=1e-6)
    assert model.y.value == pytest.approx(0.8, abs=1e-6)
    sign = 1 if sense == pyo.minimize else -1
    assert model.dual[model.total] == pytest.approx(sign * 2.4, abs=1e-5)
    assert model.dual[model.loose] == pytest.approx(0, abs=1e-5)
    assert model.rc[model.y] == pytest.approx(sign * (1.6 - 2.4), abs=1e-5)
    assert model.rc[model.x] == pytest.approx(0, abs=1e-5)
    assert not model.x.stale


@pytest.mark.parametrize("sense", [pyo.minimize, pyo.maximize], ids=["min", "max"])
def test_shadow_prices_are_slopes_of_the_optimal_value(sense):
    step = 1e-4
    model = projection(sense)
    solve(model, options={"tol": 1e-10})
    for prices, component, name in ((model.dual, model.total, "total"), (model.rc, model.y, "limit")):
        value = {"total": 2.0, "limit": 0.8}[name]
        ends = []
        for moved in (value - step, value + step):
            other = projection(sense, **{name: moved})
            solve(other, options={"tol": 1e-10})
            ends.append(pyo.value(other.cost))
        assert prices[component] == pytest.approx((ends[1] - ends[0]) / (2 * step), abs=1e-3)


def test_equations_and_ranges_have_prices_too():
    model = pyo.ConcreteModel()
    model.x = pyo.Var([1, 2, 3], initialize=1.0)
    model.cost = pyo.Objective(expr=sum(0.5 * (model.x[i] - i) ** 2 for i in model.x))
    model.sum = pyo.Constraint(expr=model.x[1] + model.x[2] == 1)
    model.range = pyo.Constraint(expr=(-1, 2 * model.x[3] + 1, 4))
    model.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    solve(model)
    # x1 - 1 = x2 - 2 = price of the sum; x3 = 1.5 and x3 - 3 = 2 price
    assert model.dual[model.sum] == pytest.approx(-1, abs=1e-6)
    assert model.dual[model.range] == pytest.approx(-0.75, abs=1e-6)
    assert [model.x[i].value for i in model.x] == pytest.approx([0, 1, 1.5], abs=1e-6)


def test_solve_leaves_the_model_and_solves_it_in_place_when_asked():
    model = projection()
    result = sk.solve(model)
    assert result.success
    assert result.fun == pytest.approx(1.2**2 + 0.8**2 + 1, abs=1e-6)
    assert (model.x.value, model.y.value) == (0.3, 0.4)
    assert len(model.dual) == 0
    assert sk.load(model).column_names == ("x", "y")
    assert any(fit.fits for fit in sk.methods(model))
    result = solverkit.pyomo.solve(model, "ipopt", tol=1e-9)
    assert result.method == "ipopt"
    assert model.x.value == pytest.approx(1.2, abs=1e-8)
    assert sk.verify(result, projection()).status is sk.PointStatus.CERTIFIED


def test_a_result_goes_on_the_model_that_it_is_of():
    model = projection()
    written = solverkit.pyomo.write(model)
    result = sk.solve(written.problem)
    solverkit.pyomo.load(written, result)
    assert model.x.value == pytest.approx(1.2, abs=1e-6)
    other = solverkit.pyomo.write(projection(total=3.0))
    with pytest.raises(sk.UsageError, match="another problem"):
        solverkit.pyomo.load(other, result)


def test_fixed_deactivated_and_unused_parts():
    model = projection()
    model.z = pyo.Var(initialize=7.0)  # in no expression
    model.b = pyo.Block()
    model.b.w = pyo.Var(initialize=1.0)
    model.b.c = pyo.Constraint(expr=model.b.w + model.x == 5)
    model.b.deactivate()
    model.y.fix(0.5)
    result = solverkit.pyomo.solve(model)
    assert result.success
    assert len(result.x) == 1
    assert model.x.value == pytest.approx(1.5, abs=1e-6)
    assert (model.y.value, model.z.value, model.b.w.value) == (0.5, 7.0, 1.0)


def test_without_loading_pyomo_loads_the_results_itself():
    model = projection()
    solver = pyo.SolverFactory("solverkit")
    results = solver.solve(model, load_solutions=False)
    assert model.x.value == 0.3
    assert solver.result.certificate.status is sk.PointStatus.CERTIFIED
    model.solutions.load_from(results)
    assert model.x.value == pytest.approx(1.2, abs=1e-6)
    assert model.dual[model.total] == pytest.approx(2.4, abs=1e-5)
    assert model.rc[model.y] == pytest.approx(-0.8, abs=1e-5)
    assert results.problem.upper_bound == pytest.approx(3.08, abs=1e-6)


def test_the_start_is_the_model_s_and_its_exported_duals():
    model = projection()
    model.dual.direction = pyo.Suffix.IMPORT_EXPORT
    cold = solverkit.pyomo.solve(model, "slsqp")
    problem = sk.load(model)
    start = problem.start(np.random.default_rng(0))
    np.testing.assert_allclose(start["x"], [1.2, 0.8], atol=1e-6)
    np.testing.assert_allclose(problem.gradient(start["x"])[0] + start["multipliers"] @ [1, 1], 0, atol=1e-5)
    warm = solverkit.pyomo.solve(model, "slsqp")
    assert warm.nit < cold.nit


def test_limits_have_pyomo_s_names(caplog):
    solver = pyo.SolverFactory("solverkit", method="sketched-newton", options={"max_iter": 1})
    results = solver.solve(projection())
    assert results.solver.termination_condition == pyo.TerminationCondition.maxIterations
    assert not pyo.check_optimal_termination(results)
    assert "not certified (maxIterations)" in caplog.text
    results = solve(projection(), timelimit=1e-9)
    assert results.solver.termination_condition == pyo.TerminationCondition.maxTimeLimit
    results = solve(projection(), options={"max_calls": 3})
    assert results.solver.termination_condition == pyo.TerminationCondition.maxEvaluations


def test_infeasible_is_said_where_it_is_proven(caplog):
    model = projection()
    model.less = pyo.Constraint(expr=model.x + model.y <= 1)
    results = solve(model, method="sketched-newton")
    assert results.solver.termination_condition == pyo.TerminationCondition.infeasible
    assert results.solver.status == pyo.SolverStatus.warning
    model = projection()
    model.wave = pyo.Constraint(expr=pyo.sin(model.x) + pyo.cos(model.y) >= 3)
    results = solve(model, method="sketched-newton")
    assert results.solver.termination_condition == pyo.TerminationCondition.noSolution
    model = projection()
    model.y.fix(3)  # above its bound
    results = solve(model)
    assert results.solver.termination_condition == pyo.TerminationCondition.infeasible
    assert "'y'" in results.solver.message
    with pytest.raises(sk.UsageError, match="infeasible variable 'y'"):
        sk.solve(model)


def test_unbounded_is_said_where_it_is_proven():
    model = pyo.ConcreteModel()
    model.x = pyo.Var(initialize=1.0)
    model.y = pyo.Var(initialize=1.0, bounds=(0, None))
    model.gain = pyo.Objective(expr=model.x + 2 * model.y, sense=pyo.maximize)
    model.row = pyo.Constraint(expr=model.x - model.y <= 3)
    results = solve(model, method="sketched-newton")
    assert results.solver.termination_condition == pyo.TerminationCondition.unbounded
    assert results.solver.status == pyo.SolverStatus.warning


def test_a_failed_run_is_not_loaded():
    model = pyo.ConcreteModel()
    model.x = pyo.Var(initialize=-1.0)
    model.cost = pyo.Objective(expr=pyo.log(model.x))
    with pytest.raises(ValueError, match="load_solutions=False"):
        solve(model)
    assert model.x.value == -1.0
    results = solve(model, load_solutions=False)
    assert results.solver.status == pyo.SolverStatus.error


def test_tee_shows_progress(capsys):
    solve(projection(), tee=True)
    assert "iteration" in capsys.readouterr().err


def refused():
    """Models that cannot be solved here, and what is said."""

    def integer(model):
        model.n = pyo.Var(domain=pyo.Integers)
        model.c = pyo.Constraint(expr=model.n + model.x == 1)

    def two(model):
        model.other = pyo.Objective(expr=model.x)

    def disjunction(model):
        from pyomo.gdp import Disjunct, Disjunction

        model.d = Disjunct([1, 2])
        model.either = Disjunction(expr=[model.d[1], model.d[2]])

    def complementarity(model):
        from pyomo.mpec import Complementarity, complements

        model.cc = Complementarity(expr=complements(model.x >= 0, model.y >= 0))

    return {
        integer: "the variables n are discrete",
        two: "2 active objectives (cost, other)",
        disjunction: "does not know how to process",
        complementarity: "omplementarity",
    }


@pytest.mark.parametrize("change", refused(), ids=lambda change: change.__name__)
def test_what_is_not_solved_is_refused_by_name(change):
    model = projection()
    change(model)
    with pytest.raises(sk.InvalidProblem) as error:
        sk.solve(model)
    assert refused_message(change) in str(error.value)
    assert str(error.value).startswith("projection: ")


def refused_message(change):
    return next(message for known, message in refused().items() if known.__name__ == change.__name__)


def test_wrong_calls_are_clear():
    abstract = pyo.AbstractModel()
    abstract.x = pyo.Var()
    with pytest.raises(sk.UsageError, match="abstract"):
        sk.solve(abstract)
    with pytest.raises(sk.InvalidProblem, match="no variables"):
        sk.solve(pyo.ConcreteModel())
    with pytest.raises(sk.UsageError, match="of its own"):
        sk.load(projection(), parameters={"n": 1})
    with pytest.raises(sk.UsageError, match="max_itr"):
        solve(projection(), options={"max_itr": 3})


def test_parts_of_models_and_kernel_models_are_solved_too():
    import pyomo.kernel as pmo

    model = pyo.ConcreteModel()
    model.x = pyo.Var(initialize=2.0)
    model.part = pyo.Block()
    model.part.cost = pyo.Objective(expr=(model.x - 1) ** 2)
    results = solve(model.part, load_solutions=False)
    model.part.solutions.load_from(results)
    assert model.x.value == pytest.approx(1, abs=1e-6)
    kernel = pmo.block()
    kernel.x = pmo.variable(value=3.0)
    kernel.cost = pmo.objective(kernel.x**2)
    kernel.least = pmo.constraint(kernel.x >= 1)
    kernel.dual = pmo.suffix(direction=pmo.suffix.IMPORT)
    assert pyo.check_optimal_termination(solve(kernel))
    assert kernel.x.value == pytest.approx(1, abs=1e-6)
    assert kernel.dual[kernel.least] == pytest.approx(2, abs=1e-5)
    with pytest.raises(sk.UsageError, match="kernel model"):
        solve(kernel, load_solutions=False)
    with pytest.raises(sk.UsageError, match="model or block is needed, not IndexedVar"):
        sk.solve(build_indexed())


def test_bounds_without_room_are_infeasible_by_name():
    model = projection()
    model.x.setlb(3)
    model.x.setub(1)
    with pytest.raises(sk.UsageError, match=r"the bounds \[3, 1\] of 'x' leave no room"):
        sk.solve(model)
    assert solve(model).solver.termination_condition == pyo.TerminationCondition.infeasible


def test_scaling_factors_do_not_change_the_answer():
    model = projection()
    model.scaling_factor = pyo.Suffix(direction=pyo.Suffix.EXPORT)
    model.scaling_factor[model.x] = 10
    model.scaling_factor[model.total] = 100
    solve(model)
    assert model.x.value == pytest.approx(1.2, abs=1e-6)
    assert model.dual[model.total] == pytest.approx(2.4, abs=1e-5)


def test_feasibility_problems_need_no_objective():
    model = projection()
    model.cost.deactivate()
    model.point = pyo.Constraint(expr=model.x**2 + model.y**2 == 4)
    result = solverkit.pyomo.solve(model)
    assert result.success
    assert model.x.value**2 + model.y.value**2 == pytest.approx(4, abs=1e-5)


def test_importing_solverkit_does_not_import_pyomo():
    code = "import sys, solverkit as sk; sk.methods(); assert 'pyomo' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).returncode == 0
