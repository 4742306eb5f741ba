"""Ways down that are no lines: from where the least f in a shell is, inwards from shell to shell.

2 x y^2 - 2 x^3 y with x, y >= 0 is a minimum at 0 along every line, and falls along y = x^2 / 2. Where second-order
conditions leave directions d open, the least f in a shell a tenth of 1 + ||x||_inf wide is looked for (`shell.py`),
beginning at each d, at random sums of them, and a little aside, as f may be level along d itself. From a fall the way
is followed inwards, to shells a hundredth and a thousandth wide: where f is higher than at the point in one of them it
is no way down, but leads over a barrier. What counts is as along lines (`probe.py`): the fall per distance, and falls
that grow ever faster.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.nonlinear.curvature import Curvature
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import Measured
from solverkit.kinds.nonlinear.restore import beyond, restored_closely
from solverkit.kinds.nonlinear.shell import fits, least_in_shell

WIDTHS = (1e-1, 1e-2, 1e-3)  # times 1 + ||x||_inf
STARTS = 24  # random ones
ASIDE = 0.1  # of a move, at random
LONG, SHORT = (
    0.7,
    0.2,
)  # of the width: a way that loses a coordinate goes around the barrier, along others that are level


def curves(
    local: Local, found: Measured, bend: Curvature, noise: float, sudden: float, tol: float
) -> tuple[float, float, int]:
    """(the fastest fall of f per distance, the largest sudden fall, ways that were followed)

    noise : what f may change by for nothing;  sudden : how many times as fast as in the shell within"""
    fastest, largest, told = 0.0, 0.0, 0
    if not len(bend.degenerate) or not fits(local.problem):
        return fastest, largest, told
    size = 1 + float(np.abs(local.x).max(initial=0.0))
    for d in _starts(local, bend.degenerate):
        way = _inwards(local, found, d, size * np.array(WIDTHS), noise, tol)
        if way is None:
            continue
        told += 1
        falls, distances = way
        rates, least = falls / distances, noise / distances
        fastest = max(fastest, float((rates - least).max()))
        known = np.maximum(np.abs(rates), least)[1:]
        ever = falls[:-1][rates[:-1] > sudden * known]
        largest = max(largest, float(ever.max(initial=0.0)))
    return fastest, largest, told


def _inwards(
    local: Local, found: Measured, d: np.ndarray, widths: np.ndarray, noise: float, tol: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """What f falls by in each shell, and how far away; None where it does not, or where one has no such way."""
    falls: list[float] = []
    distances: list[float] = []
    for width in widths:
        least = least_in_shell(local, d, width)
        there = None if least is None else restored_closely(local, least, tol)
        if there is None:
            return None
        distance = float(np.abs(there.x - local.x).max())
        fall = local.value - there.value - beyond(there, found.y)
        if not width / 4 < distance < 4 * width or not fall >= (noise if not falls else -noise):
            return None
        before, d = d, (there.x - local.x) / width
        if falls and np.any((np.abs(before) >= LONG) & (np.abs(d) < SHORT)):
            return None
        falls.append(fall)
        distances.append(distance)
    return np.array(falls), np.array(distances)


def _starts(local: Local, degenerate: np.ndarray) -> list[np.ndarray]:
    """Directions, a little aside of the degenerate ones and of random sums of them; inwards of active bounds."""
    rng, n = np.random.default_rng(0), local.problem.n
    sums = rng.normal(size=(STARTS, len(degenerate))) @ degenerate
    starts = np.vstack([degenerate, -degenerate, sums])
    starts = starts / np.maximum(np.abs(starts).max(axis=1, keepdims=True), 1e-300)
    starts = starts + ASIDE * rng.normal(size=(len(starts), n))
    inward = (local.x <= local.problem.lowest).astype(float) - (local.x >= local.problem.highest)
    starts = np.where(inward != 0, inward * np.abs(starts), starts)
    lengths = np.abs(starts).max(axis=1, keepdims=True)
    return list(starts[lengths[:, 0] > 0] / lengths[lengths[:, 0] > 0])
