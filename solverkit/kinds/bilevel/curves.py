"""Ways down of the upper level that are no lines in x (`kinds/ways.py`), the lower level solved at every x.

Peano's (y - x^2)(y - 3 x^2), y the lower level's answer to a second x, is a minimum along every line, and falls in
between two parabolas. Where curvature does not decide, the least F in a shell of x is looked for by the simplex method
of Nelder and Mead (1965), which needs no derivative of the answers y(x), nor units of F.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize

from solverkit.kinds.ways import Place, Ways, ways_down

LARGEST = 8  # x and y together: every x costs a lower solve
STARTS = 4  # random ones
EVALUATIONS = 20  # of F for each x_j, in a shell
INNERMOST = 0.5  # of the width
STEP = 0.3  # of the first simplex, of the width

Moved = Callable[[np.ndarray], "Place | None"]


def curves(
    moved: Moved, soft: Sequence[np.ndarray], n: int, size: float, noise: float, sudden: float, seed: int
) -> Ways:
    """moved : a step of x, (n,), to what F falls by where the lower level has answered; None where that tells nothing

    soft : directions to begin with, (n,) each;  size, noise, sudden : as of `ways_down`"""
    draws = np.random.default_rng(seed).normal(size=(STARTS, n))
    starts = [sign * d for d in soft for sign in (1.0, -1.0)] + list(draws)
    lengths = [float(np.abs(d).max(initial=0.0)) for d in starts]
    unit = [d / length for d, length in zip(starts, lengths, strict=True) if length > 0]
    return ways_down(lambda d, width: _least(moved, d, width), unit, size, noise, sudden)


def _least(moved: Moved, d: np.ndarray, width: float) -> Place | None:
    """Of the places that the simplex came by, the one that falls furthest."""
    n, j = len(d), int(np.abs(d).argmax())
    low, high = np.full(n, -1.0), np.full(n, 1.0)
    (low if d[j] > 0 else high)[j] = INNERMOST * np.sign(d[j])
    best: Place | None = None

    def rise(u: np.ndarray) -> float:
        nonlocal best
        place = moved(width * u)
        if place is None:
            return np.inf
        if best is None or place.fall > best.fall:
            best = place
        return -place.fall

    start = np.clip(d, low, high)
    inwards = np.where(start > 0, -STEP, STEP)
    minimize(
        rise,
        start,
        method="Nelder-Mead",
        bounds=np.column_stack([low, high]),
        options={
            "initial_simplex": np.clip(np.vstack([start, start + np.diag(inwards)]), low, high),
            "maxfev": EVALUATIONS * n,
            "fatol": 0.0,
            "xatol": 1e-4,
        },
    )
    return best
