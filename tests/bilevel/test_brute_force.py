"""Leaders with one variable against a grid and golden section: no local minimum missed, none made up."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.sparse import csr_array

from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel.certificate import certify
from solverkit.operators.sets import Box

from .functions import Quadratic, bilevel, point

TOL = 1e-5
GRID = np.linspace(-1, 1, 161)


class Case:
    """A random strictly convex follower with rows and bounds; F convex or not. The follower is solved by nonnegative
    least squares (Lawson and Hanson's least distance program), which shares nothing with the certificate."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        m, k = int(rng.integers(1, 5)), int(rng.integers(0, 5))
        factor = rng.normal(size=(m + 1, m + 1))
        upper = factor @ factor.T / (m + 1) if rng.random() < 0.5 else factor + factor.T
        factor = rng.normal(size=(m, m))
        self.H, self.B, self.q = factor @ factor.T / m + 0.5 * np.eye(m), rng.normal(size=m), rng.normal(size=m)
        lower = np.zeros((m + 1, m + 1))
        lower[1:, 1:], lower[1:, 0], lower[0, 1:] = self.H, self.B, self.B
        rows, bound = rng.normal(size=(k, m + 1)), rng.uniform(0, 1, k)
        self.rows = np.vstack([rows, np.eye(m, m + 1, 1), -np.eye(m, m + 1, 1)])
        self.bound = np.concatenate([bound, np.full(2 * m, 2.0)])
        self.upper, self.a = upper, rng.normal(size=m + 1)
        self.root = np.linalg.inv(np.linalg.cholesky(self.H))
        F = Quadratic(csr_array(upper), self.a[None, :], 0.0)
        f = Quadratic(csr_array(lower), np.append(0.0, self.q)[None, :], 0.0)
        g = Quadratic([None] * k, csr_array(rows), -bound) if k else None
        self.problem = bilevel(1, m, F, f, g=g, X=Box(-1, 1), Y=Box(-2, 2))

    def follower(self, x):
        """y*(x), or None where no y is feasible."""
        shift = self.root @ (self.q + self.B * x)
        matrix = self.rows[:, 1:] @ self.root.T
        right = self.bound - self.rows[:, 0] * x + matrix @ shift
        if np.all(right >= 0):
            return -self.root.T @ shift
        table = np.vstack([-matrix.T, -right])
        target = np.eye(len(table))[-1]
        weights, distance = nnls(table, target)
        if distance < 1e-9:
            return None
        rest = table @ weights - target
        return self.root.T @ (-rest[:-1] / rest[-1] - shift)

    def value(self, x):
        y = self.follower(x)
        z = None if y is None else np.append(x, y)
        return np.inf if z is None else 0.5 * z @ self.upper @ z + self.a @ z

    def minima(self):
        values = np.array([self.value(x) for x in GRID])
        padded = np.concatenate([[np.inf], values, [np.inf]])
        found = []
        for k in np.flatnonzero(np.isfinite(values) & (values <= padded[:-2]) & (values <= padded[2:])):
            low, high = GRID[max(k - 1, 0)], GRID[min(k + 1, len(GRID) - 1)]
            ends, ratio = [low, high], (5**0.5 - 1) / 2
            for _ in range(70):
                one, two = high - ratio * (high - low), low + ratio * (high - low)
                low, high = (low, two) if self.value(one) <= self.value(two) else (one, high)
            found.append(min([low, high, *ends], key=self.value))
        return found


@pytest.mark.parametrize("seed", range(24))
def test_exactly_the_local_minima_are_certified(seed):
    case = Case(seed)
    minima = case.minima()
    for x in minima:
        certificate = certify(case.problem, point(x, case.follower(x)), TOL, 0)
        assert certificate.status is PointStatus.CERTIFIED, [term for term in certificate.terms if not term.ok]
    others = [x + d for x in minima for d in (-1e-2, 1e-2)]
    others += list(np.random.default_rng(seed).choice(GRID, 4))
    for x in others:
        y = case.follower(x)
        if y is None or abs(x) > 1 or min(abs(x - other) for other in minima) < 5e-3:
            continue
        assert certify(case.problem, point(x, y), TOL, 0).status is PointStatus.FEASIBLE
