"""The lower level solved again, independently of any method: f*(x), and every minimizer that was found.

Where f(x, .) is a convex quadratic and the rows are affine in y, one quadratic program around the candidate y answers,

    min_d  1/2 d'H d + grad_y f' d     s.t.   rows(x, y) + J_y d  <= 0 or = 0,

and its dual value bounds f* from below: the gap f(x, y) - f*(x) is minus that value, with no cancellation. This is a
proof where the degree of the expressions is known, and evidence (`probed`: the Hessian is the same at random y, and f
equals its model there) where it is not.

Otherwise local solves from the candidate and from random points; for one or two lower variables also a dense grid,
whose local minima are polished. What was done is the label of the answer. Where a local solve runs away and ends
nowhere, the point that it began at is still one that f is low at.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array, eye_array

from solverkit.kinds.bilevel.local import Local
from solverkit.operators.least_squares import positive_definiteness
from solverkit.operators.qp import INFINITE, QPSolution, largest, solve_qp

DENSE = 60  # lower variables up to which SLSQP is used
GRID = {1: 1001, 2: 61}  # points along an axis
REACH = 10.0  # an axis without bounds is searched over y +- REACH (1 + |y|)
FEASIBLE = 1e-8  # scaled violation up to which a point found here counts
FALLS = 1e-7  # of f, relative: by how much a point of the search is lower than all ends of local solves
SEMIDEFINITE = -1e-10  # lambda_min / max|h_ij| from which a Hessian counts as semidefinite
BENT = 0.1  # of max|h_ij|, added to a Hessian that is shifted: steps of a nearly singular one go anywhere


@dataclass(frozen=True)
class LowerAnswer:
    """f*(x) and how it was found. `gap` is f(x, y) - f*(x) at the candidate, a bound where `label` is a proof."""

    label: str
    gap: float
    value: float  # f*
    minimizers: list[np.ndarray]  # y, best first; several where the solution is not unique
    starts: list[np.ndarray] = field(default_factory=list)  # local minima, for a cheaper solve at a neighbouring x
    unique: bool | None = None  # True where proven
    quadratic: bool = False
    note: str = ""


def at(local: Local, y: np.ndarray, x: np.ndarray | None = None) -> Local:
    """The same problem at (x, y): another y, and another x where given."""
    x = local.z[: local.problem.n] if x is None else x
    return Local(local.problem, np.concatenate([x, y]), local.width)


def solve_lower(local: Local, seed: int, starts: list[np.ndarray] | None = None) -> LowerAnswer:
    """f*(x) at x of `local`. With `starts`, a nonconvex level is solved from these alone: no grid, no random points."""
    label = quadratic_label(local, seed)
    if label:
        return _solve_quadratic(local, label)
    return _solve_general(local, seed, starts)


# -- convex quadratic


def quadratic_label(local: Local, seed: int) -> str:
    """How we know that the lower level at x is a convex quadratic program; empty where it is not one."""
    problem, n = local.problem, local.problem.n
    hessian = _yy(local)
    if not positive_definiteness(hessian) >= SEMIDEFINITE:
        return ""
    rows = local.lower.rows
    if not rows.set.affine:
        return ""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(1, 2, rows.count)
    bent = csr_array(rows.hessian(local.z, weights)[n:, n:])
    if largest(bent) > 0:
        return ""
    rows_known = rows.affine or (rows.file.function is not None and (rows.file.function.degree or 9) <= 2)
    degree = problem.lower_function.degree
    if rows_known and degree is not None and degree <= 2:
        return "proved convex QP"
    return "convex QP (probed)" if _probe_quadratic(local, hessian, weights, rng) else ""


def _yy(local: Local) -> csr_array:
    n = local.problem.n
    return csr_array(local.lower_hessian[n:, n:])


def _probe_quadratic(local: Local, hessian: csr_array, weights: np.ndarray, rng: np.random.Generator) -> bool:
    problem, n = local.problem, local.problem.n
    y, size = local.z[n:], max(largest(hessian), abs(local.lower_scale))
    for reach in (1e-2, 1.0, 10.0):
        other = at(local, y + reach * (1 + np.abs(y)) * rng.uniform(-1, 1, problem.m))
        d = other.z[n:] - y
        linear = local.lower_gradient[n:] @ d
        quadratic = 0.5 * d @ (hessian @ d)
        error = abs(other.lower_value - local.lower_value - linear - quadratic)
        noise = 1e-9 * (abs(local.lower_value) + abs(linear) + abs(quadratic) + size * 1e-6)
        if not (error <= noise and largest(csr_array(_yy(other) - hessian)) <= 1e-9 * size):
            return False
        if largest(csr_array(local.lower.rows.hessian(other.z, weights)[n:, n:])) > 0:
            return False
    return True


def lower_qp(local: Local, objective: csr_array | None = None, linear: np.ndarray | None = None) -> QPSolution:
    """The lower program in the step d = y' - y, rows linearized; another objective where given."""
    n = local.problem.n
    rows = local.lower
    upper = -rows.value
    lower = np.where(rows.inequality, -np.inf, upper)
    hessian = _yy(local) if objective is None else objective
    gradient = local.lower_gradient[n:] if linear is None else linear
    return solve_qp(hessian, gradient, csr_array(rows.jacobian[:, n:]), lower, upper)


