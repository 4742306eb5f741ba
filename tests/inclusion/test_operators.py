"""Operators against their definitions: values, components, importance weights, constants, other precisions."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from solverkit.errors import UsageError
from solverkit.kinds.inclusion import finite_sum, inclusion, saddle
from solverkit.kinds.inclusion.bilinear import EXACT, MatrixOperator
from solverkit.kinds.inclusion.generators import constrained_qp, quadratic_game
from solverkit.kinds.inclusion.operator import Bilinear, Operator
from solverkit.kinds.inclusion.sums import ColumnSum, MatrixSum
from solverkit.kinds.inclusion.written import Spectrum
from tests.inclusion.cases import sum_case


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def sparse(p: int, q: int) -> csr_array:
    return csr_array(random_array((p, q), density=0.3, rng=rng(1)))


def bilinear(p: int, q: int, matrix: Any = None) -> MatrixOperator:
    A = rng().standard_normal((p, q)) if matrix is None else matrix
    return MatrixOperator.of(A, rng(2).standard_normal(p), rng(3).standard_normal(q))


def robust(n: int = 12, d: int = 3) -> Operator:
    """Weighted logistic losses, with a weight of its own for each sample and a perturbation row."""
    X, b = rng().standard_normal((n, d)), np.sign(rng(1).standard_normal(n))
    return finite_sum(
        minimize={"w": {"shape": d}},
        maximize={"p": {"shape": n, "set": "simplex", "start": 1 / n}, "v": {"shape": [n, d]}},
        samples={"a": X, "b": b},
        own=["p", "v"],
        function=f"{n}*p*logistic(-b*dot(a, w)) + dot(v, w) - 2*sum(v**2) + 0.05*sum(w**2)",
    ).part


def by_hand(n: int = 12, d: int = 3) -> Callable[[np.ndarray], np.ndarray]:
    X, b = rng().standard_normal((n, d)), np.sign(rng(1).standard_normal(n))

    def F(u: np.ndarray) -> np.ndarray:
        w, p, v = u[:d], u[d : d + n], u[d + n :].reshape(n, d)
        slope = -b / (1 + np.exp(b * (X @ w)))
        return np.concatenate(
            [
                (p * slope) @ X + v.mean(axis=0) + 0.1 * w,
                -np.log1p(np.exp(-b * (X @ w))),
                (-(w - 4 * v) / n).ravel(),
            ]
        )

    return F


SUMS: dict[str, Callable[[], Operator]] = {
    "square": lambda: bilinear(6, 6),
    "wide": lambda: bilinear(3, 7),
    "tall": lambda: bilinear(7, 3),
    "sparse": lambda: bilinear(9, 5, sparse(9, 5)),
    "columns": lambda: ColumnSum(constrained_qp(8)["M"], constrained_qp(8)["q"], 8),
    "dense-columns": lambda: ColumnSum(rng().standard_normal((7, 7)), rng(1).standard_normal(7), 3),
    "matrices": lambda: MatrixSum(quadratic_game(9, 3)["M"], quadratic_game(9, 3)["q"]),
    "robust": robust,
    "sampled": lambda: sum_case().problem.part,
}


@pytest.mark.parametrize("name", SUMS)
def test_components_average_to_the_whole(name: str) -> None:
    part = SUMS[name]()
    u = rng(4).standard_normal(part.size)
    q = np.full(part.count, 1 / part.count) if part.weights is None else part.weights
    assert q.sum() == pytest.approx(1)
    mean = sum(q[i] * part.components(u, np.array([i])) for i in range(part.count) if q[i] > 0)
    np.testing.assert_allclose(mean, part.value(u), atol=1e-12 * (1 + abs(part.value(u)).max()))


@pytest.mark.parametrize("name", SUMS)
def test_a_batch_is_the_mean_of_its_components(name: str) -> None:
    part = SUMS[name]()
    u = rng(4).standard_normal(part.size)
    samples = rng(5).choice(part.count, 5, p=part.weights)  # with repetitions
    alone = np.mean([part.components(u, np.array([i])) for i in samples], axis=0)
    np.testing.assert_allclose(part.components(u, samples), alone, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("name", sorted(SUMS.keys() - {"robust", "sampled"}))
def test_lipschitz_constants_hold_and_are_not_loose(name: str) -> None:
    part = SUMS[name]()
    q = np.full(part.count, 1 / part.count) if part.weights is None else part.weights
    whole, mean = 0.0, 0.0
    d = rng(6).standard_normal(part.size)
    u = rng(7).standard_normal(part.size)
    for _ in range(40):
        v = u + d
        change = part.value(v) - part.value(u)
        whole = max(whole, float(np.linalg.norm(change) / np.linalg.norm(d)))
        terms = [
            (q[i], part.components(v, np.array([i])) - part.components(u, np.array([i])))
            for i in range(part.count)
            if q[i] > 0
        ]
        mean = max(mean, float(np.sqrt(sum(w * (c @ c) for w, c in terms)) / np.linalg.norm(d)))
        d = rng(int(1e6 * whole)).standard_normal(part.size)
    if part.lipschitz is not None:
        assert whole <= part.lipschitz * (1 + 1e-9) <= 20 * whole
    if part.mean_lipschitz is not None:
        assert mean <= part.mean_lipschitz * (1 + 1e-9) <= 20 * mean
        assert part.lipschitz is None or part.lipschitz <= part.mean_lipschitz * (1 + 1e-9)


def test_importance_is_never_worse_than_uniform() -> None:
    A = rng().standard_normal((30, 30)) * np.exp(rng(1).standard_normal(30))
    part = MatrixOperator.of(A)
    rows, columns = np.linalg.norm(A, axis=1), np.linalg.norm(A, axis=0)
    assert np.linalg.norm(A) <= part.mean_lipschitz <= np.sqrt(2) * np.linalg.norm(A) * (1 + 1e-12)
    assert part.mean_lipschitz <= np.sqrt(30) * max(rows.max(), columns.max())
    np.testing.assert_allclose(part.row_norms, rows)
    np.testing.assert_allclose(part.column_norms, columns)


@pytest.mark.parametrize("name", ["square", "wide", "sparse"])
def test_bilinear_operators_are_gradients_of_their_payoff(name: str) -> None:
    part = SUMS[name]()
    assert isinstance(part, Bilinear)
    A = part.matrix.toarray() if hasattr(part.matrix, "toarray") else part.matrix
    p, _ = A.shape
    u = rng(4).standard_normal(part.size)
    np.testing.assert_allclose(
        part.value(u), np.concatenate([part.linear_x + A @ u[p:], part.linear_y - A.T @ u[:p]]), atol=1e-13
    )
    assert part.lipschitz == pytest.approx(np.linalg.norm(A, 2))


def test_a_large_matrix_has_no_free_norm() -> None:
    assert MatrixOperator.of(rng().standard_normal((EXACT + 1, EXACT + 2))).lipschitz is None


def test_the_terms_of_samples_are_their_gradients() -> None:
    part, F = robust(), by_hand()
    for seed in range(3):
        u = rng(seed).standard_normal(part.size)
        np.testing.assert_allclose(part.value(u), F(u), atol=1e-13)


@pytest.mark.parametrize("name", ["robust", "sampled"])
def test_torch_and_casadi_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    part, slow = SUMS[name](), SUMS[name]()
    monkeypatch.setattr("solverkit.kinds.inclusion.sampled.suits", lambda program: False)
    u = rng(4).standard_normal(part.size)
    np.testing.assert_allclose(slow.value(u), part.value(u), atol=1e-13)
    monkeypatch.undo()
    for samples in (np.array([3]), np.array([0, 5, 5, 2]), np.arange(part.count)):
        np.testing.assert_allclose(slow.components(u, samples), part.components(u, samples), atol=1e-13)
    assert slow.payoff(u) == pytest.approx(part.payoff(u))  # type: ignore[attr-defined]


def test_terms_that_are_operators_themselves() -> None:
    M, q = rng().standard_normal((2, 9, 2))
    problem = finite_sum(
        variables={"x": {"shape": ()}, "y": {"shape": 9}},
        samples={"m": M, "q": q},
        own=["y"],
        value={"x": "x*dot(m, m) + 9*y", "y": "9*y - 9*x + q[0]"},
    )
    u = rng(1).standard_normal(10)
    expected = np.append(u[0] * (M**2).sum(axis=1).mean() + u[1:].sum(), u[1:] - u[0] + q[:, 0] / 9)
    np.testing.assert_allclose(problem.operator(u), expected, atol=1e-13)


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_components_of_users(library: str) -> None:
    X, b = rng().standard_normal((20, 3)), rng(1).standard_normal(20)

    def least_squares(w: Any, y: Any, samples: Any) -> Any:
        if library == "torch":
            import torch

            w.dim()  # NumPy arrays have none
            rows, right = torch.as_tensor(X).to(w)[samples], torch.as_tensor(b).to(w)[samples]
        else:
            rows, right = X[samples], b[samples]
        off = rows @ w - right
        return (rows * off[:, None]).mean(0) + y, y - w

    problem = finite_sum(variables={"w": {"shape": 3}, "y": {"shape": 3}}, python=least_squares, count=20)
    u = rng(2).standard_normal(6)
    expected = np.concatenate([X.T @ (X @ u[:3] - b) / 20 + u[3:], u[3:] - u[:3]])
    np.testing.assert_allclose(problem.operator(u), expected, atol=1e-13)
    if library == "numpy":
        with pytest.raises(UsageError, match="NumPy"):
            problem.to("cpu", "float32")
    else:
        single = problem.to("cpu", "float32")
        np.testing.assert_allclose(single.operator(u), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["square", "sparse", "robust", "sampled"])
def test_precision_and_back(name: str) -> None:
    part = SUMS[name]()
    u = rng(4).standard_normal(part.size)
    single = part.to("cpu", "float32")
    assert single is not part
    np.testing.assert_allclose(single.value(u), part.value(u), rtol=1e-4, atol=1e-5)
    assert abs(single.value(u) - part.value(u)).max() > 0
    np.testing.assert_array_equal(single.to("cpu", "float64").value(u), part.value(u))
    assert single.digest() == part.digest()
    with pytest.raises(UsageError, match="not available"):
        part.to("cuda:77", "float64")


@pytest.mark.parametrize("name", ["wide", "sparse", "robust"])
def test_products_by_torch(name: str) -> None:
    """ "cpu:0" is a device of torch's, so that what runs on others is seen here."""
    part = SUMS[name]()
    there = part.to("cpu:0", "float32")
    u = rng(4).standard_normal(part.size)
    np.testing.assert_allclose(there.value(u), part.value(u), rtol=1e-4, atol=1e-5)
    if name != "robust":
        samples = np.array([0, 2, 2])
        np.testing.assert_allclose(there.components(u, samples), part.components(u, samples), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SUMS)
def test_pickles(name: str) -> None:
    part = SUMS[name]()
    u = rng(4).standard_normal(part.size)
    part.value(u)  # compiles what is compiled
    twin = pickle.loads(pickle.dumps(part))
    np.testing.assert_array_equal(twin.value(u), part.value(u))
    assert twin.digest() == part.digest()


def test_what_a_matrix_proves() -> None:
    skew = np.array([[0.0, 1], [-1, 0]])
    assert Spectrum.of(skew).monotone
    assert not Spectrum.of(skew).cocoercive
    assert Spectrum.of(skew + 1e-3 * np.eye(2)).cocoercive
    assert Spectrum.of(np.diag([1.0, 0.0])).cocoercive
    assert not Spectrum.of(np.diag([1.0, -1e-3])).monotone
    assert Spectrum.of(np.zeros((3, 3))).cocoercive
    problem = saddle({"x": {"shape": 2}}, {"y": {"shape": 2}}, "sum(x**2) + dot(x, y) - sum(y**2)")
    assert problem.part.cocoercive
    assert "cocoercive" in problem.provides
    assert "cocoercive" not in inclusion("A @ u", {"u": {"shape": 2}}, data={"A": skew}).provides
