"""IPOPT for a program whose functions live in Python.

    minimize f(v)      subject to  lower <= c(v) <= upper,   lowest <= v <= highest

The first exception of a function is kept, everything after it answers NaN without computing, IPOPT is asked to stop,
and the exception is raised again once IPOPT has returned. That is how limits, Ctrl-C and failing oracles get through.
A large program's factorizations take seconds, which cannot be left: IPOPT has a process of its own there, which asks
for the values and is ended at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import numpy as np

from solverkit.engine.child import ChildEnded, in_child
from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit_baselines import nlpsol
from solverkit_baselines.nlpsol import Bounds, Iterate, Setting
from solverkit_baselines.patterns import Pattern, PatternGrew, Triplets

SOLVED = ("Solve_Succeeded", "Solved_To_Acceptable_Level")
INVALID = "Invalid_Number_Detected"  # also said here of any other failure whose last value was not finite
LARGE = 15_000  # entries of v and c, from which a factorization may take a second; the process costs about 0.3 s


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


class Ipopt:
    """One program, solved as often as needed for other bounds; patterns are found once.

    rng : draws the point at which patterns are looked at a second time; None where `patterns` are given
    patterns : `jacobian`, and `hessian` of the upper triangle, where these are known beforehand
    limit : raises where a limit is reached; it is called while IPOPT works in a process of its own
    """

    def __init__(
        self,
        program: Program,
        exact: bool,
        rng: np.random.Generator | None,
        limit: Callable[[], object],
        patterns: Mapping[str, Pattern] | None = None,
    ) -> None:
        self._program = program
        self._exact = exact
        self._rng = rng
        self._limit = limit
        self._patterns = dict(patterns or {})
        self._failure: BaseException | None = None
        self._last = np.zeros(0)
        self._invalid = False  # whether the latest value was not finite

    def solve(
        self, start: Iterate, bounds: Bounds, settings: Mapping[str, Any], look: Callable[[Iterate], None]
    ) -> tuple[Iterate, str]:
        """The last iterate and IPOPT's own status; `look` sees every iterate. Raises what the program raised."""
        if self._rng is not None:
            self._probe(start.v, self._rng)
        while True:
            try:
                return self._attempt(start, bounds, settings, look)
            except PatternGrew:  # the pattern has by now what it lacked
                start = Iterate(self._last)

    def _probe(self, v: np.ndarray, rng: np.random.Generator) -> None:
        """Patterns at v and at a point beside it, where entries are seldom zero by accident."""
        program = self._program
        points = [v, v + 1e-4 * (1 + np.abs(v)) * rng.uniform(-1, 1, program.size)]
        found = {"jacobian": [program.jacobian(point) for point in points]}
        if self._exact:
            weights = rng.uniform(0.5, 1.0, program.rows)
            found["hessian"] = [program.hessian(point, 1.0, weights).triangle for point in points]
        for name, matrices in found.items():
            pattern = Pattern.of(matrices)
            self._patterns[name] = self._patterns[name].union(pattern) if name in self._patterns else pattern

    def _attempt(
        self, start: Iterate, bounds: Bounds, settings: Mapping[str, Any], look: Callable[[Iterate], None]
    ) -> tuple[Iterate, str]:
        self._failure, self._last, self._invalid = None, start.v, False
        approximation = "exact" if self._exact else "limited-memory"
        setting = Setting(
            jacobian=nlpsol.plain(self._patterns["jacobian"]),
            hessian=nlpsol.plain(self._patterns["hessian"]) if self._exact else None,
            start=start,
            bounds=bounds,
            settings={**settings, "hessian_approximation": approximation},
        )
        if self._program.size + self._program.rows > LARGE:
            end, status = self._elsewhere(setting, look)
        else:
            end, status = nlpsol.run(setting, self._evaluate, partial(self._look, look))
        if self._failure is not None:
            raise self._failure
        return end, INVALID if self._invalid and status not in SOLVED else status

    def _elsewhere(self, setting: Setting, look: Callable[[Iterate], None]) -> tuple[Iterate, str]:
        def reply(question: Any) -> Any:
            said = self._look(look, question) if isinstance(question, Iterate) else self._evaluate(*question)
            if self._failure is not None:
                raise self._failure
            return said

        try:
            return in_child(nlpsol.asking, setting, look=self._limit, reply=reply)
        except ChildEnded as ended:
            raise Stop(Termination.STALLED, f"IPOPT's process ended without an answer, {ended}") from None

    def _look(self, look: Callable[[Iterate], None], iterate: Iterate) -> bool:
        """Whether IPOPT is to stop."""
        if self._failure is None:
            self._last = iterate.v
            try:
                look(iterate)
            except BaseException as error:
                self._failure = error
        return self._failure is not None

    def _evaluate(self, name: str, which: int, arguments: list[np.ndarray]) -> np.ndarray | float:
        """The value of a function of `nlpsol`, or NaN from the first exception on."""
        if self._failure is None:
            try:
                value = self._value(name, which, arguments)
            except BaseException as error:
                self._failure = error
            else:
                self._invalid = not np.isfinite(value).all()
                return value
        return np.nan

    def _value(self, name: str, which: int, arguments: list[np.ndarray]) -> np.ndarray:
        program, v = self._program, arguments[0]
        match name, which:
            case ("nlp" | "grad_f", 0):
                return _sized(program.value(v), 1)
            case ("nlp", 1) | ("jac_g", 0):
                return _sized(program.constraints(v), program.rows)
            case ("grad_f", 1):
                return _sized(program.gradient(v), program.size)
            case ("jac_g", 1):
                return self._placed("jacobian", program.jacobian(v))
        _, _, weight, weights = arguments
        return self._placed("hessian", program.hessian(v, float(weight[0]), weights).triangle)

    def _placed(self, name: str, matrix: Triplets) -> np.ndarray:
        """The entries in the order of the pattern, which takes in those that it lacks before PatternGrew is raised."""
        pattern = self._patterns[name]
        try:
            return pattern.values(matrix)
        except PatternGrew:
            self._patterns[name] = pattern.union(Pattern.of([matrix]))
            raise


def _sized(value: Any, size: int) -> np.ndarray:
    """The values flat. Another number of them is told by us: CasADi would print it."""
    values = np.asarray(value, dtype=float)
    if values.size != size:
        raise ValueError(f"{values.size} values where IPOPT expects {size}")
    return values.reshape(size)
