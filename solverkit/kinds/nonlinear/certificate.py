"""The independent check of an answer to a nonlinear problem: recomputed in float64 from the problem's own oracles.

| term | value | scaling | tolerance |
|---|---|---|---|
| feasibility | worst row or bound: violation / (||gradient|| + |bound|) | 1 | tol |
| stationarity | ||grad f + J'y + z||_inf | S | tol |
| complementarity | worst force of a multiplier times the scaled distance to its bound | S | tol |
| multiplier_signs | worst force of a multiplier whose bound does not exist | S | tol |
| oracles | derivatives against differences (`kinds/oracles.py`) | 1 | 1e-4 |

Multipliers are those of the point where these certify it, and the core's own by least squares otherwise
(`multipliers.py`). S is the scale of grad f (`local.py`).
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.base import Certificate, Point, Term
from solverkit.kinds.nonlinear.consistency import oracle_term
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import Measured, least_squares, of_point
from solverkit.kinds.nonlinear.problem import Nonlinear

Facts = dict[str, float | str | bool]


def certify(problem: Nonlinear, point: Point, tol: float = 1e-6, seed: int = 0) -> Certificate:
    """The verdict on a point. Never raises: what cannot be computed is UNVERIFIED and says why."""
    try:
        x = problem.flat(point)
    except (KeyError, ValueError, TypeError) as error:
        text = f"block {error} is missing" if isinstance(error, KeyError) else str(error)
        return Certificate((), unverified=text)
    if not np.isfinite(x).all():
        return Certificate((), unverified="the point is not finite")
    try:
        with np.errstate(all="ignore"):
            return _certify(Local(problem, x, seed), point, float(tol))
    except Exception as error:  # an oracle is foreign code: whatever it raises becomes part of the verdict
        return Certificate((), unverified=f"{type(error).__name__}: {error}")


def _certify(local: Local, point: Point, tol: float) -> Certificate:
    problem = local.problem
    facts: Facts = {"objective": local.value, "variables": float(problem.n), "rows": float(problem.m)}
    if not np.isfinite(local.value):
        return Certificate((), facts, f"f is {local.value} at the point")
    violation, where = local.violation
    terms = [Term("feasibility", violation, tol, feasibility=True, note=where if violation > tol else "")]
    chosen = _multipliers(local, point, tol)
    facts["multipliers"] = chosen.origin
    terms += [
        Term("stationarity", chosen.stationarity, tol, local.scale),
        Term("complementarity", chosen.complementarity, tol, local.scale),
        Term("multiplier_signs", chosen.signs, tol, local.scale),
        oracle_term(problem, local.x, local.seed),
    ]
    return Certificate(tuple(terms), facts)


def _multipliers(local: Local, point: Point, tol: float) -> Measured:
    """The point's own where they certify it, otherwise the better of the two."""
    given = of_point(local, point)
    if given is not None and given.worst <= tol * local.scale:
        return given
    own = least_squares(local, max(tol, min(100 * tol, 1e-3)))
    return own if given is None or not given.worst <= own.worst else given
