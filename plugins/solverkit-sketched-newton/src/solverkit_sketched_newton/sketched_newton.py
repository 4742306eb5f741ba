"""`sketched-newton`: Newton steps with an exact augmented Lagrangian, in production or as the paper has them.

The method of Hong, Na, Mahoney and Kolar, "Constrained optimization via exact augmented Lagrangian and randomized
iterative sketching" (arXiv 2305.18379). `production` is the method made to converge on general problems, `paper` the
published iteration; this class is the one of the two that the options ask for.
"""

from __future__ import annotations

from typing import Any

from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit.plugin import Context, Point, Solver
from solverkit_sketched_newton.options import SketchedNewtonOptions
from solverkit_sketched_newton.paper import Paper
from solverkit_sketched_newton.production import Production


class SketchedNewton(Solver[Nonlinear, Any]):
    """See the module."""

    Options = SketchedNewtonOptions
    options: SketchedNewtonOptions

    def __init__(self, options: SketchedNewtonOptions) -> None:
        super().__init__(options)
        self._method: Any = Paper(options) if options.paper else Production(options)

    def init(self, problem: Nonlinear, start: Point, ctx: Context) -> Any:
        return self._method.init(problem, start, ctx)

    def step(self, problem: Nonlinear, state: Any, ctx: Context) -> Any:
        return self._method.step(problem, state, ctx)

    def finish(self, problem: Nonlinear, state: Any, ctx: Context) -> Any:
        return self._method.finish(problem, state, ctx)

    def point(self, state: Any) -> Point:
        return self._method.point(state)

    def report(self, state: Any) -> dict[str, float]:
        return self._method.report(state)

    def converged(self, state: Any) -> bool:
        return self._method.converged(state)
