"""What every compiled function keeps: its shapes, its digest, its independence of threads and processes."""

import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sparse

from solverkit.errors import MissingPackage, UsageError
from solverkit.expressions import (
    ExpressionError,
    Function,
    casadi_target,
    compile,
    compile_function,
    evaluate,
    program,
    shapes,
)

pytest.importorskip("casadi")
pytest.importorskip("torch")

VARIABLES = {"x": (3,), "y": (2, 3)}
TEXTS = ["sum(exp(y @ x)) + k*sum(x**2)", "y", "A @ x"]
CONSTANTS = {"k": 2, "A": sparse.csr_array(np.diag([1.0, 2.0, 3.0])), "unused": np.ones(5)}
TARGETS = ["casadi", "torch"]
Z = np.linspace(-1, 1, 9)


@pytest.fixture(params=TARGETS)
def function(request):
    return compile_function(TEXTS, VARIABLES, CONSTANTS, target=request.param)


def answers(function):
    w, d = np.linspace(1, 2, function.outputs), np.linspace(2, 3, function.inputs)
    parts = [function.value(Z), function.vjp(Z, w), function.jvp(Z, d), function.hvp(Z, w, d)]
    parts += [function.jacobian(Z).toarray().ravel(), function.hessian(Z, w).toarray().ravel()]
    return np.concatenate(parts)


def test_is_a_function(function):
    assert isinstance(function, Function)
    assert (function.inputs, function.outputs) == (9, 10)
    assert function.jacobian(Z).shape == (10, 9)
    assert function.hessian(Z, np.ones(10)).shape == (9, 9)
    with pytest.raises(ValueError, match="single output"):
        function.gradient(Z)


@pytest.mark.parametrize("target", TARGETS)
def test_results_belong_to_the_caller(target):
    function = compile_function("sum(x**2) + x[0]*x[1]", {"x": (3,)}, target=target)
    z, one = np.array([1.0, 2.0, 3.0]), np.ones(1)
    kept = function.gradient(z)
    function.gradient(2 * z)
    np.testing.assert_array_equal(kept, [4, 5, 6])
    for make in (lambda: function.hessian(z, one), lambda: function.jacobian(z)):
        first, expected = make(), make().toarray()
        for part in (first.data, first.indices, first.indptr):
            part[:] = 0
        np.testing.assert_array_equal(make().toarray(), expected)
    np.testing.assert_array_equal(function.hessian(z, 3 * one).toarray(), 3 * function.hessian(z, one).toarray())


def test_dense_derivatives_are_the_sparse_ones():
    function = compile_function(["x[0]*x[2]", "sum(x**3)", "4", "y[1, 0]"], VARIABLES, target="casadi")
    w = np.array([1.0, -2.0, 5.0, 3.0])
    for z in (Z, 2 * Z):  # the second time by the places that the first found
        np.testing.assert_array_equal(function.dense_jacobian(z), function.jacobian(z).toarray())
        np.testing.assert_array_equal(function.dense_hessian(z, w), function.hessian(z, w).toarray())


@pytest.mark.parametrize("target", TARGETS)
def test_wrong_lengths_are_refused(target):
    function = compile_function("sum(x)", {"x": (3,)}, target=target)
    for bad in (np.ones(2), np.ones(1), np.ones(4), np.ones((3, 2))):
        with pytest.raises(ValueError):
            function.value(bad)
    with pytest.raises(ValueError):
        function.vjp(np.ones(3), np.ones(2))


@pytest.mark.parametrize("target", TARGETS)
def test_no_outputs_and_no_dependence(target):
    empty = compile_function([], {"x": (3,)}, target=target)
    z = np.ones(3)
    assert empty.value(z).shape == (0,)
    assert empty.jacobian(z).shape == (0, 3)
    np.testing.assert_array_equal(empty.vjp(z, np.ones(0)), np.zeros(3))
    np.testing.assert_array_equal(empty.hessian(z, np.ones(0)).toarray(), np.zeros((3, 3)))
    fixed = compile_function(["k", "x[0]"], {"x": (3,)}, {"k": 4}, target=target)
    np.testing.assert_array_equal(fixed.value(z), [4, 1])
    np.testing.assert_array_equal(fixed.jacobian(z).toarray(), [[0, 0, 0], [1, 0, 0]])
    constant = compile_function("k", {"x": (3,)}, {"k": 4}, target=target)
    np.testing.assert_array_equal(constant.gradient(z), np.zeros(3))
    np.testing.assert_array_equal(constant.hvp(z, np.ones(1), z), np.zeros(3))
    assert constant.degree == 0


