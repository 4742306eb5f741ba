"""What Pyomo users pass besides a model: honoured, or refused by name; and every ending has a condition."""

from __future__ import annotations

from types import SimpleNamespace

import pyomo.environ as pyo
import pytest

import solverkit as sk
import solverkit.pyomo
from solverkit.engine.status import PointStatus, Termination
from solverkit.kinds.base import Certificate, Term
from solverkit.pyomo.arguments import REFUSED
from solverkit.pyomo.results import condition


def square(start=3.0):
    model = pyo.ConcreteModel("square")
    model.x = pyo.Var(initialize=start, bounds=(1, None))
    model.cost = pyo.Objective(expr=model.x**2)
    return model


@pytest.mark.parametrize("name", [*REFUSED, "nosuch"])
def test_refused_by_name(name):
    value = "path" if name != "keepfiles" else True
    with pytest.raises(sk.UsageError, match=f"argument '{name}'"):
        pyo.SolverFactory("solverkit").solve(square(), **{name: value})


def test_what_says_nothing_is_taken():
    given = {
        "keepfiles": False,
        "solnfile": None,
        "symbolic_solver_labels": True,
        "solver_io": "nl",
        "suffixes": ["dual"],
    }
    pyo.assert_optimal_termination(pyo.SolverFactory("solverkit").solve(square(), **given))
    with pytest.raises(sk.UsageError, match="'slack' is not filled"):
        pyo.SolverFactory("solverkit").solve(square(), suffixes=["slack"])


def test_the_constructor_s_arguments_are_refused_when_it_is_used():
    with pytest.raises(sk.UsageError, match="argument 'executable'"):
        pyo.SolverFactory("solverkit", executable="/bin/solver").solve(square())


def test_options_on_the_solver_in_all_ways():
    solver = pyo.SolverFactory("solverkit", method="slsqp", options={"tol": 1e-7})
    solver.options["max_time"] = 20
    solver.options.ftol = 1e-13
    solver.set_options("seed=3 scipy_max_iter=77")
    solver.solve(square(), options={"tol": 1e-8})
    result = solver.result
    assert (result.method, result.tol, result.seed) == ("slsqp", 1e-8, 3)
    assert (result.options["ftol"], result.options["scipy_max_iter"]) == (1e-13, 77)
    solver = pyo.SolverFactory("solverkit:ipopt")
    solver.solve(square())
    assert solver.result.method == "ipopt"
    with pytest.raises(sk.UsageError, match="'tol' has no value"):
        solver.set_options("tol")


def test_logfile_and_timing(tmp_path, capsys):
    log = tmp_path / "run.log"
    pyo.SolverFactory("solverkit").solve(square(), logfile=str(log), tee=True, report_timing=True)
    assert "CERTIFIED" in log.read_text()
    assert "iteration" in log.read_text()
    shown = capsys.readouterr()
    assert "iteration" in shown.err
    assert [line.split()[-1] for line in shown.out.splitlines()] == ["write", "solve", "certificate", "load"]


def test_it_is_no_persistent_solver():
    model, solver = square(), pyo.SolverFactory("solverkit")
    with pytest.raises(sk.UsageError, match="takes the model as it is"):
        solver.set_instance(model)
    solver.solve(model)
    model.x.setlb(2)
    solver.solve(model)
    assert model.x.value == pytest.approx(2, abs=1e-6)


def test_suffixes_that_nobody_fills_are_named(caplog):
    model = square()
    model.slack = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    pyo.SolverFactory("solverkit").solve(model)
    assert "suffix 'slack'" in caplog.text


def test_ipopt_s_multipliers_of_bounds():
    model = square()
    model.ipopt_zL_out = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    model.ipopt_zU_out = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    pyo.SolverFactory("solverkit").solve(model)
    assert model.ipopt_zL_out[model.x] == pytest.approx(2, abs=1e-5)
    assert model.ipopt_zU_out[model.x] == 0


def test_discrete_variables_come_with_a_remedy():
    model = square()
    model.n = pyo.Var(domain=pyo.Binary)
    model.row = pyo.Constraint(expr=model.n + model.x >= 1.5)
    with pytest.raises(sk.InvalidProblem, match=r"variables n are discrete.*core\.relax_integer_vars"):
        pyo.SolverFactory("solverkit").solve(model)
    pyo.TransformationFactory("core.relax_integer_vars").apply_to(model)
    pyo.assert_optimal_termination(pyo.SolverFactory("solverkit").solve(model))
    assert model.x.value == pytest.approx(1, abs=1e-5)
    assert 0.5 - 1e-5 <= model.n.value <= 1 + 1e-5


@pytest.mark.parametrize("termination", Termination, ids=lambda value: value.name)
@pytest.mark.parametrize("status", PointStatus, ids=lambda value: value.name)
@pytest.mark.parametrize("proof", ["", "infeasible", "unbounded"])
def test_every_ending_has_a_condition_that_claims_no_more(termination, status, proof):
    certificate = Certificate((Term("t", 0.0, 1.0),), {"proven": proof} if proof else {})
    found = condition(SimpleNamespace(termination=termination, point_status=status, certificate=certificate))
    known = pyo.TerminationCondition
    assert (found == known.optimal) == (status is PointStatus.CERTIFIED)
    if found in (known.infeasible, known.unbounded):
        assert proof == str(found)
        assert termination.name.lower() == str(found)
    if found == known.feasible:
        assert status in (PointStatus.FEASIBLE, PointStatus.UNVERIFIED)


def test_imported_functions_are_refused_by_name():
    model = square()
    model.curve = pyo.ExternalFunction(library="curve.so", function="curve")
    model.row = pyo.Constraint(expr=model.curve(model.x) <= 2)
    with pytest.raises(sk.InvalidProblem, match=r"square: .*function"):
        sk.solve(model)
