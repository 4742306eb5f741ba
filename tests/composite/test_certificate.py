"""Right answers are certified and wrong ones are not; the certified gap is never below the true one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("cvxpy")

from solverkit.kinds.base import PointStatus
from solverkit.kinds.composite import bound, certificate, composite
from solverkit.kinds.composite.certificate import certify
from solverkit.kinds.composite.problem import ANCHOR, CUTS, DUAL, WEIGHTS, Composite
from tests.composite.cases import FORMS, Case, fused, lasso, machine, portfolio

CERTIFIED = PointStatus.CERTIFIED
PER_FORM = 6  # 54 problems
WRONG = 8  # points a form; `python -m tests.composite.wrong_points` has 1,000 of each


def nearby(case: Case, rng: np.random.Generator, size: float) -> np.ndarray:
    """A feasible point at about that distance."""
    moved = case.x + size * rng.standard_normal(len(case.x))
    if case.problem.simple.geometry == "entropy":
        moved = np.maximum(moved, 1e-9)
        return moved / moved.sum()
    return case.problem.simple.step(np.zeros_like(moved), moved, 1e12)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_the_gap_is_never_below_the_true_one(form: Callable[[int], Case]) -> None:
    """Against Clarabel to 1e-9: at points near and far, with duals that are right, rough and wild."""
    for seed in range(PER_FORM):
        case = form(seed)
        rng = np.random.default_rng(seed)
        for size in (0.0, 1e-3, 1.0):
            x = nearby(case, rng, size)
            point = case.problem.blocks(x)
            if case.problem.structured is not None and size > 0:
                point[DUAL] = 10.0 ** rng.uniform(-3, 3) * rng.standard_normal(case.problem.structured.rows)
                point[ANCHOR] = nearby(case, rng, 10 * size)
            certificate = certify(case.problem, point, 1e-8)
            assert not certificate.unverified, certificate.unverified
            true = case.psi(x) - case.value
            assert certificate["gap"].value >= true - 1e-9 * (1 + abs(case.value)), (case.name, size)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_the_answer_is_certified_without_a_dual_and_wrong_points_are_not(form: Callable[[int], Case]) -> None:
    case = form(100)
    verdict = certify(case.problem, case.problem.blocks(case.x), 1e-5)
    assert verdict.status is CERTIFIED, [(term.name, term.value, term.note) for term in verdict.terms]
    rng, tol, tried = np.random.default_rng(0), 1e-5, 0
    while tried < WRONG:
        x = nearby(case, rng, 10.0 ** rng.uniform(-3, 1))
        if case.psi(x) - case.value > 1.01 * tol * (1 + abs(case.psi(x))):
            assert certify(case.problem, case.problem.blocks(x), tol).status is not CERTIFIED
            tried += 1


@pytest.mark.parametrize("unit", [1e-3, 1e3])
def test_units(unit: float) -> None:
    case = fused(3, unit=unit)
    assert certify(case.problem, case.problem.blocks(case.x), 1e-5).status is CERTIFIED


def test_no_dual_anchor_or_cut_makes_a_wrong_point_look_right() -> None:
    case = fused(0)
    rng = np.random.default_rng(0)
    x = nearby(case, rng, 0.3)
    rows = case.problem.structured.rows  # type: ignore[union-attr]
    for k in range(60):
        point = case.problem.blocks(x)
        point[DUAL] = [np.full(rows, 1e300), np.full(rows, np.nan), 1e9 * rng.standard_normal(rows)][k % 3]
        point[ANCHOR] = [np.full(20, np.inf), 1e8 * rng.standard_normal(20), case.x][k % 3]
        point[CUTS] = rng.standard_normal((5, 20))
        point[WEIGHTS] = [np.full(5, -1.0), np.full(5, 1e300), np.full(5, np.nan)][k % 3]
        assert certify(case.problem, point, 1e-6).status is not CERTIFIED
    point[DUAL] = np.zeros(rows + 1)  # of another length: not used
    assert certify(case.problem, point, 1e-6).status is not CERTIFIED


def test_what_breaks_the_set_is_infeasible() -> None:
    case = fused(1)
    x = case.x.copy()
    x[0] = 1.1
    assert certify(case.problem, case.problem.blocks(x)).status is PointStatus.INFEASIBLE
    assert certify(case.problem, {"x": np.full(20, np.nan)}).status is PointStatus.UNVERIFIED
    assert certify(case.problem, {"y": x}).status is PointStatus.UNVERIFIED
    assert certify(case.problem, {"x": x[:-1]}).status is PointStatus.UNVERIFIED


def test_an_entropy_takes_what_is_below_zero_by_less_than_the_tolerance() -> None:
    """x log x is no number there; the point is moved into the simplex before."""
    case = portfolio(0)
    least = int(np.argmin(case.x))
    x = case.x.copy()
    x[least], x[least - 1] = -5e-8, x[least - 1] + x[least] + 5e-8
    verdict = certify(case.problem, case.problem.blocks(x), 1e-6)
    assert not verdict.unverified
    assert verdict["feasibility"].ok
    assert 0 <= verdict["gap"].value < 1e-3


def test_an_f_that_is_not_convex_or_has_a_wrong_gradient_is_not_certified() -> None:
    start = {"x": {"shape": 3, "lower": -1, "upper": 1, "start": 0.5}}
    bent = composite(variables=start, smooth="sum(x**4) - 2*sum(x**2)", simple="0.001*sum(x**2)")
    assert not certify(bent, {"x": np.ones(3)})["convexity"].ok
    wrong = composite(variables=start, smooth=(lambda x: float(x @ x), lambda x: 1.1 * x), simple="0.001*sum(x**2)")
    assert not certify(wrong, {"x": np.full(3, 0.5)})["oracles"].ok
    nothing = composite(
        variables=start, smooth=(lambda x: float("nan"), lambda x: np.full(3, np.nan)), simple="0.001*sum(x**2)"
    )
    assert certify(nothing, {"x": np.zeros(3)}).status is PointStatus.UNVERIFIED


def dented(width: float, depth: float) -> tuple[Composite, np.ndarray]:
    """x'x with a dent at (1/2, 1/2, 1/2), and the local minimizer in it, which is no global one."""
    centre = np.full(3, 0.5)

    def fall(x: np.ndarray) -> float:
        return depth * float(np.exp(-((x - centre) @ (x - centre)) / width**2))

    f = (lambda x: float(x @ x) - fall(x), lambda x: 2 * x + 2 * fall(x) / width**2 * (x - centre))
    x = centre
    for _ in range(100):  # where the gradient of f + 0.001 x'x is zero
        x = centre - 1.001 * width**2 / fall(x) * x
    return composite(variables={"x": {"shape": 3}}, smooth=f, simple="0.001*sum(x**2)"), x


