"""Sequences from iterables and functions: what is recorded, and what is refused with the number of the system."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, eye_array

from solverkit.errors import UsageError
from solverkit.kinds.linear_sequence import linear_sequence, tape
from tests.linear_sequence.cases import matrices, recorded, rights


def test_what_was_given_comes_back():
    problem = recorded()
    assert (problem.T, problem.n, problem.context_names) == (6, 5, ("level",))
    for t, (A, b) in enumerate(zip(matrices(), rights(), strict=True)):
        system = problem.system(t)
        assert np.array_equal(system.matrix.toarray(), A)
        assert np.array_equal(system.rhs, b)
        assert system.context == [t]


def test_the_index_arrays_are_shared():
    problem = recorded()
    one, other = problem.system(0).matrix, problem.system(5).matrix
    assert one.indptr is other.indptr is problem.pattern.indptr
    assert one.indices is other.indices is problem.pattern.indices
    assert problem.pattern.indices.dtype == np.int32


def test_capabilities_are_found():
    assert recorded().provides == {"symmetric", "positive-diagonal", "nonzero-diagonal", "context", "independent"}
    assert "context" not in recorded(context=False).provides


def test_the_same_matrix_is_kept_once():
    A = csr_array(matrices()[0])
    problem = linear_sequence((A, b) for b in rights())
    assert "constant" in problem.provides
    assert problem.system(0).matrix is problem.system(3).matrix


def test_a_matrix_that_its_owner_overwrites_is_copied():
    A = csr_array(matrices()[0])

    def systems():
        for b in rights():
            A.data += 1.0
            yield A, b

    problem = linear_sequence(systems())
    assert "constant" not in problem.provides
    assert problem.system(2).matrix.data - problem.system(0).matrix.data == pytest.approx(2.0)


def test_explicit_zeros_are_part_of_the_pattern():
    A = csr_array(np.eye(3))
    B = csr_array((np.array([1.0, 0.0, 1.0, 1.0]), [0, 1, 1, 2], [0, 2, 3, 4]), shape=(3, 3))
    with pytest.raises(UsageError, match=r"system 1: the matrix has 4 entries in other places"):
        linear_sequence([(A, np.ones(3)), (B, np.ones(3))])
    assert linear_sequence([(B, np.ones(3)), (B, np.ones(3))]).pattern.nnz == 4


def spoilt(t, what, value):
    """The six systems, one of them with something else in it."""
    found = [(csr_array(A), b, {"level": 1.0}) for A, b in zip(matrices(), rights(), strict=True)]
    found[t] = tuple(value if k == what else part for k, part in enumerate(found[t]))
    return found


WRONG = [
    (0, csr_array(np.ones((2, 3))), "system 3: the matrix has shape .2, 3.; it must be square"),
    (0, csr_array(np.eye(4)), "system 3 has 4 unknowns; those before it have 5"),
    (0, csr_array(np.eye(5)), "system 3: the matrix has 5 entries in other places than the 13"),
    (0, csr_array(matrices()[0] * 1j), "system 3: the matrix holds complex128"),
    (0, csr_array(np.where(matrices()[0], np.nan, 0)), "system 3: the matrix holds NaN"),
    (1, np.ones(4), "system 3: the right-hand side has shape"),
    (1, np.full(5, np.inf), "system 3: the right-hand side holds NaN or an infinity"),
    (1, "b", "system 3: "),
    (2, None, "system 3 has the context none; those before it have level"),
    (2, {"shift": 1.0}, "system 3 has the context shift; those before it have level"),
    (2, {"level": np.nan}, "system 3: the context holds NaN"),
    (2, [1.0, 2.0], "system 3 has the context context0, context1"),
]


@pytest.mark.parametrize(("what", "value", "words"), WRONG)
def test_one_wrong_system_is_one_sentence(what, value, words):
    with pytest.raises(UsageError, match=words):
        linear_sequence(spoilt(3, what, value))


@pytest.mark.parametrize(
    ("systems", "how", "words"),
    [
        ([], {}, "no system"),
        ([np.eye(3)], {}, r"system 0 is a tuple \(A, b\)"),
        ([(np.eye(3), np.ones(3))], {"rtol": 2.0}, "between 0 and 1"),
        ([(np.eye(3), np.ones(3))], {"T": 0}, "T is a whole number"),
        ([(np.eye(3), np.ones(3))], {"initial": np.ones(4)}, "vector of 3 finite numbers"),
        (lambda t, x: (np.eye(3), x), {}, "needs T="),
        (lambda t, x: (np.eye(3), x), {"T": 4, "initial": np.ones(4)}, "3 unknowns"),
        (lambda t, x: (np.triu(np.ones((3, 3))), x), {"T": 4, "initial": np.ones(3), "symmetric": True}, "differ"),
        (lambda t, x: (-np.eye(3), x), {"T": 4, "initial": np.ones(3), "symmetric": True}, "a.0,0. = -1"),
        (lambda t, x: (np.eye(3), x), {"T": 10**9, "initial": np.ones(3)}, "Cut the sequence into problems"),
    ],
)
def test_wrong_calls(systems, how, words):
    with pytest.raises(UsageError, match=words):
        linear_sequence(systems, **how)


def test_memory_is_watched_while_an_iterator_is_consumed(monkeypatch):
    monkeypatch.setattr(tape, "MAX_RECORDED", 100)
    endless = ((eye_array(10), np.ones(10)) for _ in iter(int, 1))
    with pytest.raises(UsageError, match="hold more than 100 numbers"):
        linear_sequence(endless)


def test_no_more_is_taken_than_asked_for():
    endless = ((eye_array(3), np.ones(3)) for _ in iter(int, 1))
    assert linear_sequence(endless, T=7).T == 7


def test_a_function_is_called_with_the_solution_before():
    problem = linear_sequence(lambda t, previous: (np.eye(3), previous + t), 4, initial=np.ones(3))
    assert problem.depends
    assert problem.system(0).rhs == pytest.approx(1.0)
    assert problem.system(2, np.full(3, 5.0)).rhs == pytest.approx(7.0)
    with pytest.raises(UsageError, match="depends on the solution before it"):
        problem.system(2)
    with pytest.raises(UsageError, match="the systems 0 to 3"):
        problem.system(4, np.ones(3))


def test_a_function_that_overwrites_what_it_gets_harms_nobody():
    def make(t, previous):
        previous[:] = 0.0
        return np.eye(3), previous + 1

    problem = linear_sequence(make, 4, initial=np.ones(3))
    given = np.full(3, 2.0)
    problem.system(1, given)
    assert given == pytest.approx(2.0)
    assert problem.initial == pytest.approx(1.0)


def test_fingerprints_tell_what_is_asked():
    prints = {recorded().fingerprint(), recorded(rtol=1e-6).fingerprint(), recorded(T=5).fingerprint()}
    prints |= {linear_sequence(spoilt(3, 1, np.ones(5)), rtol=1e-8).fingerprint()}
    assert len(prints) == 4
    assert recorded().fingerprint() == recorded().fingerprint()
    renamed = linear_sequence(spoilt(0, 2, {"level": 1.0}), rtol=1e-8, name="other")
    assert renamed.fingerprint() == linear_sequence(spoilt(0, 2, {"level": 1.0}), rtol=1e-8).fingerprint()
