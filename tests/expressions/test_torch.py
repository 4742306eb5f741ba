"""Users' torch functions as Functions."""

import inspect
import pickle
from tokenize import TokenError

import numpy as np
import pytest

from solverkit.errors import UsageError
from solverkit.expressions import Function, torch_target
from solverkit.expressions.torch_callable import callable_digest
from solverkit.expressions.torch_target import TorchFunction, check_device

torch = pytest.importorskip("torch")

BLOCKS = {"x": (2,), "Y": (2, 2)}
Z = np.array([0.5, -1.0, 2.0, 0.3, -0.7, 1.1])


def tilted(x, Y):
    return torch.exp(x @ Y), (x**3).sum()


def quartic(z):
    return (z**4).sum()


def reference(z):
    x, Y = z[:2], z[2:].reshape(2, 2)
    return np.concatenate([np.exp(x @ Y), [np.sum(x**3)]])


def differences(function, z, step=1e-5):
    return np.stack([(function(z + step * e) - function(z - step * e)) / (2 * step) for e in np.eye(len(z))], axis=-1)


def test_named_blocks():
    function = TorchFunction.from_callable(tilted, BLOCKS)
    assert isinstance(function, Function)
    assert (function.inputs, function.outputs, function.degree) == (6, 3, None)
    np.testing.assert_allclose(function.value(Z), reference(Z), rtol=1e-14)
    jacobian = function.jacobian(Z)
    assert jacobian.nnz == 18  # the pattern is full: it is the same at every point
    np.testing.assert_allclose(jacobian.toarray(), differences(reference, Z), rtol=1e-6, atol=1e-8)
    w, d = np.array([1.0, -2.0, 0.5]), np.arange(6.0)
    np.testing.assert_allclose(function.vjp(Z, w), jacobian.T @ w, rtol=1e-12)
    np.testing.assert_allclose(function.jvp(Z, d), jacobian @ d, rtol=1e-12)
    hessian = function.hessian(Z, w).toarray()
    np.testing.assert_allclose(hessian, differences(lambda z: function.vjp(z, w), Z), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(function.hvp(Z, w, d), hessian @ d, rtol=1e-12)


def test_signatures():
    def only_y(Y):
        return Y.sum()

    def anything(**blocks):
        return blocks["x"].sum() + blocks["Y"].sum()

    def with_default(x, scale=2.0):
        return scale * x

    class Model:
        def __call__(self, Y, x):
            return (Y @ x).sum()

    for fun, expected in [(only_y, 2.7), (anything, 2.2), (with_default, [1, -2]), (quartic, np.sum(Z**4))]:
        np.testing.assert_allclose(TorchFunction.from_callable(fun, BLOCKS).value(Z), np.atleast_1d(expected))
    assert TorchFunction.from_callable(Model(), BLOCKS).outputs == 1
    np.testing.assert_allclose(TorchFunction.from_callable(torch.sum, {"z": (6,)}).value(Z), [Z.sum()])
    with pytest.raises(UsageError, match="the variables are x, Y"):
        TorchFunction.from_callable(lambda x, q: x, BLOCKS)


@pytest.mark.parametrize(
    ("fun", "error", "message"),
    [
        (lambda z: None, TypeError, "returned NoneType"),
        (lambda z: z.detach().numpy(), TypeError, "without torch operations there are no derivatives"),
        (lambda z: z * 1j, TypeError, "complex"),
        (lambda z: "text", TypeError, "returned str"),
        (lambda z: True, TypeError, "returned bool"),
    ],
)
def test_wrong_returns(fun, error, message):
    with pytest.raises(error, match=message):
        TorchFunction.from_callable(fun, BLOCKS)


def test_another_number_of_outputs_later_is_an_error():
    function = TorchFunction.from_callable(lambda z: z[:2] if z[0] > 0 else z[:3], BLOCKS)
    with pytest.raises(ValueError, match="returned 2 numbers, 3 at first"):
        function.value(Z)


def test_nan_and_constants_pass_through():
    function = TorchFunction.from_callable(lambda z: torch.log(z).sum(), BLOCKS)
    assert np.isnan(function.value(Z))[0]
    assert np.isfinite(function.gradient(Z)).all()
    fixed = TorchFunction.from_callable(lambda z: (3, z[0]), BLOCKS)
    np.testing.assert_array_equal(fixed.value(Z), [3, 0.5])
    constant = TorchFunction.from_callable(lambda z: 3.0, BLOCKS)
    np.testing.assert_array_equal(constant.gradient(Z), np.zeros(6))
    np.testing.assert_array_equal(constant.jvp(Z, Z), np.zeros(1))
    np.testing.assert_array_equal(constant.hessian(Z, np.ones(1)).toarray(), np.zeros((6, 6)))


def test_what_cannot_be_batched_is_done_row_by_row():
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, weights):
            (x,) = ctx.saved_tensors
            if weights.sum().item() == 1e300:  # reading a number out: cannot be batched
                return None
            return weights * 3 * x**2

    function = TorchFunction.from_callable(lambda z: Cube.apply(z), BLOCKS)
    np.testing.assert_allclose(function.jacobian(Z).toarray(), np.diag(3 * Z**2))
    np.testing.assert_allclose(function.hessian(Z, np.ones(6)).toarray(), np.diag(6 * Z), atol=1e-14)
    kept = torch.ones(2, dtype=torch.float64, requires_grad=True)
    elsewhere = TorchFunction.from_callable(lambda z: (Cube.apply(kept), z[0]), BLOCKS)  # rows without z
    np.testing.assert_allclose(elsewhere.jacobian(Z).toarray(), np.eye(6)[[1, 2, 0]] * [1, 0, 0, 0, 0, 0])


