"""The best upper value over the lower solutions at one x: what the optimistic form of a bilevel problem asks of y.

For a convex quadratic lower level with one solution y^, all solutions are the polyhedron

    S(x) = { y : rows(x, y) hold,  H y = H y^,  grad_y f(y^)'(y - y^) <= 0 },      H = f_yy

(Mangasarian 1988), over which F(x, .) is minimized by Newton steps, each a quadratic program: one step where F is a
convex quadratic in y. Any other F may have several minima there, and is looked at on the ways to corners of S(x) too,
random ones and those of the coordinates. Elsewhere the minimizers that the lower solve found are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, eye_array, vstack

from solverkit.kinds.bilevel.local import Local
from solverkit.kinds.bilevel.lower_solve import SEMIDEFINITE, LowerAnswer, at
from solverkit.operators.least_squares import positive_definiteness
from solverkit.operators.qp import QPSolution, largest, row_norms, solve_qp

NEWTON = 30
CORNERS = 8  # random ones
ALONG = np.linspace(0.1, 1.0, 10)  # of the way to a corner
REACH = 10.0  # corners are sought at most REACH (1 + |y|) away, coordinate by coordinate
COORDINATES = 10  # lower variables up to which corners of each are looked at
FLAT = 1e-9  # grad_y f(y^) below this fraction of its scale constrains nothing
SLACK = 1e-10  # of the inequality in S(x), per scale: the accuracy of y^


@dataclass(frozen=True)
class BestUpper:
    """The best F over the lower solutions that were found."""

    value: float
    y: np.ndarray
    exact: bool  # the minimum over all of S(x): the solution is unique, or F(x, .) is convex over a known S(x)
    note: str = ""


def best_upper(local: Local, answer: LowerAnswer, seed: int | None = None) -> BestUpper:
    """min F(x, y) over y in S(x), as far as S(x) is known.

    seed : of the corners of S(x) that are looked at where F may have several minima there; None: the nearest one
    """
    first = answer.minimizers[0]
    if answer.unique:
        return BestUpper(at(local, first).upper_value, first, True)
    if answer.quadratic:
        center = at(local, first)
        found = _minimum(center, center)
        return found if found.exact or seed is None or local.by_products else _of_many(center, found, seed)
    values = [at(local, y).upper_value for y in answer.minimizers]
    k = int(np.nanargmin(values)) if np.isfinite(values).any() else 0
    return BestUpper(values[k], answer.minimizers[k], False, "compared at the minimizers that were found")


def _of_many(center: Local, found: BestUpper, seed: int) -> BestUpper:
    """The lowest of the minima that a look at F on the ways to corners of S(x) leads to."""
    for corner in _corners(center, seed):
        here = at(center, found.y)
        points = [at(center, found.y + t * (corner - found.y)) for t in ALONG]
        lowest = min(points, key=lambda point: point.upper_value if np.isfinite(point.upper_value) else np.inf)
        if lowest.upper_value < here.upper_value - 1e-9 * (abs(here.upper_value) + here.upper_scale):
            found = min(found, _minimum(lowest, center), key=lambda best: best.value)
    return found


def _corners(center: Local, seed: int) -> Iterator[np.ndarray]:
    """Points of S(x) that are furthest in random directions, and in those of few coordinates."""
    n, m = center.problem.n, center.problem.m
    y = center.z[n:]
    matrix, lower, upper = _solutions(center, center)
    reach = REACH * (1 + np.abs(y))
    matrix = csr_array(vstack([matrix, eye_array(m)]))
    lower, upper = np.concatenate([lower, -reach]), np.concatenate([upper, reach])
    costs = list(np.random.default_rng(seed).normal(size=(CORNERS, m)))
    if m <= COORDINATES:
        costs += [sign * unit for unit in np.eye(m) for sign in (1.0, -1.0)]
    for cost in costs:
        found = solve_qp(None, cost, matrix, lower, upper)
        if found.ok:
            yield y + found.v


def _minimum(here: Local, center: Local) -> BestUpper:
    """F's minimum over S(x), described around `center`, that Newton steps from `here` lead to."""
    n, exact, quadratic = here.problem.n, True, _quadratic_upper(here)
    for _ in range(NEWTON):
        model = _model(here)
        exact = exact and quadratic and model is not None
        hessian = model if model is not None else _shifted(here)
        found = _step(here, center, hessian)
        if not found.ok:
            note = f"optimistic solve: {found.outcome.value}"
            if found.outcome.name == "UNBOUNDED":
                return BestUpper(-np.inf, here.z[n:], True, note)
            return BestUpper(here.upper_value, here.z[n:], False, note)
        step = 1.0
        after = at(here, here.z[n:] + found.v)
        while step > 1e-8 and not after.upper_value <= here.upper_value + 1e-12 * abs(here.upper_value):
            step /= 2
            after = at(here, here.z[n:] + step * found.v)
        if step <= 1e-8:
            break
        gain = here.upper_value - after.upper_value
        here = after
        if quadratic and model is not None:
            break
        if gain <= 1e-11 * (1 + abs(here.upper_value)):
            break
    note = "" if exact else "F is not a convex quadratic in y: a local minimum over the lower solutions"
    return BestUpper(here.upper_value, here.z[n:], exact, note)


def _quadratic_upper(local: Local) -> bool:
    degree = local.problem.upper_function.degree
    return degree is not None and degree <= 2


def _model(here: Local) -> csr_array | None:
    """F_yy where it is positive semidefinite."""
    hessian = csr_array(here.upper_hessian[here.problem.n :, here.problem.n :])
    return hessian if positive_definiteness(hessian) >= SEMIDEFINITE else None


def _shifted(here: Local) -> csr_array:
    hessian = csr_array(here.upper_hessian[here.problem.n :, here.problem.n :])
    size = largest(hessian)
    shift = size
    while positive_definiteness(csr_array(hessian + shift * eye_array(hessian.shape[0]))) <= 0 and shift < np.inf:
        shift *= 2
    return csr_array(hessian + shift * eye_array(hessian.shape[0]))


def _step(here: Local, center: Local, hessian: csr_array) -> QPSolution:
    """min of F's model in d over y + d in S(x), S(x) described around `center`."""
    return solve_qp(hessian, here.upper_gradient[here.problem.n :], *_solutions(here, center))


def _solutions(here: Local, center: Local) -> tuple[csr_array, np.ndarray, np.ndarray]:
    """(A, lower, upper): y + d is in S(x) where lower <= A d <= upper."""
    n = here.problem.n
    rows = here.lower
    curvature = csr_array(center.lower_hessian[n:, n:])
    curvature = csr_array(curvature[np.flatnonzero(row_norms(curvature) > 0)])
    offset = center.z[n:] - here.z[n:]
    level = curvature @ offset
    gradient = center.lower_gradient[n:]
    size = float(np.linalg.norm(gradient))
    parts, lowers, uppers = [rows.jacobian[:, n:], curvature], [], []
    uppers += [-rows.value, level]
    lowers += [np.where(rows.inequality, -np.inf, -rows.value), level]
    if size > FLAT * center.lower_scale:
        parts.append(csr_array(gradient[None, :]))
        uppers.append(np.array([gradient @ offset + SLACK * center.lower_scale]))
        lowers.append(np.array([-np.inf]))
    return csr_array(vstack(parts)), np.concatenate(lowers), np.concatenate(uppers)