def _solve_quadratic(local: Local, label: str) -> LowerAnswer:
    n = local.problem.n
    f, y = local.lower_value, local.z[n:]
    constant = not local.lower_gradient[n:].any() and largest(_yy(local)) == 0
    if constant and local.lower.violation <= FEASIBLE:
        return LowerAnswer(label, 0.0, f, [y], quadratic=True)
    found = lower_qp(local)
    if not found.ok:
        gap = np.inf if found.outcome.name == "UNBOUNDED" else np.nan
        note = f"independent lower solve: {found.outcome.value}"
        return LowerAnswer(label, gap, np.nan, [y], quadratic=True, note=note)
    if constant:  # a gap would be rounding
        return LowerAnswer(label, 0.0, f, [y + found.v], quadratic=True)
    spread = abs(found.value - found.bound)
    gap = -min(found.bound, found.value)
    unique = True if positive_definiteness(_yy(local)) > 1e-10 else None
    note = f"primal and dual value differ by {spread:.1e}" if spread > 1e-7 * (1 + abs(f)) else ""
    return LowerAnswer(label, gap, f - gap, [y + found.v], [], unique, True, note)


# -- general


def _solve_general(local: Local, seed: int, starts: list[np.ndarray] | None) -> LowerAnswer:
    problem = local.problem
    y = local.z[problem.n :]
    rng = np.random.default_rng(seed)
    convex = problem.convex is True
    label = "declared convex, no counterexample" if convex else "multi-start only"
    guesses = [y]
    if starts is not None:
        guesses += starts
    else:
        on_grid = _grid(local) if problem.m in GRID else None
        if on_grid is not None:
            points, label = on_grid
            guesses += points
        guesses += random_points(local, rng, 2 if convex or problem.m > DENSE else 8)
    found = [end for start in guesses if (end := local_solve(local, start)) is not None]
    lowest, there = min(((_value(local, guess), k) for k, guess in enumerate(guesses)), default=(np.inf, 0))
    ends = min((problem.lower(at(local, end).z) for end in found), default=np.inf)
    if lowest < min(ends, local.lower_value) - FALLS * max(local.lower_scale, abs(lowest)):
        note = "no local solve ended as low as a point of the search: f may have no least value"
        return LowerAnswer(label, local.lower_value - lowest, lowest, [guesses[there]], note=note)
    if not found:
        return LowerAnswer(
            label, np.nan, np.nan, [y], note="no local solve of the lower level ended at a feasible point"
        )
    values = np.array([problem.lower(at(local, end).z) for end in found])
    if local.lower.violation <= FEASIBLE:  # the candidate and the guesses are answers too
        found.append(y)
        values = np.append(values, local.lower_value)
    order = np.argsort(values, kind="stable")
    best = float(values[order[0]])
    near = values <= best + 1e-10 * max(local.lower_scale, abs(best))
    minimizers = distinct([found[i] for i in order if near[i]])
    minima = distinct([found[i] for i in order])
    return LowerAnswer(label, local.lower_value - best, best, minimizers, minima)


