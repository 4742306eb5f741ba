"""Ways down that are no lines (`kinds/ways.py`), where second-order conditions leave directions d open.

The least f in a shell is that of SLSQP (`shell.py`), beginning at each d, at random sums of them, and a little aside,
as f may be level along d itself. What it finds is brought back to the rows, which are met closely.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.nonlinear.curvature import Curvature
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import Measured
from solverkit.kinds.nonlinear.restore import beyond, restored_closely
from solverkit.kinds.nonlinear.shell import fits, least_in_shell
from solverkit.kinds.ways import Place, Ways, ways_down

STARTS = 24  # random ones
ASIDE = 0.1  # of a move, at random


def curves(local: Local, found: Measured, bend: Curvature, noise: float, sudden: float, tol: float) -> Ways:
    """What they tell; nothing where second-order conditions are enough, or the problem is too large for shells.

    noise, sudden : as of `ways_down`;  tol : of the rows"""
    if not len(bend.degenerate) or not fits(local.problem):
        return Ways(0.0, 0.0, 0)

    def least(d: np.ndarray, width: float) -> Place | None:
        x = least_in_shell(local, d, width)
        there = None if x is None else restored_closely(local, x, tol)
        if there is None:
            return None
        move = there.x - local.x
        return Place(move, float(np.abs(move).max()), local.value - there.value - beyond(there, found.y))

    size = 1 + float(np.abs(local.x).max(initial=0.0))
    return ways_down(least, _starts(local, bend.degenerate), size, noise, sudden)


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
