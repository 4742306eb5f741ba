"""Control of the primal weight: omega follows the ratio of the dual to the primal distance that a restart covered.

    e = log(||y - y_0|| / ||x - x_0||) - log omega,   log omega += kp e + ki sum(e)

the sum with a decay of 0.3 (cuPDLPx, arXiv 2507.14051).
"""

from __future__ import annotations

from math import exp, log

DECAY = 0.3
SMALLEST = 1e-12  # distances below tell nothing


def control(
    weight: float, memory: float, distance_x: float, distance_y: float, proportional: float, integral: float
) -> tuple[float, float]:
    """The next omega, and the decayed sum of errors."""
    if not (SMALLEST < distance_x < 1e150 and SMALLEST < distance_y < 1e150) or not proportional:
        return weight, memory
    error = log(distance_y / distance_x) - log(weight)
    memory = DECAY * memory + error
    return exp(log(weight) + proportional * error + integral * memory), memory
