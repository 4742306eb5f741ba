"""The certificate holds for answers and for nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.base import PointStatus
from solverkit.kinds.linear_sequence import linear_sequence
from solverkit.kinds.linear_sequence.certificate import certify, relative_residual
from tests.linear_sequence.adversary import solved, wrong_solutions
from tests.linear_sequence.cases import answers, matrices, recorded, rights


def stepping(T=6, n=5):
    """b_t = x_{t-1} + rights_t, by a function."""
    A, f = matrices(T, n), rights(T, n)
    return linear_sequence(
        lambda t, previous: (A[t], previous + f[t]), T, initial=np.ones(n), symmetric=True, rtol=1e-8
    )


@pytest.mark.parametrize("make", [recorded, stepping])
def test_answers_are_certified(make):
    problem = make()
    certificate = certify(problem, {"x": answers(problem)})
    assert certificate.status is PointStatus.CERTIFIED
    assert certificate["residual"].value < 1e-14
    assert certificate.facts["unsolved"] == 0


@pytest.mark.parametrize("make", [recorded, stepping])
@pytest.mark.parametrize("t", [0, 3, 5])
def test_one_wrong_system_is_found(make, t):
    problem = make()
    x = answers(problem)
    x[t, 2] += 1e-6
    certificate = certify(problem, {"x": x})
    assert certificate.status is PointStatus.INFEASIBLE
    assert f"the first is system {t}" in certificate["residual"].note
    system = problem.system(t, x[t - 1] if t else problem.initial)
    by_hand = np.linalg.norm(system.rhs - system.matrix.toarray() @ x[t]) / np.linalg.norm(system.rhs)
    worst = int(certificate.facts["worst_system"])
    assert certificate["residual"].value >= by_hand * (1 - 1e-6)
    assert worst in (t, t + 1)


def test_each_system_is_held_to_the_solution_before_it_as_it_is_stored():
    problem = stepping()
    x = answers(problem)
    x[2] *= 1.5  # wrong, and the systems after it are solved for what it is
    previous = x[2]
    for t in range(3, problem.T):
        system = problem.system(t, previous)
        previous = x[t] = np.linalg.solve(system.matrix.toarray(), system.rhs)
    assert certify(problem, {"x": x}).facts["unsolved"] == 1
    assert certify(problem, {"x": x}).facts["worst_system"] == 2


@pytest.mark.parametrize(
    ("rtol", "tol", "holds"), [(1e-4, 1e-2, True), (1e-4, 1e-6, False), (None, 1e-4, True), (1e-8, 1, False)]
)
def test_the_smaller_of_rtol_and_tol_decides(rtol, tol, holds):
    problem = recorded(rtol=rtol)
    x = answers(problem)
    for t in range(problem.T):  # a relative residual of 5e-5 each
        system = problem.system(t)
        nudge = np.zeros(problem.n)
        nudge[0] = 5e-5 * np.linalg.norm(system.rhs)
        x[t] = np.linalg.solve(system.matrix.toarray(), system.rhs + nudge)
    assert (certify(problem, {"x": x}, tol).status is PointStatus.CERTIFIED) is holds


def one_number(t, residual):
    """x of the system x = 1, number t of three, with this residual; the others are solved."""
    x = np.ones((3, 1))
    x[t] -= residual
    return {"x": x}


@pytest.mark.parametrize(("residual", "holds"), [(1.005e-6, True), (1.02e-6, False)])
def test_one_percent_beyond_the_tolerance_which_is_1e_6_is_allowed(residual, holds):
    problem = linear_sequence((csr_array([[1.0]]), np.ones(1)) for _ in range(3))
    certificate = certify(problem, one_number(1, residual))
    assert (certificate.status is PointStatus.CERTIFIED) is holds
    assert certificate.facts["unsolved"] == (not holds)
    assert certificate["residual"].note == ("" if holds else "1 of 3 systems are not solved, the first is system 1")


def test_a_residual_at_the_limit_is_small_enough():
    rtol = 0.25 / 1.01
    assert 1.01 * rtol == 0.25
    problem = linear_sequence(((csr_array([[1.0]]), np.ones(1)) for _ in range(3)), rtol=rtol)
    certificate = certify(problem, one_number(2, 0.25), 0.9)
    assert certificate.status is PointStatus.CERTIFIED
    assert certificate.facts["unsolved"] == 0


def test_facts_are_of_all_residuals():
    problem = linear_sequence((csr_array([[1.0]]), np.ones(1)) for _ in range(5))
    facts = certify(problem, {"x": 1 - np.array([[0.5], [0.25], [1.0], [0.125], [0.0]])}).facts
    assert (facts["worst_system"], facts["unsolved"], facts["median_residual"]) == (2, 4, 0.25)
    assert "total_cost" not in facts


def test_nan_never_holds():
    problem = recorded()
    x = answers(problem)
    x[4, 0] = np.nan
    certificate = certify(problem, {"x": x})
    assert certificate.status is PointStatus.INFEASIBLE
    assert certificate.facts["worst_system"] == 4


@pytest.mark.parametrize(
    ("point", "word"),
    [
        ({}, "block 'x' is missing"),
        ({"x": np.zeros(5)}, "has shape (5,)"),
        ({"x": np.zeros((5, 6))}, "has shape (5, 6)"),
        ({"x": np.zeros((6, 5), complex)}, "block 'x'"),
    ],
)
def test_what_is_no_point_is_unverified(point, word):
    certificate = certify(recorded(), point)
    assert certificate.status is PointStatus.UNVERIFIED
    assert word in certificate.unverified


def test_whole_numbers_are_a_point():
    problem = linear_sequence([(csr_array(np.eye(2)), np.array([2.0, 3.0]))])
    assert certify(problem, {"x": np.array([[2, 3]])}).status is PointStatus.CERTIFIED


def test_a_zero_right_hand_side_has_the_zero_answer_alone():
    A = csr_array(matrices(1)[0])
    assert relative_residual(A, np.zeros(5), np.zeros(5)) == 0
    assert relative_residual(A, np.full(5, 1e-300), np.zeros(5)) == np.inf


@pytest.mark.parametrize("size", [1e-250, 1e-150, 1.0, 1e200])
def test_the_residual_has_no_units(size):
    A, b = csr_array(matrices(1)[0]), rights()[0]
    x = np.linalg.solve(A.toarray(), b)
    x[1] += 1e-3
    assert relative_residual(A, size * x, size * b) == pytest.approx(relative_residual(A, x, b), rel=1e-9)


def test_nan_gives_nan():
    A = csr_array(matrices(1)[0])
    assert np.isnan(relative_residual(A, np.full(5, np.nan), np.zeros(5)))


def test_costs_are_the_methods_word():
    problem = recorded()
    point = {"x": answers(problem), "cost": np.arange(6.0)}
    facts = certify(problem, point).facts
    assert facts["total_cost"] == 15
    assert facts["total_cost_source"] == "the method's word"
    assert "total_cost" not in certify(problem, {"x": answers(problem), "cost": np.ones(3)}).facts


def test_a_function_that_changes_its_mind_is_found():
    calls = iter(range(1000))
    A, f = matrices(), rights()
    problem = linear_sequence(lambda t, previous: (A[t], f[t] * (1 + 1e-3 * next(calls))), 6, initial=np.zeros(5))
    certificate = certify(problem, {"x": answers(problem)}, 0.1)
    assert not certificate["oracles"].ok


@pytest.mark.parametrize("size", [1e-200, 1e-3, 1e6])
@pytest.mark.parametrize("t", range(5))
@pytest.mark.parametrize("what", ["matrix", "right-hand side"])
def test_every_system_of_a_short_sequence_is_made_twice(size, t, what):
    A, f, asked = size * matrices(), size * rights(), np.zeros(5)

    def make(number, previous):
        asked[number] += 1
        last = number == t and asked[t] == 3 + (t == 0)  # the first one is asked for once more, to see the pattern
        factor = 1.25 if last else 1.0
        return (A[number] * factor, f[number]) if what == "matrix" else (A[number], f[number] * factor)

    problem = linear_sequence(make, 5, initial=np.zeros(5), rtol=1e-8)
    certificate = certify(problem, {"x": np.zeros((5, 5))}, 1e-6)
    assert certificate["oracles"].value == pytest.approx(0.25)
    assert list(asked) == [3 + (number == 0) for number in range(5)]


def test_a_right_hand_side_that_stays_zero_has_not_changed():
    problem = linear_sequence(lambda t, previous: (np.eye(2), np.zeros(2)), 3, initial=np.ones(2))
    certificate = certify(problem, {"x": np.zeros((3, 2))})
    assert certificate.status is PointStatus.CERTIFIED
    assert certificate["oracles"].value == 0


def test_a_long_sequence_is_made_once_and_ten_systems_more():
    calls = []

    def make(t, previous):
        calls.append(t)
        return np.eye(1), np.ones(1)

    problem = linear_sequence(make, 40, initial=np.zeros(1))
    calls.clear()
    assert certify(problem, {"x": np.ones((40, 1))}).status is PointStatus.CERTIFIED
    assert sorted(set(calls)) == list(range(40))
    assert len(calls) == 50


def test_a_system_is_always_asked_for_after_the_solution_before_it():
    A, f, seen = matrices(), rights(), []

    def make(t, previous):
        seen.append((t, float(previous[0])))
        return A[t], f[t]

    x = np.arange(30.0).reshape(6, 5)
    certify(linear_sequence(make, 6, initial=np.full(5, -1.0)), {"x": x}, 1e-6)
    asked = [(t, before) for t, before in seen if before != 0.0 or t == 1]  # making the problem asks too, from zeros
    assert {(t, before) for t, before in asked} >= {(0, -1.0), *((t, x[t - 1, 0]) for t in range(1, 6))}
    assert all(before == (x[t - 1, 0] if t else -1.0) for t, before in asked)


def test_a_function_that_fails_later_leaves_no_verdict():
    A, f = matrices(), rights()

    def make(t, previous):
        if t == 3:
            raise ValueError("no mesh")
        return A[t], f[t]

    certificate = certify(linear_sequence(make, 6, initial=np.zeros(5)), {"x": np.zeros((6, 5))})
    assert certificate.status is PointStatus.UNVERIFIED
    assert "no mesh" in certificate.unverified


@pytest.mark.parametrize("make", [recorded, stepping])
def test_wrong_solutions_of_many_sorts(make):
    problem = make()
    x = solved(problem)
    assert certify(problem, {"x": x}).status is PointStatus.CERTIFIED
    for sort, wrong in wrong_solutions(problem, x, np.random.default_rng(0)):
        assert certify(problem, {"x": wrong}).status is not PointStatus.CERTIFIED, sort
