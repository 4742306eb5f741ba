"""Cuts: points at which an h without structure is linearized, so that the core can bound Psi from below.

    l(w) = F(0) + sum_j w_j (h(c_j) - <h'(c_j), c_j>) + min_u <grad F + sum_j w_j h'(c_j), u> + chi(u)

w on the simplex. The c_j are points of an inner loop, evenly spaced over its second half. l is concave; with a strongly
convex chi its gradient is h(c_j) + <h'(c_j), u(w) - c_j>, and w is found by exponentiated gradient steps;
without, w is uniform.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.composite import bound
from solverkit.kinds.composite.problem import Composite
from solverkit_sliding.lower import Model, lowest

ASCENT = 300
"""Steps on w."""

SHARE = 4
"""An inner loop so many times longer than the number of cuts is worth their evaluation."""


class Keeper:
    """Picks the cuts of one inner loop of `total` steps as it goes by."""

    def __init__(self, problem: Composite, most: int, total: int) -> None:
        self.worth = problem.structured is None and total >= SHARE * most
        self.points: list[np.ndarray] = []
        self._at = set(np.linspace(total // 2 + 1, total, most).astype(int).tolist()) if self.worth else set()

    def see(self, t: int, u: np.ndarray) -> None:
        """The point before inner step t."""
        if t in self._at:
            self.points.append(u.copy())


def bound_from(
    problem: Composite, model: Model, points: list[np.ndarray], near: bound.Near | None
) -> tuple[float, np.ndarray, np.ndarray]:
    """(bound, cuts (J, n), weights (J,)): by one value and one subgradient of h a cut."""
    cuts = np.stack(points)
    slopes = np.stack([problem.subgradient(point) for point in points])
    offsets = np.array([problem.nonsmooth_value(point) for point in points]) - (slopes * cuts).sum(axis=1)
    weights = np.full(len(points), 1 / len(points))
    best, kept = -np.inf, weights
    for _ in range(ASCENT if problem.simple.strong > 0 else 1):
        pull = weights @ slopes
        found = model.offset + float(weights @ offsets) + lowest(problem, model.slope + pull, near)
        if found > best:
            best, kept = found, weights
        if problem.simple.strong <= 0:
            break
        u = problem.simple_step(model.slope + pull, model.anchor, 0.0)
        rise = offsets + slopes @ u
        rate = problem.simple.strong / max(float((slopes**2).sum(axis=1).max()), 1e-300)
        logs = np.log(np.maximum(weights, 1e-300)) + rate * (rise - rise.max())
        weights = np.exp(logs - logs.max())
        weights /= weights.sum()
    return best, cuts, kept
