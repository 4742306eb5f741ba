"""IPOPT as CasADi brings it along, for a program whose functions live in Python.

    minimize f(v)      subject to  lower <= c(v) <= upper,   lowest <= v <= highest

CasADi wants its functions as `Callback` objects. What is raised inside one would be printed and swallowed there, so the
first exception is kept, everything after it answers NaN without computing, the iteration callback asks IPOPT to stop,
and the exception is raised again once IPOPT has returned. That is how limits, Ctrl-C and failing oracles get through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import casadi
import numpy as np

from solverkit_baselines.patterns import Pattern, PatternGrew, Triplets

SOLVED = ("Solve_Succeeded", "Solved_To_Acceptable_Level")
INVALID = "Invalid_Number_Detected"  # also said here of any other failure whose last value was not finite
QUIET = {"print_level": 0, "sb": "yes"}


class Program(Protocol):
    """What is minimized. Entries of matrices may come and go with v."""

    size: int  # length of v
    rows: int  # length of c

    def value(self, v: np.ndarray) -> float:
        """f(v)."""
        ...

    def gradient(self, v: np.ndarray) -> np.ndarray:
        """grad f, (size,)."""
        ...

    def constraints(self, v: np.ndarray) -> np.ndarray:
        """c(v), (rows,)."""
        ...

    def jacobian(self, v: np.ndarray) -> Triplets:
        """dc/dv, (rows, size)."""
        ...

    def hessian(self, v: np.ndarray, weight: float, weights: np.ndarray) -> Triplets:
        """Hessian of weight f + weights' c, (size, size), both triangles."""
        ...


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


