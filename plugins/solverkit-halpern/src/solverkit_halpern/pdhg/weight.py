"""Control of the primal weight: omega follows the ratio of the dual to the primal distance that a restart covered.

    e = log(||y - y_0|| / ||x - x_0||) - log omega,   log omega += kp e + ki sum(e)

the sum with a decay of 0.3 (cuPDLPx, arXiv 2507.14051).
"""

from __future__ import annotations

from math import exp, log

DECAY = 0.3
LIMIT = log(100.0)  # of the error: one short epoch does not tell more
ZERO = 1e-13  # distances below this, relative to the other, are none
FAR = 1e6  # omega leaves [1 / FAR, FAR] no further: a player that has arrived says nothing about the weight


def control(
    weight: float, memory: float, distance_x: float, distance_y: float, proportional: float, integral: float
) -> tuple[float, float]:
    """The next omega, and the decayed sum of errors.

    Where one player did not move, in a game at a vertex, omega goes to the other's side by the limit: kept as it is, it
    would leave that other one creeping. Where one arrives long before the other, its distances are rounding, and the
    rule would drive omega on without end while the other one stands still: hence FAR.
    """
    largest = max(distance_x, distance_y)
    if not (0 < largest < 1e150) or not proportional:
        return weight, memory
    x, y = (max(distance, ZERO * largest) for distance in (distance_x, distance_y))
    error = min(max(log(y / x) - log(weight), -LIMIT), LIMIT)
    memory = DECAY * memory + error
    found = exp(log(weight) + proportional * error + integral * memory)
    return min(max(found, min(weight, 1 / FAR)), max(weight, FAR)), memory
