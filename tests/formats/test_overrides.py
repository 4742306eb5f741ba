"""Parameters and data that the caller gives in place of the file's."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.errors import UsageError
from solverkit.formats import load

TEXT = """\
solverkit: 1
kind: bilevel
name: small
parameters: {n: 2, m: 2*n}
data: {a: {file: missing.npy}}
upper:
  variables: {x: {shape: n, start: 1}}
  minimize: 0.5*sum((x - y)**2) + dot(a, a)
lower:
  variables: {y: {shape: n}}
  minimize: 0.5*sum(y**2) - m*sum(y)
expect: {objective: 1}
"""


@pytest.fixture
def file(folder):
    path = folder / "problem.yaml"
    path.write_text(TEXT)
    return path


def test_given_numbers_replace_the_files_and_reach_what_depends_on_them(file):
    problem = load(file, parameters={"n": 5}, data={"a": [3.0]})
    assert problem.n == 5
    z = np.zeros(10)
    assert problem.upper(z) == 9.0
    np.testing.assert_array_equal(problem.lower_gradient(z)[5:], np.full(5, -10.0))


def test_the_answer_of_the_file_is_not_expected_of_another_problem(file, folder):
    assert not load(file, data={"a": [3.0]}).expected
    np.save(folder / "missing.npy", np.array([3.0]))
    assert load(file).expected["objective"] == 1
    assert load(file, parameters={"n": 2}).fingerprint() == load(file).fingerprint()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"parameters": {"k": 1}}, "no parameter 'k'; it has: n, m"),
        ({"data": {"A": [1.0]}}, r"no data 'A' \(did you mean 'a'\?\); it has: a"),
        ({"data": {"a": [np.nan]}}, r"data 'a': the entry \[0\] is nan"),
        ({"data": {"a": ["x"]}}, "data 'a': holds <U1"),
        ({"data": {"a": []}}, r"data 'a': is empty \(shape \(0,\)\)"),
        ({"data": {"a": [[1], [2, 3]]}}, "data 'a': "),
    ],
)
def test_what_cannot_be_given_is_refused(file, given, message):
    with pytest.raises(UsageError, match=message):
        load(file, **given)


def test_a_given_parameter_is_held_to_the_rules_of_the_file(file):
    from solverkit.errors import InvalidProblem

    with pytest.raises(InvalidProblem, match="whole number"):
        load(file, parameters={"n": 2.5}, data={"a": [1.0]})