@pytest.mark.parametrize(("width", "depth"), [(0.001, 0.004), (0.05, 0.2)])
def test_a_dent_in_f_is_seen_from_within(width: float, depth: float) -> None:
    problem, x = dented(width, depth)
    assert problem.objective({"x": x}) > 0.5
    verdict = certify(problem, {"x": x}, 1e-5)
    assert verdict["gap"].ok
    assert not verdict["convexity"].ok
    assert certify(problem, {"x": x}, 1e-5, seed=1).status is not CERTIFIED


def test_a_wrong_subgradient_and_a_wrong_transpose_are_seen() -> None:
    start = {"x": {"shape": 3}}
    signs = composite(
        variables=start, nonsmooth=(lambda x: float(np.abs(x).sum()), lambda x: -np.sign(x)), simple="0.5*sum(x**2)"
    )
    assert certify(signs, {"x": np.ones(3)}).status is not CERTIFIED
    assert not certify(signs, {"x": np.ones(3)})["oracles"].ok
    case = fused(2)

    class Twisted(type(case.problem.structured)):  # type: ignore[misc]
        def adjoint(self, y: np.ndarray) -> np.ndarray:
            return 1.01 * super().adjoint(y)

    structured = Twisted(case.problem.structured.linear, case.problem.structured.outer)  # type: ignore[union-attr]
    broken = replace(case.problem, structured=structured)
    assert not certify(broken, case.problem.blocks(case.x))["oracles"].ok