def test_pickles_by_text(function):
    before = answers(function)
    again = pickle.loads(pickle.dumps(function))
    np.testing.assert_array_equal(answers(again), before)
    assert again.digest() == function.digest()
    assert type(again) is type(function)


def test_threads_share_nothing(function):
    points = [np.random.default_rng(k).normal(size=9) for k in range(40)]
    w, d = np.ones(10), np.ones(9)

    def work(z):
        for _ in range(5):
            value = np.concatenate(
                [function.value(z), function.vjp(z, w), function.hvp(z, w, d), function.jacobian(z).data]
            )
        return value

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, points))
    for z, value in zip(points, together, strict=True):
        np.testing.assert_array_equal(value, work(z))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_agree(method):
    function = compile_function(TEXTS, VARIABLES, CONSTANTS, target="casadi")
    expected = function.jacobian(Z).toarray()
    with multiprocessing.get_context(method).Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(function.value, (Z,)), function.value(Z))
        np.testing.assert_array_equal(pool.apply(function.jacobian, (Z,)).toarray(), expected)


def test_digest():
    def digest(text="sum(x*k)", variables=None, constants=None, target="casadi"):
        return compile_function(text, variables or {"x": (3,)}, constants or {"k": 2}, target=target).digest()

    base = digest()
    assert len(base) == 64
    assert digest("  sum( x * k )") == base
    assert digest(target="torch") == base
    assert digest(constants={"k": 2.0, "other": 3}) == base
    different = [
        digest("sum(x*k) + 0"),
        digest(constants={"k": 3}),
        digest(constants={"k": np.array([2.0])}),
        digest(variables={"x": (4,)}),
        digest(variables={"x": (3,), "y": ()}),
        digest("sum(A @ x)", constants={"A": np.eye(3)}),
        digest("sum(A @ x)", constants={"A": sparse.csr_array(np.eye(3))}),
    ]
    assert len({base, *different}) == 1 + len(different)
    shuffled = sparse.coo_array(([1.0, 2.0, 3.0], ([2, 0, 0], [1, 0, 0])), shape=(3, 3))
    tidy = sparse.csr_array(np.array([[5.0, 0, 0], [0, 0, 0], [0, 1.0, 0]]))
    assert digest("sum(A @ x)", constants={"A": shuffled}) == digest("sum(A @ x)", constants={"A": tidy})
    program = (
        "from solverkit.expressions import compile_function\n"
        "print(compile_function('sum(x*k)', {'x': (3,)}, {'k': 2}).digest())"
    )
    root = str(Path(__file__).parents[2])
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)
    assert run.stdout.strip() == base


def test_data_may_change_afterwards():
    k = np.ones(3)
    function = compile_function("sum(k*x)", {"x": (3,)}, {"k": k}, target="casadi")
    k[:] = 5
    assert function.value(np.ones(3)) == 3


def test_auto_chooses_by_dense_work():
    A = np.ones((600, 200))
    small = compile_function("sum(A @ x)", {"x": (3,)}, {"A": np.ones((2, 3))})
    large = compile_function("sum(exp(A @ x))", {"x": (200,)}, {"A": A})
    thin = compile_function("sum(exp(A @ x))", {"x": (200,)}, {"A": sparse.csr_array(A * (A.cumsum(1) < 2))})
    rows = compile_function("exp(A @ x)", {"x": (200,)}, {"A": A})
    kinds = [type(function).__name__ for function in (small, large, rows, thin)]
    assert kinds == ["CasadiFunction", "ComposedFunction", "TorchFunction", "CasadiFunction"]


@pytest.mark.parametrize(
    ("text", "work"),
    [("A @ x", 6), ("A @ X", 24), ("x @ X", 12), ("x @ x", 3), ("A @ x + A @ (2*x)", 12), ("S @ x", 0), ("x @ S", 0)],
)
def test_the_work_in_dense_products_decides(monkeypatch, text, work):
    variables, constants = {"x": (3,), "X": (3, 4)}, {"A": np.ones((2, 3)), "S": sparse.eye_array(3)}
    for most, kind in ((work, "CasadiFunction"), (work - 1, "TorchFunction")):
        monkeypatch.setattr(compile, "DENSE_WORK", most)
        assert type(compile_function(text, variables, constants)).__name__ == kind


