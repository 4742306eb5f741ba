"""IPOPT on CasADi graphs: f and c never leave C, so its wall time is IPOPT's own.

A solver is built once for a pair of graphs and kept as long as the objective's function lives, as that function keeps
its own compiled derivatives; a second run of the same problem pays for iterations alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import casadi
import numpy as np
from scipy.sparse import csc_array

from solverkit.engine.solver import Charge
from solverkit.errors import UsageError
from solverkit.expressions.casadi_kernels import GraphFunction
from solverkit.kinds.nonlinear.affine import Affine
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit_baselines.nlpsol import QUIET, Iterate, Watch

Rows = GraphFunction | Affine

COUNTERS = {"nlp_f": "nfev", "nlp_grad_f": "njev", "nlp_g": "ncev", "nlp_jac_g": "njev", "nlp_hess_l": "nhev"}
"""IPOPT's functions, as CasADi counts them, and the problem's counters."""

_idle: WeakKeyDictionary[GraphFunction, dict[Any, Native]] = WeakKeyDictionary()
"""Solvers that no run is using."""


class Native:
    """One solver, for one run at a time."""

    def __init__(self, objective: GraphFunction, constraints: Rows | None, settings: dict[str, Any]) -> None:
        n, m = objective.inputs, 0 if constraints is None else constraints.outputs
        self.constraints = constraints  # kept alive: a solver is known by its identity
        x, f = objective.graph()
        x, f, c = (x, f, type(x)(0, 1)) if constraints is None else _joined(x, f, constraints)
        self._look: Callable[[Iterate, float], None] = _ignore
        self._failure: BaseException | None = None
        self._watch = Watch(n, m, self._seen)
        options: Any = {
            "iteration_callback": self._watch,
            "error_on_fail": False,
            "print_time": False,
            "show_eval_warnings": False,
            "ipopt": {**QUIET, **settings},
        }
        self._solver = casadi.nlpsol("native", "ipopt", {"x": x, "f": f, "g": c}, options)

    def solve(
        self, problem: Nonlinear, start: np.ndarray, look: Callable[[Iterate, float], None], charge: Charge
    ) -> tuple[Iterate, str]:
        """The last iterate and IPOPT's own status. Raises what `look` raised, its calls charged all the same."""
        self._look, self._failure = look, None
        answer = self._solver(x0=start, lbx=problem.lowest, ubx=problem.highest, lbg=problem.lower, ubg=problem.upper)
        self._look = _ignore
        stats = self._solver.stats()
        for name, counter in COUNTERS.items():
            charge(counter, int(stats.get(f"n_call_{name}", 0)))
        if self._failure is not None:
            raise self._failure
        end = Iterate(*(np.asarray(answer[name], dtype=float).ravel() for name in ("x", "lam_g", "lam_x")))
        return end, stats["return_status"]

    def _seen(self, iterate: Iterate, value: float) -> bool:
        if self._failure is None:
            try:
                self._look(iterate, value)
            except BaseException as error:  # CasADi would print and swallow it
                self._failure = error
        return self._failure is not None


def solve(
    problem: Nonlinear,
    start: np.ndarray,
    settings: dict[str, Any],
    look: Callable[[Iterate, float], None],
    charge: Charge,
) -> tuple[Iterate, str]:
    """The last iterate and IPOPT's own status. Raises UsageError where f or c is no CasADi graph."""
    objective: Any = problem.objective_function
    constraints: Any = problem.constraint_function
    wrong = [] if isinstance(objective, GraphFunction) else [objective]
    wrong += [] if constraints is None or isinstance(constraints, Rows) else [constraints]
    if wrong:
        raise UsageError(
            "functions=native needs f and c as CasADi graphs, which problems from expressions and .nl files have; "
            f"problem {problem.name!r} has a {type(wrong[0]).__name__}. Use functions=oracles"
        )
    key = (id(constraints), tuple(sorted(settings.items())))
    idle = _idle.setdefault(objective, {})
    solver = idle.pop(key, None) or Native(objective, constraints, settings)
    try:
        return solver.solve(problem, start, look, charge)
    finally:
        idle[key] = solver


def _joined(x: Any, f: Any, constraints: Rows) -> tuple[Any, Any, Any]:
    """f(x) and c(x) over one symbol: of scalar type where both are, else vectorized."""
    if isinstance(constraints, Affine):
        product = casadi.mtimes(casadi.DM(csc_array(constraints.A)), x)
        return x, f, product if constraints.b is None else product + constraints.b
    other, c = constraints.graph()
    if type(x) is not type(other):
        vector = casadi.MX.sym("x", x.numel())
        f, c = (casadi.Function("r", [symbol], [r])(vector) for symbol, r in ((x, f), (other, c)))
        return vector, f, c
    return x, f, casadi.substitute(c, other, x)


def _ignore(iterate: Iterate, value: float) -> None:
    """Between runs."""
