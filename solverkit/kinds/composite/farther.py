"""Where the bound holds near x alone: whether Psi is lower far away, on the ways that lead downhill from x.

A better point refutes x, whatever the bound says; a problem without any bound whose slope is below the tolerance near x
is seen so. Three ways are gone along, up to 1e10 (1 + ||x||), each point moved into X:

- against a subgradient of Psi at x, and to where that ends far away;
- where the steps of `polish` drift to: steps of a problem without a minimum tend to a constant one, along which it
  falls for ever (Pazy 1971: the infimal displacement).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from solverkit.kinds.composite import polish
from solverkit.kinds.composite.problem import Composite

RADII = 10.0 ** np.arange(1, 11)
STEPS = 100


def drop(
    problem: Composite, x: np.ndarray, value: float, norm: float, within: Callable[[np.ndarray], np.ndarray]
) -> tuple[float, float]:
    """(value - Psi(u), ||u - x||) at the best u met, (0, 0) where none is better. `norm` is ||K||, `value` Psi(x)."""
    best, where = 0.0, 0.0
    for way in _ways(problem, x, norm, within):
        length = float(np.linalg.norm(way))
        if not 0 < length < np.inf:
            continue
        for radius in RADII * (1 + float(np.linalg.norm(x))):
            u = within(x + radius / length * way)
            gain = value - float(problem.objective(problem.blocks(u)))
            if gain > best:
                best, where = gain, float(np.linalg.norm(u - x))
    return best, where


def _ways(
    problem: Composite, x: np.ndarray, norm: float, within: Callable[[np.ndarray], np.ndarray]
) -> Iterator[np.ndarray]:
    y = np.zeros(0)
    slope = problem.smooth_gradient(x)
    if problem.nonsmooth is not None:
        slope = slope + problem.subgradient(x)
    if problem.structured is not None and norm > 0:
        weight = 1e6 / norm  # the larger, the nearer y comes to a subgradient of g at K x
        y = problem.dual_prox(weight * problem.forward(x), weight)
        slope = slope + problem.adjoint(y)
    yield -slope
    length = float(np.linalg.norm(slope))
    if length > 0:
        yield within(x - RADII[-1] * (1 + float(np.linalg.norm(x))) / length * slope) - x
    if problem.nonsmooth is None:
        *_, before, last = [(x, y), (x, y), *polish.pairs(problem, x, y, norm, STEPS)]
        yield last[0] - before[0]