@pytest.mark.parametrize(
    ("text", "n", "kind"),
    [
        ("x[0]*x[3] + exp(x[1])", 1000, "SX"),
        ("sum(x**2)", 31, "SX"),  # two operations on 32 elements together: 16 each
        ("sum(x**2)", 32, "MX"),
        ("sum(exp(A @ x))", 1000, "MX"),
    ],
)
def test_expressions_of_single_elements_are_graphs_of_scalars(text, n, kind):
    function = compile_function(text, {"x": (n,)}, {"A": np.ones((40, 1000))}, target="casadi")
    assert type(function.graph()[0]).__name__ == kind


def test_graphs_of_scalars_have_a_largest_size(monkeypatch):
    for most, kind in ((32, "SX"), (31, "MX")):
        monkeypatch.setattr(casadi_target, "SCALAR_STEPS", most)
        function = compile_function("sum(x**2)", {"x": (31,)}, target="casadi")
        assert type(function.graph()[0]).__name__ == kind


def test_moving():
    function = compile_function(TEXTS, VARIABLES, CONSTANTS)
    single = function.to("cpu", "float32")
    assert (single.dtype, single.device) == ("float32", "cpu")
    assert function.to("cpu", "float32") is single
    assert single.to("cpu", "float64") is function
    assert function.to("cpu", "float64") is function
    np.testing.assert_allclose(answers(single), answers(function), rtol=1e-5, atol=1e-5)
    assert single.digest() == function.digest()


def test_what_cannot_be_asked_for():
    with pytest.raises(UsageError, match="unknown target 'jax'"):
        compile_function("x", {"x": ()}, target="jax")
    with pytest.raises(UsageError, match="unknown dtype 'float16'"):
        compile_function("x", {"x": ()}, dtype="float16")
    with pytest.raises(UsageError, match="target 'casadi' computes on 'cpu'"):
        compile_function("x", {"x": ()}, target="casadi", dtype="float32")
    with pytest.raises(UsageError, match="device 'nonsense' is not available"):
        compile_function("x", {"x": ()}, device="nonsense")
    for shape in ((0,), (2, 2, 2), (-1,)):
        with pytest.raises(ExpressionError, match="variable 'x' has shape"):
            compile_function("x", {"x": shape})
    with pytest.raises(ExpressionError, match="both a variable and a constant"):
        compile_function("x", {"x": ()}, {"x": 1})
    for bad in ("text", None, 1j, np.ones((2, 2, 2)), np.array(["a"]), np.array([np.nan]), 10**400, np.ones(0)):
        with pytest.raises(ExpressionError, match="'c'"):
            compile_function("x + c", {"x": ()}, {"c": bad})


def test_sparse_matrices_stay_sparse():
    S = sparse.random_array((4, 3), density=0.5, rng=np.random.default_rng(0))
    D, x = S.toarray(), np.array([1.0, -2.0, 3.0])
    constants = {"S": S, "c": np.ones(4), "k": 2}
    for text, expected in {
        "S @ x": D @ x,
        "(2*S/k - S) @ x": np.zeros(4),
        "T(S) @ (S @ x)": D.T @ D @ x,
        "(S @ x) @ S": D.T @ D @ x,
        "T(S) @ S @ x": D.T @ D @ x,
        "c @ S + x": D.T @ np.ones(4) + x,
        "reshape(x, 1, 3) @ T(S)": (D @ x)[None],
        "S @ reshape(x, 3, 1)": (D @ x)[:, None],
        "-S @ x": -D @ x,
        "k*(S @ x)": 2 * D @ x,
    }.items():
        for target in TARGETS:
            function = compile_function(text, {"x": (3,)}, constants, target=target)
            np.testing.assert_allclose(function.value(x), np.ravel(expected), atol=1e-12)
            np.testing.assert_allclose(function.jacobian(x) @ x, np.ravel(expected), atol=1e-12 + ("+ x" in text) * 9)
    for text in ("S", "S + 1", "S*x", "exp(S)", "sum(S)", "S[0]", "S**2", "x[0]*S @ x", "1/S", "concat(S)"):
        with pytest.raises(ExpressionError, match="sparse matrix"):
            compile_function(text, {"x": (3,)}, constants)


