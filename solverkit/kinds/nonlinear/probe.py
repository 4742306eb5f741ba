"""Descent that derivatives at the point do not show: moves along soft directions, brought back to the constraints.

Along a direction without curvature a stationary point may still be none (x^3 at 0, a saddle of higher order), and close
to such a point curvature is positive and says nothing: x^3 at 1e-4. Walked are, in both senses,

    the degenerate directions, and random sums of them (x y^2 is 0 along both axes),
    the SOFTEST eigenvectors of the Hessian of the Lagrangian on the tangent space, x_j measured by 1 + |x_j|.

From x + t d, t growing, a few Gauss-Newton steps of least length go back to the constraints, and one Newton step on the
Lagrangian takes the directions that do have curvature to their minimum (Peano's (y - x^2)(y - 3 x^2) is a minimum along
every line, and falls along y = 2 x^2). Ways that are no lines are looked for in shells (`curves.py`). f may not have
fallen by more than

    (f(x) - f(x')) / ||x' - x||_inf  <=  100 tol S,

the descent that the stationarity term would tolerate, with its usual widening (`certificate.py`). Where f has risen the
walk ends: what lies behind a barrier is another minimum. What slack in active constraints could give counts as no fall,
nor what the rows are broken by at the point that was gone to.

Nor may f fall ever faster: SUDDEN times as fast as it, or what rounding hides, changed per distance a step before. An
error of the point makes f fall ever slower; -x^6 at 0 falls by 1e-12 after 1e-2, and by 1e-6 after 1e-1.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.nonlinear.curvature import Curvature
from solverkit.kinds.nonlinear.curves import curves
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import Measured
from solverkit.kinds.nonlinear.restore import MET, beyond, restored, restored_closely

STEPS = (1e-3, 1e-2, 1e-1)  # times 1 + ||x||_inf
SUMS = 6  # random sums of degenerate directions
NEAR = 1e-2
SUDDEN = 3.0
REACH = 10.0  # moves that corrections carry further than so many times their length tell nothing of this point


def probe(local: Local, found: Measured, bend: Curvature, tol: float) -> tuple[float, float, int]:
    """(the fastest fall of f per distance, the largest sudden fall of f, moves that told something)"""
    worst, sudden, told = 0.0, 0.0, 0
    size = 1 + float(np.abs(local.x).max(initial=0.0))
    noise = 1e-13 * (abs(local.value) + local.scale * size) + _slack(local, found)
    # multipliers of affine rows say what f is worth beyond them; those of curved ones may grow beyond all measure
    excuse = np.inf if local.problem.affine else MET * tol * local.scale * size
    for d in _directions(bend):
        known = np.inf  # how fast f changed along d a step before
        for step in STEPS:
            moved = restored(local, local.x + step * size * d, tol)
            if moved is None:
                continue
            falls, rates = [], []
            for there in (moved, _relaxed(moved, found.y, d, bend, tol)):
                if there is None or not np.isfinite(there.value):
                    continue
                distance = float(np.abs(there.x - local.x).max())
                if 1e-2 * step * size < distance <= REACH * step * size:
                    fall = local.value - there.value - min(beyond(there, found.y), excuse)
                    falls.append(fall / distance)
                    rates.append(max(abs(falls[-1]), noise / distance))
                    if falls[-1] > SUDDEN * known:
                        sudden = max(sudden, _lasting(local, there, SUDDEN * known, tol))
                    worst = max(worst, falls[-1] - noise / distance)
            told += len(falls)
            known = max(rates, default=known)
            if falls and max(falls) < 0 and local.value + noise < moved.value:
                break
    ways = curves(local, found, bend, noise, SUDDEN, tol)
    return max(worst, ways.fastest), max(sudden, ways.sudden), told + ways.told


def _lasting(local: Local, there: Local, rate: float, tol: float) -> float:
    """What f falls by faster than `rate` where rows are met closely."""
    closely = restored_closely(local, there.x, tol)
    if closely is None:
        return 0.0
    fall, distance = local.value - closely.value, float(np.abs(closely.x - local.x).max())
    return fall if fall > rate * distance else 0.0


def newton_fall(local: Local, found: Measured, bend: Curvature, tol: float) -> float:
    """What f really falls by along the Newton step on the active constraints, at most NEAR (1 + |x_j|) in each x_j."""
    if bend.descent is None or not np.any(bend.descent):
        return 0.0
    length = float((np.abs(bend.descent) / local.size).max())
    there = restored(local, local.x + min(1.0, NEAR / length) * bend.descent, tol)
    if there is None or not np.isfinite(there.value):
        return 0.0
    return max(local.value - there.value - _slack(local, found), 0.0)


def _slack(local: Local, found: Measured) -> float:
    """What f could fall by if every active row and bound were met exactly, to first order."""
    problem, total = local.problem, 0.0
    for multiplier, value, lower, upper in (
        (found.y, local.rows, problem.lower, problem.upper),
        (found.z, local.x, problem.lowest, problem.highest),
    ):
        side = np.where(multiplier > 0, upper, lower)
        gap = np.where(np.isfinite(side), np.abs(value - side), 0.0)
        total += float(np.abs(multiplier) @ gap)
    return total


def _directions(bend: Curvature) -> list[np.ndarray]:
    """Both senses of each, the largest entry 1."""
    rows = [part for part in (bend.degenerate, bend.soft) if len(part)]
    if len(bend.degenerate) > 1:
        weights = np.random.default_rng(0).normal(size=(SUMS, len(bend.degenerate)))
        rows.append(weights @ bend.degenerate)
    directions = np.vstack(rows)
    lengths = np.abs(directions).max(axis=1, initial=0.0)
    unit = directions[lengths > 0] / lengths[lengths > 0][:, None]
    return [sign * d for d in unit for sign in (1.0, -1.0)]


def _relaxed(there: Local, y: np.ndarray, d: np.ndarray, bend: Curvature, tol: float) -> Local | None:
    """The point after a Newton step in the directions of positive curvature, as far as it does not take back d."""
    if bend.stiff.shape[1] == 0:
        return None
    slope = bend.stiff.T @ (there.gradient + there.jacobian.T @ y)
    own = bend.inverse @ d
    if np.linalg.norm(bend.stiff @ own) > 1e-3 * np.linalg.norm(d):
        slope = slope - own * (own @ slope) / (own @ own)
    step = bend.stiff @ slope
    return restored(there, there.x - step, tol) if np.isfinite(step).all() else None
