"""Whether a direction proves that a linear program has no feasible point, or no bound: Farkas' lemma, checked directly.

y:  A x = s has no solution with s in the rows' sides and x in its bounds if some y has
    sup over bounds of (A'y)'x  <  inf over sides of y's,   that is   sigma_X(A'y) + sigma_S(-y) < 0.

x:  c'd < 0 with d in the recession cone of the bounds and A d in that of the sides: from any feasible point the
    objective falls without end.

Directions come from differences of iterates and hold up to rounding: what they miss is held against what they prove.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.inclusion.structure import LinearProgram

NOISE = 1e-6  # entries below, relative to the largest
ROUNDING = 1e-9  # of the parts that should vanish, relative to what is proven


def infeasible(program: LinearProgram, y: np.ndarray, pull: np.ndarray, rounding: float = ROUNDING) -> bool:
    """Whether y (m,) with pull = A'y (n,) is a Farkas certificate.

    The iteration's multipliers press on the upper side of a row where positive, so the inequality is read for -y.
    """
    size = float(np.abs(y).max(initial=0.0))
    if not 0 < size < np.inf:
        return False
    y, pull = y / size, pull / size
    stray_rows, sides, _ = support(y, program.row_lower, program.row_upper)
    stray_bounds, bounds, _ = support(-pull, program.lower, program.upper)
    proven = -(sides + bounds)
    missed = max(float(np.abs(stray_rows).max(initial=0.0)), float(np.abs(stray_bounds).max(initial=0.0)))
    return proven > 0 and missed <= rounding * proven


def unbounded(program: LinearProgram, x: np.ndarray, activity: np.ndarray, rounding: float = ROUNDING) -> bool:
    """Whether x (n,) with activity = A x (m,) is a direction of recession along which c'x falls."""
    size = float(np.abs(x).max(initial=0.0))
    if not 0 < size < np.inf:
        return False
    x, activity = x / size, activity / size
    falls = -float(program.c @ x)
    missed = max(
        _outside(x, program.lower, program.upper), _outside(activity, program.row_lower, program.row_upper), 0.0
    )
    return falls > 0 and missed <= rounding * falls


def cleaned(ray: np.ndarray) -> np.ndarray:
    """A ray with largest entry 1, and 0 where differences of iterates left noise."""
    ray = ray / np.abs(ray).max()
    return np.where(np.abs(ray) < NOISE, 0.0, ray)


def support(v: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, float, float]:
    """sup { v's : lower <= s <= upper }: (parts of v on infinite sides, the sum over the rest, the sum of sizes)."""
    side = np.where(v > 0, upper, lower)
    unlimited = np.isinf(side)
    terms = np.where(unlimited, 0.0, v * np.where(unlimited, 0.0, side))
    return np.where(unlimited, v, 0.0), float(terms.sum()), float(np.abs(terms).sum())


def _outside(d: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """How far d is from the recession cone of [lower, upper], in the largest entry."""
    above = np.where(np.isfinite(upper), d, 0.0)
    below = np.where(np.isfinite(lower), -d, 0.0)
    return float(np.maximum(above, below).max(initial=0.0))
