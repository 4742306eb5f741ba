"""Random quadratic programs, convex and not, against enumeration: every local minimum certified, nothing else."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from solverkit.kinds.base import PointStatus
from solverkit.kinds.nonlinear import nonlinear
from solverkit.kinds.nonlinear.certificate import certify

TOL = 1e-6


class Case:
    """min x'Qx/2 + q'x over -1 <= x <= 1 and k rows, of which one may be an equality."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.n, k = int(rng.integers(1, 4)), int(rng.integers(0, 3))
        factor = rng.normal(size=(self.n, self.n))
        self.Q = factor @ factor.T if rng.random() < 0.3 else factor + factor.T
        self.q, self.A = rng.normal(size=self.n), rng.normal(size=(k, self.n))
        self.lower, self.upper = np.full(k, -np.inf), self.A @ rng.uniform(-0.5, 0.5, self.n) + 0.1
        if k and self.n > 1 and rng.random() < 0.5:
            self.lower[0] = self.upper[0]
        rows = {
            f"row{i}": f"{lo!r} <= dot(a{i}, x) <= {up!r}" if np.isfinite(lo) else f"dot(a{i}, x) <= {up!r}"
            for i, (lo, up) in enumerate(zip(self.lower.tolist(), self.upper.tolist(), strict=True))
        }
        if k and self.lower[0] == self.upper[0]:
            rows["row0"] = f"dot(a0, x) == {self.upper.tolist()[0]!r}"
        data = {"Q": self.Q, "q": self.q} | {f"a{i}": row for i, row in enumerate(self.A)}
        variables = {"x": {"shape": self.n, "lower": -1, "upper": 1}}
        self.problem = nonlinear(variables, "0.5*dot(x, Q @ x) + dot(q, x)", rows, data)
        self.rows = np.vstack([self.A, np.eye(self.n)])
        self.low = np.concatenate([self.lower, -np.ones(self.n)])
        self.high = np.concatenate([self.upper, np.ones(self.n)])

    def feasible(self, x, slack=1e-9):
        values = x @ self.rows.T
        return np.all((values >= self.low - slack) & (values <= self.high + slack), axis=-1)

    def f(self, x):
        return 0.5 * np.einsum("...i,ij,...j->...", x, self.Q, x) + x @ self.q

    def stationary(self):
        """Every feasible stationary point on every face."""
        equal = [i for i in range(len(self.low)) if self.low[i] == self.high[i]]
        others = [i for i in range(len(self.low)) if i not in equal]
        for size in range(self.n - len(equal) + 1):
            for chosen in combinations(others, size):
                for sides in product((self.low, self.high), repeat=size):
                    index = [*equal, *chosen]
                    bound = np.array([self.high[i] for i in equal] + [s[i] for s, i in zip(sides, chosen, strict=True)])
                    if not np.isfinite(bound).all():
                        continue
                    J = self.rows[index]
                    K = np.block([[self.Q, J.T], [J, np.zeros((len(index), len(index)))]])
                    if np.linalg.cond(K) > 1e8:
                        continue
                    x = np.linalg.solve(K, np.concatenate([-self.q, bound]))[: self.n]
                    if self.feasible(x):
                        yield x

    def is_minimum(self, x, rng):
        """No feasible point near by is lower, as far as sampling on every face shows."""
        active = np.flatnonzero((x @ self.rows.T <= self.low + 1e-9) | (x @ self.rows.T >= self.high - 1e-9))
        moves = [rng.normal(size=(3000, self.n))]
        for size in range(1, min(len(active), self.n - 1) + 1):
            for held in combinations(active, size):
                basis = np.linalg.svd(self.rows[list(held)])[2][size:]
                moves.append(rng.normal(size=(500, len(basis))) @ basis)
        near = x + 1e-3 * np.vstack(moves)
        near = near[self.feasible(near, 1e-12)]
        return not np.any(self.f(near) < self.f(x) - 1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_minima_and_nothing_else(seed):
    case, rng = Case(seed), np.random.default_rng(seed)
    for x in case.stationary():
        certificate = certify(case.problem, {"x": x}, TOL)
        expected = PointStatus.CERTIFIED if case.is_minimum(x, rng) else PointStatus.FEASIBLE
        assert certificate.status is expected, (x, certificate)


@pytest.mark.parametrize("seed", range(20))
def test_feasible_points_that_are_no_minima(seed):
    case, rng = Case(seed), np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (2000, case.n))
    for point in x[case.feasible(x)][:5]:
        assert certify(case.problem, {"x": point}, TOL).status is PointStatus.FEASIBLE


def test_enough_of_every_sort():
    """The cases above hold minima, saddles and maxima, with and without active constraints."""
    minima = saddles = 0
    for seed in range(40):
        case, rng = Case(seed), np.random.default_rng(seed)
        found = [case.is_minimum(x, rng) for x in case.stationary()]
        minima, saddles = minima + sum(found), saddles + len(found) - sum(found)
    assert minima > 40
    assert saddles > 100
