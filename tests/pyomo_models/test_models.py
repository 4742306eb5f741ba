"""The five Pyomo models of the repository: what they write, and what is found."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import solverkit as sk
import solverkit.pyomo

FOLDERS = sorted((Path(__file__).parents[2] / "problems" / "nonlinear").glob("pyomo-*"))


def build(folder):
    """The model of a folder's model.py."""
    spec = importlib.util.spec_from_file_location(f"model_{folder.name.replace('-', '_')}", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build()


def test_there_are_five():
    assert len(FOLDERS) == 5


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_model_writes_the_file_beside_it(folder):
    model = build(folder)
    written = solverkit.pyomo.write(model)
    ours, file = written.problem, sk.load(folder / "model.nl")
    for name in ("lower", "upper", "lowest", "highest"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(file, name))
    rng = np.random.default_rng(1)
    start = ours.flat(ours.start(rng))
    np.testing.assert_array_equal(start, file.flat(file.start(rng)))
    for _ in range(3):
        x = np.clip(start + 0.05 * rng.standard_normal(ours.n), ours.lowest + 1e-3, ours.highest)
        assert ours.objective({"x": x}) == pytest.approx(file.objective({"x": x}), rel=1e-13)
        np.testing.assert_allclose(ours.constraints(x), file.constraints(x), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_pyomo_computes_the_same_values_and_derivatives(folder):
    import pyomo.environ as pyo
    from pyomo.core.expr.calculus.derivatives import Modes, differentiate

    model = build(folder)
    written = solverkit.pyomo.write(model)
    problem = written.problem
    rng = np.random.default_rng(2)
    x = problem.flat(problem.start(rng)) + 0.05 * rng.uniform(0.1, 1, problem.n)
    for variable, value in zip(written.variables, x.tolist(), strict=True):
        variable.set_value(value, skip_validation=True)
    objective = next(model.component_data_objects(pyo.Objective, active=True))
    assert problem.objective({"x": x}) == pytest.approx(pyo.value(objective), rel=1e-13)
    theirs = differentiate(objective.expr, wrt_list=written.variables, mode=Modes.reverse_numeric)
    sign = -1 if problem.maximize else 1
    np.testing.assert_allclose(problem.gradient(x), sign * np.array(theirs), rtol=1e-11, atol=1e-11)
    c, jacobian = problem.constraints(x), problem.jacobian(x).toarray()
    for k, row in enumerate(written.constraints):
        # the writer moves constants of the body to the bounds
        offset = pyo.value(row.body) - c[k]
        bound = row.upper if row.upper is not None else row.lower
        own = problem.upper[k] if row.upper is not None else problem.lower[k]
        assert offset == pytest.approx(pyo.value(bound) - own, rel=1e-10, abs=1e-10)
        if k % 7 == 0:
            theirs = differentiate(row.body, wrt_list=written.variables, mode=Modes.reverse_numeric)
            np.testing.assert_allclose(jacobian[k], theirs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("method", ["ipopt", "sketched-newton"])
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_expected_answer_is_found_and_certified(folder, method):
    problem = sk.load(folder / "problem.yaml")
    result = sk.solve(problem, method, tol=1e-8)
    assert result.success, result
    expected = problem.expected
    assert abs(result.fun - expected["objective"]) <= expected["tolerance"] * max(1, abs(expected["objective"]))


def test_expressions_of_expressions_are_computed_in_their_order():
    import pyomo.environ as pyo

    model = pyo.ConcreteModel()
    model.x = pyo.Var(range(12), initialize=0.5)
    x = model.x
    model.one = pyo.Expression(range(12), rule=lambda model, i: x[i] ** 2 + 3 * x[(i + 1) % 12])
    model.two = pyo.Expression(range(12), rule=lambda model, i: pyo.sin(model.one[i]) * model.one[(i + 5) % 12])
    model.all = pyo.Expression(expr=sum(pyo.exp(-(model.two[i] ** 2)) + sum(x[j] * model.two[i] for j in x) for i in x))
    model.cost = pyo.Objective(expr=model.all**2 + sum(model.one[i] for i in x) ** 2)
    model.rows = pyo.Constraint(range(12), rule=lambda model, i: model.two[i] + model.all * x[i] <= 100)
    written = solverkit.pyomo.write(model)
    rng = np.random.default_rng(3)
    for _ in range(3):
        point = rng.uniform(-1, 1, 12)
        for variable, value in zip(written.variables, point.tolist(), strict=True):
            variable.set_value(value)
        assert written.problem.value(point) == pytest.approx(pyo.value(model.cost), rel=1e-12)
        theirs = [pyo.value(row.body) for row in written.constraints]
        np.testing.assert_allclose(written.problem.constraints(point), theirs, rtol=1e-12)
