"""Brute force for one x and one y: the follower's optima on a grid, refined, and whether a point is locally optimal.

It shares no code with the certificate: values of F, f and the constraints, and nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

SPAN = 40.0  # how far the follower is searched where the file gives no bounds
TIE = 1e-7  # follower's values that count as equal, relative


class Follower:
    """Global answers of the lower level of a problem in one x and one y."""

    def __init__(self, problem: Any, points: int = 1501) -> None:
        self.problem = problem
        affine = problem.lower_set.affine(1)
        lower, upper = -np.inf, np.inf
        if affine is not None and affine[0].shape[0]:
            for row, low, high in zip(affine[0].toarray()[:, 0], affine[1], affine[2], strict=True):
                bounds = sorted((low / row, high / row))
                lower, upper = max(lower, bounds[0]), min(upper, bounds[1])
        self.grid_bounds = (max(lower, -SPAN), min(upper, SPAN))
        self.points = points

    def interval(self, x: float) -> tuple[float, float]:
        """The y that satisfy the lower rows, affine in y, at x; empty where lower > upper."""
        low, high = self.grid_bounds
        at_zero = self.problem.lower_rows(np.array([x, 0.0]))
        slope = self.problem.lower_rows(np.array([x, 1.0])) - at_zero
        for value, rate in zip(at_zero, slope, strict=True):
            if rate > 0:
                high = min(high, -value / rate)
            elif rate < 0:
                low = max(low, -value / rate)
            elif value > 1e-9:
                return 1.0, 0.0
        return low, high

    def optima(self, x: float) -> tuple[float, list[float]]:
        """The lowest value of f and every y that attains it, up to ties; (inf, []) where nothing is feasible."""
        low, high = self.interval(x)
        if low > high + 1e-9:
            return np.inf, []

        def value(y: float) -> float:
            return self.problem.lower(np.array([x, y]))

        grid = np.linspace(low, max(low, high), self.points)
        values = np.array([value(y) for y in grid])
        candidates = [(values[0], grid[0]), (values[-1], grid[-1])]
        padded = np.concatenate([[np.inf], values, [np.inf]])
        for k in range(len(grid)):
            if padded[k + 1] <= min(padded[k], padded[k + 2]):
                bounds = (grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)])
                found = minimize_scalar(value, bounds=bounds, method="bounded", options={"xatol": 1e-10})
                candidates.append((min(found.fun, values[k]), found.x if found.fun < values[k] else grid[k]))
        best = min(candidates)[0]
        return best, [y for worth, y in candidates if worth <= best + TIE * max(1.0, abs(best))]

    def optimistic(self, x: float, near: float, radius: float) -> float:
        """F at x with the follower's answer within `radius` of `near` that suits the leader best; inf where there is
        none that the leader's rows allow."""
        best = np.inf
        for y in self.optima(x)[1]:
            if abs(y - near) > radius:
                continue
            z = np.array([x, y])
            rows, inequalities = self.problem.upper_rows(z), self.problem.upper_constraints.inequalities
            worst = max([0.0, *rows[:inequalities], *np.abs(rows[inequalities:])])
            if worst <= 1e-7 and self.problem.upper_set.violation(z[:1]) <= 1e-9:
                best = min(best, self.problem.upper(z))
        return best

    def locally_optimal(self, point: dict[str, np.ndarray]) -> bool:
        """Whether y answers x globally, and no pair nearby does better, beyond what the certificate's tolerance allows.

        Nearby is meant in x and y: where the follower's answer jumps, the other side of the jump is another place.
        """
        z = self.problem.flat(point)
        lowest, _ = self.optima(z[0])
        if self.problem.lower(z) - lowest > 1e-5 * max(1.0, abs(lowest)):
            return False
        here = self.problem.upper(z)
        for radius in (1e-3, 3e-3, 1e-2):
            slack = (1e-3 * radius + 1e-6) * max(1.0, abs(here))
            reach = 1e-2 + 20.0 * radius
            if min(self.optimistic(z[0] + step, z[1], reach) for step in (-radius, radius)) < here - slack:
                return False
        return True
