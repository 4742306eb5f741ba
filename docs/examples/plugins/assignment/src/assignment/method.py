"""SciPy's solver as a method."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from assignment.options import NoOptions
from assignment.problem import Assignment
from solverkit.plugin import Context, Observe, OneShotSolver, Point, Stop, Termination


class ShortestAugmentingPaths(OneShotSolver[Assignment]):
    """One call."""

    Options = NoOptions

    def solve(self, problem: Assignment, start: Point, ctx: Context, observe: Observe) -> Point:
        """The whole matching at once."""
        costs = problem.costs()
        if costs.shape != (problem.n, problem.n) or not np.isfinite(costs).all():
            raise Stop(Termination.STALLED, "oracle 'costs' gave no square matrix of finite numbers")
        return {"match": linear_sum_assignment(costs)[1].astype(float)}
