"""The lower level replaced by its KKT conditions: a program with complementarity constraints, relaxed (Scholtes 2001).

    min F(z)   over  v = (z, mu, s),  z = (x, y)
    s.t.  grad_y f(z) + J_y r(z)' mu = 0
          r(z) + s = 0,      s >= 0 and mu >= 0 on inequality rows (s = 0 on equality rows)
          mu_i s_i <= epsilon        on inequality rows
          R(z) <= 0 or = 0,  x within its bounds

where r are the lower rows g, h and Y, and R the upper rows G, H and what of X is no bound.

| here | Scholtes | meaning |
|---|---|---|
| mu_i s_i <= epsilon | G_i H_i <= t | relaxed complementarity; epsilon -> 0 |
| weights | lambda | multipliers of the rows of this program |

Hessian of the Lagrangian with weights w of the stationarity rows, W = (0, w): its z-z block needs the third derivatives

    d/dt [ Hessian_z (f + mu' r)(z + t W) ]_{t=0},      z-mu block  d/dt [ J r(z + t W) ]_{t=0}

which are central differences of counted Hessians and Jacobians, two of each, and vanish where f is quadratic and r
affine.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_baselines.bilevel.oracles import Level, bounds_and_rows
from solverkit_baselines.nlpsol import Bounds
from solverkit_baselines.once import Once
from solverkit_baselines.patterns import Triplets

STEP = 1e-5  # of central differences, relative to 1 + ||z||_inf: the error is about STEP^2 and 1e-16 / STEP


class Mpcc:
    """The program over v; implements `solverkit_baselines.ipopt.Program`."""

    def __init__(self, problem: Bilevel) -> None:
        self._once = Once(problem)
        self._n, self._m = problem.n, problem.m
        self._lowest, self._highest, rest = bounds_and_rows(problem.upper_set, problem.n)
        self.lower, self.upper = Level.lower(self._once), Level.upper(self._once, rest)
        self.pairs = np.flatnonzero(self.lower.inequality)  # rows with a slack and a signed multiplier
        degree = problem.lower_function.degree
        self._quadratic = degree is not None and degree <= 2
        self._inputs = self._n + self._m
        self.size = self._inputs + self.lower.count + len(self.pairs)
        self.rows = self._m + self.lower.count + len(self.pairs) + self.upper.count

    # -- parts of v

    def split(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """z (n + m,), mu (lower rows,), s (pairs,)."""
        ends = np.cumsum([self._inputs, self.lower.count])
        return v[: ends[0]], v[ends[0] : ends[1]], v[ends[1] :]

    def join(self, z: np.ndarray, mu: np.ndarray) -> np.ndarray:
        """v with the slacks that z has, at least 0."""
        return np.concatenate([z, mu, np.maximum(-self.lower.value(z)[self.pairs], 0.0)])

    def bounds(self, epsilon: float) -> Bounds:
        """Of v and of the rows, with complementarity relaxed by epsilon."""
        p, q = len(self.pairs), self.lower.count
        mu = np.where(self.lower.inequality, 0.0, -np.inf)
        lowest = np.concatenate([self._lowest, np.full(self._m, -np.inf), mu, np.zeros(p)])
        highest = np.concatenate([self._highest, np.full(self._m + q + p, np.inf)])
        upper = np.concatenate([np.zeros(self._m + q), np.full(p, epsilon), np.zeros(self.upper.count)])
        one_sided = np.where(self.upper.inequality, -np.inf, 0.0)
        lower = np.concatenate([np.zeros(self._m + q), np.full(p, -np.inf), one_sided])
        return Bounds(lowest, highest, lower, upper)

    def branch(self, v: np.ndarray) -> Bounds:
        """The smooth piece of the exact program next to v: of each pair, the smaller one is fixed to 0."""
        bounds = self.bounds(0.0)
        _, mu, s = self.split(v)
        active = s <= mu[self.pairs]
        start = self._inputs + self.lower.count
        bounds.highest[start + np.flatnonzero(active)] = 0.0
        bounds.highest[self._inputs + self.pairs[~active]] = 0.0
        bounds.upper[self._m + self.lower.count : self._m + self.lower.count + len(self.pairs)] = np.inf
        return bounds

    def violation(self, v: np.ndarray) -> float:
        """How far v breaks the program with epsilon = 0: the largest row, with min(mu_i, s_i) for a pair."""
        z, mu, s = self.split(v)
        rows = self.constraints(v)[: self._m + self.lower.count]
        pairs = np.minimum(mu[self.pairs], s)
        return float(np.abs(np.concatenate([rows, pairs, [self.upper.violation(z)]])).max())

    # -- the program

    def value(self, v: np.ndarray) -> float:
        """F."""
        return self._once("upper", self.split(v)[0])

    def gradient(self, v: np.ndarray) -> np.ndarray:
        """(grad F, 0, 0)."""
        out = np.zeros(self.size)
        out[: self._inputs] = self._once("upper_gradient", self.split(v)[0])
        return out

    def constraints(self, v: np.ndarray) -> np.ndarray:
        """Stationarity, r + s, mu s, upper rows."""
        z, mu, s = self.split(v)
        gradient = self._once("lower_gradient", z) + self.lower.jacobian(z).T @ mu
        feasibility = self.lower.value(z)
        feasibility[self.pairs] += s
        return np.concatenate([gradient[self._n :], feasibility, mu[self.pairs] * s, self.upper.value(z)])

    def jacobian(self, v: np.ndarray) -> Triplets:
        """dc/dv."""
        z, mu, s = self.split(v)
        m, q, p, inputs = self._m, self.lower.count, len(self.pairs), self._inputs
        rows = Triplets.of(self.lower.jacobian(z))
        blocks = [
            (0, 0, self._lagrangian(z, mu).below(self._n)),
            (0, inputs, rows.transposed.below(self._n)),
            (m, 0, rows),
            (m, inputs + q, Triplets.diagonal(np.ones(p), self.pairs, q)),
            (m + q, inputs, Triplets.diagonal(s, self.pairs, q).transposed),
            (m + q, inputs + q, Triplets.diagonal(mu[self.pairs])),
            (m + q + p, 0, Triplets.of(self.upper.jacobian(z))),
        ]
        return Triplets.assemble((self.rows, self.size), blocks)

    def hessian(self, v: np.ndarray, weight: float, weights: np.ndarray) -> Triplets:
        """Of weight F + weights' c."""
        z, mu, _ = self.split(v)
        m, q, p, inputs = self._m, self.lower.count, len(self.pairs), self._inputs
        stationarity, feasibility, products, upper = np.split(weights, np.cumsum([m, q, p]))
        cross = Triplets.diagonal(products, self.pairs, q)
        blocks = [
            (0, 0, Triplets.of(self._once("upper_hessian", z)).times(weight)),
            (0, 0, self.lower.hessian(z, feasibility)),
            (0, 0, self.upper.hessian(z, upper)),
            (inputs, inputs + q, cross),
            (inputs + q, inputs, cross.transposed),
        ]
        direction = np.concatenate([np.zeros(self._n), stationarity])
        if not (self._quadratic and self.lower.affine):
            blocks.append((0, 0, _change(z, direction, lambda point: self._lagrangian(point, mu))))
        if not self.lower.affine:
            mixed = _change(z, direction, lambda point: Triplets.of(self.lower.jacobian(point)))
            blocks += [(inputs, 0, mixed), (0, inputs, mixed.transposed)]
        return Triplets.assemble((self.size, self.size), blocks)

    def _lagrangian(self, z: np.ndarray, mu: np.ndarray) -> Triplets:
        """Hessian in z of f + mu' r."""
        blocks = [(0, 0, Triplets.of(self._once("lower_hessian", z))), (0, 0, self.lower.hessian(z, mu))]
        return Triplets.assemble((self._inputs, self._inputs), blocks)


def _change(z: np.ndarray, direction: np.ndarray, matrix: Callable[[np.ndarray], Triplets]) -> Triplets:
    """d/dt matrix(z + t direction) at t = 0 by central differences; 0 where they are not finite."""
    size = float(np.abs(direction).max(initial=0.0))
    step = STEP * (1 + float(np.abs(z).max())) / size if size > 0 else 1.0
    ahead, behind = matrix(z + step * direction), matrix(z - step * direction)
    change = Triplets.assemble(ahead.shape, [(0, 0, ahead.times(0.5 / step)), (0, 0, behind.times(-0.5 / step))])
    return change if np.isfinite(change.data).all() else change.where(np.zeros(len(change.data), dtype=bool))
