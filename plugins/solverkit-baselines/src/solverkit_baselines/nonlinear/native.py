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

from solverkit.engine.solver import Charge
from solverkit.errors import UsageError
from solverkit.expressions.casadi_target import CasadiFunction, expression, symbol_kind
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit_baselines.ipopt import QUIET, Iterate, Watch

COUNTERS = {"nlp_f": "nfev", "nlp_grad_f": "njev", "nlp_g": "ncev", "nlp_jac_g": "njev", "nlp_hess_l": "nhev"}
"""IPOPT's functions, as CasADi counts them, and the problem's counters."""

_idle: WeakKeyDictionary[CasadiFunction, dict[Any, Native]] = WeakKeyDictionary()
"""Solvers that no run is using."""


class Native:
    """One solver, for one run at a time."""

    def __init__(self, objective: CasadiFunction, constraints: CasadiFunction | None, settings: dict[str, Any]) -> None:
        n, m = objective.inputs, 0 if constraints is None else constraints.outputs
        self.constraints = constraints  # kept alive: a solver is known by its identity
        parts = [function for function in (objective, constraints) if function is not None]
        scalar = all(symbol_kind(casadi, function.program) is casadi.SX for function in parts)
        kind = casadi.SX if scalar else casadi.MX
        x = kind.sym("x", n)
        f, *c = (expression(casadi, kind, function.program, x) for function in parts)
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
        graphs: Any = {"x": x, "f": f, "g": c[0] if c else kind(0, 1)}
        self._solver = casadi.nlpsol("native", "ipopt", graphs, options)

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
    objective = _graph(problem, problem.objective_function)
    constraints = None if problem.constraint_function is None else _graph(problem, problem.constraint_function)
    key = (id(constraints), tuple(sorted(settings.items())))
    idle = _idle.setdefault(objective, {})
    solver = idle.pop(key, None) or Native(objective, constraints, settings)
    try:
        return solver.solve(problem, start, look, charge)
    finally:
        idle[key] = solver


def _graph(problem: Nonlinear, function: Any) -> CasadiFunction:
    if isinstance(function, CasadiFunction):
        return function
    raise UsageError(
        f"functions=native needs f and c as CasADi graphs, which small problems from expressions have; problem "
        f"{problem.name!r} has a {type(function).__name__}. Use functions=oracles"
    )


def _ignore(iterate: Iterate, value: float) -> None:
    """Between runs."""
