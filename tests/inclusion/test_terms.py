"""The terms and facts of a certificate: which there are, what each is in closed form, and where it begins to refuse."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.base import PointStatus
from solverkit.kinds.inclusion import game, inclusion, linear_program, saddle, sequence_form
from solverkit.kinds.inclusion.certificate import certify
from solverkit.kinds.inclusion.local import look
from solverkit.operators.proximal import L1
from tests.inclusion.called import MANY, called

CERTIFIED, FEASIBLE, INFEASIBLE, UNVERIFIED = (
    PointStatus.CERTIFIED,
    PointStatus.FEASIBLE,
    PointStatus.INFEASIBLE,
    PointStatus.UNVERIFIED,
)


def line(**given):
    """0 in 2 (u - 1) with 0 <= u <= 3, by its text."""
    return inclusion("2*(u - 1)", {"u": {"shape": 1, "lower": 0, "upper": 3}}, **given)


def names(certificate):
    return [term.name for term in certificate.terms]


# -- the general form


@pytest.mark.parametrize(("far", "status"), [(0.0, CERTIFIED), (0.5e-6, CERTIFIED), (4e-6, FEASIBLE)])
def test_a_point_is_held_to_a_millionth_where_nothing_is_said(far, status):
    u = {"u": np.array([1 + far])}
    assert certify(line(), u).status is status
    assert certify(line(), u, 1e-5).status is CERTIFIED


def test_terms_are_those_of_the_table_in_its_order():
    certificate = certify(line(), {"u": np.array([1.0])}, 1e-4)
    assert names(certificate) == ["domain", "natural_residual", "inclusion", "oracles"]
    assert [term.tolerance for term in certificate.terms[:3]] == [1e-4, 1e-4, 2e-4]
    assert [term.feasibility for term in certificate.terms] == [True, False, False, False]
    claimed = certify(inclusion("u**3", {"u": {}}), {"u": np.array(0.0)}, 1e-4)
    assert names(claimed) == ["domain", "natural_residual", "inclusion", "monotone", "oracles"]
    assert claimed["monotone"].tolerance == 1e-6
    assert names(certify(inclusion("u**3", {"u": {}}, monotone=False), {"u": np.array(0.0)}))[3:] == ["oracles"]


@pytest.mark.parametrize("u", [-0.5, 0.0, 0.25, 2.5, 4.0])
def test_the_terms_of_an_affine_problem_are_closed_forms(u):
    """eta = 1/2 brings u to 1, where F = 0: the natural residual is 2 (u - 1), the distance 0."""
    problem = line()
    certificate = certify(problem, {"u": np.array([u])})
    scale = look(problem, np.array([u])).scales[0]
    assert certificate["domain"].value == max(-u, u - 3, 0)
    assert certificate["domain"].scaling == 1 + abs(u)
    assert certificate["natural_residual"].value == pytest.approx(abs(2 * (u - 1)) / scale)
    assert certificate["inclusion"].value == pytest.approx(0, abs=1e-9)
    assert certificate.facts["natural_residual_norm"] == pytest.approx(abs(2 * (u - 1)))
    assert certificate.facts["distance"] == pytest.approx(0, abs=1e-9)
    assert certificate.facts["step"] == pytest.approx(0.5)
    assert certificate.facts["lipschitz_seen"] == pytest.approx(2)
    assert certificate.facts["lipschitz"] == 2
    assert certificate.facts["diameter"] == 3
    assert certificate.facts["gap_bound"] == 3 * certificate.facts["distance"]
    assert certificate.facts["monotone"] == "proven"
    assert certificate.status is (FEASIBLE if 0 <= u <= 3 else INFEASIBLE)


def test_the_distance_of_a_skew_problem_is_a_closed_form():
    """F(x, y) = (y, -x) = J u, eta = 1: u+ = u - J u, and F(u+) + (u - u+) - F(u) = u + J u, of norm sqrt(2) ||u||."""
    problem = inclusion({"x": "y", "y": "-x"}, {"x": {}, "y": {}})
    certificate = certify(problem, {"x": np.array(3.0), "y": np.array(4.0)})
    scales = look(problem, np.array([3.0, 4.0])).scales
    assert certificate.facts["natural_residual_norm"] == pytest.approx(5)
    assert certificate.facts["distance"] == pytest.approx(5 * np.sqrt(2))
    assert certificate["natural_residual"].value == pytest.approx(max(np.array([4.0, 3.0]) / scales))
    assert certificate["inclusion"].value == pytest.approx(max(np.array([7.0, 1.0]) / scales))
    assert "objective" not in certificate.facts
    assert "diameter" not in certificate.facts


@pytest.mark.parametrize("unit", [2.0**-50, 1.0, 2.0**50])
@pytest.mark.parametrize("u", [1 + 2e-6, 1 - 2e-7, 1.5])
def test_the_unit_of_F_changes_no_term(unit, u):
    one = certify(called(lambda v: (v - 1) ** 3 + v - 1, MANY), {"u": np.full(MANY, u)})
    other = certify(called(lambda v: unit * ((v - 1) ** 3 + v - 1), MANY), {"u": np.full(MANY, u)})
    assert [term.value for term in one.terms] == [term.value for term in other.terms]
    assert other.facts["natural_residual_norm"] == unit * one.facts["natural_residual_norm"]


@pytest.mark.parametrize(("bend", "status"), [(0.0, CERTIFIED), (0.5e-6, CERTIFIED), (2e-6, UNVERIFIED)])
def test_a_bend_of_more_than_a_millionth_leaves_no_verdict(bend, status):
    def slopes(v):
        return np.array([1.0, -bend]) * v

    certificate = certify(called(slopes, 2, jacobian=lambda v: csr_array(np.diag([1.0, -bend]))), {"u": np.zeros(2)})
    assert certificate.status is status
    assert certificate["monotone"].value == pytest.approx(bend)
    if status is UNVERIFIED:
        assert certificate["monotone"].note == "by the symmetric part of its Jacobian"
        assert "seen by the symmetric part of its Jacobian (2e-06 of its size)" in certificate.unverified
        assert "monotone" not in certificate.facts
    else:
        assert certificate.facts["monotone"] == "nothing seen against it"


@pytest.mark.parametrize("monotone", [False, True])
def test_a_matrix_that_is_not_monotone_is_not_proven_to_be(monotone):
    problem = replace(inclusion("M @ u", {"u": {"shape": 2}}, data={"M": np.diag([1.0, -1.0])}, monotone=False),
                      monotone=monotone)  # fmt: skip
    certificate = certify(problem, {"u": np.zeros(2)})
    assert certificate.status is (UNVERIFIED if monotone else CERTIFIED)
    assert certificate.facts.get("monotone") == (None if monotone else "not claimed")


def test_a_bilinear_saddle_problem_is_proven_monotone():
    problem = saddle({"x": {"lower": -1, "upper": 1}}, {"y": {"lower": -1, "upper": 1}}, "x*y")
    certificate = certify(problem, {"x": np.array(0.0), "y": np.array(0.0)})
    assert certificate.status is CERTIFIED
    assert certificate.facts["monotone"] == "proven"
    assert certificate.facts["objective"] == 0
    assert certificate.facts["diameter"] == pytest.approx(np.sqrt(8))


def test_facts_hold_what_was_declared_and_the_value_of_a_saddle_problem():
    problem = saddle({"x": {}}, {"y": {}}, "x**2 + x*y - y**2 + 5", lipschitz=9.0)
    facts = certify(problem, {"x": np.array(1.0), "y": np.array(2.0)}).facts
    assert facts["lipschitz"] == 9
    assert facts["objective"] == pytest.approx(1 + 2 - 4 + 5)
    undeclared = certify(inclusion("u**3", {"u": {}}), {"u": np.array(1.0)}).facts
    assert "lipschitz" not in undeclared


def test_what_lies_beyond_the_end_of_a_payoff_is_no_point():
    problem = saddle({"x": {"start": 1}}, {"y": {"start": 1}}, "-log(x) + x + log(y) - y")
    assert certify(problem, {"x": np.array(-1.0), "y": np.array(1.0)}).unverified == "F is not finite at the point"


def test_a_term_without_a_set_is_held_to_its_subgradients():
    """0 in u - 2 + sign(u): u = 1."""
    problem = inclusion("u - 2", {"u": {"shape": 2}}, sets={"u": L1(1.0)})
    assert certify(problem, {"u": np.ones(2)}).status is CERTIFIED
    assert certify(problem, {"u": np.array([1.0, 1.01])}).status is FEASIBLE


def test_the_seed_chooses_the_probes():
    problem, u = called(lambda v: v**3, MANY), {"u": np.full(MANY, 0.5)}
    one, same, other = (certify(problem, u, 1e-6, seed)["natural_residual"].value for seed in (0, 0, 1))
    assert one == same != other


# -- games


PENNIES = [[1.0, -1.0], [-1.0, 1.0]]


def test_the_facts_of_a_game_are_closed_forms():
    """x'A y with x = (3/4, 1/4), y = (1, 0): y secures -1, x concedes 1/2."""
    certificate = certify(game(PENNIES), {"x": np.array([0.75, 0.25]), "y": np.array([1.0, 0.0])})
    facts = certificate.facts
    assert names(certificate) == ["strategies", "gap", "oracles"]
    told = [facts[name] for name in ("objective", "value_lower", "value_upper", "gap_absolute")]
    assert told == [0.5, -1, 0.5, 1.5]
    assert (certificate["gap"].value, certificate["gap"].scaling) == (1.5, 1)
    # F = ((1, -1), (-1/2, 1/2)); u - F = ((-1/4, 5/4), (3/2, -1/2)), whose projections are (0, 1) and (1, 0)
    assert facts["natural_residual"] == pytest.approx(0.75 * np.sqrt(2))
    assert certificate["strategies"].feasibility
    assert not certificate["gap"].feasibility


