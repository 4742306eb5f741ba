"""Functions with large products taken out of the graph, against the same expression on CasADi alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.expressions import composed, gram
from solverkit.expressions.compile import compile_function
from solverkit.expressions.composed import ComposedFunction
from solverkit.expressions.gram import Gram, pays

TEXTS = (
    "sum(logistic(X @ w)) + 0.5*normsq(w)",
    "mean(logistic(-label*(X @ w + b)))",
    "sum((X @ w)*(Y @ v)) + dot(v, v)*sum(exp(X @ w)) + b**2",
    "sum(sin(X @ w)*exp(0.1*(S @ w))) + w[1]*sum(S @ w)",
    "normsq(X @ w - label) + 3*b",
    "logsumexp(S @ w) + b*v[0]",  # its outer Hessian is dense
)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    S = csr_array(np.where(rng.random((20, 6)) < 0.4, rng.normal(size=(20, 6)), 0))
    return {
        "X": rng.normal(size=(20, 6)),
        "Y": rng.normal(size=(20, 4)),
        "S": S,
        "label": np.sign(rng.normal(size=20)),
    }


@pytest.mark.parametrize("text", TEXTS)
def test_against_casadi(text, data, monkeypatch):
    variables = {"b": (), "w": (6,), "v": (4,)}
    plain = compile_function(text, variables, data, target="casadi")
    monkeypatch.setattr(composed, "LARGE", 30)
    monkeypatch.setattr(composed, "LARGE_SPARSE", 30)
    made = compile_function(text, variables, data)
    assert isinstance(made, ComposedFunction)
    assert (made.inputs, made.outputs, made.degree, made.digest()) == (11, 1, plain.degree, plain.digest())
    again = pickle.loads(pickle.dumps(made))
    rng = np.random.default_rng(1)
    for function in (made, again):
        z, d, weight = 0.5 * rng.normal(size=11), rng.normal(size=11), np.array([1.7])
        np.testing.assert_allclose(function.value(z), plain.value(z), rtol=1e-12)
        np.testing.assert_allclose(function.gradient(z), plain.gradient(z), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(function.vjp(z, weight), plain.vjp(z, weight), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(function.jvp(z, d), plain.jvp(z, d), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(function.hvp(z, weight, d), plain.hvp(z, weight, d), rtol=1e-10, atol=1e-10)
        H = function.hessian(z, weight)
        assert H.nnz == 121
        np.testing.assert_allclose(H.toarray(), plain.hessian(z, weight).toarray(), rtol=1e-10, atol=1e-10)
        diagonal = function.hessian_diagonal(z, weight)
        np.testing.assert_allclose(diagonal, plain.hessian(z, weight).toarray().diagonal(), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(function.jacobian(z).toarray()[0], plain.gradient(z), rtol=1e-10, atol=1e-10)


def test_the_last_point_is_kept_and_left(data, monkeypatch):
    """Values at one point and then another, in turn, and at a vector that changed in place."""
    monkeypatch.setattr(composed, "LARGE", 30)
    monkeypatch.setattr(composed, "LARGE_SPARSE", 30)
    made = compile_function("sum(logistic(S @ w)) + 0.1*sum(w**4)", {"w": (6,)}, data)
    rng, one = np.random.default_rng(2), np.ones(1)
    z, d = rng.normal(size=6), rng.normal(size=6)
    first = made.value(z), made.hvp(z, one, d), made.hessian(z, one).toarray()
    np.testing.assert_allclose(first[2] @ d, first[1], rtol=1e-12)
    z += 1.0
    assert made.value(z) != first[0]
    assert np.abs(made.hvp(z, one, d) - first[1]).max() > 1e-3
    z -= 1.0
    np.testing.assert_allclose(made.hvp(z, one, d), first[1], rtol=1e-9)
    made.hessian(z, one).data[:] = 0.0  # the caller's own
    made.gradient(z)[:] = 0.0
    np.testing.assert_allclose(made.hessian(z, one).toarray(), first[2], rtol=1e-9)


@pytest.mark.parametrize("density", [0.0, 0.1, 1.0])
def test_gram_matrices_from_pairs(density):
    """Against the dense product, with columns out of order, as in a product of matrices, and an entry stored twice."""
    rng = np.random.default_rng(3)
    counts = rng.binomial(9, density, size=30)
    columns = np.concatenate([rng.permutation(9)[:count] for count in counts] + [np.array([7, 7])])
    ends = np.cumsum([0, *counts[:-1], counts[-1] + 2])
    A = csr_array((rng.normal(size=len(columns)), columns, ends), shape=(30, 9))
    assert not A.has_canonical_format
    d = rng.normal(size=30)
    np.testing.assert_allclose(Gram(A)(d), A.toarray().T @ (d[:, None] * A.toarray()), atol=1e-13)
    assert pays(A)


def test_pairs_are_kept_up_to_a_limit(monkeypatch):
    three = csr_array(np.array([[1.0, 2.0, 0.0]]))  # two entries: three pairs
    monkeypatch.setattr(gram, "MOST", 3)
    assert pays(three)
    monkeypatch.setattr(gram, "MOST", 2)
    assert not pays(three)
    assert pays(csr_array((1, 46_340)))
    assert not pays(csr_array((1, 46_341)))  # whose square is no int32


def test_when_it_is_used(data, monkeypatch):
    variables = {"w": (6,)}
    assert not isinstance(compile_function("sum(exp(X @ w))", variables, data), ComposedFunction)
    monkeypatch.setattr(composed, "LARGE", 30)
    monkeypatch.setattr(composed, "LARGE_SPARSE", 30)
    assert not isinstance(compile_function("X @ w", variables, data), ComposedFunction)  # many outputs
    for text, name, size in (("sum(exp(X @ w))", "LARGE", 120), ("sum(exp(S @ w))", "LARGE_SPARSE", data["S"].nnz)):
        with monkeypatch.context() as patch:
            patch.setattr(composed, name, size)
            assert isinstance(compile_function(text, variables, data), ComposedFunction)
            patch.setattr(composed, name, size + 1)
            assert not isinstance(compile_function(text, variables, data), ComposedFunction)
    assert not isinstance(compile_function("normsq(w)", variables, data), ComposedFunction)
    made = compile_function("sum(exp(X @ w))", variables, data)
    assert made.to("cpu", "float64") is made
    assert made.to("cpu", "float32").dtype == "float32"
    with pytest.raises(ValueError, match="shape"):
        compile_function("sum(exp(X @ w))", variables, data).value(np.zeros(5))


def test_large_hessians_are_offered_as_products(data, monkeypatch):
    monkeypatch.setattr(composed, "LARGE", 30)
    monkeypatch.setattr(composed, "LARGE_SPARSE", 30)
    assert not compile_function("sum(exp(X @ w))", {"w": (6,)}, data).products_only
    monkeypatch.setattr(composed, "MOST", 5)
    assert compile_function("sum(cos(X @ w))", {"w": (6,)}, data).products_only
