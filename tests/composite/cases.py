"""Random composite problems of every form, with answers by Clarabel in CVXPY's own words, not through our model."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np

from solverkit.kinds.composite import Composite, composite

HALF: Any = 0.5  # CVXPY's types say int
TIGHT = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-12)


@dataclass(frozen=True)
class Case:
    """A problem, its minimizer and its value."""

    name: str
    problem: Composite
    x: np.ndarray
    value: float

    def psi(self, x: np.ndarray) -> float:
        """Psi at a flat x."""
        return self.problem.objective(self.problem.blocks(x))


def solved(name: str, problem: Composite, objective: Callable, constraints: Callable = lambda x: []) -> Case:
    """With the answer: `objective` and `constraints` of a CVXPY variable of the problem's shape."""
    x = cp.Variable(problem.variable.shape)
    model = cp.Problem(cp.Minimize(objective(x)), constraints(x))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")  # the goal is beyond double precision
        model.solve(solver=cp.CLARABEL, **TIGHT)
    flat = problem.simple.step(np.zeros(problem.n), np.asarray(x.value).ravel(), 1e12)
    return Case(name, problem, flat, problem.objective(problem.blocks(flat)))


def fused(seed: int, mu: float = 0.1, unit: float = 1.0) -> Case:
    rng = np.random.default_rng(seed)
    n, m = 20, 14
    A, b = rng.standard_normal((m, n)), unit * rng.standard_normal(m)
    problem = composite(
        variables={"x": {"shape": n, "lower": -2 * unit, "upper": unit}},
        data={"A": A, "b": b},
        parameters={"lam": 0.05 * unit, "mu": mu},
        smooth={"least_squares": {"matrix": "A", "targets": "b"}},
        nonsmooth="lam*total_variation(x)",
        simple="0.5*mu*sum(x**2)",
    )
    return solved(
        f"fused-{seed}-{mu:g}-{unit:g}",
        problem,
        lambda x: cp.sum_squares(A @ x - b) / (2 * m) + 0.05 * unit * cp.tv(x) + mu / 2 * cp.sum_squares(x),
        lambda x: [x >= -2 * unit, x <= unit],
    )


