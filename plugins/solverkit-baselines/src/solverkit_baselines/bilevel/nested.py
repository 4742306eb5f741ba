"""A derivative-free search over x, with the lower level solved at every x.

    min_x phi(x) = F(z(x)) + rho (violation of the upper rows at z(x) + violation of the lower rows
                                  + ||x - P_X(x)||_inf)

    z(x) = (P_X(x), y(P_X(x))),     rho = penalty (1 + |F(start)|)

y(x) is the follower's answer (`follower.py`). Every candidate that is better than the best is shown to the driver, so a
limit never loses more than one evaluation. Where the search is COBYQA or COBYLA the upper rows are constraints of the
search instead. With an answer y(x) that jumps, phi jumps too: such a search goes on, slowly, where gradients mislead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import NonlinearConstraint, minimize

from solverkit.engine.solver import Context, Observe, OneShotSolver, Stop
from solverkit.engine.status import Termination
from solverkit.errors import Unsuitable
from solverkit.kinds.base import Point
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_baselines.bilevel.follower import Follower, Reply
from solverkit_baselines.bilevel.options import NestedOptions
from solverkit_baselines.bilevel.oracles import Level, bounds_and_rows
from solverkit_baselines.bilevel.starts import starts
from solverkit_baselines.once import Once

LARGEST = 1000  # upper variables: the searches keep a dense matrix of this size squared
MODELED = 30  # upper variables up to which COBYQA's quadratic models pay


class Nested(OneShotSolver[Bilevel]):
    """SciPy's derivative-free methods over x."""

    Options = NestedOptions

    def solve(self, problem: Bilevel, start: Point, ctx: Context, observe: Observe) -> Point:
        if problem.n > LARGEST:
            raise Unsuitable(
                f"method 'nested' searches over at most {LARGEST} upper variables without derivatives; problem "
                f"{problem.name!r} has {problem.n}. Use a method with gradients: see `solverkit methods --for` the file"
            )
        search = _Search(self.options, problem, problem.flat(start), ctx, observe)
        for z in starts(problem, start, self.options, ctx.rng):
            search.run(z)
        return search.answer()


class _Search:
    """phi and the best point that it met."""

    def __init__(
        self, options: NestedOptions, problem: Bilevel, start: np.ndarray, ctx: Context, observe: Observe
    ) -> None:
        self._options, self._problem, self._observe, self._tol = options, problem, observe, ctx.tol
        self._once = Once(problem)
        self._follower = Follower(self._once, options, start, ctx.rng)
        self._lowest, self._highest, rest = bounds_and_rows(problem.upper_set, problem.n)
        self._boxed = rest.count == 0
        self._upper = Level.upper(self._once, rest)
        self._weight = options.penalty * (1 + abs(self._once("upper", start)))
        self._y = start[problem.n :]
        self._best: tuple[float, Reply | None] = (np.inf, None)
        self._latest: tuple[bytes, Reply | None] = (b"", None)

    def run(self, z: np.ndarray) -> None:
        """One search from z."""
        options, n = self._options, self._problem.n
        x, self._y = z[:n], z[n:]
        way = options.search if options.search != "auto" else "cobyqa" if n <= MODELED else "powell"
        modeled = way in ("cobyqa", "cobyla")
        constraints = self._constraints() if modeled and self._upper.count else []
        bounds = list(zip(self._lowest, self._highest, strict=True)) if self._boxed else None
        self._by_rows = bool(constraints)
        minimize(self._phi, x, method=way, bounds=bounds, constraints=constraints, options=self._settings(way, x))

    def answer(self) -> Point:
        """The best point; Stop where no lower problem had a feasible answer."""
        reply = self._best[1]
        if reply is None:
            raise Stop(Termination.STALLED, "phi was never finite: give another start")
        point = self._problem.blocks(reply.z)
        broken = max(self._upper.violation(reply.z), reply.violation)
        if broken > self._tol * (1 + float(np.abs(reply.z).max())):
            what = f"the best point found breaks a row by {broken:.2g}; try another start, or raise `penalty`"
            raise Stop(Termination.STALLED, what, point)
        return point

    def _settings(self, way: str, x: np.ndarray) -> dict[str, Any]:
        """Each SciPy method's names for the same things."""
        options = self._options
        first = options.radius * (1 + float(np.abs(x).max()))
        last, most = options.search_tol * first, options.max_evaluations
        if way == "cobyqa":
            return {"initial_tr_radius": first, "final_tr_radius": last, "maxfev": most, "maxiter": most}
        if way == "cobyla":
            return {"rhobeg": first, "tol": last, "maxiter": most}
        if way == "powell":
            return {"xtol": options.search_tol, "ftol": options.search_tol, "maxfev": most}
        simplex = np.vstack([x, x + first * np.eye(len(x))])
        ends = {"xatol": last, "fatol": options.search_tol, "maxfev": most}
        return {"initial_simplex": simplex, "adaptive": True} | ends

    def _reply(self, x: np.ndarray) -> Reply:
        """The follower's answer to P_X(x); the last one is remembered, as F and the rows ask for it in turn."""
        key = x.tobytes()
        known, reply = self._latest
        if reply is None or known != key:
            reply = self._follower(self._problem.upper_set.project(x), self._y)
            self._latest = key, reply
            if reply.violation <= self._tol:
                self._y = reply.z[self._problem.n :]
            self._consider(reply)
        return reply

    def _consider(self, reply: Reply) -> None:
        """Show a candidate that is better than the best."""
        value, broken = self._once("upper", reply.z), self._upper.violation(reply.z) + reply.violation
        merit = value + self._weight * max(broken - 1e-2 * self._tol, 0.0)
        if merit < self._best[0]:
            self._best = merit, reply
            self._observe(self._problem.blocks(reply.z), merit=merit, objective=value, violation=broken)

    def _phi(self, x: np.ndarray) -> float:
        reply = self._reply(x)
        broken = reply.violation + float(np.abs(x - reply.z[: self._problem.n]).max())
        if not self._by_rows:
            broken += self._upper.violation(reply.z)
        return self._once("upper", reply.z) + self._weight * broken

    def _constraints(self) -> list[NonlinearConstraint]:
        """The upper rows at z(x)."""
        lower = np.where(self._upper.inequality, -np.inf, 0.0)
        return [NonlinearConstraint(lambda x: self._upper.value(self._reply(x).z), lower, 0.0)]
