"""Comparisons become expressions between bounds."""

import numpy as np
import pytest

from solverkit.expressions import Constraint, ExpressionError, evaluate, parse, split

VARIABLES = {"x": (3,), "y": (3,), "t": ()}
CONSTANTS = {"b": np.array([1.0, 2.0, 3.0]), "n": 3}
INF = np.inf


def one(text):
    (constraint,) = split(text, VARIABLES)
    return constraint


@pytest.mark.parametrize(
    ("text", "tree", "low", "high"),
    [
        ("sum(x) <= n", "sum(x)", [-INF], [3]),
        ("sum(x) >= 1", "sum(x)", [1], [INF]),
        ("sum(x) == 1", "sum(x)", [1], [1]),
        ("1 <= sum(x)", "sum(x)", [1], [INF]),
        ("1 >= sum(x)", "sum(x)", [-INF], [1]),
        ("2*n == sum(x)", "sum(x)", [6], [6]),
        ("x <= b", "x", [-INF] * 3, [1, 2, 3]),
        ("x <= y", "x - y", [-INF] * 3, [0] * 3),
        ("x >= y", "y - x", [-INF] * 3, [0] * 3),
        ("x == y + 1", "x - (y + 1)", [0] * 3, [0] * 3),
        ("-1 <= x <= b", "x", [-1] * 3, [1, 2, 3]),
        ("b >= x >= -1", "x", [-1] * 3, [1, 2, 3]),
        ("b == b*x", "b*x", [1, 2, 3], [1, 2, 3]),
    ],
)
def test_bounds(text, tree, low, high):
    constraint = one(text)
    assert constraint.tree == parse(tree)
    lower, upper = constraint.bounds(VARIABLES, CONSTANTS)
    np.testing.assert_array_equal(lower, low)
    np.testing.assert_array_equal(upper, high)
    assert constraint.is_equality == ("==" in text)


@pytest.mark.parametrize(
    "text", ["sum(x) <= n", "x >= b", "1 <= x <= 2", "x == b", "x == y", "0 >= x", "0 <= x", "2 >= x >= 1"]
)
def test_residual_forms_say_the_same(text):
    constraint = one(text)
    rng = np.random.default_rng(1)
    for _ in range(20):
        point = {"x": rng.integers(0, 4, 3), "y": rng.integers(0, 3, 3)}
        value = np.ravel(evaluate(constraint.tree, CONSTANTS, point))
        low, high = constraint.bounds(VARIABLES, CONSTANTS)
        holds = np.all((low <= value) & (value <= high))
        inequalities = [np.all(evaluate(tree, CONSTANTS, point) <= 0) for tree in constraint.inequalities()]
        equalities = [np.all(evaluate(tree, CONSTANTS, point) == 0) for tree in constraint.equalities()]
        assert holds == all(inequalities + equalities)
        assert bool(equalities) == ("==" in text)


def test_a_chain_with_variables_outside_is_two_constraints():
    first, second = split("x <= t <= y", VARIABLES)
    assert first.inequalities() == [parse("x - t")]
    assert second.inequalities() == [parse("t - y")]
    assert split("1 <= n <= x", VARIABLES) == [Constraint(parse("x"), parse("n"), None)]


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("x < 1", 0, "write '<='"),
        ("x + 1", 0, "a constraint is a comparison"),
        ("n <= 4", 0, "no variable in it (variables here: t, x, y)"),
        ("0 == x == 1", 0, "a chain is"),
        ("0 <= x >= 1", 0, "a chain is"),
        ("x <= concat(1, 2)", 5, "the bound has shape (2,), the expression is (3,)"),
        ("t <= b", 5, "the bound has shape (3,), the expression is a scalar"),
        ("2 <= x <= 1", 5, "the lower bound exceeds"),
        ("x <= z", 5, "unknown name 'z'"),
        ("x <= 1/(n - n)", 8, "division by zero"),
    ],
)
def test_refusals(text, offset, message):
    with pytest.raises(ExpressionError) as caught:
        one(text).bounds(VARIABLES, CONSTANTS)
    assert message in str(caught.value)
    assert caught.value.offset == offset
