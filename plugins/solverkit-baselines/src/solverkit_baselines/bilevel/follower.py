"""The lower level at a fixed x, solved locally: what `nested` asks at every point of its search.

    y(x) in argmin_{y in Y} { f(x, y) : g(x, y) <= 0,  h(x, y) = 0 }

| way | for | by |
|---|---|---|
| quadratic | f quadratic and convex in y, affine rows | Clarabel, one solve |
| l-bfgs-b | y free or in a box, no rows | SciPy, bounds kept exactly |
| slsqp | anything smooth, up to some hundreds of variables | SciPy, dense |

A solve starts from the last answer. With more starts the lowest value wins, and among equals the smallest F: the
optimistic choice, as far as the starts show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array

from solverkit.errors import UsageError
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.least_squares import positive_definiteness
from solverkit.operators.qp import solve_qp
from solverkit_baselines.bilevel.options import NestedOptions
from solverkit_baselines.bilevel.oracles import Level, bounds_and_rows
from solverkit_baselines.once import Once

FEASIBLE = 1e-8  # violations below this are all the same
SAME = 1e-9  # lower values that differ by less, relative to 1 + |f|, are equal


@dataclass(frozen=True, eq=False)
class Reply:
    """The follower's answer to one x."""

    z: np.ndarray  # (x, y)
    value: float  # f
    violation: float  # of the lower rows and Y


class Follower:
    """Local solves of the lower level, warm started."""

    def __init__(self, once: Once[Bilevel], options: NestedOptions, z: np.ndarray, rng: np.random.Generator) -> None:
        self._once, self._options, self._rng = once, options, rng
        self._problem: Bilevel = once.problem
        self.rows = Level.lower(once)
        self._lowest, self._highest, rest = bounds_and_rows(self._problem.lower_set, self._problem.m)
        self.general = Level.lower(once, rest)
        self._boxed = rest.count == 0 and self._problem.lower_constraints.count == 0
        self._scale = 1 + np.abs(z[self._problem.n :])
        self._way = self._choose(z)

    def _choose(self, z: np.ndarray) -> str:
        """The way of `options.lower`; UsageError where it does not fit."""
        way, problem = self._options.lower, self._problem
        n = problem.n
        if way in ("auto", "quadratic"):
            proven = "quadratic-lower" in problem.provides and self.rows.affine
            if proven and positive_definiteness(csr_array(self._once("lower_hessian", z)[n:, n:])) >= -1e-12:
                return "quadratic"
            if way == "quadratic":
                raise UsageError("lower=quadratic needs a convex quadratic lower level with affine rows; choose auto")
        if way == "l-bfgs-b" and not self._boxed:
            raise UsageError("lower=l-bfgs-b needs a lower level with bounds alone; choose auto")
        if way == "auto":
            return "l-bfgs-b" if self._boxed else "slsqp"
        return way

    def __call__(self, x: np.ndarray, y: np.ndarray) -> Reply:
        """The best answer to x found from y and from `lower_starts - 1` random points."""
        replies = [self._solve(x, y)]
        for _ in range(self._options.lower_starts - 1):
            replies.append(self._solve(x, self._random(y)))
        return self._best(replies)

    def _random(self, y: np.ndarray) -> np.ndarray:
        """Uniform where Y bounds both sides, else normal around y."""
        boxed = np.isfinite(self._lowest) & np.isfinite(self._highest)
        low, high = np.where(boxed, self._lowest, 0.0), np.where(boxed, self._highest, 1.0)
        uniform = self._rng.uniform(low, high)
        return np.where(boxed, uniform, y + self._scale * self._rng.standard_normal(len(y)))

    def _best(self, replies: list[Reply]) -> Reply:
        """Among those that are as feasible as any: lowest f, then lowest F."""
        least = min(reply.violation for reply in replies)
        feasible = [reply for reply in replies if reply.violation <= max(2 * least, FEASIBLE)]
        lowest = min(reply.value for reply in feasible)
        equal = [reply for reply in feasible if reply.value <= lowest + SAME * (1 + abs(lowest))]
        return equal[0] if len(equal) == 1 else min(equal, key=lambda reply: self._once("upper", reply.z))

    def _solve(self, x: np.ndarray, y: np.ndarray) -> Reply:
        answer = self._quadratic(x, y) if self._way == "quadratic" else self._local(x, y)
        z = np.concatenate([x, answer if np.isfinite(answer).all() else y])
        return Reply(z, self._once("lower", z), self.rows.violation(z))

    def _quadratic(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The minimizer of f(x, y) + g'd + d'H d / 2 over d, which is f itself, subject to the rows."""
        n, z = self._problem.n, np.concatenate([x, y])
        H = csr_array(self._once("lower_hessian", z)[n:, n:])
        rows, value = csr_array(self.rows.jacobian(z)[:, n:]), self.rows.value(z)
        lower = np.where(self.rows.inequality, -np.inf, -value)
        found = solve_qp(H, self._once("lower_gradient", z)[n:], rows, lower, -value)
        return y + found.v

    def _local(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """SciPy's answer; its own verdict is not asked, as `Reply.violation` and the certificate look at the point."""
        n, options = self._problem.n, self._options
        tolerances = {"ftol": options.lower_tol * 1e-4, "gtol": options.lower_tol}
        if self._way == "slsqp":
            tolerances = {"ftol": options.lower_tol}
        return minimize(
            lambda y: self._once("lower", np.concatenate([x, y])),
            np.clip(y, self._lowest, self._highest),
            jac=lambda y: self._once("lower_gradient", np.concatenate([x, y]))[n:],
            method=self._way,
            bounds=list(zip(self._lowest, self._highest, strict=True)),
            constraints=self._constraints(x),
            options={"maxiter": options.lower_max_iter} | tolerances,
        ).x

    def _constraints(self, x: np.ndarray) -> list[dict[str, Any]]:
        """The rows of the lower level but the bounds, in SciPy's form: >= 0 or = 0."""
        rows, n = self.general, self._problem.n

        def value(y: np.ndarray) -> np.ndarray:
            return rows.value(np.concatenate([x, y]))

        def jacobian(y: np.ndarray) -> np.ndarray:
            return csr_array(rows.jacobian(np.concatenate([x, y]))[:, n:]).toarray()

        return [
            {
                "type": kind,
                "fun": lambda y, which=which: -value(y)[which],
                "jac": lambda y, which=which: -jacobian(y)[which],
            }
            for kind, which in (("ineq", rows.inequality), ("eq", ~rows.inequality))
            if which.any()
        ]
