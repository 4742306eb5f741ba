"""The table of functions: complete, documented, and finite wherever the mathematics is."""

import numpy as np
import pytest

from solverkit.expressions import FUNCTIONS, compile_function, evaluate

pytest.importorskip("casadi")
pytest.importorskip("torch")


def test_every_function_is_documented():
    for name, primitive in FUNCTIONS.items():
        assert primitive.name == name
        assert primitive.summary.endswith(".")
        assert 1 <= primitive.least <= primitive.most


EXTREME = [
    # text, x, value, derivative, second derivative
    ("logistic(x)", 800.0, 800.0, 1.0, 0.0),
    ("logistic(x)", -800.0, 0.0, 0.0, 0.0),
    ("logistic(x)", 0.0, np.log(2), 0.5, 0.25),
    ("logistic(x)", -30.0, np.log1p(np.exp(-30.0)), 9.357622968839299e-14, 9.357622968838423e-14),
    ("sigmoid(x)", -800.0, 0.0, 0.0, 0.0),
    ("sigmoid(x)", 800.0, 1.0, 0.0, 0.0),
    ("sigmoid(x)", 0.0, 0.5, 0.25, 0.0),
    ("logsumexp(concat(x, x))", 800.0, 800 + np.log(2), 1.0, 0.0),
    ("logsumexp(concat(x, 0))", -800.0, 0.0, 0.0, 0.0),
    ("sum(softmax(concat(x, 0)))", 800.0, 1.0, 0.0, 0.0),
    ("cross_entropy(reshape(concat(x, 0), 1, 2), label)", -800.0, 800.0, -1.0, 0.0),
    ("cross_entropy(reshape(concat(x, x), 1, 2), label)", 900.0, np.log(2), 0.0, 0.0),
    ("log1p(x)", 1e-18, 1e-18, 1.0, -1.0),
    ("norm(concat(x, x))", 0.0, 0.0, 0.0, 0.0),
    ("sum(row_norms(reshape(concat(x, x), 1, 2)))", 0.0, 0.0, 0.0, 0.0),
    ("total_variation(reshape(concat(x, x, x, x), 2, 2))", 3.0, 0.0, 0.0, 0.0),
    ("total_variation(reshape(concat(x, 0, 0, 0), 2, 2))", 3.0, 3 * np.sqrt(2), np.sqrt(2), 0.0),
    ("total_variation(concat(x, 0, 2*x))", -2.0, 6.0, -3.0, 0.0),
    ("x**2", 0.0, 0.0, 0.0, 2.0),
    ("x**3", -2.0, -8.0, 12.0, -12.0),
    ("x**1", 0.0, 0.0, 1.0, 0.0),
    ("x**0", 0.0, 1.0, 0.0, 0.0),
    ("x**p", 0.0, 0.0, 0.0, 2.0),
    ("huber(x, 1)", 0.0, 0.0, 0.0, 1.0),
    ("huber(x, 1)", -1e200, 1e200, -1.0, 0.0),
]


@pytest.mark.parametrize("target", ["casadi", "torch"])
@pytest.mark.parametrize(("text", "x", "value", "first", "second"), EXTREME)
def test_extreme_points(target, text, x, value, first, second):
    constants = {"label": np.array([0]), "p": 2}
    function = compile_function(text, {"x": ()}, constants, target=target)
    z = np.array([x])
    exact = {"rtol": 1e-12, "atol": 1e-15}
    np.testing.assert_allclose(function.value(z), [value], **exact)
    np.testing.assert_allclose(evaluate(text, constants, {"x": x}), value, **exact)
    np.testing.assert_allclose(function.gradient(z), [first], **exact)
    np.testing.assert_allclose(function.hessian(z, np.ones(1)).toarray(), [[second]], **exact)


@pytest.mark.parametrize("target", ["casadi", "torch"])
def test_entropy_of_zero_is_zero(target):
    function = compile_function("entropy(x)", {"x": (2,)}, target=target)
    assert function.value(np.array([0.0, 1.0])) == 0.0
    assert np.isnan(function.value(np.array([-1.0, 1.0])))[0]
    assert evaluate("entropy(x)", {}, {"x": np.array([0.0, np.e])}) == pytest.approx(np.e)


def test_numpy_values_are_numpys():
    X = np.arange(6.0).reshape(2, 3)
    point = {"X": X, "v": np.array([1.0, 4.0, 9.0])}
    for text, expected in {
        "sum(X, 0)": X.sum(0),
        "mean(X, 1)": X.mean(1),
        "T(X)": X.T,
        "transpose(X)": X.T,
        "reshape(X, 3, 2)": X.reshape(3, 2),
        "reshape(X, 6)": X.ravel(),
        "difference(v)": [3, 5],
        "difference(v[0:2])": [3],
        "total_variation(v[1:])": 5,
        "cross_entropy(X[0:1, :] - X[0:1, :], 2*arange(2)[1:])": np.log(3),
        "mean(v, 0)": 14 / 3,
        "X[::1, 1]": [1, 4],
        "v[2]": 9,
        "row_norms(X)": np.linalg.norm(X, axis=1),
        "total_variation(v)": 8,
        "total_variation(X)": 2 * np.hypot(3, 1) + 3 + 2 * 1,
        "graph_total_variation(v, reshape(concat(0, 2, 1, 0), 2, 2))": 8 + 3,
        "graph_total_variation(v, reshape(concat(0, 2, 1, 0), 2, 2), concat(0.5, 2))": 0.5 * 8 + 2 * 3,
        "diag(v)": np.diag([1, 4, 9]),
        "diag(X)": [0, 4],
        "trace(X @ T(X))": np.trace(X @ X.T),
        "concat(1, v, 2)": [1, 1, 4, 9, 2],
        "X[1, ::2]": [3, 5],
        "X[-1]": [3, 4, 5],
        "v[-3:-1]": [1, 4],
        "where(v > 3, v, -v)": [-1, 4, 9],
        "sqrt(v)": [1, 2, 3],
        "norm(v[0:1])": 1,
        "cos(pi)": -1,
    }.items():
        np.testing.assert_allclose(evaluate(text, {}, point), expected, atol=1e-15)