@pytest.mark.parametrize(("share", "status"), [(0.9e-6, CERTIFIED), (1.1e-6, FEASIBLE)])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_gap_is_held_to_the_tolerance_in_any_unit_of_payoffs(share, status, unit):
    """x = (1 + e, 1 - e) / 2 concedes e."""
    point = {"x": np.array([0.5 + share / 2, 0.5 - share / 2]), "y": np.array([0.5, 0.5])}
    assert certify(game(unit * np.array(PENNIES)), point).status is status


@pytest.mark.parametrize(("off", "status"), [(0.9e-6, CERTIFIED), (1.1e-6, INFEASIBLE)])
def test_strategies_are_held_to_the_tolerance(off, status):
    point = {"x": np.array([0.5, 0.5]), "y": np.array([0.5 + off / 2, 0.5 + off / 2])}
    assert certify(game(PENNIES), point).status is status


def test_a_strategy_without_a_positive_entry_leaves_the_gap_unknown():
    certificate = certify(game(PENNIES), {"x": np.zeros(2), "y": np.array([0.5, 0.5])})
    assert np.isnan(certificate["gap"].value)
    assert certificate.status is INFEASIBLE


def test_a_game_in_sequence_form_has_the_facts_of_the_same_game():
    simplex = ([[1.0, 1.0]], [1.0])
    problem = sequence_form(PENNIES, *simplex, *simplex)
    u = np.array([0.75, 0.25, 0.0, 1.0, 0.0, 0.0])
    certificate = certify(problem, problem.blocks(u))
    facts = certificate.facts
    assert [facts[name] for name in ("objective", "value_lower", "value_upper")] == pytest.approx([0.5, -1, 0.5])
    assert certificate["gap"].value == pytest.approx(1.5)
    assert certificate["strategies"].value == 0


