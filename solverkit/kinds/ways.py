"""Ways down that are no lines: from where the least value in a shell about a point is, inwards from shell to shell.

2 x y^2 - 2 x^3 y with x, y >= 0 is a minimum at 0 along every line, and falls along y = x^2 / 2. The least value in a
shell a tenth of 1 + ||x||_inf wide is looked for from several starts. From a fall the way is followed inwards, to
shells a hundredth and a thousandth wide: where the value is higher than at the point in one of them it is no way down,
but leads over a barrier. What counts is the fall per distance, and falls that grow ever faster, as along lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

WIDTHS = (1e-1, 1e-2, 1e-3)  # times 1 + ||x||_inf
LONG, SHORT = 0.7, 0.2  # of the width: a way that loses a coordinate goes around the barrier, where f is level
NEAREST, FARTHEST = 0.25, 4.0  # of the width, in between which a place tells of its shell

Least = Callable[[np.ndarray, float], "Place | None"]


@dataclass(frozen=True)
class Place:
    """A feasible place in a shell."""

    move: np.ndarray  # from the point, (n,)
    distance: float  # of all that moves with it, infinity norm
    fall: float


@dataclass(frozen=True)
class Ways:
    """What the ways tell together."""

    fastest: float  # fall per distance, beyond what noise explains
    sudden: float  # the largest fall that is so many times as fast as in the shell within
    told: int  # ways that were followed


def ways_down(least: Least, starts: Iterable[np.ndarray], size: float, noise: float, sudden: float) -> Ways:
    """least : (d, width) -> a place of little value there, from d with ||d||_inf = 1 on;  size : 1 + ||x||_inf

    noise : what the value may change by for nothing;  sudden : how many times as fast as in the shell within"""
    fastest, largest, told = 0.0, 0.0, 0
    for d in starts:
        way = _inwards(least, d, size, noise)
        if not way:
            continue
        told += 1
        rates = [place.fall / place.distance for place in way]
        hidden = [noise / place.distance for place in way]
        fastest = max(fastest, *(rate - most for rate, most in zip(rates, hidden, strict=True)))
        for outer, (place, rate) in enumerate(zip(way[:-1], rates[:-1], strict=True)):
            if rate > sudden * max(abs(rates[outer + 1]), hidden[outer + 1]):
                largest = max(largest, place.fall)
    return Ways(fastest, largest, told)


def _inwards(least: Least, d: np.ndarray, size: float, noise: float) -> list[Place]:
    """A place in each shell; none where the widest has no fall, or where another has no such way."""
    way: list[Place] = []
    for width in WIDTHS:
        place = least(d, width * size)
        if place is None or not place.fall >= (-noise if way else noise):
            return []
        before, d = d, place.move / (width * size)
        if not NEAREST < np.abs(d).max() < FARTHEST:
            return []
        if way and np.any((np.abs(before) >= LONG) & (np.abs(d) < SHORT)):
            return []
        way.append(place)
    return way
