"""Linear Pyomo models: the kind that they go to, their prices beside HiGHS's, their statuses."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

import solverkit as sk
import solverkit.pyomo
from solverkit.pyomo.prices import LOWER, UPPER

METHODS = [None, "halpern", "highs-simplex", "highs-ipm", "sketched-newton", "ipopt"]


def linear(sense=pyo.minimize, seed=0):
    """A random bounded program with equations, ranges, one-sided rows, a free variable and a constant."""
    rng = np.random.default_rng(seed)
    model = pyo.ConcreteModel("blend")
    sign = 1 if sense == pyo.minimize else -1
    model.x = pyo.Var(range(6), bounds=lambda _, j: (None if j == 5 else -1.0 - j / 4, 2.0 + j / 8))
    A, point = rng.integers(-3, 4, (5, 6)) + np.eye(5, 6) * 0.5, rng.uniform(-0.5, 1, 6)
    c, moved = A.T @ rng.normal(size=5) + rng.normal(size=6) * [1, 1, 1, 1, 1, 0], A @ point
    body = [pyo.quicksum(A[i, j] * model.x[j] for j in range(6)) for i in range(5)]
    model.total = pyo.Constraint(expr=body[0] + 1 == moved[0] + 1)
    model.range = pyo.Constraint(expr=(moved[1] - 1, body[1], moved[1] + 0.5))
    model.most = pyo.Constraint([2, 3], rule=lambda _, i: body[i] <= moved[i] + 0.1)
    model.least = pyo.Constraint(expr=body[4] >= moved[4] - 0.1)
    model.cost = pyo.Objective(expr=sign * sum(c[j] * model.x[j] for j in range(6)) + 7, sense=sense)
    for name in ("dual", "rc", LOWER, UPPER):
        setattr(model, name, pyo.Suffix(direction=pyo.Suffix.IMPORT))
    return model


def prices(model):
    duals = [model.dual[row] for row in model.component_data_objects(pyo.Constraint)]
    return np.array(duals), np.array([model.rc[variable] for variable in model.x.values()])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sense", [pyo.minimize, pyo.maximize], ids=["min", "max"])
def test_values_and_prices_are_those_of_highs(method, sense):
    ours, theirs = linear(sense), linear(sense)
    results = pyo.SolverFactory("solverkit", method=method, options={"tol": 1e-7}).solve(ours)
    pyo.assert_optimal_termination(results)
    for name in (LOWER, UPPER):
        theirs.del_component(name)
    pyo.assert_optimal_termination(pyo.SolverFactory("appsi_highs").solve(theirs))
    assert pyo.value(ours.cost) == pytest.approx(pyo.value(theirs.cost), abs=1e-5)
    for mine, reference in zip(prices(ours), prices(theirs), strict=True):
        np.testing.assert_allclose(mine, reference, atol=1e-4)
    low, high = (np.array(list(getattr(ours, name).values())) for name in (LOWER, UPPER))
    np.testing.assert_allclose(low + high, prices(ours)[1], atol=1e-12)
    sign = 1 if sense == pyo.minimize else -1
    assert (sign * low >= 0).all()
    assert (sign * high <= 0).all()


def test_the_kind_is_the_one_that_fits_or_the_method_s():
    model = linear()
    assert sk.load(model).kind == "inclusion"
    assert sk.solve(model).kind == "inclusion"
    assert solverkit.pyomo.solve(model, "ipopt").kind == "nonlinear"
    result = sk.solve(model, "ipopt")
    assert result.kind == "nonlinear"
    assert sk.verify(result, model).status is sk.PointStatus.CERTIFIED
    with pytest.raises(sk.UsageError, match="kind nonlinear or inclusion, not 'dag'"):
        sk.solve(model, "notears")
    model.bent = pyo.Constraint(expr=model.x[0] ** 2 <= 9)
    assert sk.load(model).kind == "nonlinear"
    with pytest.raises(sk.UsageError, match=r"'bent' is not linear\. Take a method for 'nonlinear'"):
        pyo.SolverFactory("solverkit", method="halpern").solve(model)
    model.bent.deactivate()
    model.x[0].fix(0.25)
    model.bent.activate()
    assert sk.load(model).kind == "inclusion"  # a fixed variable is a number


def test_a_second_solve_begins_at_values_and_exported_duals():
    model = linear()
    model.dual.direction = pyo.Suffix.IMPORT_EXPORT
    cold = solverkit.pyomo.solve(model, "halpern")
    problem = sk.load(model)
    start = problem.start(np.random.default_rng(0))
    np.testing.assert_allclose(start["x"], np.clip(cold.point["x"], problem.structure.lower, problem.structure.upper))
    np.testing.assert_allclose(start["y"], cold.point["y"], atol=1e-12)
    warm = solverkit.pyomo.solve(model, "halpern")
    assert warm.nit < cold.nit
    solver = pyo.SolverFactory("solverkit", method="halpern")
    solver.solve(model, warmstart=False)
    assert solver.result.nit > warm.nit


def test_a_claim_without_a_proof_is_no_status():
    model = linear()
    model.clash = pyo.Constraint(expr=model.total.body <= model.total.lower - 1)
    results = pyo.SolverFactory("solverkit", method="cvxpy").solve(model, load_solutions=False)
    assert results.solver.termination_condition == pyo.TerminationCondition.noSolution


@pytest.mark.parametrize("method", [None, "sketched-newton", "highs-ipm"])
def test_proofs_become_statuses(method):
    model = linear()
    model.clash = pyo.Constraint(expr=model.total.body <= model.total.lower - 1)
    results = pyo.SolverFactory("solverkit", method=method).solve(model, load_solutions=False)
    assert results.solver.termination_condition == pyo.TerminationCondition.infeasible
    with pytest.raises(RuntimeError):
        pyo.assert_optimal_termination(results)
    model = pyo.ConcreteModel()
    model.x = pyo.Var([1, 2], bounds=(0, None))
    model.gain = pyo.Objective(expr=model.x[1] + model.x[2], sense=pyo.maximize)
    model.row = pyo.Constraint(expr=model.x[1] - model.x[2] <= 3)
    results = pyo.SolverFactory("solverkit", method=method).solve(model, load_solutions=False)
    assert results.solver.termination_condition == pyo.TerminationCondition.unbounded


def test_bounds_alone_and_no_objective():
    model = pyo.ConcreteModel()
    model.x = pyo.Var([1, 2], bounds=(-1, 3))
    model.rc = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    model.cost = pyo.Objective(expr=2 * model.x[1] - model.x[2])
    pyo.assert_optimal_termination(pyo.SolverFactory("solverkit").solve(model))
    assert [model.x[1].value, model.x[2].value] == pytest.approx([-1, 3], abs=1e-5)
    assert [model.rc[model.x[1]], model.rc[model.x[2]]] == pytest.approx([2, -1], abs=1e-5)
    model.cost.deactivate()
    model.row = pyo.Constraint(expr=model.x[1] + model.x[2] == 1)
    pyo.assert_optimal_termination(pyo.SolverFactory("solverkit").solve(model))
    assert model.x[1].value + model.x[2].value == pytest.approx(1, abs=1e-5)


def test_without_methods_for_programs_they_are_nonlinear(monkeypatch):
    from solverkit.registry import registry

    methods = registry.methods
    monkeypatch.setattr(registry, "methods", lambda kind=None: [] if kind == "inclusion" else methods(kind))
    result = solverkit.pyomo.solve(linear())
    assert result.success
    assert result.kind == "nonlinear"
