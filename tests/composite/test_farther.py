"""Points far away: slopes below the tolerance that go on for ever are seen, and answers stay what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from solverkit.kinds.base import PointStatus
from solverkit.kinds.composite import composite, farther
from solverkit.kinds.composite.certificate import certify
from tests.composite.cases import FORMS

ROWS = np.array([[1.0, 2.0, -1.0], [0.5, -1.0, 3.0]])
FLAT = np.array([5.0, -3.5, -2.0])  # ROWS @ FLAT = 0


def made(smooth: str, **parts: Any) -> Any:
    given = {"shape": 3, **parts.pop("bounds", {})}
    return composite(variables={"x": given}, data={"A": ROWS, "c": FLAT}, smooth=smooth, **parts)


@pytest.mark.parametrize("slope", [1e-7, 1e-9, 1e-11])
@pytest.mark.parametrize(
    "problem",
    [
        lambda s: made(f"{s}*x[0]"),
        lambda s: made(f"normsq(A @ x) + {s}*dot(c, x)"),
        lambda s: made(f"-{s}*x[0] + x[1] + x[2]", bounds={"lower": 0}),
        lambda s: made(f"{s}*dot(c, x)", nonsmooth="sum(abs(A @ x))"),
    ],
    ids=["linear", "quadratic", "bounds", "rows"],
)
def test_a_problem_that_falls_for_ever_has_no_answer(problem: Any, slope: float) -> None:
    given = problem(slope)
    verdict = certify(given, given.blocks(np.zeros(3)), 1e-6)
    assert verdict.status is PointStatus.FEASIBLE
    assert not verdict["gap"].ok


def test_the_note_says_how_much_lower_and_where() -> None:
    problem = made("1e-9*x[0]")
    gap = certify(problem, problem.blocks(np.zeros(3)), 1e-6)["gap"]
    assert gap.value == pytest.approx(0.01)
    assert gap.note == "Psi is lower by 0.01 at the distance 1e+07 of x"


def test_an_h_that_is_code_is_gone_along_too() -> None:
    problem = made("0*x[0]", nonsmooth=(lambda x: 1e-9 * x[1], lambda x: np.array([0.0, 1e-9, 0.0])))
    assert not certify(problem, problem.blocks(np.zeros(3)), 1e-6)["gap"].ok


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_no_point_far_away_is_better_than_an_answer(form: Any) -> None:
    """Against answers to 1e-9: what is gained is no more than their own error."""
    for seed in range(3):
        case = form(seed)
        problem = case.problem
        norm = 0.0 if problem.structured is None else 2 * float(np.linalg.norm(_dense(problem), 2))

        def within(z: np.ndarray, problem: Any = problem) -> np.ndarray:
            z = np.maximum(z, 1e-300) if problem.simple.geometry == "entropy" else z
            return problem.simple.step(np.zeros_like(z), z, 1e12)

        gain, _ = farther.drop(problem, case.x, case.value, norm, within)
        assert gain <= 1e-9 * (1 + abs(case.value))


def test_a_point_that_is_better_is_told_with_its_distance() -> None:
    """f = (x - 1000)^2 / 2 at 0: on the way downhill a share is 1000."""
    problem = composite(variables={"x": {"shape": 1}}, smooth="0.5*(x[0] - 1000)**2")
    assert farther.drop(problem, np.zeros(1), 5e5, 0.0, lambda z: z) == (pytest.approx(5e5), pytest.approx(1000))


def test_where_nothing_slopes_there_is_no_way() -> None:
    problem = made("0*x[0]")
    assert farther.drop(problem, np.ones(3), 0.0, 0.0, lambda z: z) == (0.0, 0.0)


def _dense(problem: Any) -> np.ndarray:
    return np.array([problem.forward(unit) for unit in np.eye(problem.n)])


@pytest.mark.parametrize(("from_where", "fall"), [(9e6, 0.0), (0.0, 1e-3)])
def test_a_fall_of_which_nothing_shows_on_the_way_is_rounding(from_where: float, fall: float) -> None:
    """f = -1e-10 x_0 beyond a distance: sums lose their digits far away, and convex functions do not jump."""
    value = lambda x: -1e-10 * x[0] if x[0] > from_where else 0.0  # noqa: E731
    problem = composite(variables={"x": {"shape": 1}}, smooth=(value, lambda x: np.array([-1e-10])))
    gain, distance = farther.drop(problem, np.zeros(1), 0.0, 0.0, lambda z: z)
    assert gain == pytest.approx(fall)
    assert distance == pytest.approx(1e7 if fall else 0)
