"""Proofs that a linear program has no answer, from blocks that a method adds to its point.

Infeasibility, by a block `infeasibility_ray` y (m,) (Farkas): feasible x have y'A x <= sigma_S(y), S the sides of rows,
and -y'A x <= sigma_X(-A'y) for the bounds X, so that

    margin = -(sigma_S(y) + sigma_X(-A'y)) > 0

leaves no x. Parts of y that press on infinite sides of rows are set to 0 first. Parts of A'y that press on infinite
bounds have to be 0: y is moved to where they are, up to rounding (`operators/settle.py`). What rounding leaves makes
the proof hold for |x_j| <= R, and R of at least FAR (1 + ||x||_inf) is asked for.

Unboundedness, by a block `unboundedness_ray` d (n,): c'd < 0, and d keeps every bound and row for ever; it is moved in
the same way. It needs a feasible point, which HiGHS finds in programs of up to MAX_LP rows and variables; in larger
ones the point at hand has to be one, and not so large that rounding hides what it breaks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array, vstack

from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.linear import support
from solverkit.kinds.inclusion.structure import LinearProgram
from solverkit.operators.settle import ROUNDING, SLACK, settled

INFEASIBILITY, UNBOUNDEDNESS = "infeasibility_ray", "unboundedness_ray"
FAR = 1e6
CLEAN = 1e-9  # relative size up to which a part of a ray counts as zero
DUST = 1e-14  # an entry beside one of 1: what a method's rounding leaves of 0, or a row in a small unit
DOUBT = 1e-11  # of a sum, relative to the sizes of its terms
MAX_LP = 5000
HELD = 1e-10  # violation up to which HiGHS takes a point for feasible

Facts = dict[str, float | str | bool]


def proof(program: LinearProgram, point: Point, x: np.ndarray, feasible: bool) -> Facts:
    """The fact `proven` with its margin, where a block of the point proves it; empty elsewhere."""
    for y in _rays(point, INFEASIBILITY, len(program.row_lower)):
        margin, radius = infeasibility(program, y)
        if radius >= FAR * (1 + float(np.abs(x).max(initial=0.0))):
            found: Facts = {"proven": "infeasible", "farkas_margin": margin}
            return found | ({"farkas_radius": radius} if np.isfinite(radius) else {})
    for d in _rays(point, UNBOUNDEDNESS, len(program.c)):
        if (fall := recession(program, d)) > 0 and _has_point(program, x, feasible):
            return {"proven": "unbounded", "ray_fall": fall}
    return {}


def infeasibility(program: LinearProgram, y: np.ndarray) -> tuple[float, float]:
    """(margin, R) of y with largest entry 1; both are 0 where the margin is within rounding."""
    strays, _, _ = support(y, program.row_lower, program.row_upper)
    y = np.where(strays != 0, 0.0, y)
    y = settled(program.A.T, y, np.isfinite(program.lower) & np.isfinite(program.upper))
    _, sides, terms = support(y, program.row_lower, program.row_upper)
    pull, size = -(program.A.T @ y), abs(program.A).T @ np.abs(y)
    free, bounds, more = support(pull, program.lower, program.upper)
    margin = -(sides + bounds)
    if not margin > DOUBT * (terms + more) or np.any(np.abs(free) > ROUNDING * size):
        return 0.0, 0.0
    missed = float(np.abs(free).sum())
    return margin, margin / missed if missed > 0 else np.inf


def recession(program: LinearProgram, d: np.ndarray) -> float:
    """-c'd of d with largest entry 1, where d breaks no bound and no row for ever; 0 elsewhere."""
    held = np.where(np.isfinite(program.upper), np.minimum(d, 0.0), d)
    held = np.where(np.isfinite(program.lower), np.maximum(held, 0.0), held)
    if np.any(np.abs(held - d) > SLACK):
        return 0.0
    held = settled(program.A, held, np.isinf(program.row_lower) & np.isinf(program.row_upper))
    activity, reach = program.A @ held, abs(program.A) @ np.abs(held)
    outward = np.maximum(
        np.where(np.isfinite(program.row_upper), activity, 0.0),
        np.where(np.isfinite(program.row_lower), -activity, 0.0),
    )
    fall = -float(program.c @ held)
    clean = np.all(outward <= ROUNDING * reach)
    return fall if clean and fall > CLEAN * float(np.abs(program.c) @ np.abs(held)) else 0.0


def _rays(point: Point, name: str, length: int) -> Iterator[np.ndarray]:
    """The block with largest entry 1, as it is and without DUST, where it is a finite vector of that length, not 0."""
    value = point.get(name)
    ray = None if value is None else np.asarray(value, dtype=float)
    if ray is None or ray.shape != (length,) or not np.isfinite(ray).all() or not ray.any():
        return
    ray = ray / np.abs(ray).max()
    yield ray
    dust = (np.abs(ray) < DUST) & (ray != 0)
    if dust.any():
        yield np.where(dust, 0.0, ray)


def _has_point(program: LinearProgram, x: np.ndarray, feasible: bool) -> bool:
    from scipy.optimize import linprog

    A = csr_array(program.A)
    if max(A.shape) > MAX_LP:
        return feasible and float((abs(A) @ np.abs(x)).max(initial=0.0)) < FAR
    above, below = np.isfinite(program.row_upper), np.isfinite(program.row_lower)
    found = linprog(
        np.zeros(len(program.c)),
        A_ub=vstack([A[above], -A[below]]),
        b_ub=np.concatenate([program.row_upper[above], -program.row_lower[below]]),
        bounds=np.column_stack([program.lower, program.upper]),
        method="highs",
        options={"primal_feasibility_tolerance": HELD},
    )
    return found.status == 0
