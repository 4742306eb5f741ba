"""Right answers are certified and wrong ones are not, in any units; what cannot be checked says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.base import PointStatus
from solverkit.kinds.inclusion import Inclusion, finite_sum, game, inclusion, linear_program, saddle, sequence_form
from solverkit.kinds.inclusion.certificate import block_diameter, certify, diameter
from solverkit.kinds.inclusion.local import look
from solverkit.operators.proximal import Box, L1Ball, L2Ball, Simplex
from tests.inclusion.adversary import wrong_points
from tests.inclusion.cases import (
    CASES,
    Case,
    equilibrium,
    game_case,
    kuhn_case,
    operator_case,
    program_case,
    saddle_case,
)

CHEAP = {"game": 1000, "linear-program": 1000, "sequence-form": 40, "finite-sum": 20}
FEW = 150  # wrong points of the other forms; tests/figures/inclusion/wrong_points.py has 1,000 of each
CERTIFIED, FEASIBLE, INFEASIBLE, UNVERIFIED = (
    PointStatus.CERTIFIED,
    PointStatus.FEASIBLE,
    PointStatus.INFEASIBLE,
    PointStatus.UNVERIFIED,
)


def status(problem: Inclusion, u: np.ndarray, tol: float = 1e-6) -> PointStatus:
    return certify(problem, problem.blocks(np.asarray(u, dtype=float)), tol).status


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_answer_is_certified_and_wrong_ones_are_not(case: Case) -> None:
    assert case.error(case.u) < 1e-8
    assert status(case.problem, case.u) is CERTIFIED
    for u in wrong_points(case, CHEAP.get(case.name, FEW), least=1e-4):
        assert status(case.problem, u) is not CERTIFIED, case.error(u)


UNITS = [
    game_case(1e6),
    game_case(1e-6),
    game_case(1.0, shift=1e3),
    program_case(1, unit=1e-5),
    program_case(2, unit=1e5),
    program_case(3, cost=1e-6),
    program_case(4, unit=1e-4, cost=1e-4),
    program_case(5, unit=1e4, cost=1e5),
    saddle_case(1e6),
    saddle_case(1e-6),
    operator_case(1e6),
    operator_case(1e-6),
]


@pytest.mark.parametrize("case", UNITS, ids=lambda case: case.name)
def test_units_change_nothing(case: Case) -> None:
    assert status(case.problem, case.u) is CERTIFIED
    for u in wrong_points(case, 60, least=1e-4):
        assert status(case.problem, u) is not CERTIFIED, case.error(u)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 3), (5, 2), (7, 9)])
@pytest.mark.parametrize("seed", range(4))
def test_the_bracket_of_a_game_holds_its_value(shape: tuple[int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    A = np.round(rng.standard_normal(shape), seed)
    x, y, value = equilibrium(A)
    problem = game(A)
    facts = certify(problem, {"x": x, "y": y}).facts
    assert float(facts["gap_absolute"]) <= 1e-9 * (1 + abs(A).max())
    for _ in range(20):
        point = {"x": rng.dirichlet(np.ones(shape[0])), "y": rng.dirichlet(np.ones(shape[1]))}
        certificate = certify(problem, point)
        facts = certificate.facts
        assert float(facts["value_lower"]) <= value + 1e-9
        assert value - 1e-9 <= float(facts["value_upper"])
        gap = (point["x"] @ A).max() - (A @ point["y"]).min()
        np.testing.assert_allclose(certificate["gap"].value, gap, atol=1e-12)


def test_the_bracket_of_poker_holds_its_value() -> None:
    case = kuhn_case()
    rng = np.random.default_rng(0)
    for _ in range(10):
        point = case.problem.blocks(case.u + 0.1 * rng.standard_normal(len(case.u)))
        facts = certify(case.problem, point).facts  # the bracket is that of feasible plans near the point
        assert float(facts["value_lower"]) <= -1 / 18 + 1e-12 <= float(facts["value_upper"]) + 2e-12


def test_infeasible_strategies_are_infeasible() -> None:
    problem = game([[0.0, 1.0], [1.0, 0.0]])
    half = np.array([0.5, 0.5])
    assert certify(problem, {"x": half, "y": half}).status is CERTIFIED
    assert certify(problem, {"x": 1.001 * half, "y": half}).status is INFEASIBLE
    assert certify(problem, {"x": half + np.array([0.6, -0.6]), "y": half}).status is INFEASIBLE
    assert certify(problem, {"x": 0 * half, "y": half}).status is INFEASIBLE
    assert certify(problem, {"x": half + np.array([0.1, -0.1]), "y": half}).status is FEASIBLE


def test_linear_programs_report_both_values() -> None:
    problem = linear_program([3, 5], [[1, 0], [0, 2], [3, 2]], -np.inf, [4, 12, 18], constant=7, maximize=True)
    certificate = certify(problem, {"x": np.array([2.0, 6.0]), "y": np.array([0.0, 1.5, 1.0])})
    assert certificate.status is CERTIFIED
    assert certificate.facts["objective"] == pytest.approx(43)
    assert certificate.facts["dual_objective"] == pytest.approx(43)


def test_a_dual_on_a_missing_side_is_no_dual() -> None:
    problem = linear_program([1.0], [[1.0]], -np.inf, 5.0, lower=-np.inf)  # unbounded
    for y in (-1.0, 0.0, 1.0):
        assert certify(problem, {"x": np.array([5.0]), "y": np.array([y])}).status is not CERTIFIED


def test_what_is_not_monotone_near_the_point_is_unverified() -> None:
    bent = inclusion("u**3 - u", {"u": {"start": 3}}, monotone=False)
    assert certify(bent, {"u": np.array(1.0)}).status is CERTIFIED
    assert certify(bent, {"u": np.array(1.0)}).facts["monotone"] == "not claimed"
    claimed = replace(bent, monotone=True)
    verdict = certify(claimed, {"u": np.array(0.0)})
    assert verdict.status is UNVERIFIED
    assert "not monotone" in verdict.unverified


def test_the_bound_on_the_gap_holds() -> None:
    """<F(w), u+ - w> <= diameter * distance for every w of a monotone problem's domain."""
    case = saddle_case()
    problem = replace(case.problem, sets=(case.problem.sets[1], case.problem.sets[1]))
    rng = np.random.default_rng(0)
    for _ in range(20):
        u = rng.uniform(-1, 1, 4)
        facts = certify(problem, problem.blocks(u)).facts
        step = float(facts["step"])
        ahead = problem.resolvent(u - step * problem.operator(u), step)
        gaps = [problem.operator(w) @ (ahead - w) for w in rng.uniform(-1, 1, (200, 4))]
        assert max(gaps) <= float(facts["gap_bound"]) + 1e-12
    assert diameter(problem) == pytest.approx(np.sqrt(16))
    assert diameter(case.problem) == np.inf


