"""The best upper value over the lower solutions at one x: what the optimistic form of a bilevel problem asks of y.

For a convex quadratic lower level with one solution y^, all solutions are the polyhedron

    S(x) = { y : rows(x, y) hold,  H y = H y^,  grad_y f(y^)'(y - y^) <= 0 },      H = f_yy

(Mangasarian 1988), over which, and under the upper level's own rows, F(x, .) is minimized by Newton steps, each a
quadratic program: one step where F is a convex quadratic in y and those rows are affine. Any other F may have several
minima there, and is looked at on the ways to corners of S(x) too, random ones and those of the coordinates. Elsewhere
the minimizers that the lower solve found are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, eye_array, vstack

from solverkit.kinds.bilevel.local import Local
from solverkit.kinds.bilevel.lower_solve import SEMIDEFINITE, LowerAnswer, at
from solverkit.operators.least_squares import positive_definiteness
from solverkit.operators.qp import Outcome, largest, row_norms, solve_qp

NEWTON = 30
CORNERS = 8  # random ones
ALONG = np.linspace(0.1, 1.0, 10)  # of the way to a corner
REACH = 10.0  # corners are sought at most REACH (1 + |y|) away, coordinate by coordinate
COORDINATES = 10  # lower variables up to which corners of each are looked at
FLAT = 1e-9  # grad_y f(y^) below this fraction of its scale constrains nothing
SLACK = 1e-10  # of the inequality in S(x), per scale: the accuracy of y^
ROOM = 1e-9  # of upper rows, scaled: lower solutions that meet them are known up to rounding
MET = 1e-7  # the same of minimizers that local solves found


@dataclass(frozen=True)
class BestUpper:
    """The best F over the lower solutions that were found."""

    value: float
    y: np.ndarray
    exact: bool  # the minimum over all of them: the solution is unique, or F(x, .) is convex over a known S(x)
    note: str = ""


def best_upper(local: Local, answer: LowerAnswer, seed: int | None = None) -> BestUpper:
    """min F(x, y) over y in S(x) that the upper rows allow, as far as S(x) is known.

    seed : of the corners of S(x) that are looked at where F may have several minima there; None: the nearest one
    """
    first = answer.minimizers[0]
    if answer.unique:
        return BestUpper(at(local, first).upper_value, first, True)
    if answer.quadratic:
        solutions = Solutions.of(local, at(local, first))
        found = _minimum(solutions.center, solutions)
        return found if found.exact or seed is None or local.by_products else _of_many(solutions, found, seed)
    broken = max(MET, min(local.upper.violation, local.width))  # as far as the candidate breaks them itself
    allowed = [each for y in answer.minimizers if (each := at(local, y)).upper.violation <= broken]
    if not allowed:
        return _unknown(local)
    values = [each.upper_value for each in allowed]
    k = int(np.nanargmin(values)) if np.isfinite(values).any() else 0
    return BestUpper(values[k], allowed[k].z[local.problem.n :], False, "compared at the minimizers that were found")


def _unknown(candidate: Local) -> BestUpper:
    note = "no lower solution was found that the upper rows allow"
    return BestUpper(candidate.upper_value, candidate.z[candidate.problem.n :], False, note)


@dataclass(frozen=True, eq=False)
class Solutions:
    """The y in S(x) that the upper rows allow, around one lower solution."""

    candidate: Local
    center: Local
    room: np.ndarray  # by how much each upper row may be broken

    @classmethod
    def of(cls, candidate: Local, center: Local) -> Solutions:
        """Where no y is left, the upper rows are taken to be met as far as the candidate meets them."""
        still = row_norms(csr_array(candidate.upper.jacobian[:, candidate.problem.n :])) == 0  # for x to meet
        room = np.maximum(ROOM * candidate.upper.scale, np.where(still, _broken(candidate), 0.0))
        found = cls(candidate, center, room)
        if still.all() or solve_qp(None, np.zeros(center.problem.m), *found.around(center)).ok:
            return found
        return cls(
            candidate, center, np.clip(_broken(candidate), 0.0, candidate.width * candidate.upper.scale) + 100 * room
        )

    def around(self, here: Local) -> tuple[csr_array, np.ndarray, np.ndarray]:
        """(A, lower, upper): y + d is one of them where lower <= A d <= upper, curved upper rows linearized."""
        n, center = here.problem.n, self.center
        curvature = csr_array(center.lower_hessian[n:, n:])
        curvature = csr_array(curvature[np.flatnonzero(row_norms(curvature) > 0)])
        offset = center.z[n:] - here.z[n:]
        level = curvature @ offset
        gradient = center.lower_gradient[n:]
        matrix, lower, upper = [curvature], [level], [level]
        for rows, room in ((here.lower, 0.0), (here.upper, self.room)):
            slopes = csr_array(rows.jacobian[:, n:])
            kept = np.flatnonzero(row_norms(slopes) > 0)
            matrix.append(csr_array(slopes[kept]))
            upper.append((room - rows.value)[kept])
            lower.append(np.where(rows.inequality, -np.inf, -room - rows.value)[kept])
        if float(np.linalg.norm(gradient)) > FLAT * center.lower_scale:
            matrix.append(csr_array(gradient[None, :]))
            upper.append(np.array([gradient @ offset + SLACK * center.lower_scale]))
            lower.append(np.array([-np.inf]))
        return csr_array(vstack(matrix)), np.concatenate(lower), np.concatenate(upper)

    def allows(self, here: Local) -> bool:
        """Whether the upper rows hold at a point that `around` led to: curved ones may not."""
        return bool((_broken(here) <= 2 * self.room).all())

    def corners(self, seed: int) -> Iterator[np.ndarray]:
        """Those that are furthest in random directions, and in those of few coordinates."""
        m, y = self.center.problem.m, self.center.z[self.center.problem.n :]
        matrix, lower, upper = self.around(self.center)
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


def _broken(here: Local) -> np.ndarray:
    """By how much each upper row is broken; below zero what is left."""
    return np.where(here.upper.inequality, here.upper.value, np.abs(here.upper.value))


def _of_many(solutions: Solutions, found: BestUpper, seed: int) -> BestUpper:
    """The lowest of the minima that a look at F on the ways to corners of S(x) leads to."""
    center = solutions.center
    for corner in solutions.corners(seed):
        here = at(center, found.y)
        points = [at(center, found.y + t * (corner - found.y)) for t in ALONG]
        lowest = min(points, key=lambda point: _value(point, solutions))
        if _value(lowest, solutions) < here.upper_value - 1e-9 * (abs(here.upper_value) + here.upper_scale):
            found = min(found, _minimum(lowest, solutions), key=lambda best: best.value)
    return found


def _value(here: Local, solutions: Solutions) -> float:
    return here.upper_value if np.isfinite(here.upper_value) and solutions.allows(here) else np.inf


def _minimum(here: Local, solutions: Solutions) -> BestUpper:
    """F's minimum over the solutions that Newton steps from `here` lead to."""
    n, affine = here.problem.n, here.upper.rows.affine
    quadratic = _quadratic_upper(here) and affine
    exact, ended = quadratic, ""
    for _ in range(NEWTON):
        model = _model(here)
        exact = exact and model is not None
        hessian = model if model is not None else _shifted(here)
        found = solve_qp(hessian, here.upper_gradient[n:], *solutions.around(here))
        if found.outcome is Outcome.UNBOUNDED:
            return BestUpper(-np.inf, here.z[n:], True, f"optimistic solve: {found.outcome.value}")
        if not found.ok:
            exact, ended = False, f"optimistic solve: {found.outcome.value}"
            break
        most = here.upper_value + 1e-12 * abs(here.upper_value) if solutions.allows(here) else np.inf
        step, after = 1.0, at(here, here.z[n:] + found.v)
        while step > 1e-8 and not _value(after, solutions) <= most:
            step /= 2
            after = at(here, here.z[n:] + step * found.v)
        if step <= 1e-8:
            break
        gain = abs(here.upper_value - after.upper_value)
        here = after
        if quadratic and model is not None:
            break
        if gain <= 1e-11 * (1 + abs(here.upper_value)):
            break
    if not solutions.allows(here):
        return _unknown(solutions.candidate)
    note = "" if exact else "F is not a convex quadratic in y: a local minimum over the lower solutions"
    return BestUpper(here.upper_value, here.z[n:], exact, ended or note)


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