def test_degree_given_by_the_caller():
    function = TorchFunction.from_callable(lambda z: 2 * z[:2], BLOCKS, degree=1)
    assert function.hessian(Z, np.ones(2)).nnz == 0
    np.testing.assert_array_equal(function.jacobian(Z).toarray(), 2 * np.eye(2, 6))
    square = TorchFunction.from_callable(lambda z: (z**2).sum(), BLOCKS, degree=2)
    np.testing.assert_array_equal(square.hessian(Z, np.array([3.0])).toarray(), 6 * np.eye(6))


def test_more_outputs_than_inputs():
    function = TorchFunction.from_callable(lambda z: torch.outer(z, z), BLOCKS)
    np.testing.assert_allclose(
        function.jacobian(Z).toarray(), differences(lambda z: np.outer(z, z).ravel(), Z), atol=1e-8
    )


@pytest.mark.parametrize("elements", [1, 12, 30, 10**6])
def test_derivatives_are_the_same_in_batches_of_any_size(monkeypatch, elements):
    monkeypatch.setattr(torch_target, "BATCH_ELEMENTS", elements)
    function = TorchFunction.from_callable(lambda z: (z**3, z[:4] * z[1]), BLOCKS)
    w = np.arange(1.0, 11.0)
    jacobian = differences(function.value, Z)
    np.testing.assert_allclose(function.jacobian(Z).toarray(), jacobian, rtol=1e-6, atol=1e-7)
    hessian = differences(lambda z: function.vjp(z, w), Z)
    np.testing.assert_allclose(function.hessian(Z, w).toarray(), hessian, rtol=1e-6, atol=1e-6)


def test_the_largest_dense_matrix(monkeypatch):
    function = TorchFunction.from_callable(lambda z: torch.outer(z[:2], z).ravel(), BLOCKS)  # 12 x 6
    monkeypatch.setattr(torch_target, "MAX_DENSE", 72)
    assert function.jacobian(Z).shape == (12, 6)
    monkeypatch.setattr(torch_target, "MAX_DENSE", 71)
    with pytest.raises(UsageError, match="a dense 12 x 6 matrix of derivatives is too large"):
        function.jacobian(Z)
    monkeypatch.setattr(torch_target, "MAX_DENSE", 36)
    assert function.hessian(Z, np.ones(12)).shape == (6, 6)
    assert not function.products_only
    monkeypatch.setattr(torch_target, "MAX_DENSE", 35)
    with pytest.raises(UsageError, match="a dense 6 x 6 matrix"):
        function.hessian(Z, np.ones(12))
    assert function.products_only