@pytest.mark.parametrize("case", [saddle_case(), operator_case()], ids=lambda case: case.name)
def test_the_distance_is_that_to_the_image(case: Case) -> None:
    """F(u+) + g+ with g+ normal to the sets at u+, by brute force over the sets' other points."""
    problem, rng = case.problem, np.random.default_rng(0)
    for _ in range(10):
        u = problem.resolvent(case.u + rng.standard_normal(len(case.u)), 1.0)
        facts = certify(problem, problem.blocks(u)).facts
        step = float(facts["step"])
        ahead = problem.resolvent(u - step * problem.operator(u), step)
        g = (u - ahead) / step - problem.operator(u)
        assert float(facts["distance"]) == pytest.approx(float(np.linalg.norm(problem.operator(ahead) + g)))
        for other in rng.standard_normal((100, len(u))):
            assert g @ (problem.resolvent(3 * other, 1.0) - ahead) <= 1e-9 * (1 + abs(g).max())
        assert float(facts["distance"]) <= (1 + 1e-9) * 2 * float(facts["natural_residual_norm"])


def test_steepness_and_bends_are_seen() -> None:
    M = np.diag([1.0, 100.0, 0.0]) + np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 0.0]])
    near = look(inclusion("M @ u", {"u": {"shape": 3}}, data={"M": M}), np.ones(3))
    assert near.lipschitz == pytest.approx(np.linalg.norm(M, 2))
    assert near.bend == 0
    skew = inclusion(
        "M @ u + 1",
        {"u": {"shape": 200}},
        data={"M": np.triu(np.ones((200, 200)), 1) - np.tril(np.ones((200, 200)), -1)},
    )
    assert look(skew, np.full(200, 0.3)).bend == 0
    bent = replace(skew, part=inclusion("-1e-3*u", {"u": {"shape": 200}}, monotone=False).part)
    assert look(bent, np.ones(200)).bend == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("point", "word"),
    [
        ({"x": np.ones(2) / 2}, "missing"),
        ({"x": np.ones(3), "y": np.ones(2)}, "shape"),
        ({"x": np.array([np.nan, 1.0]), "y": np.ones(2)}, "finite"),
        ({"x": np.array([np.inf, 1.0]), "y": np.ones(2)}, "finite"),
    ],
)
def test_points_that_are_none(point: dict[str, np.ndarray], word: str) -> None:
    verdict = certify(game([[0.0, 1.0], [1.0, 0.0]]), point)
    assert verdict.status is UNVERIFIED
    assert word in verdict.unverified


