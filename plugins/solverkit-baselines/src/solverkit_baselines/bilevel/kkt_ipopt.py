"""The lower level's KKT conditions and IPOPT: relaxed complementarity driven to zero (Scholtes 2001).

    for epsilon = epsilon_0, reduction epsilon_0, ..., final_epsilon:
        v <- IPOPT on the program of `mpcc.py` with mu_i s_i <= epsilon, warm started from the last v
    v <- IPOPT on the smooth piece next to v (exact complementarity), kept where it succeeds

A point of this program satisfies the lower level's first-order conditions. For a convex lower level with a constraint
qualification it is bilevel feasible; otherwise it may be a saddle or a wrong well of the follower, which the
certificate finds out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit.engine.solver import Context, Observe, OneShotSolver, Stop
from solverkit.engine.status import Termination
from solverkit.kinds.base import Point
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.least_squares import signed_least_squares
from solverkit_baselines.bilevel.mpcc import Mpcc
from solverkit_baselines.bilevel.options import KktIpoptOptions
from solverkit_baselines.bilevel.starts import starts
from solverkit_baselines.ipopt import INVALID, SOLVED, Ipopt
from solverkit_baselines.nlpsol import Iterate

ENDS = {"Diverging_Iterates": Termination.UNBOUNDED, "Maximum_Iterations_Exceeded": Termination.MAX_ITER}
"""What an IPOPT status says of the run; every other failure is STALLED."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Where one continuation ended."""

    v: np.ndarray
    merit: float
    status: str  # IPOPT's


class KktIpopt(OneShotSolver[Bilevel]):
    """MPCC by a sequence of IPOPT solves."""

    Options = KktIpoptOptions

    def solve(self, problem: Bilevel, start: Point, ctx: Context, observe: Observe) -> Point:
        run = _Run(self.options, problem, start, ctx, observe)
        answers = [run.continuation(z) for z in starts(problem, start, self.options, ctx.rng)]
        best = min(answers, key=lambda answer: (answer.status not in SOLVED, answer.merit))
        if best.status == INVALID:
            # the driver then names the oracle, and keeps the best point before
            return run.point(np.full(len(best.v), np.nan))
        point = run.point(best.v)
        if best.status not in SOLVED:
            message = f"IPOPT says {best.status.replace('_', ' ')}; other starts may do better: raise `starts`"
            raise Stop(ENDS.get(best.status, Termination.STALLED), message, point)
        return point


class _Run:
    """What the solves of one run share."""

    def __init__(
        self, options: KktIpoptOptions, problem: Bilevel, start: Point, ctx: Context, observe: Observe
    ) -> None:
        self._options, self._problem, self._observe = options, problem, observe
        self._program = Mpcc(problem)
        self._ipopt = Ipopt(self._program, options.hessian == "exact", ctx.rng, ctx.look)
        self._tol = ctx.tol
        self._log = ctx.log
        self._weight = options.penalty * (1 + abs(problem.upper(problem.flat(start))))

    def point(self, v: np.ndarray) -> Point:
        """x and y as named blocks."""
        return self._problem.blocks(self._program.split(v)[0])

    def continuation(self, z: np.ndarray) -> Answer:
        """The relaxations one after the other from z, then the smooth piece."""
        options, program = self._options, self._program
        iterate, status = Iterate(program.join(z, self._multipliers(z))), ""
        epsilon, warm = options.epsilon, False
        while True:
            settings = self._settings(warm, epsilon)
            found, status = self._ipopt.solve(iterate, program.bounds(epsilon), settings, self._look)
            if status not in SOLVED and warm:
                break
            iterate, warm = found, True
            if status not in SOLVED or epsilon <= options.final_epsilon or not len(program.pairs):
                break
            epsilon = max(epsilon * options.reduction, options.final_epsilon)
        if options.polish and len(program.pairs):
            polished, outcome = self._ipopt.solve(
                Iterate(iterate.v), program.branch(iterate.v), self._settings(True, epsilon), self._look
            )
            if outcome in SOLVED and self._merit(polished.v) <= self._merit(iterate.v) + self._slack(iterate.v):
                iterate, status = polished, outcome
        return Answer(iterate.v, self._merit(iterate.v), status)

    def _slack(self, v: np.ndarray) -> float:
        """What exact complementarity may cost: F is known to about sqrt(epsilon) on biactive pairs."""
        return self._options.final_epsilon**0.5 * (1 + abs(self._program.value(v)))

    def _multipliers(self, z: np.ndarray) -> np.ndarray:
        """mu >= 0 on inequality rows that comes nearest to stationarity at z."""
        rows = self._program.lower
        gradient = self._problem.lower_gradient(z)[self._problem.n :]
        transposed = csr_array(rows.jacobian(z)[:, self._problem.n :].T)
        if not (np.isfinite(gradient).all() and np.isfinite(transposed.data).all()):
            return np.zeros(rows.count)
        return signed_least_squares(transposed, gradient, csr_array((0, rows.count)), rows.inequality).u

    def _settings(self, warm: bool, epsilon: float) -> dict[str, Any]:
        """IPOPT's options; a warm start begins with a small barrier and stays near its bounds."""
        tol = max(min(1e-2 * self._tol, 1e-8), 1e-11)
        settings: dict[str, Any] = {
            "tol": tol,
            "constr_viol_tol": tol,
            "compl_inf_tol": tol,
            "bound_relax_factor": 0.0,
            "max_iter": self._options.ipopt_max_iter,
            "mu_strategy": self._options.mu_strategy,
        }
        if warm:
            push = min(1e-6, epsilon)
            names = ("bound_push", "bound_frac", "slack_bound_push", "slack_bound_frac", "mult_bound_push")
            settings |= {f"warm_start_{name}": push for name in names}
            settings |= {"warm_start_init_point": "yes", "mu_init": max(min(1e-2, 0.1 * epsilon), tol / 10)}
        return settings

    def _merit(self, v: np.ndarray) -> float:
        excess = max(self._program.violation(v) - 1e-2 * self._tol, 0.0)
        return self._program.value(v) + self._weight * excess

    def _look(self, iterate: Iterate) -> None:
        """Show one of IPOPT's iterates to the driver."""
        program, v = self._program, iterate.v
        if np.isfinite(v).all():
            report = {"objective": program.value(v), "violation": program.violation(v)}
            self._observe(self.point(v), merit=self._merit(v), **report)
