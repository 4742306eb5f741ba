"""The lower level at a fixed x, solved locally: what `nested` asks at every point of its search.

    y(x) in argmin_{y in Y} { f(x, y) : g(x, y) <= 0,  h(x, y) = 0 }

| way | for | by |
|---|---|---|
| quadratic | f quadratic and convex in y, affine rows | Clarabel, one solve |
| l-bfgs-b | y free or in a box, no rows | SciPy, bounds kept exactly |
| slsqp, trust-constr | anything smooth | SciPy |

A solve starts from the last answer. With more starts the lowest value wins, and among equals the smallest F: the
optimistic choice, as far as the starts show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import LinearConstraint, NonlinearConstraint, minimize
from scipy.sparse import csr_array

from solverkit.errors import UsageError
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.least_squares import positive_definiteness
from solverkit.operators.qp import solve_qp
from solverkit.operators.sets import Free
from solverkit_baselines.bilevel.options import NestedOptions
from solverkit_baselines.bilevel.oracles import Level, Once, bounds_and_rows

LARGE = 300  # lower variables from which SLSQP's dense algebra is too slow
SAME = 1e-9  # lower values that differ by less, relative to 1 + |f|, are equal


@dataclass(frozen=True, eq=False)
class Reply:
    """The follower's answer to one x."""

    z: np.ndarray  # (x, y)
    value: float  # f
    violation: float  # of the lower rows and Y


class Follower:
    """Local solves of the lower level, warm started."""

    def __init__(self, once: Once, options: NestedOptions, z: np.ndarray, rng: np.random.Generator) -> None:
        self._once, self._options, self._rng = once, options, rng
        self._problem: Bilevel = once.problem
        self.rows = Level.lower(once)
        self._lowest, self._highest, rest = bounds_and_rows(self._problem.lower_set, self._problem.m)
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
                raise UsageError("lower=quadratic needs a convex quadratic lower level with affine rows; leave it at auto")
        if way == "l-bfgs-b" and not self._boxed:
            raise UsageError("lower=l-bfgs-b needs a lower level with bounds alone; leave it at auto")
        if way == "auto":
            return "l-bfgs-b" if self._boxed else "slsqp" if problem.m <= LARGE else "trust-constr"
        return way