def test_too_large_to_be_dense():
    function = TorchFunction.from_callable(lambda z: (z**2).sum(), {"z": (20_000,)})
    with pytest.raises(UsageError, match="too large"):
        function.hessian(np.zeros(20_000), np.ones(1))
    assert function.products_only
    assert not TorchFunction.from_callable(lambda z: z.sum(), {"z": (20_000,)}, degree=1).products_only
    assert not TorchFunction.from_callable(lambda z: (z**2).sum(), {"z": (7_000,)}).products_only


@pytest.mark.parametrize("error", [OSError, SyntaxError, TokenError])
def test_without_a_source_the_compiled_code_is_digested(monkeypatch, error):
    """As of what is typed in, or of a file that has changed since: constants count, also those of functions within."""

    def fails(fun):
        raise error("no source")

    def digest(text):
        scope = {}
        exec(f"fun = {text}", scope)
        return callable_digest(scope["fun"], BLOCKS)

    monkeypatch.setattr(inspect, "getsource", fails)
    texts = [
        "lambda z: 2.0 * z.sum()",
        "lambda z: 3.0 * z.sum()",
        "lambda z: 2.0 * z.prod()",
        "lambda z: (lambda u: u + 1)(z)",
        "lambda z: (lambda u: u + 2)(z)",
        "lambda z: z.sum() if 'a' in {'a', 'b', 'c'} else z",
    ]
    assert len({digest(text) for text in texts}) == len(texts)
    assert [digest(text) for text in texts] == [digest(text) for text in texts]
    assert callable_digest(abs, BLOCKS) == callable_digest(abs, BLOCKS)


def test_pickle_move_and_digest():
    function = TorchFunction.from_callable(quartic, BLOCKS)
    again = pickle.loads(pickle.dumps(function))
    np.testing.assert_array_equal(again.gradient(Z), function.gradient(Z))
    assert again.digest() == function.digest()
    single = function.to("cpu", "float32")
    assert single.value(Z).dtype == np.float32
    assert single.to("cpu", "float64") is function
    assert function.to("cpu", "float32") is single

    def scaled(k):
        return TorchFunction.from_callable(lambda z: k * z.sum(), BLOCKS).digest()

    assert scaled(1.0) == scaled(1.0) != scaled(2.0)
    assert scaled(torch.ones(2)) != scaled(torch.zeros(2))
    assert TorchFunction.from_callable(torch.sum, {"z": (2,)}).digest() != scaled(1.0)
    assert TorchFunction.from_callable(quartic, BLOCKS, digest="mine").digest() == "mine"


def test_a_bare_map():
    function = TorchFunction(quartic, 3, 1)
    assert function.to("cpu", "float64") is function
    np.testing.assert_array_equal(function.gradient(np.ones(3)), [4, 4, 4])
    assert pickle.loads(pickle.dumps(function)).value(np.ones(3)) == 3
    with pytest.raises(UsageError, match="bound to 'cpu'"):
        function.to("cpu", "float32")


def test_tensors_on_the_device():
    function = TorchFunction.from_callable(quartic, BLOCKS)
    z = torch.ones(6, dtype=torch.float64, requires_grad=True)
    function.tensor(z).sum().backward()
    assert z.grad.tolist() == [4.0] * 6


def test_callers_arrays_are_safe():
    def careless(z):
        with torch.no_grad():
            z += 1
        return z.sum()

    z = np.zeros(6)
    TorchFunction.from_callable(careless, BLOCKS).value(z)
    assert not z.any()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_absent_devices_are_named():
    for device in ("cuda", "cuda:7", "nonsense"):
        with pytest.raises(UsageError, match=f"device '{device}' is not available"):
            check_device(device)


def test_a_function_may_close_over_torch_itself():
    import torch as library

    weight = library.tensor([2.0], dtype=library.float64)

    def fun(x):
        return library.sum(weight * x**2)

    function = TorchFunction.from_callable(fun, {"x": (3,)})
    first = function.digest()
    np.testing.assert_allclose(function.gradient(np.ones(3)), 4.0)
    weight = library.tensor([3.0], dtype=library.float64)
    assert TorchFunction.from_callable(fun, {"x": (3,)}).digest() != first
