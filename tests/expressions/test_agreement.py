"""CasADi (both kinds of graph), torch and NumPy are three readings of one text: they agree, and with differences."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from strategies import CONSTANTS, INPUTS, VARIABLES, expressions

from solverkit.expressions import (
    casadi_target,
    compile_function,
    evaluate,
)

pytest.importorskip("casadi")
pytest.importorskip("torch")

MILD = 1e6  # values beyond this lose digits by cancellation, in every arithmetic alike


def blocks_of(z):
    """The named blocks of a flat vector, rows first."""
    result, first = {}, 0
    for name, shape in VARIABLES.items():
        size = int(np.prod(shape))
        result[name] = z[first : first + size].reshape(shape)
        first += size
    return result


def numpy_value(texts, z):
    return np.concatenate([np.ravel(evaluate(text, CONSTANTS, blocks_of(z))) for text in texts])


def close(actual, expected, tolerance=1e-12):
    scale = 1 + np.max(np.abs(expected), initial=0)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale)


def differences(function, z, step):
    columns = []
    for unit in np.eye(len(z)):
        columns.append((function(z + step * unit) - function(z - step * unit)) / (2 * step))
    return np.stack(columns, axis=-1)


@pytest.fixture(params=["SX", "MX"])
def graph(request, monkeypatch):
    monkeypatch.setattr(casadi_target, "SCALAR_LENGTH", 10**9 if request.param == "SX" else 0)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(texts=st.lists(expressions(), min_size=1, max_size=2), seed=st.integers(0, 2**16))
def test_targets_agree(graph, texts, seed):
    rng = np.random.default_rng(seed)
    z, d = rng.uniform(-1.5, 1.5, INPUTS), rng.normal(size=INPUTS)
    by_casadi = compile_function(texts, VARIABLES, CONSTANTS, target="casadi")
    by_torch = compile_function(texts, VARIABLES, CONSTANTS, target="torch")
    m = by_casadi.outputs
    w = rng.normal(size=m)
    assert by_torch.outputs == m
    assert by_casadi.digest() == by_torch.digest()
    expected = numpy_value(texts, z)
    hessian = by_casadi.hessian(z, w).toarray()
    jacobian = by_casadi.jacobian(z).toarray()
    assume(max(np.abs(part).max(initial=0) for part in (expected, jacobian, hessian)) < MILD)

    close(by_casadi.value(z), expected)
    close(by_torch.value(z), expected)
    close(by_torch.jacobian(z).toarray(), jacobian)
    close(by_torch.hessian(z, w).toarray(), hessian)
    close(hessian, hessian.T)
    for function in (by_casadi, by_torch):
        close(function.vjp(z, w), jacobian.T @ w)
        close(function.jvp(z, d), jacobian @ d)
        close(function.hvp(z, w, d), hessian @ d)
        if m == 1:
            close(function.gradient(z), jacobian[0])
    close(jacobian, differences(lambda p: numpy_value(texts, p), z, 1e-5), 1e-5)
    close(hessian, differences(lambda p: by_casadi.vjp(p, w), z, 1e-5), 1e-5)
    if by_casadi.degree is not None:
        other = rng.normal(size=INPUTS)
        close(by_torch.hvp(other, w, d), hessian @ d, 1e-9)


NONSMOOTH = [
    "abs(x)",
    "relu(x)",
    "leaky_relu(x, 0.1)",
    "max(x, y)",
    "min(x, s)",
    "huber(x, 0.5)",
    "norm1(x)",
    "norm(x)",
    "where(x > y, x**2, y)",
    "where(s <= x, s, x*y)",
    "where(c > 0, x, y)",
    "where(x >= 0, 1, 0)",
    "max(M, c)",
    "graph_total_variation(x, edges)",
    "graph_total_variation(x - y, edges, weights)",
    "total_variation(M)",
    "total_variation(A*x)",
    "total_variation(x)",
    "row_norms(M)",
]


@pytest.mark.parametrize("text", NONSMOOTH)
def test_nonsmooth_targets_agree_also_on_their_kinks(graph, text):
    by_casadi = compile_function(text, VARIABLES, CONSTANTS, target="casadi")
    by_torch = compile_function(text, VARIABLES, CONSTANTS, target="torch")
    points = [np.zeros(INPUTS), np.linspace(-1, 1, INPUTS), np.full(INPUTS, 0.5), -np.ones(INPUTS)]
    for z in points:
        w = np.linspace(1, 2, by_casadi.outputs)
        close(by_casadi.value(z), numpy_value([text], z))
        close(by_torch.value(z), numpy_value([text], z))
        close(by_casadi.jacobian(z).toarray(), by_torch.jacobian(z).toarray())
        close(by_casadi.hessian(z, w).toarray(), by_torch.hessian(z, w).toarray())


@pytest.mark.parametrize("target", ["casadi", "torch"])
def test_float32_and_broadcasting_layouts(target):
    texts = ["reshape(arange(6), 2, 3) + s", "M*reshape(M[:, 0], 2, 1)", "T(M)", "M[:, 1:]", "M[1]"]
    function = compile_function(texts, VARIABLES, CONSTANTS, target=target)
    z = np.random.default_rng(3).normal(size=INPUTS)
    close(function.value(z), numpy_value(texts, z))
    if target == "torch":
        single = function.to("cpu", "float32")
        assert single.value(z).dtype == np.float32
        close(single.value(z), numpy_value(texts, z), 1e-6)
        assert single.jacobian(z).dtype == np.float32
