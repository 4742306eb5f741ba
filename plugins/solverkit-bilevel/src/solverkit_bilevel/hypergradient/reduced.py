"""Phi(x) = F(x, y*(x)) and its gradient, to an accuracy that the caller asks for.

| system | lower level | gradient |
|---|---|---|
| cg | Newton's method to |f_y| <= accuracy | conjugate gradients, warm started |
| neumann | the same | Neumann series, a = 0.9/L, summed until the residual is small enough |
| unroll | K gradient steps of a = 0.9/L, K doubled until |f_y| is small enough | reverse mode through them |

At a y that is not quite y*, F(x, y) - z'f_y(x, y) with f_yy z = F_y is Phi to second order in y - y*: that is the value
a line search sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.hypergradient.answer import Answer, solve_lower
from solverkit_bilevel.hypergradient.conjugate_gradients import Adjoint, conjugate_gradients
from solverkit_bilevel.hypergradient.neumann import neumann
from solverkit_bilevel.hypergradient.products import largest_curvature, lower_products
from solverkit_bilevel.hypergradient.unrolled import Memory, follow, unrolled

System = Literal["cg", "neumann", "unroll"]
STABLE = 0.9  # a L: power iteration sees L from below


@dataclass
class Effort:
    """What an evaluation of Phi may cost; `terms` and the estimate of L change during a run, so they are state."""

    terms: int  # inner steps of unrolling
    most_terms: int  # of them, or of the Neumann series
    largest: float = 0.0  # L
    along: np.ndarray | None = None  # (m,) its direction


@dataclass(frozen=True)
class Reduced:
    """How Phi is evaluated."""

    system: System = "cg"
    products: int = 1000  # most of one linear system
    rounds: int = 100  # most Newton steps of one lower problem
    memory: Memory = "checkpoint"

    def answer(self, problem: Bilevel, z: np.ndarray, accuracy: float, effort: Effort) -> Answer:
        """(x, y) near y*(x) from z = (x, y0)."""
        if self.system != "unroll":
            return solve_lower(problem, z, accuracy, self.rounds, self.products)
        end = follow(problem, z, self._step(problem, z, effort), effort.terms)
        slope = problem.lower_gradient(end)[problem.n :]
        return Answer(end, slope, bool(np.linalg.norm(slope) <= accuracy))

    def adjoint(
        self,
        problem: Bilevel,
        answer: Answer,
        begin: np.ndarray,
        slope: np.ndarray,
        start: np.ndarray | None,
        rtol: float,
        effort: Effort,
    ) -> Adjoint:
        """z, f_xy z and their accuracy at an answer that came from (x, y0) = `begin`; `slope` is grad F there."""
        n = problem.n
        product = lower_products(problem, answer.z)
        if self.system == "cg":
            return conjugate_gradients(product, slope[n:], n, start, rtol, self.products)
        if self.system == "neumann":
            self.measure(problem, answer.z, effort)
            return neumann(product, slope[n:], n, self._step(problem, begin, effort), effort.most_terms, rtol)
        found = unrolled(problem, begin, slope, self._step(problem, begin, effort), effort.terms, self.memory)
        self.measure(problem, answer.z, effort)  # for the next forward sweep: both sweeps take the same step
        return found

    def measure(self, problem: Bilevel, z: np.ndarray, effort: Effort) -> None:
        """L at z, warm started."""
        along = np.ones(problem.m) if effort.along is None else effort.along
        effort.largest, effort.along = largest_curvature(lower_products(problem, z), along)

    def _step(self, problem: Bilevel, z: np.ndarray, effort: Effort) -> float:
        if effort.largest == 0.0:
            self.measure(problem, z, effort)
        return STABLE / effort.largest if effort.largest > 0 else 1.0
