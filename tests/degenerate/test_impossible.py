"""R13: problems without an answer are never certified, and every proof is one. Whole by `tests.soak degenerate`."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

import solverkit as sk
from solverkit.kinds.base import PointStatus
from solverkit.kinds.inclusion.certificate import certify as inclusion_verdict
from solverkit.kinds.inclusion.rays import INFEASIBILITY, UNBOUNDEDNESS
from solverkit.kinds.nonlinear import certificate as nonlinear_certificate
from solverkit.kinds.nonlinear.certificate import certify as nonlinear_verdict
from solverkit.kinds.nonlinear.problem import FARKAS, RAY
from tests.degenerate import impossible
from tests.degenerate.linear import INFEASIBLES, LINEAR, SOLVABLES, UNBOUNDEDS, Linear
from tests.degenerate.table import INFEASIBLE, UNBOUNDED
from tests.degenerate.trial import trial
from tests.soak import degenerate

SLOW = (
    "upper rows that contradict",
    "a lower level empty for every x",
    "a curved lower level without a point",
    "a lower cubic",
    "a lower strip of width 1e-7",
    "a slope that the 1-norm does not hold",
    "a slope along a ray of a half space",
    "a curve above a line",
    "a hyperbola that falls",
)
KINDS = {
    "bilevel": (impossible.BILEVEL, ("kkt-ipopt",)),
    "composite": (impossible.COMPOSITE, ("cvxpy-clarabel",)),
    "linear-sequence": (impossible.LINEAR_SEQUENCE, ("superlu",)),
    "nonlinear": (impossible.NONLINEAR, ("slsqp",)),
    "linear": ([program.edges()[1] for program in LINEAR if len(program.c) == 2][::2], ("ipopt",)),
}
SMALL = 1e-9  # of the terms of a sum: a proof that a method gives may miss 0 by as much


def named(programs: Any) -> Any:
    return pytest.mark.parametrize("program", programs, ids=lambda program: program.name)


def _one_unit(c: Any) -> bool:
    """HiGHS takes costs below 1e-7 for none: those of the largest are said to be so."""
    size = np.abs(np.asarray(c, dtype=float))
    return bool(size.max() < 1e6 * size[size > 0].min())


def exact(v: Any) -> list[Fraction]:
    return [Fraction(float(entry)) for entry in v]


def supremum(v: list[Fraction], low: np.ndarray, high: np.ndarray) -> tuple[Fraction, Fraction]:
    """(sup of v's over low <= s <= high, what of v presses on an infinite side)."""
    total, stray = Fraction(0), Fraction(0)
    for entry, *sides in zip(v, low, high, strict=True):
        side = sides[entry > 0]
        if entry and np.isinf(side):
            stray = max(stray, abs(entry))
        elif entry:
            total += entry * Fraction(float(side))
    return total, stray


def pulled(A: np.ndarray, y: list[Fraction]) -> list[Fraction]:
    """A'y."""
    return [sum((Fraction(a) * b for a, b in zip(column, y, strict=True) if a and b), Fraction(0)) for column in A.T]


def farkas(program: Linear, y: Any) -> tuple[Fraction, Fraction]:
    """(by how much no point meets y'A x <= sup y's, what is missed), in exact arithmetic."""
    _, A, row_lower, row_upper, lower, upper = program.arrays()
    weights = exact(y)
    rows, one = supremum(weights, row_lower, row_upper)
    bounds, other = supremum([-entry for entry in pulled(A, weights)], lower, upper)
    return -(rows + bounds), max(one, other)


def recession(program: Linear, d: Any) -> tuple[Fraction, Fraction]:
    """(what c falls by along d, by how much d leaves the rows and bounds), in exact arithmetic."""
    c, A, row_lower, row_upper, lower, upper = program.arrays()
    ray = exact(d)
    activity = pulled(A.T, ray)
    out = Fraction(0)
    for v, low, high in ((activity, row_lower, row_upper), (ray, lower, upper)):
        for entry, below, above in zip(v, low, high, strict=True):
            out = max(out, entry if np.isfinite(above) else out, -entry if np.isfinite(below) else out)
    return -pulled(c[:, None], ray)[0], out


def outside(program: Linear, x: Any) -> Fraction:
    """By how much x breaks the worst row or bound."""
    _, A, row_lower, row_upper, lower, upper = program.arrays()
    point = exact(x)
    worst = Fraction(0)
    for v, low, high in ((pulled(A.T, point), row_lower, row_upper), (point, lower, upper)):
        for entry, below, above in zip(v, low, high, strict=True):
            if np.isfinite(below):
                worst = max(worst, Fraction(float(below)) - entry)
            if np.isfinite(above):
                worst = max(worst, entry - Fraction(float(above)))
    return worst


# -- what is said of the problems is so


@named(INFEASIBLES)
def test_infeasible_in_exact_arithmetic(program: Linear) -> None:
    margin, missed = farkas(program, program.proof)
    assert margin > 0
    assert missed == 0


@named(UNBOUNDEDS)
def test_unbounded_in_exact_arithmetic(program: Linear) -> None:
    fall, out = recession(program, program.proof)
    assert fall > 0
    assert out == 0
    assert outside(program, program.at) == 0


@named([program for program in SOLVABLES if program.proof is not None])
def test_solvable_in_exact_arithmetic(program: Linear) -> None:
    """`proof` are multipliers: no point is below their dual value, and `at` reaches it."""
    c, A, row_lower, row_upper, lower, upper = program.arrays()
    y = exact(program.proof)
    reduced = [a + b for a, b in zip(exact(c), pulled(A, y), strict=True)]
    sides, one = supremum(y, row_lower, row_upper)
    bounds, other = supremum([-entry for entry in reduced], lower, upper)
    value = pulled(c[:, None], exact(program.at))[0]
    assert outside(program, program.at) == one == other == 0
    assert -(sides + bounds) == value == Fraction(program.known)


@named([*(p for p in (*INFEASIBLES, *UNBOUNDEDS) if _one_unit(p.c)), *(p for p in SOLVABLES if p.proof is None)])
def test_highs_says_the_same(program: Linear) -> None:
    c, A, row_lower, row_upper, lower, upper = program.arrays()
    below, above, size = np.isfinite(row_lower), np.isfinite(row_upper), np.abs(c).max() or 1.0
    found = linprog(
        c / size,
        np.vstack([A[above], -A[below]]),
        np.concatenate([row_upper[above], -row_lower[below]]),
        bounds=np.column_stack([lower, upper]),
    )
    assert found.status == {INFEASIBLE: 2, UNBOUNDED: 3}.get(str(program.known), 0)
    if found.status == 0:
        assert found.fun * size == pytest.approx(program.known, rel=1e-6, abs=1e-6)


def test_there_are_enough() -> None:
    without = [edge for edge in impossible.IMPOSSIBLE if edge.known in (INFEASIBLE, UNBOUNDED)]
    assert len(without) >= 100
    assert len({edge.name for edge in without}) >= 70
    assert len(impossible.IMPOSSIBLE) - len(without) >= 40
    assert {edge.kind for edge in without} == {"bilevel", "composite", "inclusion", "linear-sequence", "nonlinear"}


# -- what methods and the core say


@pytest.mark.parametrize("kind", KINDS)
def test_none_is_certified_and_no_proof_is_false(kind: str) -> None:
    edges, methods = KINDS[kind]
    edges = [edge for edge in edges if edge.name not in SLOW]
    tally = degenerate.run(degenerate.CASES, seed=0, only=methods, edges=edges)
    assert tally.cases >= 6
    assert not tally.failures, tally.failures


@named(LINEAR)
def test_a_proof_of_each_program_holds_by_hand(program: Linear, tmp_path: Path) -> None:
    problem = program.edges()[0].load(tmp_path)
    method = "halpern" if program.name == "a row of zeros alone" else "highs-simplex"  # HiGHS has no ray of that
    result = sk.solve(problem, method, max_time=5)
    found = result.certificate.facts.get("proven")
    if program in SOLVABLES:
        assert found is None
        return
    assert result.point_status is not PointStatus.CERTIFIED
    assert found == program.known
    name, check = (INFEASIBILITY, farkas) if found == INFEASIBLE else (UNBOUNDEDNESS, recession)
    vector = result.point[name] if found == UNBOUNDED else _on_sides(program, result.point[name])
    size = np.abs(program.arrays()[1]).max() * np.abs(vector).max()
    amount, missed = check(program, vector)
    assert amount > 0
    assert missed <= SMALL * size


def _on_sides(program: Linear, y: np.ndarray) -> np.ndarray:
    """y without rounding that presses on infinite sides."""
    low, high = program.arrays()[2:4]
    stray = np.isinf(np.where(y > 0, high, low)) & (np.abs(y) <= SMALL * np.abs(y).max())
    return np.where(stray, 0.0, y)


@named([program for program in SOLVABLES if "far" in program.name])
def test_a_vector_that_is_nearly_a_proof_is_none(program: Linear, tmp_path: Path) -> None:
    """Its sums are as small beside their terms as the answer is far away."""
    blocks = (("y", INFEASIBILITY, UNBOUNDEDNESS), ("multipliers", FARKAS, RAY))
    for edge, (dual, weights, ray) in zip(program.edges(), blocks, strict=True):
        problem = edge.load(tmp_path)
        rows, n = len(program.arrays()[1]), len(program.c)
        for sign in (1.0, -1.0):
            point = {"x": np.zeros(n), dual: np.zeros(rows), weights: sign * np.ones(rows), ray: sign * np.ones(n)}
            certify = inclusion_verdict if edge.kind == "inclusion" else nonlinear_verdict
            assert "proven" not in certify(problem, point).facts


def test_the_table_sees_a_false_proof_and_a_false_answer() -> None:
    edge = INFEASIBLES[0].edges()[0]
    assert trial(edge, "highs-simplex") == ("proven infeasible", "")
    assert trial(replace(edge, known=UNBOUNDED), "highs-simplex")[1] == "it is not"
    assert trial(replace(edge, known=1.0), "highs-simplex")[1] == "it is not"
    solvable = SOLVABLES[0].edges()[0]
    assert "it is infeasible" in trial(replace(solvable, known=INFEASIBLE), "highs-simplex")[1]


@pytest.mark.parametrize("slope", [1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("pressed", [False, True])
def test_a_slope_of_any_size_is_no_answer_also_where_a_row_far_off_is_said_to_carry_it(slope, pressed, tmp_path):
    content = {"variables": {"x": {"shape": [2], "start": 0}}, "minimize": f"x[0]**2 - {slope}*x[1]"}
    problem = impossible.Edge("slope", "nonlinear", content | {"subject_to": {"r": "x[1] >= x[0]"}}, UNBOUNDED)
    loaded = problem.load(tmp_path)
    x = np.array([slope / 2, 0.05])
    carried = slope / loaded.constraint_function.jacobian(x).toarray()[0, 1]  # what is left of the Lagrangian is 0
    point = {"x": x} | ({"multipliers": np.array([carried])} if pressed else {})
    verdict = nonlinear_verdict(loaded, point)
    assert verdict.status is not PointStatus.CERTIFIED
    assert verdict.facts["proven"] == "unbounded"


def test_the_error_of_an_iteration_in_a_valley_starts_no_search_for_a_ray(tmp_path, monkeypatch):
    content = {"variables": {"x": {"shape": [2], "start": 0}}, "minimize": "(x[0] + x[1] - 0.1)**2"}
    loaded = impossible.Edge("valley", "nonlinear", content, 0.0).load(tmp_path)
    monkeypatch.setattr(nonlinear_certificate, "unboundedness", lambda *_: pytest.fail("a linear program is solved"))
    verdict = nonlinear_verdict(loaded, {"x": np.array([0.05 + 1e-9, 0.05])})
    assert verdict.status is PointStatus.CERTIFIED
