"""Shipped problems over samples: their answers by formulas of their own, certified there and nowhere near."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_array

import solverkit as sk
from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel.certificate import certify
from solverkit.operators.qp import solve_qp

pytest.importorskip("solverkit_bilevel")

from solverkit_bilevel import generators
from solverkit_bilevel.generators.accuracy import linear_accuracy, representation_accuracy, softmax_accuracy

PROBLEMS = Path(__file__).parents[2] / "problems" / "bilevel"


def load(name, **parameters):
    return sk.load(PROBLEMS / name / "problem.yaml", parameters=parameters or None)


def tail(problem, seed=0):
    """Newton's method on 2 cosh(a'x) + 1/2 |M x - b|^2."""
    data = generators.exponential_tail(problem.n, seed)
    M, a, b = data["M"], data["a"], data["b"]
    x = np.zeros(problem.n)
    for _ in range(50):
        hessian = 2 * np.cosh(a @ x) * np.outer(a, a) + M.T @ M
        x = x - np.linalg.solve(hessian, 2 * np.sinh(a @ x) * a + M.T @ (M @ x - b))
    return {"x": x, "y": M @ x}


def tasks(problem, seed=0):
    """One search along a line for each coordinate."""
    data = generators.shrunk_tasks(problem.m // 10, 10, seed)
    c, target, precision = data["c"], data["target"], data["precision"]

    def shrunk(x):
        return precision[:, None] * c / (precision[:, None] + np.exp(x))

    x = [
        minimize_scalar(
            lambda s, j=j: np.mean((shrunk(s)[:, j] - target[:, j]) ** 2), bounds=(-9, 9), options={"xatol": 1e-10}
        ).x
        for j in range(10)
    ]
    return {"x": np.array(x), "y": shrunk(np.array(x))}


def prices(problem, seed=0):
    """p = v - Q y for the y that maximizes v'y - y'Q y over the polyhedron."""
    data = generators.priced_demand(problem.n, problem.lower_constraints.count, seed)
    Q, v, A = data["Q"], data["v"], data["A"]
    rows, size = np.vstack([A, np.eye(len(v))]), len(v)
    low = np.concatenate([np.full(len(A), -np.inf), np.zeros(size)])
    found = solve_qp(
        csr_array(2 * Q), -v, csr_array(rows), low, np.concatenate([data["capacity"], np.full(size, np.inf)])
    )
    y = np.maximum(found.v, 0)
    return {"p": v - Q @ y, "y": y}


KNOWN = {
    "exponential-tail": tail,
    "exponential-tail-100": tail,
    "multi-task-blocks": tasks,
    "multi-task-blocks-500": tasks,
    "pricing-polyhedral": prices,
    "pricing-polyhedral-40": prices,
    "pricing-toll": lambda problem: {"t": 4.0, "y": np.array([3.0, 0.0])},
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_known_answer_is_certified(name):
    problem = load(name)
    point = KNOWN[name](problem)
    assert problem.objective(point) == pytest.approx(problem.expected["objective"], rel=1e-8)
    found = certify(problem, point)
    assert found.status is PointStatus.CERTIFIED, [term for term in found.terms if not term.ok]


@pytest.mark.parametrize("name", ["exponential-tail", "multi-task-blocks", "pricing-polyhedral"])
def test_its_neighbours_are_not(name):
    problem = load(name)
    point = KNOWN[name](problem)
    upper = problem.upper_blocks[0].name
    for size in (1e-2, 0.3):
        moved = {**point, upper: point[upper] + size}
        assert certify(problem, moved).status is not PointStatus.CERTIFIED


@pytest.mark.parametrize("name", ["exponential-tail", "pricing-polyhedral-40"])
def test_another_seed_is_another_problem(name):
    problem, other = load(name), load(name, seed=3)
    assert problem.fingerprint() != other.fingerprint()
    assert certify(other, KNOWN[name](other, 3)).status is PointStatus.CERTIFIED


@pytest.mark.parametrize("name", ["exponential-tail", "multi-task-blocks"])
def test_the_verdict_does_not_depend_on_the_precision_of_the_method(name):
    pytest.importorskip("torch")
    problem = load(name)
    for dtype in ("float64", "float32"):
        found = sk.solve(problem, method="implicit-gradient", dtype=dtype, max_iter=500)
        assert found.point_status is PointStatus.CERTIFIED, (dtype, found.certificate)
        assert found.fun == pytest.approx(problem.expected["objective"], rel=1e-5)


def test_the_best_price_by_a_grid():
    """No price on a grid earns more than the answer that the formula gives, and the nearest earns almost as much."""
    problem = load("pricing-polyhedral")
    data = generators.priced_demand()
    best = 0.0
    for p in np.ndindex(21, 21):
        price = np.array(p) * 0.5
        rows = np.vstack([data["A"], np.eye(2)])
        low, high = np.array([-np.inf, -np.inf, 0, 0]), np.concatenate([data["capacity"], [np.inf, np.inf]])
        y = solve_qp(csr_array(data["Q"]), price - data["v"], csr_array(rows), low, high).v
        best = max(best, float(price @ y))
    known = -problem.expected["objective"]
    assert 0.95 * known < best < known + 1e-6


@pytest.mark.parametrize(
    "name", ["digits-cleaning-30", "digits-cleaning-50", "breast-cancer-log-l2", "digits-representation"]
)
def test_problems_of_data_sets(name):
    """Batches agree with the whole, and the derivatives with differences, away from the start."""
    pytest.importorskip("sklearn")
    problem, rng = load(name), np.random.default_rng(0)
    z = problem.flat(problem.start(rng)) + 0.1 * rng.normal(size=problem.n + problem.m)
    d, h = rng.normal(size=len(z)), 1e-5
    for level in ("upper", "lower"):
        value, gradient, batch = (getattr(problem, f"{level}{what}") for what in ("", "_gradient", "_batch"))
        parts = np.array_split(rng.permutation(getattr(problem, f"{level}_samples")), 4)
        weights = np.array([len(part) for part in parts]) / sum(len(part) for part in parts)
        assert weights @ [batch(z, part) for part in parts] == pytest.approx(value(z), rel=1e-12)
        assert gradient(z) @ d == pytest.approx((value(z + h * d) - value(z - h * d)) / (2 * h), rel=1e-6)


def test_cleaning_flips_what_it_says():
    pytest.importorskip("sklearn")
    clean, noisy = generators.digits_split(seed=4), generators.digits_split(seed=4, flip=0.3)
    changed = clean["label"] != noisy["label"]
    assert np.array_equal(changed, noisy["flipped"] == 1)
    assert 0.2 < changed.mean() < 0.4
    assert np.array_equal(clean["label_validation"], noisy["label_validation"])
    assert np.array_equal(noisy["one_hot"].argmax(axis=1), noisy["label"])
    images = [{row.tobytes() for row in noisy["A" + suffix]} for suffix in ("", "_validation", "_test")]
    assert sum(map(len, images)) == 1797
    with pytest.raises(ValueError, match="do not fit"):
        generators.digits_split(train=1700, validation=400)


def test_accuracies():
    A = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert softmax_accuracy(np.eye(2), A, np.array([0, 1, 1])) == pytest.approx(2 / 3)
    assert linear_accuracy(np.array([1.0, -1.0]), 0.5, A, np.array([1, -1, -1])) == pytest.approx(2 / 3)
    assert representation_accuracy(np.eye(2), np.eye(2), A, np.array([0, 1, 0])) == 1