class Wrong:
    """An operator with one oracle off."""

    def __init__(self, part: Any, **changed: Any) -> None:
        self.part, self.changed = part, changed

    def __getattr__(self, name: str) -> Any:
        return self.changed[name] if name in self.changed else getattr(self.part, name)

    def to(self, device: str, dtype: str) -> Any:
        return self


@pytest.mark.parametrize("case", [case for case in CASES if case.problem.count > 1], ids=lambda case: case.name)
def test_components_that_do_not_average_to_F_are_seen(case: Case) -> None:
    part = case.problem.part
    first = part.components(case.u, np.array([0]))

    def off(u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        return part.components(u, samples) + np.where(samples == 0, 1, 0).mean() * (1e-3 + 0.1 * abs(first))

    for changed in ({"components": off}, {"components": lambda u, s: 1.01 * part.components(u, s)}):
        broken = replace(case.problem, part=Wrong(part, **changed))
        assert certify(broken, broken.blocks(case.u)).status is not CERTIFIED


def test_components_that_are_summed_instead_of_averaged_are_seen() -> None:
    rows = np.random.default_rng(0).uniform(1, 2, (30, 2))

    def total(u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        return (rows[samples] * (u - 1)).sum(axis=0) + 1e-3 * len(samples)

    def mean(u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        return (rows[samples] * (u - 1)).mean(axis=0)

    for terms, expected in ((total, False), (mean, True)):
        problem = finite_sum(variables={"u": {"shape": 2}}, python=terms, count=30)
        assert certify(problem, {"u": np.ones(2)})["oracles"].ok is expected


def test_an_operator_that_is_not_its_payoffs_is_seen() -> None:
    case = saddle_case()
    for changed in ({"payoff": lambda u: 1.01 * case.problem.part.payoff(u)}, {"sign": np.ones(4)}):
        broken = replace(case.problem, part=Wrong(case.problem.part, **changed))
        verdict = certify(broken, broken.blocks(case.u))
        assert verdict.status is not CERTIFIED
        assert not verdict["oracles"].ok


def test_an_operator_that_changes_its_mind_or_fails_is_seen() -> None:
    case = operator_case()
    rng = np.random.default_rng(0)
    restless = Wrong(case.problem.part, value=lambda u: case.problem.part.value(u) + 1e-4 * rng.standard_normal(3))
    problem = replace(case.problem, part=restless)
    assert certify(problem, problem.blocks(case.u)).status is not CERTIFIED

    def fails(u: np.ndarray) -> np.ndarray:
        raise RuntimeError("no licence")

    problem = replace(case.problem, part=Wrong(case.problem.part, value=fails))
    verdict = certify(problem, problem.blocks(case.u))
    assert (verdict.status, "no licence" in verdict.unverified) == (UNVERIFIED, True)
    problem = replace(case.problem, part=Wrong(case.problem.part, value=lambda u: np.full(3, np.nan)))
    assert certify(problem, problem.blocks(case.u)).status is UNVERIFIED


def test_an_operator_that_ends_inside_the_sets_can_be_certified() -> None:
    problem = saddle({"x": {"start": 1}}, {"y": {"start": 1}}, "-log(x) + x + log(y) - y")
    assert status(problem, np.array([1.0, 1.0])) is CERTIFIED
    assert status(problem, np.array([1.1, 1.0])) is FEASIBLE
    assert status(problem, np.array([-1.0, 1.0])) is UNVERIFIED


def test_growth_beyond_measure_hides_nothing() -> None:
    """Probes of an exponential are astronomic; a point far out is held to what F does close by."""
    problem = inclusion({"x": "exp(x) + y - 5", "y": "y - x"}, {"x": {}, "y": {}})
    root = 1.2
    for _ in range(50):
        root -= (np.exp(root) + root - 5) / (np.exp(root) + 1)
    assert status(problem, np.array([root, root])) is CERTIFIED
    for far in (2.0, 10.0, 25.0, 100.0, 300.0, 650.0):
        for point in ([far, far], [far, root], [root, far], [-far, root]):
            assert status(problem, np.array(point)) is not CERTIFIED, point


def test_the_scale_of_payoffs() -> None:
    from solverkit.kinds.inclusion.structure import payoff_scale

    A = np.random.default_rng(0).standard_normal((300, 400))
    assert payoff_scale(A) == pytest.approx(np.sqrt(2 / np.pi), rel=0.01)
    assert payoff_scale(1e-7 * A + 3) == pytest.approx(1e-7 * payoff_scale(A), rel=1e-6)
    spoiled = A.copy()
    spoiled[0, 0] = 1e4
    assert payoff_scale(spoiled) < 1.2 * payoff_scale(A)
    assert payoff_scale(np.array([[0.0, 1, -1], [-1, 0, 1], [1, -1, 0]])) == 1
    assert payoff_scale(np.full((2, 3), 5.0)) == 5
    assert payoff_scale(np.zeros((2, 3))) == 1
    few = np.where(np.random.default_rng(1).random(A.shape) < 0.1, A, 0.0)
    assert payoff_scale(csr_array(few)) == pytest.approx(payoff_scale(few))
    assert payoff_scale(csr_array(few + 1)) == pytest.approx(payoff_scale(few + 1))
    large = np.tile(A, (5, 5))
    assert payoff_scale(large) == pytest.approx(payoff_scale(A), rel=0.01)


def test_an_operator_that_ends_near_the_point_is_no_verdict() -> None:
    def near_one(u: np.ndarray) -> np.ndarray:
        return u + 10 if abs(float(u[0]) - 1.0) < 0.2 else np.full(1, np.nan)

    problem = inclusion(near_one, {"x": {"shape": 1, "start": 1}})
    assert certify(problem, {"x": np.ones(1)}, 1e-6).unverified == "F is not finite at the forward-backward point"


@pytest.mark.parametrize(
    ("E", "e", "message"),
    [
        ([[1.0, -1.0]], [0.0], "a best response cannot be found"),  # unbounded
        ([[1.0, 1.0]], [-1.0], "no strategy is near the point"),  # empty
    ],
)
def test_polytopes_that_are_none_give_no_verdict(E: Any, e: Any, message: str) -> None:
    problem = sequence_form(-np.eye(2), E, e, [[1.0, 1.0]], [1.0])
    u = np.array([0.5, 0.5, 0.0, 0.5, 0.5, 0.0])
    assert message in certify(problem, problem.blocks(u), 1e-6).unverified


@pytest.mark.parametrize(
    ("part", "n", "width"),
    [
        (L1Ball(3.0), 2, 6.0),
        (L2Ball(3.0, 5.0), 2, 6.0),
        (Simplex(2.0), 3, 2 * np.sqrt(2)),
        (Simplex(2.0), 2, 2 * np.sqrt(2)),
        (Simplex(2.0), 1, 0.0),
        (Box(-1.0, 2.0), 4, 6.0),
        (Box(0.0, np.inf), 1, np.inf),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_width_of_each_set_is_that_of_its_projections(part: Any, n: int, width: float) -> None:
    assert block_diameter(part, n) == pytest.approx(width)
    corners = [part.project(1e6 * sign * row) for row in np.eye(n) for sign in (1.0, -1.0)]
    found = max(float(np.linalg.norm(a - b)) for a in corners for b in corners)
    assert found <= width * (1 + 1e-12)
    if not isinstance(part, Box):  # its widest pair are opposite corners, not the ends of axes
        assert found == pytest.approx(width)