def _value(local: Local, y: np.ndarray) -> float:
    """f at a point of the search; infinite where that is not feasible."""
    here = at(local, y)
    return here.lower_value if here.lower.violation <= FEASIBLE and np.isfinite(here.lower_value) else np.inf


def distinct(points: list[np.ndarray]) -> list[np.ndarray]:
    """The points without repetitions, 24 at most."""
    kept: list[np.ndarray] = []
    for point in points:
        if all(np.abs(point - other).max() > 1e-5 * (1 + np.abs(other).max()) for other in kept):
            kept.append(point)
    return kept[:24]


def lower_range(local: Local) -> tuple[np.ndarray, np.ndarray, bool]:
    """(low, high, bounded): an interval a lower variable, from the affine rows; y +- REACH (1 + |y|) where open."""
    n, m = local.problem.n, local.problem.m
    y = local.z[n:]
    reach = REACH * (1 + np.abs(y))
    low, high, bounded = y - reach, y + reach, True
    file, simple = local.lower.rows.file, local.lower.rows.set
    certain = np.concatenate([np.full(file.count, file.affine), np.full(simple.count, simple.affine)])
    matrix = csr_array(local.lower.jacobian[:, n:])[np.flatnonzero(certain)]
    upper = -local.lower.value[certain]
    lower = np.where(local.lower.inequality[certain], -np.inf, upper)
    for i in range(m):
        for side, end in ((1.0, low), (-1.0, high)):
            cost = np.zeros(m)
            cost[i] = side
            found = solve_qp(None, cost, matrix, lower, upper)
            if found.ok and abs(found.v[i]) < INFINITE:
                end[i] = y[i] + found.v[i]
            else:
                bounded = False
    return low, high, bounded


def _grid(local: Local) -> tuple[list[np.ndarray], str] | None:
    """Local minima of f over a grid of the lower level, feasible points only; None where equalities leave no grid."""
    problem = local.problem
    if not local.lower.inequality.all():
        return None
    low, high, bounded = lower_range(local)
    axes = [np.linspace(a, b, GRID[problem.m]) for a, b in zip(low, high, strict=True)]
    shape = tuple(len(axis) for axis in axes)
    values = np.full(shape, np.inf)
    for index in np.ndindex(shape):
        here = at(local, np.array([axis[i] for axis, i in zip(axes, index, strict=True)]))
        rows = local.lower.rows.value(here.z)
        if np.all(rows <= FEASIBLE * local.lower.scale):
            value = here.lower_value
            values[index] = value if np.isfinite(value) else np.inf
    padded = np.pad(values, 1, constant_values=np.inf)
    smallest = values.copy()
    for shift in np.ndindex((3,) * problem.m):
        smallest = np.minimum(smallest, padded[tuple(slice(s, s + k) for s, k in zip(shift, shape, strict=True))])
    minima = np.argwhere(np.isfinite(values) & (values <= smallest))
    points = [np.array([axis[i] for axis, i in zip(axes, index, strict=True)]) for index in minima]
    points.sort(key=lambda p: (at(local, p).lower_value, at(local, p).upper_value))
    text = ", ".join(f"[{a:.4g}, {b:.4g}]" for a, b in zip(low, high, strict=True))
    return points[:24], "grid" if bounded else f"grid over {text}, the level is not bounded"


def random_points(local: Local, rng: np.random.Generator, count: int) -> list[np.ndarray]:
    """Points of Y about y, near and far in turn."""
    n, m = local.problem.n, local.problem.m
    y = local.z[n:]
    points = []
    for k in range(count):
        spread = (0.1, 1.0, 10.0)[k % 3] * (1 + np.abs(y))
        points.append(local.problem.lower_set.project(y + spread * rng.uniform(-1, 1, m)))
    return points


def local_solve(local: Local, start: np.ndarray) -> np.ndarray | None:
    """A local minimizer of the lower level from `start`; None where the end is not feasible."""
    solver = _slsqp if local.problem.m <= DENSE else _sqp
    end = solver(local, start)
    if end is None or not np.isfinite(end).all():
        return None
    here = at(local, end)
    return end if here.lower.violation <= FEASIBLE and np.isfinite(here.lower_value) else None


