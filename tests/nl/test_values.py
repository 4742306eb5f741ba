"""What .nl files mean: against Python's mathematics, CasADi's reader, and Pyomo's own values and derivatives."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import solverkit as sk
from solverkit.kinds.nonlinear.problem import MULTIPLIERS

from .files import MODELS, WHOLE, problem, unconstrained

A, B = 0.7, 0.4
FORMULAS = {
    "o0 v0 v1": A + B,
    "o1 v0 v1": A - B,
    "o2 v0 v1": A * B,
    "o3 v0 v1": A / B,
    "o4 n-7.5 v1": math.fmod(-7.5, B),
    "o5 v0 v1": A**B,
    "o5 v0 n3": A**3,
    "o6 v0 v1": max(A - B, 0),
    "o6 v1 v0": 0.0,
    "o11 3 v0 n0.5 v1": min(A, 0.5, B),
    "o12 3 v0 n0.5 v1": max(A, 0.5, B),
    "o13 o2 n-3 v0": math.floor(-3 * A),
    "o14 o2 n-3 v0": math.ceil(-3 * A),
    "o15 o16 v0": A,
    "o35 o20 o22 v0 v1 o24 v0 v0 v0 v1": A,
    "o35 o21 o22 v0 v1 o24 v0 v0 v0 v1": B,
    "o35 o23 v0 v1 v0 v1": B,
    "o35 o28 v0 v1 v0 v1": A,
    "o35 o29 v1 v1 v0 v1": B,
    "o35 o30 v0 v1 v0 v1": A,
    "o35 o34 o24 v0 v1 v0 v1": A,
    "o35 o70 3 o29 v0 v1 o29 v0 n0 o29 v1 n0 v0 v1": A,
    "o35 o71 3 o22 v0 v1 o22 v0 n0 o22 v1 n0 v0 v1": B,
    "o35 o29 v0 n1 o43 o1 v0 n1 v1": B,  # the branch that is not taken is not a number
    "o37 v0": math.tanh(A),
    "o38 v0": math.tan(A),
    "o39 v0": math.sqrt(A),
    "o40 v0": math.sinh(A),
    "o41 v0": math.sin(A),
    "o42 v0": math.log10(A),
    "o43 v0": math.log(A),
    "o44 v0": math.exp(A),
    "o45 v0": math.cosh(A),
    "o46 v0": math.cos(A),
    "o47 v0": math.atanh(A),
    "o48 v0 v1": math.atan2(A, B),
    "o49 v0": math.atan(A),
    "o50 v0": math.asinh(A),
    "o51 v0": math.asin(A),
    "o52 o0 n1 v0": math.acosh(1 + A),
    "o53 v0": math.acos(A),
    "o54 3 v0 v1 s2": A + B + 2,
    "o54 9 v0 v0 v0 v1 v1 n1 l2 o2 v0 v1 o54 9 v0 v0 v0 v0 v0 v0 v0 v0 o54 3 v1 v1 v1": (
        3 * A + 2 * B + 3 + A * B + 8 * A + 3 * B
    ),
    "o54 1 v0": A,
    "o11 1 v1": B,
    "o70 2 v0 n0": 0.0,
    "o71 2 v0 n0": 1.0,
    "o76 v0 n1.5": A**1.5,
    "o77 v0": A**2,
    "o78 n1.5 v0": 1.5**A,
}
"""An expression, and what Python makes of it."""


@pytest.mark.parametrize("expression", FORMULAS)
def test_every_operator_is_what_python_says(expression):
    found = problem(unconstrained(expression))
    x = np.array([A, B])
    assert found.value(x) == pytest.approx(FORMULAS[expression], rel=1e-14, abs=1e-15)
    step = 1e-6
    for direction in np.eye(2):
        slope = (found.value(x + step * direction) - found.value(x - step * direction)) / (2 * step)
        assert found.gradient(x) @ direction == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_every_operator_of_the_table_was_tried():
    from solverkit.formats.nl.operators import OPERATORS

    used = {word for expression in FORMULAS for word in expression.split()}
    assert {f"o{code}" for code in OPERATORS} <= used


DEGREES = {
    "n3": 0,
    "v0": 1,
    "o0 v0 o2 n3 v1": 1,
    "o2 v0 v1": 2,
    "o5 v0 n2": 2,
    "o5 o0 v0 v1 n2": 2,
    "o5 v0 n3": None,
    "o5 v0 n0.5": None,
    "o5 n2 v0": None,
    "o3 o2 v0 v0 n2": 2,
    "o3 v0 v1": None,
    "o41 v0": None,
    "o77 v0": 2,
    "o13 v0": None,
    "o15 v0": None,
    "o35 o22 v0 v1 v0 v1": None,
    "o54 9 v0 v0 v0 v0 v0 v0 v0 v0 o2 v0 v1": 2,
    "o2 o41 n1 v0": 1,
    "o2 o5 n2 n3 v0": 1,
    "o5 n2 n0.5": 0,
    "o5 v0 n1e300": None,
    "o5 v0 o16 n1": None,
    "o5 v0 n-1": None,
    "o5 v0 n0": 0,
    "o76 v0 n2": 2,
    "o11 2 n1 n2": 0,
    "o1 v0 o2 v1 v1": 2,
}


@pytest.mark.parametrize("expression", DEGREES)
def test_degrees_are_proven_or_not_claimed(expression):
    found = problem(unconstrained(expression))
    claimed = DEGREES[expression]
    # the linear part lists both variables with 0, so nothing but the expression counts
    assert found.objective_function.degree == claimed
    if claimed == 2:
        one, other = (found.hessian(np.array(x), np.zeros(0)).toarray() for x in ([0.3, 0.9], [-2.0, 5.0]))
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("expression", "degree"), [("n0", 1), ("o2 v0 v1", 2), ("o41 v0", None)])
def test_degrees_with_a_linear_part(expression, degree):
    found = problem(unconstrained(expression).replace("0 0\n1 0\n", "0 3\n1 2\n"))
    assert found.objective_function.degree == degree
    assert found.gradient(np.zeros(2))[1] == 2


def test_rows_without_any_linear_part():
    text = unconstrained("v0").replace(" 2 0 1 0 0\n", " 2 1 1 0 0\n").replace("b\n3\n3\n", "C0\nn3\nr\n1 4\nb\n3\n3\n")
    found = problem(text)
    np.testing.assert_array_equal(found.constraints(np.zeros(2)), [3])
    assert found.jacobian(np.zeros(2)).toarray().tolist() == [[0, 0]]


@pytest.mark.parametrize("count", [15, 16, 17, 40])
def test_many_long_sums_in_one_expression(count):
    """A product of so many sums of nine terms, of which some are computed together and the rest term by term."""
    sums = " ".join("o54 9 v0 v1 v0 n1 n1 n1 n1 n1 n1" for _ in range(count))
    found = problem(unconstrained("o2 " * (count - 1) + sums))
    x = np.array([-2.0, 0.25])
    base = 2 * -2.0 + 0.25 + 6
    assert found.value(x) == pytest.approx(base**count, rel=1e-13)
    np.testing.assert_allclose(found.gradient(x), count * base ** (count - 1) * np.array([2, 1]), rtol=1e-12)


@pytest.mark.parametrize("depth", [1, 3, 4, 7])
def test_long_sums_within_long_sums(depth):
    text = "o41 v1"
    for _ in range(depth):
        text = f"o54 9 v0 {text} o2 n2 v0 v0 v0 v0 v0 v0 n1"
    found = problem(unconstrained(text))
    x = np.array([-2.0, 0.25])
    assert found.value(x) == pytest.approx(math.sin(0.25) + depth * (8 * -2 + 1), rel=1e-14)
    np.testing.assert_allclose(found.gradient(x), [8 * depth, math.cos(0.25)], rtol=1e-14)


def test_segments_mean_what_the_format_says():
    found = problem(WHOLE)
    x = np.array([1.3, 0.4, 0.2, 0.7])
    defined = 1.3 * 0.4 + math.exp(0.2) + 0.5 * 0.2
    objective = defined**2 + math.sin(0.7) - 0.4 + 3 * 1.3
    assert found.objective({"x": x}) == pytest.approx(objective, rel=1e-14)
    assert found.value(x) == pytest.approx(-objective, rel=1e-14)  # it is maximized
    np.testing.assert_allclose(found.constraints(x), [defined + 0.2, 0.2**2.5 + 1.3, 1.7], rtol=1e-14)
    np.testing.assert_array_equal(found.lower, [-np.inf, 2, 1])
    np.testing.assert_array_equal(found.upper, [4, 2, 3.5])
    np.testing.assert_array_equal(found.lowest, [0, 0, -np.inf, -np.inf])
    np.testing.assert_array_equal(found.highest, [5, np.inf, 5, np.inf])
    start = found.start(np.random.default_rng(0))
    np.testing.assert_array_equal(start["x"], [2, 0, 0.5, 1])
    np.testing.assert_array_equal(start[MULTIPLIERS], [1.5, 0, -0.25])  # of a maximum: the prices themselves
    dense = found.jacobian(x).toarray()
    np.testing.assert_allclose(dense[0], [0.4, 1.3, math.exp(0.2) + 1.5, 0], rtol=1e-14)


def test_defined_variables_come_in_any_order_that_defines_them_before_their_use():
    text = WHOLE.replace(" 1 0 0 0 0\t# common", " 1 1 0 0 0\t# common")
    text = text.replace("V4 1 0\n", "V5 1 0\n1 2\no41\nv0\nV4 1 0\n").replace("o44\t#exp\nv2\n", "v5\n", 1)
    found = problem(text)
    x = np.array([1.3, 0.4, 0.2, 0.7])
    defined = 1.3 * 0.4 + (math.sin(1.3) + 2 * 0.4) + 0.5 * 0.2
    assert found.constraints(x)[0] == pytest.approx(defined + 0.2, rel=1e-14)
    assert found.objective({"x": x}) == pytest.approx(defined**2 + math.sin(0.7) - 0.4 + 3.9, rel=1e-14)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.parent.name)
def test_casadi_reads_the_same_problem(path, tmp_path):
    import casadi as ca

    copy = tmp_path / "model.nl"
    copy.write_text("".join(line.partition("#")[0].rstrip() + "\n" for line in path.read_text().splitlines()))
    theirs = ca.NlpBuilder()
    theirs.import_nl(str(copy), {})  # which does not read comments
    ours = sk.load(path)
    x, g = ca.vertcat(*theirs.x), ca.vertcat(*theirs.g)
    both = ca.Function("both", [x], [theirs.f, g, ca.jacobian(g, x)])
    rng = np.random.default_rng(0)
    for _ in range(5):
        z = np.clip(np.array(theirs.x_init) + 0.1 * rng.standard_normal(ours.n), ours.lowest + 1e-3, ours.highest)
        f, c, jacobian = both(z)
        assert ours.value(z) == pytest.approx(float(f), rel=1e-12)
        np.testing.assert_allclose(ours.constraints(z), np.array(c).ravel(), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(ours.jacobian(z).toarray(), np.array(ca.DM(jacobian)), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(ours.lower, theirs.g_lb)
    np.testing.assert_array_equal(ours.upper, theirs.g_ub)
    np.testing.assert_array_equal(ours.lowest, theirs.x_lb)
    np.testing.assert_array_equal(ours.start(rng)["x"], theirs.x_init)


def test_a_problem_survives_pickling_and_keeps_its_fingerprint():
    found = problem(WHOLE)
    again = pickle.loads(pickle.dumps(found))
    x = np.array([1.3, 0.4, 0.2, 0.7])
    assert again.fingerprint() == found.fingerprint()
    assert again.value(x) == found.value(x)
    assert again.objective_function.model is again.constraint_function.model  # the file is kept once
    other = problem(WHOLE.replace("n2.5", "n2.6"))
    assert other.fingerprint() != found.fingerprint()


def test_the_arithmetic_stays_where_casadi_is():
    found = problem(WHOLE)
    assert found.to("cpu", "float64") is found
    with pytest.raises(sk.UsageError, match="'cpu' in 'float64'"):
        found.to("cpu", "float32")


def test_deep_expressions_need_no_stack():
    found = problem(unconstrained("o16 " * 20_000 + "v0", 1))
    assert found.value(np.array([0.5])) == 0.5
    assert found.gradient(np.array([0.5])) == 1.0
