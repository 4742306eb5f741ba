"""Where the bound holds near x alone: whether Psi is lower far away, on the ways that lead downhill from x.

A better point refutes x, whatever the bound says; a problem without any bound whose slope is below the tolerance near x
is seen so. Two ways are gone, each straight to where it ends in X from 1e7 (1 + ||x||) away:

- against a subgradient of Psi at x;
- where the steps of `polish` drift to: steps of a problem without a minimum tend to a constant one, along which it
  falls for ever (Pazy 1971: the infimal displacement).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from solverkit.kinds.composite import polish
from solverkit.kinds.composite.problem import Composite

FARTHEST = 1e7  # times 1 + ||x||; farther off a slope of 1e-16, which decimal numbers leave, would look like a fall
SHARES = 10.0 ** np.arange(-6, 1)
STEPS = 100
ROUNDING = 1e-14


def drop(
    problem: Composite, x: np.ndarray, value: float, norm: float, within: Callable[[np.ndarray], np.ndarray]
) -> tuple[float, float]:
    """(value - Psi(u), ||u - x||) at the best u met, (0, 0) where none is better. `norm` is ||K||, `value` Psi(x).

    Far away sums lose digits. Psi is convex: a tenth of the way is worth a tenth of the gain at least, or it is none.
    """
    best, where = 0.0, 0.0
    far = FARTHEST * (1 + float(np.linalg.norm(x)))
    for way in _ways(problem, x, norm):
        whole = _end(x, _end(x, way, far, within), far, within)  # what X leaves of a way is gone to its own end
        if not np.any(whole):
            continue
        gains = np.array([value - problem.objective(problem.blocks(within(x + t * whole))) for t in SHARES])
        for k in np.flatnonzero(gains > best):
            due = gains[k] * SHARES[:k] / SHARES[k]
            if (gains[:k] >= 0.5 * due)[due > ROUNDING * (1 + abs(value))].all():
                best, where = float(gains[k]), float(SHARES[k] * np.linalg.norm(whole))
    return best, where


def _end(x: np.ndarray, way: np.ndarray, far: float, within: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """From x to the point of X next to x + far way / ||way||; zeros where the way has no direction."""
    length = float(np.linalg.norm(way))
    return within(x + far / length * way) - x if 0 < length < np.inf else np.zeros_like(x)


def _ways(problem: Composite, x: np.ndarray, norm: float) -> Iterator[np.ndarray]:
    y = np.zeros(0)
    slope = problem.smooth_gradient(x)
    if problem.nonsmooth is not None:
        slope = slope + problem.subgradient(x)
    if problem.structured is not None and norm > 0:
        weight = 1e6 / norm  # the larger, the nearer y comes to a subgradient of g at K x
        y = problem.dual_prox(weight * problem.forward(x), weight)
        slope = slope + problem.adjoint(y)
    yield -slope
    if problem.nonsmooth is None:
        *_, before, last = [(x, y), (x, y), *polish.pairs(problem, x, y, norm, STEPS)]
        yield last[0] - before[0]