def _slsqp(local: Local, start: np.ndarray) -> np.ndarray | None:
    problem, n = local.problem, local.problem.n
    rows, scale = local.lower.rows, local.lower.scale
    size = max(local.lower_scale, 1e-12)

    def z(y):
        return np.concatenate([local.z[:n], y])

    constraints = []
    for kind, chosen in (("ineq", rows.inequality), ("eq", ~rows.inequality)):
        if chosen.any():
            at_rows = np.flatnonzero(chosen)
            constraints.append(
                {
                    "type": kind,
                    "fun": lambda y, r=at_rows: -rows.value(z(y))[r] / scale[r],
                    "jac": lambda y, r=at_rows: -rows.jacobian(z(y))[r][:, n:].toarray() / scale[r][:, None],
                }
            )
    try:
        result = minimize(
            lambda y: problem.lower(z(y)) / size,
            start,
            jac=lambda y: problem.lower_gradient(z(y))[n:] / size,
            method="SLSQP",
            constraints=constraints,
            options={"ftol": 1e-15, "maxiter": 200},
        )
    except (ValueError, FloatingPointError):
        return None
    return np.asarray(result.x)


def _sqp(local: Local, start: np.ndarray, iterations: int = 40) -> np.ndarray | None:
    """Newton steps by quadratic programs with an l1 line search, for many lower variables."""
    here, weight = at(local, start), 1.0
    multiplier = np.zeros(here.lower.rows.count)
    for _ in range(iterations):
        n = local.problem.n
        hessian = csr_array(here.lagrangian_hessian(multiplier)[n:, n:])
        model, shift = hessian, 0.0
        while positive_definiteness(model) < SEMIDEFINITE:
            shift = max(10 * shift, 1e-4 * largest(hessian))
            model = csr_array(hessian + (shift + BENT * largest(hessian)) * eye_array(hessian.shape[0]))
        found = lower_qp(here, model)
        if not found.ok:
            return here.z[n:]
        weight = max(weight, 2 * float(np.abs(found.multiplier).max(initial=0.0)))
        merit, step = _merit(here, weight), 1.0
        while step > 1e-6 and not _merit(at(here, here.z[n:] + step * found.v), weight) <= merit:
            step /= 2
        multiplier = found.multiplier
        moved = float(np.abs(step * found.v).max(initial=0.0))
        here = at(here, here.z[n:] + step * found.v)
        if moved <= 1e-11 * (1 + float(np.abs(here.z).max())):
            break
    return here.z[local.problem.n :]


def _merit(here: Local, weight: float) -> float:
    rows = here.lower.rows.value(here.z)
    broken = np.where(here.lower.rows.inequality, np.maximum(rows, 0.0), np.abs(rows))
    return here.lower_value + weight * float(broken.sum())


def negative_curvature(local: Local, seed: int, points: int = 5) -> float:
    """How far from convex in y the lower level shows itself at y and at random y: -lambda_min / max|h_ij|, 0 if convex.

    Looks at f, and at the inequality rows in a random nonnegative combination. Random points are drawn towards y until
    the inequalities hold, since nobody promises convexity outside.
    """
    n = local.problem.n
    rng = np.random.default_rng(seed)
    worst = 0.0
    for y in [local.z[n:], *random_points(local, rng, points)]:
        here = _inside(local, y)
        if not np.isfinite(here.lower_value):
            continue
        rows = here.lower.rows
        weights = np.where(rows.inequality, rng.uniform(0, 1, rows.count), 0.0)
        for hessian in (here.lower_hessian, rows.hessian(here.z, weights)):
            worst = max(worst, -positive_definiteness(csr_array(hessian[n:, n:])))
    return worst if worst > 1e-8 else 0.0


def _inside(local: Local, y: np.ndarray) -> Local:
    """At y, or on the way from there to the candidate where the inequality rows first hold."""
    base = local.z[local.problem.n :]
    for k in range(12):
        here = at(local, base + (y - base) / 2**k)
        if np.all(
            here.lower.rows.value(here.z)[local.lower.inequality]
            <= FEASIBLE * local.lower.scale[local.lower.inequality]
        ):
            return here
    return local