def test_products_of_constants_are_counted_as_they_are_computed(monkeypatch):
    """What takes no moment is not refused for what the same shapes would take if they were full."""
    n = 50_000
    S = sparse.random_array((n, n), density=4 / n, rng=np.random.default_rng(0), format="csr")
    constants = {"S": S, "v": np.ones(n)}
    np.testing.assert_allclose(evaluate("S @ v", constants), S.sum(1))
    np.testing.assert_allclose(evaluate("v @ S", constants), S.sum(0))
    np.testing.assert_allclose(evaluate("T(S) @ S @ v", constants), S.T @ S.sum(1))
    for text, products in {
        "A @ B": 2 * 3 * 4,
        "A @ c": 2 * 3,
        "c @ B": 3 * 4,
        "c @ c": 3,
        "D @ B": 5 * 4,
        "A @ D": 2 * 5,
        "D @ c": 5,
        "c @ D": 5,
        "D @ T(D) @ c": 4
        + 1
        + 4
        + 5,  # each row of D meets as many rows of T(D) as it is long; the product has 5 entries
        "D @ (D @ c)": 5 + 5,
    }.items():
        small = {"A": np.ones((2, 3)), "B": np.ones((3, 4)), "c": np.ones(3)}
        small["D"] = sparse.csr_array(np.array([[1.0, 0, 1], [0, 1, 0], [1, 0, 1]]))
        monkeypatch.setattr(program, "MAX_PRODUCTS", products)
        evaluate(text, small)
        monkeypatch.setattr(program, "MAX_PRODUCTS", products - 1)
        with pytest.raises(ExpressionError, match="too much memory or time"):
            evaluate(text, small)


def test_a_sparse_product_that_is_full_counts_as_memory(monkeypatch):
    constants = {"u": sparse.csr_array(np.ones((6, 1))), "v": sparse.csr_array(np.ones((1, 6))), "x": np.ones(6)}
    monkeypatch.setattr(shapes, "MAX_ELEMENTS", 36 + 6)
    assert evaluate("u @ v @ x", constants).tolist() == [6] * 6
    monkeypatch.setattr(shapes, "MAX_ELEMENTS", 36 + 5)
    with pytest.raises(ExpressionError, match="too much memory or time"):
        evaluate("u @ v @ x", constants)


def test_torchs_own_transforms_work_on_sparse_products():
    torch = pytest.importorskip("torch")
    S = sparse.random_array((4, 3), density=0.5, rng=np.random.default_rng(0))
    function = compile_function(["exp(S @ x)", "S @ Y"], {"x": (3,), "Y": (3, 2)}, {"S": S}, target="torch")
    points = np.random.default_rng(1).normal(size=(5, 9))
    batch = torch.tensor(points)
    values = torch.func.vmap(function.tensor)(batch)
    np.testing.assert_allclose(values, [function.value(z) for z in points], rtol=1e-14)
    jacobians = torch.func.vmap(torch.func.jacrev(function.tensor))(batch)
    np.testing.assert_allclose(jacobians, [function.jacobian(z).toarray() for z in points], rtol=1e-14)


def test_missing_packages_name_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "casadi", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPackage, match=r'pip install "solverkit\[casadi\]"'):
        compile_function("x", {"x": ()}, target="casadi")
    with pytest.raises(MissingPackage, match=r"pip install torch==2\.13\.0"):
        compile_function("x", {"x": ()}, target="torch")
    monkeypatch.setattr(compile, "find_spec", lambda name: None if name == "casadi" else object())
    with pytest.raises(MissingPackage, match="torch"):
        compile_function("x", {"x": ()})


def test_importing_is_light():
    program = (
        "import sys, solverkit.expressions as e; e.parse('sum(x)'); e.evaluate('2*3')\n"
        "assert not {'torch', 'casadi'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=str(Path(__file__).parents[2]))


def test_large_blocks_are_quick_to_build():
    n = 30_000
    blocks = {"x": (n,), "y1": (n,), "y2": (n,)}
    function = compile_function("0.5*sum((x - y2)**2) + 0.5*sum((y1 - 1)**2) - dot(x, y1)", blocks)
    z = np.ones(3 * n)
    assert function.gradient(z).shape == (3 * n,)
    hessian = function.hessian(z, np.ones(1))
    assert hessian.nnz == 7 * n
    balance = compile_function("sum(x) + sum(y1) + sum(y2)", blocks)
    assert balance.jacobian(z).nnz == 3 * n
    assert balance.degree == 1
