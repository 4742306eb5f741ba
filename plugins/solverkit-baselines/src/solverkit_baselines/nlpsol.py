"""IPOPT as CasADi brings it along, for functions that are asked for by name: here, or in a process of its own.

CasADi wants its functions as `Callback` objects. What is raised inside one would be printed and swallowed there, so
`Functions.evaluate` and the watch must not raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import casadi
import numpy as np

from solverkit_baselines.patterns import Pattern

QUIET = {"print_level": 0, "sb": "yes"}

Evaluate = Callable[[str, int, list[np.ndarray]], "np.ndarray | float"]
"""(name of the function, which of its values, arguments) to the value, flat; a number stands for all its entries."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """Of v and of c(v)."""

    lowest: np.ndarray
    highest: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True, eq=False)
class Iterate:
    """A primal point with its multipliers, of c and of the bounds on v; None where there are none yet."""

    v: np.ndarray
    rows: np.ndarray | None = None
    bounds: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Setting:
    """One solve, in plain data.

    jacobian, hessian : (shape, indptr, indices) of dc/dv and of the Hessian's upper triangle; a Hessian of None is
        approximated
    settings : IPOPT's own options
    """

    jacobian: tuple[tuple[int, int], list[int], list[int]]
    hessian: tuple[tuple[int, int], list[int], list[int]] | None
    start: Iterate
    bounds: Bounds
    settings: dict[str, Any]


def plain(pattern: Pattern) -> tuple[tuple[int, int], list[int], list[int]]:
    """A pattern as CasADi takes it."""
    return pattern.shape, pattern.indptr.tolist(), pattern.indices.tolist()


def run(setting: Setting, evaluate: Evaluate, stops: Callable[[Iterate], bool]) -> tuple[Iterate, str]:
    """IPOPT's last iterate and status; `stops` sees every iterate and says whether IPOPT is to stop."""
    start, bounds = setting.start, setting.bounds
    functions = _functions(setting, evaluate)
    watch = Watch(len(start.v), len(bounds.lower), lambda iterate, _: stops(iterate))
    options: dict[str, Any] = {
        **{name: function for name, function in functions.items() if name != "nlp"},
        "iteration_callback": watch,
        "no_nlp_grad": True,
        "error_on_fail": False,
        "print_time": False,
        "show_eval_warnings": False,
        "ipopt": {**QUIET, **setting.settings},
    }
    arguments = {
        "x0": start.v,
        "lbx": bounds.lowest,
        "ubx": bounds.highest,
        "lbg": bounds.lower,
        "ubg": bounds.upper,
    }
    if start.rows is not None and start.bounds is not None:
        arguments |= {"lam_g0": start.rows, "lam_x0": start.bounds}
    solver = casadi.nlpsol("solver", "ipopt", functions["nlp"], options)
    answer = solver(**arguments)
    return Iterate(*(_flat(answer[name]) for name in ("x", "lam_g", "lam_x"))), solver.stats()["return_status"]


def asking(ask: Callable[[Any], Any], setting: Setting) -> tuple[Iterate, str]:
    """`run` in a child process, which asks its parent for values, and whether to stop."""
    return run(setting, lambda *question: ask(question), lambda iterate: bool(ask(iterate)))


def _functions(setting: Setting, evaluate: Evaluate) -> dict[str, _Function]:
    """f and c, and their derivatives, under the names of CasADi's options."""
    dense = casadi.Sparsity.dense
    size, rows = len(setting.start.v), len(setting.bounds.lower)
    v, none = dense(size), casadi.Sparsity(0, 0)
    inputs = {"x": v, "p": none}
    f, c = {"f": dense(1)}, {"g": dense(rows)}
    functions = {
        "nlp": _Function("nlp", inputs, f | c, evaluate),
        "grad_f": _Function("grad_f", inputs, f | {"grad_f_x": v}, evaluate),
        "jac_g": _Function("jac_g", inputs, c | {"jac_g_x": _sparsity(setting.jacobian)}, evaluate),
    }
    if setting.hessian is not None:
        functions["hess_lag"] = _Function(
            "hess_lag",
            inputs | {"lam_f": dense(1), "lam_g": dense(rows)},
            {"triu_hess_gamma_x_x": _sparsity(setting.hessian)},
            evaluate,
        )
    return functions


class _Function(casadi.Callback):
    """A CasADi function with NumPy views of its buffers."""

    def __init__(
        self,
        name: str,
        inputs: Mapping[str, casadi.Sparsity],
        outputs: Mapping[str, casadi.Sparsity],
        evaluate: Evaluate,
    ) -> None:
        super().__init__()
        self._name, self._inputs, self._outputs = name, list(inputs.items()), list(outputs.items())
        self._evaluate = evaluate
        self.construct(name, {})

    def get_n_in(self) -> int:
        return len(self._inputs)

    def get_n_out(self) -> int:
        return len(self._outputs)

    def get_name_in(self, i: int) -> str:
        return self._inputs[i][0]

    def get_name_out(self, i: int) -> str:
        return self._outputs[i][0]

    def get_sparsity_in(self, i: int) -> casadi.Sparsity:
        return self._inputs[i][1]

    def get_sparsity_out(self, i: int) -> casadi.Sparsity:
        return self._outputs[i][1]

    def has_eval_buffer(self) -> bool:
        return True

    def eval_buffer(self, arguments: Any, results: Any) -> int:
        given = [np.zeros(0) if buffer is None else np.frombuffer(buffer).copy() for buffer in arguments]
        for which, buffer in enumerate(results):
            if buffer is not None and buffer.nbytes:
                np.frombuffer(buffer)[:] = self._evaluate(self._name, which, given)
        return 0


class Watch(casadi.Callback):
    """IPOPT's iteration callback: `look(iterate, f)` says whether IPOPT is to stop."""

    def __init__(self, size: int, rows: int, look: Callable[[Iterate, float], bool]) -> None:
        super().__init__()
        self._lengths = {"f": 1, "x": size, "lam_x": size, "g": rows, "lam_g": rows}
        self._look = look
        self.construct("watch", {})

    def get_n_in(self) -> int:
        return casadi.nlpsol_n_out()

    def get_n_out(self) -> int:
        return 1

    def get_name_in(self, i: int) -> str:
        return casadi.nlpsol_out(i)

    def get_sparsity_in(self, i: int) -> casadi.Sparsity:
        length = self._lengths.get(casadi.nlpsol_out(i), 0)
        return casadi.Sparsity.dense(length) if length else casadi.Sparsity(0, 0)

    def eval(self, arguments: Any) -> list[int]:
        seen = dict(zip(casadi.nlpsol_out(), arguments, strict=True))
        iterate = Iterate(*(_flat(seen[name]) for name in ("x", "lam_g", "lam_x")))
        return [int(self._look(iterate, float(seen["f"])))]


def _sparsity(pattern: tuple[tuple[int, int], list[int], list[int]]) -> casadi.Sparsity:
    (rows, columns), indptr, indices = pattern
    return casadi.Sparsity(rows, columns, indptr, indices)


def _flat(value: Any) -> np.ndarray:
    return np.asarray(value, dtype=float).ravel()