# -- linear programs


def corner(**given):
    """min x + 2 y, x + y >= 1: (1, 0), multiplier -1."""
    return linear_program([1.0, 2.0], [[1.0, 1.0]], 1.0, np.inf, **given)


ANSWER = {"x": np.array([1.0, 0.0]), "y": np.array([-1.0])}


def test_the_terms_of_a_linear_program_are_those_of_the_table():
    certificate = certify(corner(constant=10.0), ANSWER, 1e-5)
    assert certificate.status is CERTIFIED
    assert names(certificate) == ["primal", "dual", "gap", "rows", "columns", "oracles"]
    assert [term.feasibility for term in certificate.terms] == [True, False, False, True, False, False]
    assert [term.tolerance for term in certificate.terms[:5]] == pytest.approx([1e-5, 1e-5, 1e-5, 0.1, 0.1])
    assert (certificate.facts["objective"], certificate.facts["dual_objective"]) == (11, 11)
    assert certificate.facts["natural_residual"] == pytest.approx(0, abs=1e-15)
    assert "proven" not in certificate.facts


@pytest.mark.parametrize(("tol", "wide"), [(1e-9, 1e-5), (1e-6, 1e-2), (1e-4, 0.5), (0.1, 0.5), (0.7, 0.7)])
def test_single_rows_and_columns_may_be_off_by_ten_thousand_times_as_much_but_not_by_half(tol, wide):
    certificate = certify(corner(), ANSWER, tol)
    assert certificate["rows"].tolerance == pytest.approx(wide)
    assert certificate["columns"].tolerance == pytest.approx(wide)


