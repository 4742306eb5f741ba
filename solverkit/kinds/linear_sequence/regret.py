"""What a method that chose a parameter for each system lost against the best fixed one, in hindsight.

    regret = sum_t cost_t - min_k sum_t cost_t(k)

The costs cost_t in a point are its method's word. The totals of the fixed parameters are not: `replay` is called for
every system and parameter, and each of its answers is held to the residual that the problem asks for. Where the point
says which parameter solved each system (`arm`), that choice is replayed too, and `reproduced` is the part of the costs
that came out the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.base import Point
from solverkit.kinds.linear_sequence.certificate import ALLOWANCE, relative_residual
from solverkit.kinds.linear_sequence.problem import ARM, COST, SOLUTIONS, LinearSequence
from solverkit.kinds.linear_sequence.systems import System

Replay = Callable[[System, np.ndarray, Any], tuple[np.ndarray, float]]
"""(system, the solution before it, parameter) -> (solution, cost)."""


@dataclass(frozen=True)
class Regret:
    """Totals over the whole sequence, in the units of `cost`."""

    total: float  # of the method, by its own word
    totals: np.ndarray  # (K,) of each fixed parameter; infinite for one that left a system unsolved
    best: int  # the fixed parameter of least total
    each: float  # total of the best parameter of every system: what no choice from these can beat
    reproduced: float  # part of the method's costs that replaying its choices gave again; NaN without `arm`

    @property
    def regret(self) -> float:
        """The method's total less that of the best fixed parameter; negative where it was better than all."""
        return self.total - float(self.totals[self.best])


def regret(
    problem: LinearSequence, point: Point, replay: Replay, parameters: Sequence[Any], tol: float = 1e-6
) -> Regret:
    """Hold the costs in a point against those of fixed parameters; T K solves, and T more where there is an `arm`.

    Raises UsageError where the point has no costs, or no parameter is given.
    """
    cost = point.get(COST)
    if cost is None or np.shape(cost) != (problem.T,):
        raise UsageError(f"the point has no block '{COST}' of {problem.T} costs: choose a method that tells them")
    if len(parameters) == 0:
        raise UsageError("there is no parameter to compare with: give at least one")
    costs = np.array([_fixed(problem, replay, parameter, tol) for parameter in parameters])
    totals = costs.sum(axis=1)
    return Regret(
        total=float(np.sum(cost)),
        totals=totals,
        best=int(np.argmin(totals)),
        each=float(costs.min(axis=0).sum()),
        reproduced=_reproduced(problem, point, replay, parameters),
    )


def _fixed(problem: LinearSequence, replay: Replay, parameter: Any, tol: float) -> np.ndarray:
    """(T,) costs of one parameter along its own solutions; infinite from the first system that it does not solve."""
    costs = np.full(problem.T, np.inf)
    previous, limit = problem.initial, ALLOWANCE * problem.target(tol)
    for t in range(problem.T):
        system = problem.system(t, previous)
        previous, cost = replay(system, previous, parameter)
        if not relative_residual(system.matrix, previous, system.rhs) <= limit:
            break
        costs[t] = cost
    return costs


def _reproduced(problem: LinearSequence, point: Point, replay: Replay, parameters: Sequence[Any]) -> float:
    arm = point.get(ARM)
    if arm is None or np.shape(arm) != (problem.T,) or not np.isin(arm, np.arange(len(parameters))).all():
        return float("nan")
    same, previous = 0, problem.initial
    for t, solution in enumerate(point[SOLUTIONS]):
        _, cost = replay(problem.system(t, previous), previous, parameters[int(arm[t])])
        same += cost == point[COST][t]
        previous = solution
    return same / problem.T
