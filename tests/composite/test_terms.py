"""Each term and note of the certificate of composite problems, on problems solved by hand or by Clarabel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("cvxpy")

from solverkit.kinds.base import PointStatus
from solverkit.kinds.composite import bound, certificate, composite
from solverkit.kinds.composite.certificate import certify
from solverkit.kinds.composite.problem import ANCHOR, CUTS, DUAL, WEIGHTS
from solverkit.kinds.composite.terms import Euclidean
from solverkit.operators.proximal import L1
from tests.composite.cases import ball, fused, lasso, machine, portfolio, robust, wide
from tests.composite.test_bound import counted

CERTIFIED = PointStatus.CERTIFIED


def shrinkage(unit=1.0, nonsmooth="norm1(x)", **parts):
    """min |x - c|^2 / 2 + |x|_1 + |x|^2 / 2 over two variables, c = (3, -1/2): x = (1, 0), 4.125 - 2 + ... by hand."""
    return composite(
        variables={"x": {"shape": 2}},
        data={"c": np.array([3.0, -0.5])},
        smooth="0.5*sum((x - c)**2)",
        nonsmooth=nonsmooth,
        simple="0.5*sum(x**2)",
        **parts,
    )


def test_terms_tolerances_and_facts_of_a_problem_solved_by_hand():
    """x = (1, 0): the value is 2 + 1/8 + 1 + 1/2, and of what is wrong by d in x_1 it is d^2 more."""
    problem = shrinkage()
    for tol in (1e-6, 1e-3):
        found = certify(problem, {"x": np.array([1.0, 0.0])}, tol)
        told = {term.name: (term.tolerance, term.feasibility) for term in found.terms}
        assert told == {"feasibility": (tol, True), "gap": (tol, False), "oracles": (1e-4, False),
                        "convexity": (1e-8, False)}  # fmt: skip
        assert found.status is CERTIFIED
    assert certify(problem, {"x": np.array([1.0, 0.0])})["gap"].tolerance == 1e-6
    off = certify(problem, {"x": np.array([1.5, 0.0]), ANCHOR: np.array([1.0, 0.0]), DUAL: np.array([1.0, -0.5])})
    assert off.facts["objective"] == pytest.approx(3.625 + 0.25)
    assert off.facts["lower_bound"] == pytest.approx(3.625, rel=1e-9)
    assert off["gap"].value == pytest.approx(0.25, rel=1e-7)
    assert off["gap"].scaling == pytest.approx(1 + 3.875)
    assert off["gap"].note == ""
    strong = 1 + bound.curvature(problem)
    assert off.facts["distance_bound"] == pytest.approx(np.sqrt(2 * 0.25 / strong), rel=1e-6)


def test_notes_say_whose_dual_it_is():
    problem, right = shrinkage(), {"x": np.array([1.0, 0.0])}
    assert certify(problem, {**right, DUAL: np.array([1.0, -0.5])})["gap"].note == ""
    assert certify(problem, {**right, DUAL: np.array([0.9, 0.5])})["gap"].note == (
        "the dual was improved by the certificate"
    )
    assert certify(problem, right)["gap"].note == "the dual is the certificate's own"
    for useless in (np.zeros(3), np.full(2, np.nan)):
        assert certify(problem, {**right, DUAL: useless})["gap"].note == "the dual is the certificate's own"
    zero = composite(variables={"x": {"shape": 2}}, smooth="dot(x, x)", nonsmooth="norm1(x)", simple="0.5*sum(x**2)")
    assert certify(zero, {"x": np.zeros(2)})["gap"].note == "no dual was given"  # zeros are right


def test_an_anchor_that_is_better_than_x_is_used_and_one_that_is_none_is_not():
    problem = shrinkage()
    x, dual = np.array([1.2, 0.0]), np.array([1.0, -0.5])
    alone = certify(problem, {"x": x, DUAL: dual}, 1e-12)["gap"].value
    right = certify(problem, {"x": x, DUAL: dual, ANCHOR: np.array([1.0, 0.0])}, 1e-12)["gap"].value
    assert right == pytest.approx(0.04, rel=1e-9)
    assert alone >= right - 1e-12
    for useless in (np.zeros(3), np.array([np.inf, 0.0]), np.array([1e9, 1e9])):
        assert certify(problem, {"x": x, DUAL: dual, ANCHOR: useless}, 1e-12)["gap"].value == pytest.approx(alone)


def test_an_anchor_replaces_x_where_f_is_not_known_to_bend():
    """l = 1.62 + 2.16 - 0.8^2 / 2 + 1/8 of the linearization at x = (1.2, 0), and 3.625, the least value, at (1, 0)."""
    c = np.array([3.0, -0.5])
    own = (lambda x: 0.5 * float((x - c) @ (x - c)), lambda x: x - c)
    problem = composite(variables={"x": {"shape": 2}}, smooth=own, nonsmooth="norm1(x)", simple="0.5*sum(x**2)")
    point = {"x": np.array([1.2, 0.0]), DUAL: np.array([1.0, -0.5])}
    assert certify(problem, point, 1e-12).facts["lower_bound"] == pytest.approx(3.585, rel=1e-9)
    for anchor in (np.array([1.0, 0.0]), np.array([[1.0], [0.0]])):
        assert certify(problem, {**point, ANCHOR: anchor}, 1e-12).facts["lower_bound"] == pytest.approx(3.625, rel=1e-9)
    for useless in (np.zeros(3), np.array([np.inf, 0.0])):
        found = certify(problem, {**point, ANCHOR: useless}, 1e-12)
        assert found.facts["lower_bound"] == pytest.approx(3.585, rel=1e-9)


def test_a_bound_that_is_not_a_number_is_left_out():
    """f has no value at the anchor (9, 0): the bound at x counts, as if no anchor were given."""
    own = (lambda x: 0.5 * float(x @ x) if x[0] < 5 else float("nan"), lambda x: x if x[0] < 5 else x * float("nan"))
    problem = composite(variables={"x": {"shape": 2}}, smooth=own, nonsmooth="norm1(x)", simple="0.5*sum(x**2)")
    point = {"x": np.array([0.1, 0.0]), DUAL: np.array([1.0, 0.0])}
    alone = certify(problem, point, 1e-12).facts["lower_bound"]
    assert np.isfinite(alone)
    assert certify(problem, {**point, ANCHOR: np.array([9.0, 0.0])}, 1e-12).facts["lower_bound"] == alone


def test_an_oracle_that_fails_is_no_verdict():
    def broken(x):
        return float(x @ x) / (x.any() or 1 // 0)

    problem = composite(
        variables={"x": {"shape": 2, "start": 1}}, smooth=(broken, lambda x: 2 * x), simple="0.5*sum(x**2)"
    )
    assert certify(problem, {"x": np.zeros(2)}).unverified == "ZeroDivisionError: integer division or modulo by zero"


def test_what_is_no_point_is_named():
    problem = shrinkage()
    assert certify(problem, {}).unverified == "block 'x' is missing"
    assert "shape (3,)" in certify(problem, {"x": np.zeros(3)}).unverified
    assert certify(problem, {"x": np.array([np.inf, 0.0])}).unverified == "the point is not finite"
    assert certify(problem, {"x": "text"}).unverified


@pytest.mark.parametrize("unit", [1.0, 1e4])
def test_a_point_that_rounding_put_outside_is_judged_at_the_nearest_inside(unit):
    """min -sum x over [-u, u]^2, strongly: x = u, and a little more is within what feasibility tolerates."""
    problem = composite(
        variables={"x": {"shape": 2, "lower": -unit, "upper": unit}}, smooth=f"-{3 * unit}*sum(x)", simple="sum(x**2)"
    )
    inside = certify(problem, {"x": np.full(2, unit)})
    outside = certify(problem, {"x": np.full(2, unit + 5e-7 * (1 + unit))})
    assert inside.status is outside.status is CERTIFIED
    assert outside.facts["objective"] == pytest.approx(-4 * unit**2)
    assert outside["feasibility"].value == pytest.approx(5e-7 * (1 + unit), rel=1e-6)
    assert outside["feasibility"].scaling == pytest.approx(1 + unit)
    far = certify(problem, {"x": np.full(2, unit + 5e-6 * (1 + unit))})
    assert far.status is PointStatus.INFEASIBLE
    assert [term.name for term in far.terms] == ["feasibility"]


def test_a_value_that_is_not_finite_is_no_verdict_where_the_point_is_feasible():
    problem = composite(
        variables={"x": {"shape": 1}}, smooth=(lambda x: float("inf"), lambda x: np.zeros(1)), simple="0.5*sum(x**2)"
    )
    assert certify(problem, {"x": np.zeros(1)}).unverified == "Psi is inf at the point"


CORNER = np.array([1.0, -1.0])


def chebyshev():
    """min max |x_i - c_i| + |x|^2 / 2 with c = (1, -1): x = c / 2 between two kinks of weight 1/2."""

    def steepest(x):
        k = np.abs(x - CORNER).argmax()
        return np.eye(2)[k] * np.sign(x - CORNER)[k]

    kinked = (lambda x: float(np.abs(x - CORNER).max()), steepest)
    return composite(variables={"x": {"shape": 2}}, nonsmooth=kinked, simple="0.5*sum(x**2)")


CUT = 0.5 * CORNER + 1e-9 * np.array([[-1.0, 0.0], [0.0, 1.0]])


def test_cuts_are_weighed_by_their_shares_whatever_their_sum():
    problem, x = chebyshev(), 0.5 * CORNER
    for weights in ([0.5, 0.5], [7.0, 7.0], [1e-3, 1e-3]):
        found = certify(problem, {"x": x, CUTS: CUT, WEIGHTS: np.array(weights)})
        assert found.status is CERTIFIED
        assert found["gap"].note == ""
    for share in (0.2, 0.9):  # the bound is 1 - |slope|^2 / 2 with slope (-share, 1 - share)
        found = certify(problem, {"x": x, CUTS: CUT, WEIGHTS: np.array([share, 1 - share])})
        lower = 1 - 0.5 * (share**2 + (1 - share) ** 2)
        assert found.facts["lower_bound"] == pytest.approx(lower, abs=1e-8)
    only = certify(problem, {"x": x, CUTS: CUT, WEIGHTS: np.array([-1.0, 0.5])})  # a negative one is none
    assert only.facts["lower_bound"] == pytest.approx(0.5, abs=1e-8)


@pytest.mark.parametrize(
    ("cuts", "weights"),
    [
        (CUT, np.array([-1.0, -1.0])),
        (CUT, np.array([np.inf, 1.0])),
        (CUT, np.ones(3)),
        (np.full((2, 2), np.nan), np.ones(2)),
        (np.zeros((2, 3)), np.ones(2)),
        (CUT, None),
        (None, np.ones(2)),
    ],
)
def test_cuts_that_are_none_leave_the_one_at_x(cuts, weights):
    problem, x = chebyshev(), 0.5 * CORNER
    given = {name: value for name, value in ((CUTS, cuts), (WEIGHTS, weights)) if value is not None}
    alone, found = certify(problem, {"x": x}), certify(problem, {"x": x, **given})
    assert alone["gap"].note == "h is linearized at x alone: no cuts were given"
    assert found["gap"].value == alone["gap"].value == pytest.approx(0.25, abs=1e-8)


def test_a_loss_of_rows_with_useless_cuts_is_bounded_by_its_dual():
    case = machine(1)
    point = {**case.problem.blocks(case.x), CUTS: 10 + np.zeros((1, 6)), WEIGHTS: np.ones(1)}
    assert certify(case.problem, point).status is CERTIFIED
    cut = certify(case.problem, {**point, CUTS: case.x[None, :]}, tol=10.0)  # good enough for this tolerance
    assert cut.status is CERTIFIED
    assert "dual" not in cut["gap"].note


def test_the_better_bound_of_cuts_and_dual_counts(monkeypatch):
    """Without steps the dual is zero, and one cut at x is better; with them it is worse."""
    case = machine(1)
    x = case.x + 0.01
    point = {**case.problem.blocks(x), CUTS: x[None, :], WEIGHTS: np.ones(1)}
    line = bound.Linearized.at(case.problem, x)
    cut = bound.with_cuts(case.problem, line, x[None, :], np.ones(1))
    own = certify(case.problem, point)
    assert own.facts["lower_bound"] > cut + 1e-3
    assert own["gap"].note == "the dual is the certificate's own"
    monkeypatch.setattr(certificate, "ASCENT", 0)
    found = certify(case.problem, point)
    assert found.facts["lower_bound"] == pytest.approx(cut, rel=1e-12)
    assert found["gap"].note == ""
    del point[CUTS]
    assert cut > 1e-3
    assert certify(case.problem, point).facts["lower_bound"] == pytest.approx(0.0, abs=1e-9)


def test_how_far_the_bound_is_to_hold():
    """Over all of a bounded X, or where ||u||_1 <= Psi(x) / w, which is at most that and ||x|| away; or ten sizes."""
    for case in (ball(0), wide(0), fused(0, mu=0.0)):
        x = case.x + 0.05
        near = certificate._near(case.problem, x, case.psi(x))
        size = np.linalg.norm(x)
        corner = float(np.linalg.norm(np.maximum(1 - x, x + 2)))
        radius = {"ball": 0.7 + size, "wide": case.psi(x) / 0.1 + size, "fuse": corner}[case.name[:4]]
        assert (near.radius, near.everywhere) == (pytest.approx(radius), True)
    plain = composite(variables={"x": {"shape": 2}}, smooth="x[0]", simple="norm1(x)")  # f may be below zero
    near = certificate._near(plain, np.array([3.0, 4.0]), 10.0)
    assert (near.radius, near.everywhere) == (60.0, False)


@pytest.mark.parametrize("form", [wide, ball], ids=lambda form: form.__name__)
def test_a_level_set_that_is_bounded_needs_no_warning(form):
    case = form(2)
    assert "holds up to the distance" not in certify(case.problem, case.problem.blocks(case.x))["gap"].note


def test_where_nothing_bounds_the_level_set_the_note_says_how_far_it_holds():
    """min |Ax - b|^2 / (2 m) of fewer rows than columns: the radius is ten times 1 + |x|."""
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((3, 5)), rng.standard_normal(3)
    problem = composite(
        variables={"x": {"shape": 5}}, data={"A": A, "b": b}, smooth={"least_squares": {"matrix": "A", "targets": "b"}}
    )
    x = np.linalg.lstsq(A, b, rcond=None)[0]
    found = certify(problem, {"x": x})
    assert found.status is CERTIFIED
    radius = 10 * (1 + np.linalg.norm(x))
    assert found["gap"].note == (
        f"chi is not strongly convex: on an unbounded X it holds up to the distance {radius:.3g} of x"
    )
    assert "distance_bound" not in found.facts
    d = A.T @ np.array([1.0, 0, 0])  # downhill for good: not certified within the radius
    wrong = certify(problem, {"x": x + 0.1 * d / np.linalg.norm(d)})
    assert wrong.status is PointStatus.FEASIBLE


class Hasty(Euclidean):
    """Steps a little too far."""

    def step(self, g, centre, weight):
        return 1.01 * super().step(g, centre, weight)


class Heavier(L1):
    """Its proximal map is that of another weight."""

    def prox(self, v, step):
        return super().prox(v, 1.2 * step)


def test_a_chi_or_g_whose_map_is_another_s_is_seen():
    case = lasso(0)
    right = case.problem.simple
    wrong = replace(case.problem, simple=Hasty(right.size, right.rest, right.strong, right.slope))
    found = certify(wrong, case.problem.blocks(case.x))["oracles"]
    assert not found.ok
    assert found.value == 1.0
    assert found.note == "worst: chi: its step and value"
    K = np.random.default_rng(0).standard_normal((3, 2))
    for outer, ok in ((L1(0.5), True), (Heavier(0.5), False)):
        problem = shrinkage(nonsmooth=(K, outer))
        assert certify(problem, {"x": np.array([0.3, -0.2])})["oracles"].ok == ok


@pytest.mark.parametrize(("factor", "ok"), [(1.0, True), (1 + 1e-9, True), (1 + 1e-6, False), (-1.0, False)])
def test_k_and_its_transpose_agree_to_1e_8(factor, ok):
    case = fused(2)
    structured = case.problem.structured

    class Twisted(type(structured)):
        def adjoint(self, y):
            return factor * super().adjoint(y)

    broken = replace(case.problem, structured=Twisted(structured.linear, structured.outer))
    found = certify(broken, case.problem.blocks(case.x))["oracles"]
    assert found.ok == ok
    if not ok:
        assert found.value == 1.0  # wrong as a whole
        assert found.note == "K and K' are not transposes of each other"


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("which", ["smooth", "nonsmooth"])
def test_an_own_part_that_is_convex_passes_and_one_that_bends_down_does_not(which, scale):
    x = np.array([0.3, -0.7])
    parts = {"bowl": (lambda x: scale * float(x @ x), lambda x: 2 * scale * x, True),
             "saddle": (lambda x: scale * float(x[0] ** 2 - x[1] ** 2), lambda x: 2 * scale * x * [1, -1], False),
             "flat": (lambda x: 0.0, lambda x: np.zeros(2), True)}  # fmt: skip
    for value, gradient, convex in parts.values():
        problem = composite(variables={"x": {"shape": 2}}, simple="sum(x**2)", **{which: (value, gradient)})
        found = certify(problem, {"x": x})
        assert found["oracles"].ok
        assert found["convexity"].ok == convex
        assert found["convexity"].value == pytest.approx(0.0 if convex else 0.5, abs=0.5)
        assert convex == (found["convexity"].value == 0.0)


@pytest.mark.parametrize("which", ["smooth", "nonsmooth"])
def test_the_worst_oracle_is_named(which):
    problem = composite(
        variables={"x": {"shape": 2}}, simple="sum(x**2)", **{which: (lambda x: float(x @ x), lambda x: 2.1 * x)}
    )
    found = certify(problem, {"x": np.array([0.3, -0.7])})["oracles"]
    assert not found.ok
    assert found.note == f"worst: {'f' if which == 'smooth' else 'h'}"


def test_formulas_of_the_core_s_own_are_not_looked_at(monkeypatch):
    def unasked(*arguments):
        raise AssertionError("convexity was looked at")

    monkeypatch.setattr(certificate, "_below", unasked)
    for case in (lasso(0), robust(0), machine(0), portfolio(0)):
        found = certify(case.problem, case.problem.blocks(case.x), 1e-5)
        assert found["convexity"].value == 0.0
        assert found["oracles"].value <= 1e-6


@pytest.mark.parametrize(("work", "given", "steps"), [(1.0, False, 30), (2e8, False, 1000), (2e8, True, 200)])
def test_steps_on_the_dual_are_bounded_by_the_size_and_fewer_from_a_given_one(monkeypatch, work, given, steps):
    monkeypatch.setattr(certificate, "WORK", work)
    case = fused(4)
    problem = counted(case.problem)
    point = case.problem.blocks(case.x + 0.01)
    if given:
        point[DUAL] = np.zeros(problem.structured.rows)
    certify(problem, point)
    looks = steps // 10 + 40  # at the bound, for the norm of K and for oracles
    assert steps <= problem.structured.calls <= steps + looks


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_what_lies_below_a_linearization_is_relative_to_all_that_enters(scale):
    """-x^2 from 1 to 2: -1 - 2 is 1 above -4, of 1 + 4 + 2; from 2 to 1 it is 1 of 4 + 1 + 4."""

    def below(z, w):
        return certificate._below(
            lambda x: -scale * float(x @ x), lambda x: -2 * scale * x, np.array([z]), np.array([w])
        )

    assert below(1.0, 2.0) == pytest.approx(1 / 7)
    assert below(2.0, 1.0) == pytest.approx(1 / 9)
    assert below(0.0, 0.0) == 0.0
    bowl = certificate._below(lambda x: float(x @ x), lambda x: 2 * x, np.array([1.0]), np.array([2.0]))
    assert bowl == 0.0