def test_cuts_bound_an_h_without_structure() -> None:
    """max |x_i - c_i| by its cuts: the minimizer's own kinks certify it, one cut does not."""
    c = np.array([1.0, -1.0])
    problem = composite(
        variables={"x": {"shape": 2}},
        nonsmooth=(
            lambda x: float(np.abs(x - c).max()),
            lambda x: np.eye(2)[np.abs(x - c).argmax()] * np.sign(x - c)[np.abs(x - c).argmax()],
        ),
        simple="0.5*sum(x**2)",
    )
    x = 0.5 * c  # |x - c| is 1/2 in both entries; subgradients -e_1 and e_2, half of each is -x
    point = problem.blocks(x)
    assert certify(problem, point).status is not CERTIFIED
    point[CUTS] = x + 1e-9 * np.array([[-1.0, 0.0], [0.0, 1.0]])
    point[WEIGHTS] = np.array([0.5, 0.5])
    assert certify(problem, point).status is CERTIFIED
    point[WEIGHTS] = np.array([0.9, 0.1])
    assert certify(problem, point).status is not CERTIFIED


def test_a_loss_of_rows_is_bounded_by_its_own_dual() -> None:
    case = machine(0)
    verdict = certify(case.problem, case.problem.blocks(case.x), 1e-6)
    assert verdict.status is CERTIFIED
    assert "own" in verdict["gap"].note


def test_the_distance_bound_holds() -> None:
    for case in (fused(5), lasso(5)):
        x = nearby(case, np.random.default_rng(1), 0.01)
        distance = float(certify(case.problem, case.problem.blocks(x)).facts["distance_bound"])
        assert np.linalg.norm(x - case.x) <= distance + 1e-9


def test_the_bound_near_a_point_is_the_brute_force_one() -> None:
    """min over a disc of <s, u> + |u|_1 against a fine grid of it."""
    problem = composite(variables={"x": {"shape": 2}}, smooth="dot(x, x)", simple="norm1(x)")
    rng = np.random.default_rng(0)
    side = np.linspace(-1, 1, 801)
    disc = np.array(np.meshgrid(side, side)).reshape(2, -1).T
    disc = disc[(disc**2).sum(axis=1) <= 1]
    for _ in range(20):
        slope, x, radius = 3 * rng.standard_normal(2), rng.standard_normal(2), rng.uniform(0.1, 3)
        u = x + radius * disc
        least = (u @ slope + np.abs(u).sum(axis=1)).min()
        found = bound.lowest_near(problem.simple, slope, bound.Near(x, radius))
        assert found <= least + 1e-9
        assert found >= least - 0.02 * (1 + np.linalg.norm(slope)) * radius


def test_a_bound_that_is_no_number_hides_none_that_is(monkeypatch: pytest.MonkeyPatch) -> None:
    case = machine(0)
    monkeypatch.setattr(certificate, "_with_dual", lambda *_: (np.nan, "no number"))
    monkeypatch.setattr(certificate, "_with_cuts", lambda *_: (case.value - 2.0, "by cuts"))
    point = case.problem.blocks(case.x) | {CUTS: case.x[None, :], WEIGHTS: np.ones(1)}  # both bounds are had
    gap = certify(case.problem, point, 1e-6)["gap"]
    assert gap.value == pytest.approx(2.0, rel=1e-9)
    assert "by cuts" in gap.note


@pytest.mark.parametrize(("short", "sought"), [(0.5, False), (1.5, True)])
def test_no_better_bound_is_sought_than_the_tolerance_asks(
    monkeypatch: pytest.MonkeyPatch, short: float, sought: bool
) -> None:
    """The tolerance is one of 1 + |Psi|; here Psi is about 100."""
    tol, asked = 1e-4, []
    problem = composite(variables={"x": {"shape": 3}}, smooth="sum((x - 1)**2) + 100", simple="1e-3*norm1(x)")
    x = np.full(3, 1 - 5e-4)
    value = problem.objective(problem.blocks(x))
    found = (value - short * tol * (1 + value), "")
    monkeypatch.setattr(certificate, "_with_cuts", lambda *_: found)
    monkeypatch.setattr(certificate, "_polished", lambda *_: asked.append(1) or found)
    certify(problem, problem.blocks(x), tol)
    assert bool(asked) is sought
