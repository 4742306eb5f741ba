"""Every form of f, h and chi against its plain formula, its derivative, its proximal map by brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse import csr_array, eye_array, random_array
from scipy.sparse.linalg import aslinearoperator

from solverkit.errors import InvalidProblem, UsageError
from solverkit.expressions import compile_function, evaluate
from solverkit.kinds.composite import Composite, composite
from solverkit.kinds.composite.dual_steps import dual_step
from solverkit.kinds.composite.kinks import RowKinks
from solverkit.kinds.composite.linear_maps import After, GridDifferences, Matrix, PairedDifferences, Stack
from solverkit.kinds.composite.losses import RowLoss, least_singular, spectral_norm
from solverkit.kinds.composite.row_norms import RowNorms
from solverkit.kinds.composite.terms import Bounded, dual_diameter
from solverkit.operators.proximal import L1, L2, Box, Conjugate, GroupL2, LInf, Product, Simplex, Tilted, Translated

RNG = np.random.default_rng(0)
A, B, X = RNG.standard_normal((12, 6)), RNG.standard_normal(12), RNG.standard_normal(6)
LABELS = np.sign(B)
EDGES = np.array([[0.0, 1.0], [2.0, 5.0], [1.0, 4.0]])
DATA = {"A": A, "b": B, "s": LABELS, "E": EDGES, "c": np.array([1.0, 2.0, 3.0]), "S": csr_array(A)}


def small(shape: object = 6, **parts: object) -> Composite:
    return composite(variables={"x": {"shape": shape}}, data=DATA, **parts)  # type: ignore[arg-type]


def slope(f: object, x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    unit = step * np.eye(len(x))
    return np.array([(f(x + d) - f(x - d)) / (2 * step) for d in unit])  # type: ignore[operator]


LOSSES = {
    "least_squares": lambda z, b: 0.5 * (z - b) ** 2,
    "logistic": lambda z, b: np.log1p(np.exp(-b * z)),
    "huber": lambda z, b: np.where(abs(z - b) <= 0.7, 0.5 * (z - b) ** 2, 0.7 * (abs(z - b) - 0.35)),
}


@pytest.mark.parametrize("matrix", ["A", "S"])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_of_data(loss: str, matrix: str) -> None:
    b = LABELS if loss == "logistic" else B
    problem = small(smooth={loss: {"matrix": matrix, "targets": b, "delta": 0.7}})
    f = problem.smooth
    np.testing.assert_allclose(f.value(X), LOSSES[loss](A @ X, b).mean())
    np.testing.assert_allclose(f.gradient(X), slope(f.value, X), atol=1e-7)
    value, gradient = f.value_and_gradient(X)
    np.testing.assert_allclose(value, f.value(X))
    np.testing.assert_allclose(gradient, f.gradient(X))
    batches = [f.batch_gradient(X, np.array([i])) for i in range(12)]
    np.testing.assert_allclose(np.mean(batches, axis=0), gradient, atol=1e-12)
    assert f.lipschitz is not None
    for _ in range(50):
        one, two = RNG.standard_normal((2, 6))
        apart = np.linalg.norm(f.gradient(one) - f.gradient(two))
        assert apart <= f.lipschitz * np.linalg.norm(one - two) * (1 + 1e-9)
    bend = f.strong  # type: ignore[attr-defined]
    assert bend <= np.linalg.eigvalsh(A.T @ A / 12)[0] + 1e-12
    assert (bend > 0) == (loss == "least_squares")


@pytest.mark.parametrize("loss", ["absolute", "hinge"])
def test_kinks_and_their_form_by_rows(loss: str) -> None:
    b = LABELS if loss == "hinge" else B
    h = RowKinks(loss, A, b, 0.3)  # type: ignore[arg-type]
    z = A @ X
    plain = 0.3 * (np.abs(z - b) if loss == "absolute" else np.maximum(1 - b * z, 0)).sum()
    np.testing.assert_allclose(h.value(X), plain)
    np.testing.assert_allclose(h.rows_form.outer.value(h.rows_form.forward(X)), plain)
    np.testing.assert_allclose(h.subgradient(X), slope(h.value, X), atol=1e-7)
    batches = [h.batch_subgradient(X, np.array([i])) for i in range(12)]
    np.testing.assert_allclose(np.mean(batches, axis=0), h.subgradient(X), atol=1e-12)
    assert np.linalg.norm(h.subgradient(X)) <= h.lipschitz


NONSMOOTH = {
    "0.5*norm1(A @ x - b)": lambda x: 0.5 * np.abs(A @ x - B).sum(),
    "2*sum(abs(x)) + norm(A @ x)/4": lambda x: 2 * np.abs(x).sum() + np.linalg.norm(A @ x) / 4,
    "sum(max(A @ x - b, 0)) + sum(relu(x))": lambda x: np.maximum(A @ x - B, 0).sum() + np.maximum(x, 0).sum(),
    "3*total_variation(x)": lambda x: 3 * np.abs(np.diff(x)).sum(),
    "total_variation(A @ x - b)": lambda x: np.abs(np.diff(A @ x - B)).sum(),
    "graph_total_variation(x, E, c)": lambda x: np.abs(x[[0, 2, 1]] - x[[1, 5, 4]]) @ DATA["c"],
    "graph_total_variation(A @ x, E)": lambda x: np.abs((A @ x)[[0, 2, 1]] - (A @ x)[[1, 5, 4]]).sum(),
    "max(x[0], max(x[1] + 1, 2*x[2]))": lambda x: max(x[0], x[1] + 1, 2 * x[2]),
    "sum(row_norms(reshape(A @ x, 4, 3)))": lambda x: np.linalg.norm((A @ x).reshape(4, 3), axis=1).sum(),
    "total_variation(reshape(A @ x, 4, 3))": lambda x: _variation((A @ x).reshape(4, 3)),
}


def _variation(image: np.ndarray) -> float:
    square = np.zeros(image.shape)
    square[:-1] += np.diff(image, axis=0) ** 2
    square[:, :-1] += np.diff(image, axis=1) ** 2
    return float(np.sqrt(square).sum())


@pytest.mark.parametrize("text", NONSMOOTH)
def test_structured_terms(text: str) -> None:
    problem = small(nonsmooth=text)
    plain = NONSMOOTH[text]
    assert problem.structured is not None
    for x in (X, 10 * RNG.standard_normal(6)):
        np.testing.assert_allclose(problem.nonsmooth_value(x), plain(x))
        g = problem.subgradient(x)
        for other in RNG.standard_normal((20, 6)):
            assert plain(other) >= plain(x) + g @ (other - x) - 1e-5 * (1 + abs(plain(x)))
    y = problem.dual_prox(100 * RNG.standard_normal(problem.structured.rows), 1.0)
    assert 0.5 * y @ y <= problem.structured.diameter * (1 + 1e-9)
    assert problem.structured.outer.conjugate(y) < np.inf
    x, w = RNG.standard_normal(6), RNG.standard_normal(problem.structured.rows)
    np.testing.assert_allclose(problem.forward(x) @ w, x @ problem.adjoint(w))
    np.testing.assert_allclose(problem.structured.linear.sparse() @ x, problem.forward(x))  # type: ignore[attr-defined]


def test_matrices_have_their_rows_first() -> None:
    problem = small([3, 2], nonsmooth="sum(row_norms(x)) + total_variation(x)")
    image = X.reshape(3, 2)
    np.testing.assert_allclose(problem.nonsmooth_value(X), np.linalg.norm(image, axis=1).sum() + _variation(image))


@pytest.mark.parametrize("linear", [GridDifferences((5,)), GridDifferences((3, 4)), PairedDifferences((3, 4))])
def test_maps_are_their_matrices(linear: object) -> None:
    D = linear.sparse().toarray()  # type: ignore[attr-defined]
    x, y = RNG.standard_normal(D.shape[1]), RNG.standard_normal(D.shape[0])
    np.testing.assert_allclose(linear.forward(x), D @ x)  # type: ignore[attr-defined]
    np.testing.assert_allclose(linear.adjoint(y), D.T @ y)  # type: ignore[attr-defined]
    M = Matrix(random_array((D.shape[1], 7), density=0.5, rng=0))
    for both in (After(linear, M), Stack([M, M])):
        whole, u = both.sparse(), RNG.standard_normal(7)
        np.testing.assert_allclose(both.forward(u), whole @ u)
        np.testing.assert_allclose(both.adjoint(both.forward(u)), whole.T @ (whole @ u))


OUTERS = [
    L1(np.array([0.5, 1.0, 2.0, 0.1])),
    L2(0.7),
    LInf(0.7),
    RowNorms(2, 0.6),
    RowNorms(2, np.array([0.5, 2.0])),
    GroupL2([[0, 3], [1, 2]], 0.6),
    Conjugate(Simplex(0.8)),
    Translated(RowNorms(2, 0.6), np.array([1.0, -2, 0.3, 0])),
    Tilted(Translated(L1(0.4), 0.3), np.array([0.4, -0.4, 0.4, 0.4])),
    Product([(slice(0, 1), L1(0.5)), (slice(1, 4), L2(1.5))]),
]


@pytest.mark.parametrize("outer", OUTERS, ids=lambda outer: type(outer).__name__)
def test_dual_steps_are_those_of_moreau(outer: object) -> None:
    for step in (1e-3, 1.0, 50.0):
        v = 3 * RNG.standard_normal(4)
        np.testing.assert_allclose(
            dual_step(outer, v, step),  # type: ignore[arg-type]
            v - step * outer.prox(v / step, 1 / step),  # type: ignore[attr-defined]
            atol=1e-12,
        )
    far = dual_step(outer, 1e6 * RNG.standard_normal(4), 1.0)  # type: ignore[arg-type]
    if not isinstance(outer, Conjugate):
        assert 0.5 * far @ far <= dual_diameter(outer, 4) * (1 + 1e-9)  # type: ignore[arg-type]


def test_norms_of_rows_are_groups() -> None:
    rows, groups = RowNorms(3, 0.4), GroupL2([slice(3 * k, 3 * k + 3) for k in range(5)], 0.4)
    v = RNG.standard_normal((2, 15))
    v[0, :3] = 0
    for name, arguments in (("prox", (v, 0.9)), ("value", (v,)), ("conjugate", (0.01 * v,)), ("conjugate", (9 * v,))):
        np.testing.assert_allclose(getattr(rows, name)(*arguments), getattr(groups, name)(*arguments))


def test_the_conjugate_of_the_l1_norm_on_a_box() -> None:
    box = Box(np.array([-1.0, 0.5, -np.inf, -2.0]), np.array([2.0, 3.0, 1.0, -1.0]))
    part = Bounded(L1(0.7), box)
    grid = np.linspace(-50, 50, 100_001)
    for _ in range(20):
        v = RNG.uniform(-3, 3, 4)
        v[2] = abs(v[2])
        each = [
            (v[i] * u - 0.7 * np.abs(u)).max()
            for i in range(4)
            for u in [grid[(grid >= box.lower.host[i] - 1e-9) & (grid <= box.upper.host[i] + 1e-9)]]
        ]
        np.testing.assert_allclose(part.conjugate(v), sum(each), atol=1e-6)
    assert part.conjugate(np.array([0.0, 0, -1, 0])) == np.inf


SIMPLE: dict[str, dict[str, Any]] = {
    "0.7*sum(x**2) - dot(x, b[:6])": {},
    "norm1(x) + 0.1*normsq(x)": {"lower": -0.1, "upper": 0.4},
    "0.5*sum(square(x)) + sum(b[:6]*x) + 0.1*(x[0] - x[1])": {"set": "simplex"},
    "0.1*sum(x**2)": {"set": {"ball": {"center": 0, "radius": 0.5}}},
}


@pytest.mark.parametrize("text", SIMPLE)
def test_steps_of_chi_by_brute_force(text: str) -> None:
    problem = composite(variables={"x": {"shape": 6, **SIMPLE[text]}}, data=DATA, simple=text)
    chi, g, centre = problem.simple, RNG.standard_normal(6), RNG.standard_normal(6)
    u = chi.step(g, centre, 0.8)
    assert chi.violation(u) <= 1e-12
    np.testing.assert_allclose(chi.value(u), float(evaluate(text, DATA, {"x": u})), atol=1e-12)

    def at(w: np.ndarray) -> float:
        return float(g @ w + chi.value(w) + 0.8 * chi.distance(centre, w))

    for size in (1e-4, 1e-2, 1.0):
        for _ in range(50):
            assert at(chi.step(np.zeros(6), u + size * RNG.standard_normal(6), 1e9)) >= at(u) - 1e-9
    lowest = chi.lowest(g)
    for _ in range(50):
        w = chi.step(np.zeros(6), RNG.standard_normal(6), 1e9)
        assert g @ w + chi.value(w) >= lowest - 1e-9


def test_entropy_steps() -> None:
    problem = composite(
        variables={"x": {"shape": 6, "set": "simplex", "start": 1 / 6}},
        geometry="entropy",
        data=DATA,
        simple="0.3*entropy(x) + dot(b[:6], x)",
    )
    chi, g, centre = problem.simple, RNG.standard_normal(6), RNG.dirichlet(np.ones(6))

    def at(free: np.ndarray) -> float:
        w = np.exp(free - free.max())
        w /= w.sum()
        return float(g @ w + chi.value(w) + 0.5 * chi.distance(centre, w))

    u = chi.step(g, centre, 0.5)
    found = minimize(at, np.zeros(6), method="BFGS", options={"gtol": 1e-9}).fun
    np.testing.assert_allclose(g @ u + chi.value(u) + 0.5 * chi.distance(centre, u), found, atol=1e-9)
    assert problem.provides >= {"entropy", "strongly-convex"}
    mean = chi.between(centre, 0.3, u, 0.7)
    w = RNG.dirichlet(np.ones(6), 2)
    one, two = (0.3 * chi.distance(centre, v) + 0.7 * chi.distance(u, v) - chi.distance(mean, v) for v in w)
    np.testing.assert_allclose(one, two)


def test_graph_total_variation_in_both_targets() -> None:
    text = "graph_total_variation(x, E, c) + graph_total_variation(2*x, E)"
    plain = np.abs(X[[0, 2, 1]] - X[[1, 5, 4]]) @ (DATA["c"] + 2)
    for target in ("casadi", "torch"):
        function = compile_function(text, {"x": (6,)}, {"E": EDGES, "c": DATA["c"]}, target=target)
        np.testing.assert_allclose(function.value(X), [plain])
        exact = slope(lambda z: np.abs(z[[0, 2, 1]] - z[[1, 5, 4]]) @ (DATA["c"] + 2), X)
        np.testing.assert_allclose(function.gradient(X), exact, atol=1e-6)
    np.testing.assert_allclose(evaluate(text, {"E": EDGES, "c": DATA["c"]}, {"x": X}), plain)


def test_a_proven_square_moves_to_chi() -> None:
    moved = {
        "normsq(A @ x - b) + 0.3*sum(x**2)": 0.6,
        "sum(logistic(A @ x)) + sum(square(x))/2": 1.0,
        "2*normsq(x) + dot(x, b[:6]) + mean(huber(A @ x, 1))": 4.0,
        "sum(x**2) - 0.5*sum(x**2)": 1.0,
        "sum(x**2) + dot(x, transpose(A) @ (A @ x))": 2.0,  # by its Hessian
    }
    stays = ["sum(x**2) - 0.2*x[0]*x[1]", "sum(x**2) + sum(sin(x))/4", "sum(x**4)"]
    for text, strong in moved.items():
        problem = small(smooth=text)
        assert problem.simple.strong == pytest.approx(strong), text
        np.testing.assert_allclose(problem.objective({"x": X}), float(evaluate(text, DATA, {"x": X})))
        np.testing.assert_allclose(problem.smooth.gradient(X), slope(problem.smooth.value, X), atol=1e-5)
    for text in stays:
        assert small(smooth=text).simple.strong == 0.0, text


def test_means_over_samples() -> None:
    problem = small(
        smooth={"samples": {"a": "A", "y": "s"}, "term": "logistic(-y*dot(a, x))"},
        nonsmooth={"samples": {"a": "A", "y": "b"}, "term": "abs(dot(a, x) - y)"},
    )
    direct = RowLoss("logistic", A, LABELS, 1 / 12)
    np.testing.assert_allclose(problem.smooth.value(X), direct.value(X))
    np.testing.assert_allclose(problem.smooth.gradient(X), direct.gradient(X))
    some = np.array([3, 5, 5])
    np.testing.assert_allclose(problem.smooth_batch_gradient(X, some), direct.batch_gradient(X, some))
    kinks = RowKinks("absolute", A, B, 1 / 12)
    np.testing.assert_allclose(problem.nonsmooth_value(X), kinks.value(X))
    np.testing.assert_allclose(problem.batch_subgradient(X, some), kinks.batch_subgradient(X, some))
    assert problem.provides >= {"samples", "nonsmooth-samples"}


def test_own_parts_from_python() -> None:
    for K in (A, csr_array(A), aslinearoperator(A)):
        problem = small(nonsmooth=(K, L1(2.0)), simple=L1(0.1), strong=0.5)
        np.testing.assert_allclose(problem.nonsmooth_value(X), 2 * np.abs(A @ X).sum())
        assert problem.simple.strong == 0.5
    torch = pytest.importorskip("torch")
    problem = small(smooth=lambda x: torch.sum(torch.logaddexp(x, -x)))
    np.testing.assert_allclose(problem.smooth.gradient(X), np.tanh(X))
    assert small(simple="sum(x**2)").fingerprint() != small(simple="2*sum(x**2)").fingerprint()
    assert small(simple="sum(x**2)").fingerprint() == small(simple="sum(x**2)").fingerprint()


REFUSED = [
    ({"nonsmooth": "-norm1(x)"}, "factor of -1"),
    ({"nonsmooth": "norm1(x**2)"}, "affine"),
    ({"nonsmooth": "sum(exp(x))"}, "total_variation"),
    ({"nonsmooth": "graph_total_variation(x, c)"}, "rows of two indices"),
    ({"nonsmooth": "graph_total_variation(x[:3], E)"}, "from 0 to 2"),
    ({"nonsmooth": {"absolute": {"matrix": "A", "targets": "c"}}}, "cannot fill"),
    ({"nonsmooth": {"hinge": {"matrix": "A", "targets": "b"}}}, "-1 and 1"),
    ({"nonsmooth": {}}, "exactly one"),
    ({"smooth": {"logistic": {"matrix": "A", "targets": "b"}}}, "-1 and 1"),
    ({"smooth": {"least_squares": {"matrix": "E", "targets": 0}}}, "needs 6 columns"),
    ({"smooth": {"least_squares": {"matrix": "A", "targets": 0}, "logistic": None}}, ""),
    ({"smooth": {"samples": {"a": "nix"}, "term": "dot(a, x)"}}, "no data of that name"),
    ({"smooth": {"samples": {"x": "A"}, "term": "sum(x)"}}, "meaning already"),
    ({"simple": "entropy(x)"}, "geometry: entropy"),
    ({"simple": "-sum(x**2)"}, "not convex"),
    ({"simple": "x[0]**2"}, "same curvature"),
    ({"simple": "sum(x**3)"}, "known here"),
    ({"geometry": "entropy"}, "simplex"),
    ({"lipschitz": -1}, "positive"),
]


@pytest.mark.parametrize(("parts", "message"), [case for case in REFUSED if case[1]])
def test_bad_input_is_refused(parts: dict, message: str) -> None:
    with pytest.raises(InvalidProblem, match=message):
        small(**parts)


def test_bad_objects_are_refused() -> None:
    for parts, message in (
        ({"nonsmooth": (A.T, L1())}, "12 numbers"),
        ({"nonsmooth": (1, 2, 3)}, "pair"),
        ({"smooth": (lambda x: 0.0, lambda x: np.zeros(3))}, "shape"),
        ({"simple": 3.0}, "proximal map"),
        ({"strong": 1.0}, "strong belongs"),
        ({"simple": L1(), "strong": -1.0}, ">= 0"),
    ):
        with pytest.raises(UsageError, match=message):
            small(**parts)


def test_norms_of_matrices() -> None:
    for matrix in (A, csr_array(A), eye_array(200, format="csr") * 3.0, RNG.standard_normal((80, 50))):
        dense = matrix.toarray() if hasattr(matrix, "toarray") else matrix
        exact = np.linalg.svd(dense, compute_uv=False)
        np.testing.assert_allclose(spectral_norm(matrix), exact[0], rtol=1e-6)
        assert exact[-1] * (1 - 1e-3) - 1e-6 <= least_singular(matrix) <= exact[-1]
    assert least_singular(A.T) == 0.0
    assert least_singular(np.repeat(A, 2, axis=1)[:, :8]) < 1e-5
