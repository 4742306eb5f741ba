"""Projections onto the sets of a block, in linear time: the whole space, a box, a simplex.

The projection onto {u >= 0, sum u = r} is max(v - theta, 0) with theta the root of a convex decreasing function,

    f(theta) = sum_i max(v_i - theta, 0) - r,

found by Newton's method. From the left of the root it climbs monotonically through nested active sets; from the right
its first step lands on the left, because f is convex. It ends exactly, when the active set stays. Warm started with
the theta of the step before, two or three passes over v do: O(n) each, and the compiler vectorizes them.
"""

from __future__ import annotations

import numpy as np

from solverkit.kernels import njit
from solverkit_halpern.kernels.flags import VECTORS

FREE, BOX, SIMPLEX = 0, 1, 2
PASSES = 200  # active sets shrink at each pass; a NaN would go on for ever

SetCode = tuple[int, float, np.ndarray, np.ndarray]
"""What of FREE, BOX, SIMPLEX; the radius of a simplex; bounds of a box (empty elsewhere)."""


@njit(**VECTORS)
def threshold(v: np.ndarray, radius: float, guess: float) -> float:
    """The theta of v's projection onto the simplex of this radius. `guess`: any number, best a near one. O(n)."""
    theta, active = guess, -1.0
    for _ in range(PASSES):
        total, count = 0.0, 0.0
        for i in range(len(v)):  # in this form the compiler vectorizes it, which is worth a factor of eight
            excess = v[i] - theta
            total += max(excess, 0.0)
            count += 1.0 if excess > 0.0 else 0.0
        if count == 0.0:  # right of the root, and v_max - r is left of it
            theta, active = v.max() - radius, 0.0
            continue
        move = (total - radius) / count
        if count == active:  # the last move takes away the rounding of a far guess
            theta += move
            break
        if active > 0.0 and move <= 0.0:  # rounding: entries within an ulp of theta would take turns for ever
            break
        theta, active = theta + move, count
    return theta


@njit(**VECTORS)
def project(v: np.ndarray, out: np.ndarray, code: SetCode, guess: float) -> float:
    """The projection of v into `out`; gives the threshold to start the next one from. O(n)."""
    what, radius, lower, upper = code
    n = len(v)
    if what == 2:
        theta = threshold(v, radius, guess)
        for i in range(n):
            out[i] = 0.0 if v[i] <= theta else v[i] - theta  # NaN stays NaN
        return theta
    if what == 1:
        for i in range(n):
            value = v[i]
            value = lower[i] if value < lower[i] else value
            out[i] = upper[i] if value > upper[i] else value
        return guess
    for i in range(n):
        out[i] = v[i]
    return guess
