"""Descent that derivatives at the point do not show: moves along soft directions, brought back to the constraints.

Along a direction without curvature a stationary point may still be none (x^3 at 0, a saddle of higher order), and close
to such a point curvature is positive and says nothing: x^3 at 1e-4. Walked are, in both senses,

    the degenerate directions, and random sums of them (x y^2 is 0 along both axes),
    the SOFTEST eigenvectors of the Hessian of the Lagrangian on the tangent space, x_j measured by 1 + |x_j|.

From x + t d, t growing, a few Gauss-Newton steps of least length go back to the constraints, and one Newton step on the
Lagrangian takes the directions that do have curvature to their minimum (Peano's (y - x^2)(y - 3 x^2) is a minimum along
every line, and falls along y = 2 x^2), and where there are degenerate directions the least f in a shell is looked for
(`shell.py`). There f may not have fallen by more than

    (f(x) - f(x')) / ||x' - x||_inf  <=  100 tol S,

the descent that the stationarity term would tolerate, with its usual widening (`certificate.py`). Where f has risen the
walk ends: what lies behind a barrier is another minimum. What slack in active constraints could give counts as no fall,
nor what the rows are broken by at the point that was gone to.

Nor may f fall ever faster: SUDDEN times as fast as it, or what rounding hides, changed per distance a step before. An
error of the point makes f fall ever slower; -x^6 at 0 falls by 1e-12 after 1e-2, and by 1e-6 after 1e-1.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import lstsq
from scipy.sparse import issparse

from solverkit.kinds.nonlinear.curvature import Curvature
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import Measured
from solverkit.kinds.nonlinear.shell import NEAREST, least_in_shell

STEPS = (1e-3, 1e-2, 1e-1)  # times 1 + ||x||_inf
SUMS = 6  # random sums of degenerate directions
CORRECTIONS = 8
NEAR = 1e-2
MET = 1e-3  # of the tolerance: to what rows are met by corrections
STRICT, PATIENT = 1e-4, 40  # of that, where it counts, and corrections up to there: along b^4 = 0 they converge slowly
ASIDE = 0.1  # of a move that the rows take back, at random
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
        for length in size * np.array(STEPS):
            falls, rates, lowest = [], [], np.inf
            for there in _ways(local, found, bend, d, length, tol):
                distance = float(np.abs(there.x - local.x).max())
                if 1e-2 * length < distance <= REACH * length:
                    fall = local.value - there.value - min(_beyond(there, found), excuse)
                    falls.append(fall / distance)
                    rates.append(max(abs(falls[-1]), noise / distance))
                    lowest = min(lowest, there.value)
                    if falls[-1] > SUDDEN * known:
                        sudden = max(sudden, _lasting(local, there, SUDDEN * known, tol))
                    worst = max(worst, falls[-1] - noise / distance)
            told += len(falls)
            known = max(rates, default=known)
            if falls and max(falls) < 0 and local.value + noise < lowest:
                break
    return worst, sudden, told


def newton_fall(local: Local, found: Measured, bend: Curvature, tol: float) -> float:
    """What f really falls by along the Newton step on the active constraints, at most NEAR (1 + |x_j|) in each x_j."""
    if bend.descent is None or not np.any(bend.descent):
        return 0.0
    length = float((np.abs(bend.descent) / local.size).max())
    there = _restored(local, local.x + min(1.0, NEAR / length) * bend.descent, tol)
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


def _beyond(there: Local, found: Measured) -> float:
    """What f falls by for the violation of rows that a restored point has left, to first order."""
    return float(np.abs(found.y) @ np.abs(there.rows - np.clip(there.rows, there.problem.lower, there.problem.upper)))


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
    return _restored(there, there.x - step, tol) if np.isfinite(step).all() else None


def _ways(local: Local, found: Measured, bend: Curvature, d: np.ndarray, length: float, tol: float) -> Iterator[Local]:
    """Feasible points about `length` away: along d, relaxed from there, and the least in the shell."""
    there = local.x + length * d
    moved = _restored(local, there, tol)
    ways = [moved]
    if moved is not None:
        ways.append(_relaxed(moved, found.y, d, bend, tol))
    if len(bend.degenerate):
        if moved is None or np.abs(moved.x - local.x).max() < NEAREST * length:  # the rows took it back
            start = there + ASIDE * length * np.random.default_rng(0).normal(size=len(d))
        else:
            start = moved.x
        least = least_in_shell(local, start, d, length)
        ways.append(None if least is None else _restored(local, least, STRICT * tol, PATIENT))
    return (way for way in ways if way is not None and np.isfinite(way.value))


def _lasting(local: Local, there: Local, rate: float, tol: float) -> float:
    """What f falls by where rows are met closely: beside a row whose gradient vanishes a tolerance hides a long way."""
    closely = _restored(local, there.x, STRICT * tol, PATIENT)
    if closely is None:
        return 0.0
    fall, distance = local.value - closely.value, float(np.abs(closely.x - local.x).max())
    return fall if fall > rate * distance else 0.0


def _restored(local: Local, x: np.ndarray, tol: float, corrections: int = CORRECTIONS) -> Local | None:
    """The nearest feasible point, roughly; None where it is not found."""
    problem = local.problem
    for _ in range(corrections):
        x = np.clip(x, problem.lowest, problem.highest)
        there = Local(problem, x, local.seed)
        if not (np.isfinite(there.rows).all() and np.isfinite(there.norms).all()):
            return None
        if there.violation[0] <= MET * tol:
            return there
        short = np.clip(there.rows, problem.lower, problem.upper) - there.rows
        broken = np.flatnonzero(short != 0)
        jacobian = there.jacobian[broken]
        matrix = jacobian.toarray() if issparse(jacobian) else np.asarray(jacobian)
        x = x + lstsq(matrix, short[broken], cond=1e-10, lapack_driver="gelsy")[0]
    return None
