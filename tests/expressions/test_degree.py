"""Proofs of polynomial degree: exact for the usual texts, and never too low."""

import numpy as np
import pytest

from solverkit.expressions import compile_function, degree, is_smooth, parse

A = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0]])
CONSTANTS = {"A": A, "b": np.ones(2), "p": 2, "q": 0.5, "e": np.array([1.0, 2.0, 1.0])}
VARIABLES = {"x": (3,), "y": (3,), "t": ()}

CASES = [
    # text, in {x, y, t}, in {x}
    ("3", 0, 0),
    ("sum(A)", 0, 0),
    ("exp(b)", 0, 0),
    ("x", 1, 1),
    ("y", 1, 0),
    ("A @ x - b", 1, 1),
    ("-x[0] + 2*x[1]/3", 1, 1),
    ("sum((x - y)**2)", 2, 2),
    ("0.5*sum((x - y)**2) + 0.5*sum((y - 1)**2)", 2, 2),
    ("dot(x, y)", 2, 1),
    ("x[0]*x[1]", 2, 2),
    ("x[0]*y[1]", 2, 1),
    ("x*y*t", None, 1),
    ("x**p", 2, 2),
    ("x**e", 2, 2),
    ("x**3", None, None),
    ("y**3*x", None, 1),
    ("x**q", None, None),
    ("x**-1", None, None),
    ("2**x", None, None),
    ("2**y", None, 0),
    ("x**t", None, None),
    ("x/2", 1, 1),
    ("x/t", None, 1),
    ("1/x", None, None),
    ("normsq(A @ x - b)", 2, 2),
    ("norm(x)", None, None),
    ("exp(y)*x", None, 1),
    ("exp(x)", None, None),
    ("square(x) + x", 2, 2),
    ("square(square(x))", None, None),
    ("x @ T(A) @ A @ x", 2, 2),
    ("x @ x", 2, 2),
    ("mean(concat(x, y))", 1, 1),
    ("difference(x)*x[0:2]", 2, 2),
    ("reshape(x, 3, 1) @ reshape(y, 1, 3)", 2, 1),
    ("trace(reshape(x, 3, 1) @ reshape(y, 1, 3))", 2, 1),
    ("where(b > 0, x[0], x[1]**2)", 2, 2),
    ("where(y > 0, x, x**2)", None, 2),
    ("where(x > 0, x, x)", None, None),
    ("max(x, y)", None, None),
    ("abs(x)", None, None),
    ("x**0", 0, 0),
    ("x**1*y", 2, 1),
    ("0*x**100", None, None),
    ("2**p*x", 1, 1),
    ("x**1e300", None, None),
    ("y**101*x", None, 1),
    ("x**(p - 2)", 0, 0),
    ("(A @ x)**2/p", 2, 2),
    ("x/(x - x + 1)", None, None),
    ("-exp(b)", 0, 0),
    ("-(x*y)", 2, 1),
    ("logsumexp(b)*x", 1, 1),
    ("sum(x)*mean(y)", 2, 1),
    ("arange(3)*x", 1, 1),
    ("pi*x", 1, 1),
]


@pytest.mark.parametrize(("text", "joint", "partial"), CASES)
def test_degrees(text, joint, partial):
    tree = parse(text)
    assert degree(tree, set(VARIABLES), CONSTANTS) == joint
    assert degree(tree, {"x"}, CONSTANTS) == partial


def test_exponents_need_their_constants():
    assert degree(parse("x**p"), {"x"}) is None
    assert degree(parse("x**(1/(p - p))"), {"x"}, {"p": 1}) is None
    assert degree(parse("x <= y"), {"z"}) == 0
    assert degree(parse("x <= y"), {"x"}) is None


@pytest.mark.parametrize(("text", "joint", "partial"), CASES)
def test_the_proof_is_true(text, joint, partial):
    """A polynomial of degree k in one direction has vanishing differences of order k + 1."""
    pytest.importorskip("casadi")
    function = compile_function(text, VARIABLES, CONSTANTS)
    assert function.degree == joint
    if joint is None:
        return
    rng = np.random.default_rng(0)
    for _ in range(3):
        z, d = rng.uniform(0.5, 1, 7), rng.normal(size=7)
        values = [function.value(z + k * d) for k in range(joint + 2)]
        np.testing.assert_allclose(np.diff(values, n=joint + 1, axis=0), 0, atol=1e-9)


def test_several_outputs_take_the_largest():
    pytest.importorskip("casadi")
    assert compile_function(["x", "dot(x, y)"], VARIABLES).degree == 2
    assert compile_function(["x", "exp(x)"], VARIABLES).degree is None
    assert compile_function([], VARIABLES).degree == 0


def test_smoothness():
    assert is_smooth(parse("sum(logistic(x)) + huber(x[0], 1)"))
    assert not is_smooth(parse("sum(exp(abs(x)))"))