class Ipopt:
    """One program, solved as often as needed for other bounds; patterns are found once.

    rng : draws the point at which patterns are looked at a second time; None where `patterns` are given
    patterns : of the Jacobian, and of the Hessian's upper triangle, where these are known to hold at every point
    """

    def __init__(
        self,
        program: Program,
        exact: bool,
        rng: np.random.Generator | None,
        patterns: tuple[Pattern | None, Pattern | None] = (None, None),
    ) -> None:
        self._program = program
        self._exact = exact
        self._rng = rng
        self._jacobians, self._hessians = patterns
        self._failure: BaseException | None = None
        self._last = np.zeros(0)
        self._invalid = False  # whether the latest value was not finite

    def solve(
        self, start: Iterate, bounds: Bounds, settings: Mapping[str, Any], look: Callable[[Iterate], None]
    ) -> tuple[Iterate, str]:
        """The last iterate and IPOPT's own status; `look` sees every iterate. Raises what the program raised."""
        while True:
            if self._rng is not None:
                self._probe(start.v, self._rng)
            try:
                return self._attempt(start, bounds, settings, look)
            except PatternGrew:
                if self._rng is None:
                    raise
                start = Iterate(self._last)

    def _probe(self, v: np.ndarray, rng: np.random.Generator) -> None:
        """Patterns at v and at a point beside it, where entries are seldom zero by accident."""
        program = self._program
        points = [v, v + 1e-4 * (1 + np.abs(v)) * rng.uniform(-1, 1, program.size)]
        jacobians = [program.jacobian(point) for point in points]
        self._jacobians = _union(self._jacobians, jacobians)
        if self._exact:
            weights = rng.uniform(0.5, 1.0, program.rows)
            self._hessians = _union(self._hessians, [program.hessian(p, 1.0, weights).triangle for p in points])

    def _attempt(
        self, start: Iterate, bounds: Bounds, settings: Mapping[str, Any], look: Callable[[Iterate], None]
    ) -> tuple[Iterate, str]:
        self._failure, self._last, self._invalid = None, start.v, False
        functions = self._functions()
        watch = Watch(self._program.size, self._program.rows, lambda iterate, _: self._look(look, iterate))
        options: dict[str, Any] = {
            **{name: function for name, function in functions.items() if name != "nlp"},
            "iteration_callback": watch,
            "no_nlp_grad": True,
            "error_on_fail": False,
            "print_time": False,
            "show_eval_warnings": False,
            "ipopt": {**QUIET, **settings, "hessian_approximation": "exact" if self._exact else "limited-memory"},
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
        if self._failure is not None:
            raise self._failure
        end = Iterate(*(_flat(answer[name]) for name in ("x", "lam_g", "lam_x")))
        status = solver.stats()["return_status"]
        return end, INVALID if self._invalid and status not in SOLVED else status

    def _look(self, look: Callable[[Iterate], None], iterate: Iterate) -> bool:
        """Whether IPOPT is to stop."""
        if self._failure is None:
            self._last = iterate.v
            try:
                look(iterate)
            except BaseException as error:
                self._failure = error
        return self._failure is not None

    def _functions(self) -> dict[str, _Function]:
        """f and c, and their derivatives, under the names of CasADi's options."""
        program, dense = self._program, casadi.Sparsity.dense
        v, none, jacobians = dense(program.size), casadi.Sparsity(0, 0), self._jacobians
        assert jacobians is not None
        inputs = {"x": v, "p": none}
        f, c = {"f": dense(1)}, {"g": dense(program.rows)}
        value, rows = lambda a: program.value(a[0]), lambda a: program.constraints(a[0])
        functions = {
            "nlp": _Function("nlp", inputs, f | c, (value, rows), self._guarded),
            "grad_f": _Function(
                "grad_f",
                inputs,
                f | {"grad_f_x": v},
                (value, lambda a: program.gradient(a[0])),
                self._guarded,
            ),
            "jac_g": _Function(
                "jac_g",
                inputs,
                c | {"jac_g_x": _sparsity(jacobians)},
                (rows, lambda a: jacobians.values(program.jacobian(a[0]))),
                self._guarded,
            ),
        }
        if self._exact and self._hessians is not None:
            hessians = self._hessians
            functions["hess_lag"] = _Function(
                "hess_lag",
                inputs | {"lam_f": dense(1), "lam_g": dense(program.rows)},
                {"triu_hess_gamma_x_x": _sparsity(hessians)},
                (lambda a: hessians.values(program.hessian(a[0], float(a[2][0]), a[3]).triangle),),
                self._guarded,
            )
        return functions

    def _guarded(self, compute: Callable[[list[np.ndarray]], Any], arguments: list[np.ndarray]) -> Any:
        """The value, or NaN from the first exception on."""
        if self._failure is None:
            try:
                value = compute(arguments)
            except BaseException as error:
                self._failure = error
            else:
                self._invalid = not np.isfinite(value).all()
                return value
        return np.nan


class _Function(casadi.Callback):
    """A CasADi function with NumPy views of its buffers."""

    def __init__(
        self,
        name: str,
        inputs: dict[str, casadi.Sparsity],
        outputs: dict[str, casadi.Sparsity],
        computes: tuple[Callable[[list[np.ndarray]], Any], ...],
        guarded: Callable[[Callable, list[np.ndarray]], Any],
    ) -> None:
        super().__init__()
        self._inputs, self._outputs = list(inputs.items()), list(outputs.items())
        self._computes, self._guarded = computes, guarded
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
        for buffer, compute in zip(results, self._computes, strict=True):
            if buffer is not None and buffer.nbytes:
                target = np.frombuffer(buffer)
                target[:] = self._guarded(partial(_sized, compute, target.size), given)
        return 0


def _sized(compute: Callable[[list[np.ndarray]], Any], size: int, arguments: list[np.ndarray]) -> np.ndarray:
    """The values in the buffer's length. Another shape is told by us: CasADi would print it."""
    value = np.asarray(compute(arguments), dtype=float)
    if value.size != size:
        raise ValueError(f"{value.size} values where IPOPT expects {size}")
    return value.reshape(size)


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


def _union(known: Pattern | None, matrices: list[Triplets]) -> Pattern:
    found = Pattern.of(matrices)
    return found if known is None else known.union(found)


def _sparsity(pattern: Pattern) -> casadi.Sparsity:
    rows, columns = pattern.shape
    return casadi.Sparsity(rows, columns, pattern.indptr.tolist(), pattern.indices.tolist())


def _flat(value: Any) -> np.ndarray:
    return np.asarray(value, dtype=float).ravel()
