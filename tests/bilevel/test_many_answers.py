"""Followers with many answers, under rows of the leader's own, against CVXPY: the best alone is certified."""

from __future__ import annotations

import warnings

import cvxpy
import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel.certificate import certify
from solverkit.operators.sets import Box

from .functions import Quadratic, bilevel, point

TOL = 1e-5
GRID = np.linspace(-1, 1, 21)
RATIO = (5**0.5 - 1) / 2
EXACT = {"solver": "CLARABEL", "tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}


class Case:
    """A random follower whose Hessian is singular, or zero, with rows; F convex; rows of the leader that bind y."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        m = int(rng.integers(2, 5))
        rank, below, above = int(rng.integers(0, m)), int(rng.integers(0, 3)), int(rng.integers(0, 3))
        self.root = rng.normal(size=(rank, m))
        self.mixed, self.slope = self.root.T @ rng.normal(size=rank), self.root.T @ rng.normal(size=rank)
        if rng.random() < 0.4:
            self.slope = self.slope + (rng.random(m) < 0.5) * rng.normal(size=m)
        factor = rng.normal(size=(m + 1, m + 1))
        self.upper = factor @ factor.T / (m + 1) if rng.random() < 0.7 else np.zeros((m + 1, m + 1))
        self.a = rng.normal(size=m + 1)
        self.rows, self.bound = rng.normal(size=(below, m + 1)), rng.uniform(0.2, 1, below)
        self.leading, self.lead = rng.normal(size=(above, m + 1)), rng.uniform(0.1, 1, above)
        self.m = m
        lower = np.zeros((m + 1, m + 1))
        lower[1:, 1:], lower[1:, 0], lower[0, 1:] = self.root.T @ self.root, self.mixed, self.mixed
        self.problem = bilevel(
            1,
            m,
            Quadratic(csr_array(self.upper), self.a[None, :], 0.0),
            Quadratic(csr_array(lower), np.append(0.0, self.slope)[None, :], 0.0),
            G=Quadratic([None] * above, csr_array(self.leading), -self.lead) if above else None,
            g=Quadratic([None] * below, csr_array(self.rows), -self.bound) if below else None,
            X=Box(-1, 1),
            Y=Box(-2, 2),
        )

    def follower(self, x: float) -> np.ndarray | None:
        """Some lower solution at x; None where there is none."""
        y = cvxpy.Variable(self.m)
        return solved(0.5 * cvxpy.sum_squares(self.root @ y) + (self.mixed * x + self.slope) @ y, self.allowed(x, y), y)

    def allowed(self, x: float, y: cvxpy.Variable) -> list:
        rows = [self.rows[:, 1:] @ y <= self.bound - self.rows[:, 0] * x] if len(self.rows) else []
        return [y >= -2, y <= 2, *rows]

    def answer(self, x: float) -> tuple[float, np.ndarray | None]:
        """The best F over the lower solutions that the leader's rows allow, and where; infinity where there is none."""
        some = self.follower(x)
        if some is None:
            return np.inf, None
        y = cvxpy.Variable(self.m)
        slope = self.root.T @ (self.root @ some) + self.mixed * x + self.slope
        rows = [*self.allowed(x, y), slope @ (y - some) <= 1e-9]
        if len(self.root):
            rows.append(self.root @ y == self.root @ some)
        if len(self.leading):
            rows.append(self.leading[:, 1:] @ y <= self.lead - self.leading[:, 0] * x)
        values, vectors = np.linalg.eigh(self.upper)
        root = (vectors * np.sqrt(np.maximum(values, 0))).T
        best = solved(0.5 * cvxpy.sum_squares(root[:, 0] * x + root[:, 1:] @ y) + self.a[1:] @ y, rows, y)
        return (np.inf, None) if best is None else (self.value(x, best), best)

    def value(self, x: float, y: np.ndarray) -> float:
        z = np.append(x, y)
        return float(0.5 * z @ self.upper @ z + self.a @ z)


def solved(objective, rows: list, y: cvxpy.Variable) -> np.ndarray | None:
    model = cvxpy.Problem(cvxpy.Minimize(objective), rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.solve(**EXACT)
        except cvxpy.error.SolverError:
            return None
    return np.clip(y.value, -2, 2) if model.status in ("optimal", "optimal_inaccurate") else None


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 5, 7, 11])  # 6 has no feasible point
def test_the_best_of_many_answers_alone_is_certified(seed):
    case = Case(seed)
    values = np.array([case.answer(x)[0] for x in GRID])
    k = int(np.argmin(values))
    assert np.isfinite(values[k])
    low, high = GRID[max(k - 1, 0)], GRID[min(k + 1, len(GRID) - 1)]
    ends = [low, GRID[k], high]
    for _ in range(35):
        one, two = high - RATIO * (high - low), low + RATIO * (high - low)
        left, right = case.answer(one)[0], case.answer(two)[0]
        leftward = left <= right if np.isfinite(min(left, right)) else GRID[k] < (one + two) / 2
        low, high = (low, two) if leftward else (one, high)
    x = min([low, high, *ends], key=lambda each: case.answer(each)[0])
    best, y = case.answer(x)
    found = certify(case.problem, point(x, y), TOL, 0)
    assert found.status is PointStatus.CERTIFIED, [term for term in found.terms if not term.ok]
    other = case.follower(x)
    if case.value(x, other) > best + 1e-2 * (1 + abs(best)):
        assert certify(case.problem, point(x, other), TOL, 0).status is not PointStatus.CERTIFIED
    for j in range(1, len(GRID) - 1):
        near = values[j - 1 : j + 2]
        if j % 7 == seed % 7 and np.isfinite(near).all() and min(near[0], near[2]) < near[1] - 1e-3:
            away = certify(case.problem, point(GRID[j], case.answer(GRID[j])[1]), TOL, 0)
            assert away.status is PointStatus.FEASIBLE
