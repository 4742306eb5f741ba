"""The shipped problems: their expected answers against SciPy, and what is certified there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack

from solverkit.formats.load import load
from solverkit.kinds.base import PointStatus
from solverkit.kinds.inclusion.certificate import certify
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.structure import Game, LinearProgram, SequenceForm
from tests.inclusion.cases import equilibrium

PROBLEMS = Path(__file__).parents[2] / "problems" / "inclusion"
FORMS = {
    "gan-toy": "finite-sum",
    "fair-classification": "finite-sum",
    "gaussian-game": "game",
    "kuhn-poker": "sequence-form",
    "matching-pennies-quadratic": "saddle",
    "nash-cournot": "operator",
    "policeman-burglar": "game",
    "policeman-burglar-1000": "game",
    "qp-lower-bound": "finite-sum",
    "quadratic-game": "finite-sum",
    "random-poker": "sequence-form",
    "robust-logistic-breast-cancer": "finite-sum",
    "rock-paper-scissors": "game",
    "skew-and-cubic": "operator",
    "sparse-game": "game",
    "assignment": "linear-program",
    "diet": "linear-program",
    "production": "linear-program",
}
SLOW = {"gaussian-game", "policeman-burglar-1000"}  # HiGHS needs seconds; tests/figures recomputes them


def shipped(name: str) -> Inclusion:
    return load(PROBLEMS / name / "problem.yaml")  # type: ignore[return-value]


def optimum(problem: Inclusion) -> float:
    """The value by linear programming."""
    form = problem.structure
    if isinstance(form, Game):
        return equilibrium(form.matrix.toarray() if hasattr(form.matrix, "toarray") else form.matrix)[2]
    if isinstance(form, SequenceForm):
        s = form.F.shape[0]
        return linprog(
            np.concatenate([np.zeros(len(form.E.T.toarray())), -form.f]),
            A_ub=hstack([csr_array(form.matrix).T, form.F.T]),
            b_ub=np.zeros(form.matrix.shape[1]),
            A_eq=hstack([form.E, csr_array((form.E.shape[0], s))]),
            b_eq=form.e,
            bounds=[(0, None)] * form.matrix.shape[0] + [(None, None)] * s,
        ).fun
    assert isinstance(form, LinearProgram)
    A = form.A.toarray() if hasattr(form.A, "toarray") else form.A
    above, below = np.isfinite(form.row_upper), np.isfinite(form.row_lower)
    found = linprog(
        form.c,
        A_ub=np.vstack([A[above], -A[below]]),
        b_ub=np.concatenate([form.row_upper[above], -form.row_lower[below]]),
        bounds=np.column_stack([form.lower, form.upper]),
    )
    return (-1 if form.maximize else 1) * (found.fun + form.constant)


def test_every_file_is_here() -> None:
    here = {path.parent.name for path in PROBLEMS.glob("*/problem.yaml")}
    assert set(FORMS) <= here


@pytest.mark.parametrize("name", sorted(FORMS))
def test_the_form_and_the_start(name: str) -> None:
    problem = shipped(name)
    assert problem.form == FORMS[name]
    assert "monotone" in problem.provides
    certificate = certify(problem, problem.start(np.random.default_rng(0)))
    assert certificate.status is not PointStatus.UNVERIFIED
    assert certificate["oracles"].ok
    if name != "rock-paper-scissors":  # whose start is its answer
        assert certificate.status is not PointStatus.CERTIFIED


EXACT = sorted(name for name, form in FORMS.items() if form not in ("finite-sum", "operator", "saddle"))


@pytest.mark.parametrize("name", [name for name in EXACT if name not in SLOW])
def test_the_expected_value_is_that_of_linear_programming(name: str) -> None:
    problem = shipped(name)
    value = float(problem.expect["objective"])
    assert optimum(problem) == pytest.approx(value, abs=1e-8 * max(1, abs(value)))


@pytest.mark.parametrize("name", sorted(set(FORMS) - set(EXACT)))
def test_the_expected_point_is_certified(name: str) -> None:
    problem = shipped(name)
    point = problem.expect.get("point")
    if point is None:
        assert name in ("fair-classification", "robust-logistic-breast-cancer")
        return
    assert certify(problem, point).status is PointStatus.CERTIFIED
    if "objective" in problem.expect:
        assert problem.objective(point) == pytest.approx(problem.expect["objective"], abs=1e-9)


def test_the_expected_value_of_robust_regression_is_its_primal_value() -> None:
    """For fixed w the best weights are a projection; the value is the least of what is left."""
    from scipy.optimize import minimize

    problem = shipped("robust-logistic-breast-cancer")
    part = problem.part
    n, r = problem.count, np.sqrt(problem.count)  # p is in units of 1 / r

    def primal(w: np.ndarray) -> tuple[float, np.ndarray]:
        start = np.concatenate([w, np.full(n, 1 / r)])
        losses = -r * part.value(start)[30:]  # at uniform weights the penalty has no slope
        p = problem.sets[1].prox(1 / r + losses / (0.1 * r), 1.0)
        u = np.concatenate([w, p])
        return part.payoff(u), part.value(u)[:30]  # type: ignore[attr-defined]

    found = minimize(primal, np.zeros(30), jac=True, method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-13})
    assert found.fun == pytest.approx(problem.expect["objective"], abs=2e-6)