def image(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((4, 5))
    problem = composite(
        variables={"X": {"shape": [4, 5]}},
        data={"y": y},
        smooth="0.5*sum((X - y)**2)",
        nonsmooth="0.3*total_variation(X) + 0.1*sum(row_norms(X)) + 0.2*norm(X)",
        simple="0.01*sum(X**2)",
    )

    def objective(x: cp.Variable) -> cp.Expression:
        padded = cp.vstack([x, x[-1:]]), cp.hstack([x, x[:, -1:]])  # zero differences at the far ends
        down, right = (cp.vec(part, order="C") for part in (cp.diff(padded[0], axis=0), cp.diff(padded[1], axis=1)))
        variation = cp.sum(cp.norm(cp.vstack([down, right]), 2, axis=0))
        norms = 0.1 * cp.sum(cp.norm(x, 2, axis=1)) + 0.2 * cp.norm(x, "fro")
        return 0.5 * cp.sum_squares(x - y) + 0.3 * variation + norms + 0.01 * cp.sum_squares(x)

    return solved(f"image-{seed}", problem, objective)


def graph(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    n, m = 15, 40
    A, labels = rng.standard_normal((m, n)), rng.choice([-1.0, 1.0], m)
    edges, weights = rng.integers(0, n, (25, 2)).astype(float), rng.uniform(0, 1, 25)
    problem = composite(
        variables={"w": {"shape": n}},
        data={"A": A, "labels": labels, "E": edges, "c": weights},
        smooth={"logistic": {"matrix": "A", "targets": "labels"}},
        nonsmooth="0.05*graph_total_variation(w, E, c) + 0.1*max(w[0], 2*w[1] - 1) + 0.02*sum(relu(w - 0.1))",
        simple="0.05*sum(w**2)",
    )
    i, j = edges.astype(int).T
    return solved(
        f"graph-{seed}",
        problem,
        lambda w: (
            cp.sum(cp.logistic(cp.multiply(-labels, A @ w))) / m
            + 0.05 * cp.sum(cp.multiply(weights, cp.abs(w[i] - w[j])))
            + 0.1 * cp.maximum(w[0], 2 * w[1] - 1)
            + 0.02 * cp.sum(cp.pos(w - 0.1))
            + 0.05 * cp.sum_squares(w)
        ),
    )


def portfolio(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    n = 12
    R, gain, held = rng.standard_normal((20, n)), 0.1 * rng.standard_normal(n), rng.dirichlet(np.ones(n))
    problem = composite(
        variables={"x": {"shape": n, "set": "simplex", "start": 1 / n}},
        geometry="entropy",
        data={"R": R, "gain": gain, "held": held},
        smooth={"least_squares": {"matrix": "R", "targets": 0}},
        nonsmooth="0.05*norm1(x - held)",
        simple="0.02*entropy(x) - dot(gain, x)",
    )
    return solved(
        f"portfolio-{seed}",
        problem,
        lambda x: cp.sum_squares(R @ x) / 40 + 0.05 * cp.norm1(x - held) - 0.02 * cp.sum(cp.entr(x)) - gain @ x,
        lambda x: [cp.sum(x) == 1, x >= 0],
    )


def robust(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    n, m = 8, 40
    A, b = rng.standard_normal((m, n)), rng.standard_cauchy(m)
    problem = composite(
        variables={"x": {"shape": n}},
        data={"A": A, "b": b},
        smooth={"huber": {"matrix": A[:10], "targets": b[:10], "delta": 0.5}},
        nonsmooth={"absolute": {"matrix": "A", "targets": "b"}},
        simple="0.05*sum(x**2)",
    )
    return solved(
        f"robust-{seed}",
        problem,
        lambda x: cp.sum(cp.huber(A[:10] @ x - b[:10], HALF)) / 20 + cp.norm1(A @ x - b) / m + 0.05 * cp.sum_squares(x),
    )


def machine(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    n, m = 6, 30
    A, labels = rng.standard_normal((m, n)), rng.choice([-1.0, 1.0], m)
    problem = composite(
        variables={"w": {"shape": n}},
        data={"A": A, "labels": labels},
        nonsmooth={"hinge": {"matrix": "A", "targets": "labels"}},
        simple="0.1*sum(w**2)",
    )
    return solved(
        f"machine-{seed}",
        problem,
        lambda w: cp.sum(cp.pos(1 - cp.multiply(labels, A @ w))) / m + 0.1 * cp.sum_squares(w),
    )


def lasso(seed: int) -> Case:
    """f + chi alone; more rows than columns, so f bends by itself."""
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((30, 10)), 3 * rng.standard_normal(30)
    problem = composite(
        variables={"x": {"shape": 10}},
        data={"A": A, "b": b},
        smooth={"least_squares": {"matrix": "A", "targets": "b"}},
        simple="0.3*norm1(x)",
    )
    return solved(f"lasso-{seed}", problem, lambda x: cp.sum_squares(A @ x - b) / 60 + 0.3 * cp.norm1(x))


def wide(seed: int) -> Case:
    """Fewer rows than columns and no square anywhere: the l1 norm bounds the level set."""
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((8, 14)), rng.standard_normal(8)
    problem = composite(
        variables={"x": {"shape": 14}},
        data={"A": A, "b": b},
        smooth={"least_squares": {"matrix": "A", "targets": "b"}},
        nonsmooth="0.02*norm1(difference(x))",
        simple="0.1*norm1(x)",
    )
    return solved(
        f"wide-{seed}",
        problem,
        lambda x: cp.sum_squares(A @ x - b) / 16 + 0.02 * cp.norm1(cp.diff(x)) + 0.1 * cp.norm1(x),
    )


def ball(seed: int) -> Case:
    """A ball as the set, f an expression, no curvature but that of the set."""
    rng = np.random.default_rng(seed)
    A, b, c = rng.standard_normal((10, 6)), rng.standard_normal(10), rng.standard_normal(6)
    problem = composite(
        variables={"x": {"shape": 6, "set": {"ball": {"center": 0, "radius": 0.7}}}},
        data={"A": A, "b": b, "c": c},
        smooth="sum(logistic(A @ x - b))",
        nonsmooth="0.2*norm1(A @ x)",
        simple="dot(c, x)",
    )
    return solved(
        f"ball-{seed}",
        problem,
        lambda x: cp.sum(cp.logistic(A @ x - b)) + 0.2 * cp.norm1(A @ x) + c @ x,
        lambda x: [cp.norm(x) <= 0.7],
    )


FORMS: list[Callable[[int], Case]] = [fused, image, graph, portfolio, robust, machine, lasso, wide, ball]