def test_a_maximum_has_its_values_in_the_sense_of_its_author():
    problem = linear_program([-1.0, -2.0], [[1.0, 1.0]], 1.0, np.inf, constant=10.0, maximize=True)
    facts = certify(problem, ANSWER).facts
    assert (facts["objective"], facts["dual_objective"]) == (9, 9)


@pytest.mark.parametrize(
    ("x", "y", "broken", "status"),
    [
        ([0.5, 0.0], [-1.0], {"primal", "rows", "gap"}, INFEASIBLE),
        ([1.5, -0.5], [-1.0], {"primal", "gap"}, INFEASIBLE),
        ([1.0, 0.0], [0.5], {"dual", "gap"}, FEASIBLE),
        ([1.0, 0.0], [-1.5], {"dual", "columns", "gap"}, FEASIBLE),
        ([2.0, 0.0], [-1.0], {"gap"}, FEASIBLE),
    ],
)
def test_each_broken_condition_of_a_linear_program_is_told_by_its_name(x, y, broken, status):
    certificate = certify(corner(), {"x": np.array(x), "y": np.array(y)})
    assert {term.name for term in certificate.terms if not term.ok} == broken
    assert certificate.status is status


def test_a_broken_row_in_a_small_unit_is_told_though_no_norm_sees_it():
    problem = linear_program([1.0, 0.0], [[1e6, 0.0], [0.0, 1e-6]], [1e6, 1e-6], np.inf)
    certificate = certify(problem, {"x": np.array([1.0, 0.0]), "y": np.array([-1e-6, 0.0])})
    assert [term.name for term in certificate.terms if not term.ok] == ["rows"]
    assert certificate.status is INFEASIBLE


def test_rays_are_read_where_an_answer_is_refused_and_not_where_it_is_certified():
    ray = {"infeasibility_ray": np.array([-1.0])}
    empty = linear_program([0.0, 0.0], [[1.0, 1.0]], 3.0, np.inf, upper=1.0)
    refused = certify(empty, {"x": np.ones(2), "y": np.zeros(1), **ray})
    assert (refused.status, refused.facts["proven"]) == (INFEASIBLE, "infeasible")
    assert "proven" not in certify(corner(), ANSWER | ray).facts


# -- what is no point


@pytest.mark.parametrize(
    ("point", "text"),
    [
        ({}, "block 'u' is missing"),
        ({"u": np.zeros(2)}, "block 'u' has shape (2,); problem 'inclusion' has (1,)"),
        ({"u": np.array([np.nan])}, "the point is not finite"),
        ({"u": np.array([-np.inf])}, "the point is not finite"),
    ],
)
def test_what_is_no_point_says_why(point, text):
    certificate = certify(line(), point)
    assert (certificate.terms, certificate.unverified) == ((), text)


def test_words_are_no_point():
    assert "could not convert" in certify(line(), {"u": np.array(["much"])}).unverified


def test_what_an_operator_raises_is_the_verdict():
    def fails(v):
        raise RuntimeError("no licence")

    assert certify(called(fails, 1), {"u": np.zeros(1)}).unverified == "RuntimeError: no licence"


def test_a_certificate_prints_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        problem = called(lambda v: np.exp(1e3 * v) / (v - v.max()), 3)
        assert certify(problem, {"u": np.array([1.0, 2.0, 3.0])}).status is UNVERIFIED
