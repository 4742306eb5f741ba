"""Second-order conditions of the upper level, so that a maximum or a saddle is never taken for a solution.

`reduced_curvature`: with the multipliers of a stationary point (`stationarity.py`), the Hessian of the Lagrangian

    W = F'' + alpha'G'' + beta'g'' + (w' grad_y L)''          in (x, y),   columns g_{i,zy} w in lambda_i

must not be negative on the moves that keep to first order every active row and the lower KKT system (the weak
second-order necessary condition). The third derivatives in (w' grad_y L)'' are central differences of Hessian-vector
products. The value is -lambda_min / max|W|; W itself being positive semidefinite is proof enough at any size.

`probe`: moves of x (along the most negative curvature, coordinates, random directions), the lower level solved again
at each, optimistic choice of y. Where upper rows hold at the new point, F may not fall by more than

    (F(x, y) - F(x', y')) / ||(x', y') - (x, y)||_inf  <=  tolerance of the stationarity term * S_F,

the descent that the stationarity term would tolerate. This also sees what multipliers cannot: kinks of y(x).

Where F or a row is not quadratic, no curvature is no minimum yet (y^3 and -y^4 at 0). Then x also walks along the
softest eigenvectors, in longer and longer moves until F has risen, and F may not fall SUDDEN times as fast per distance
as it, or what rounding hides, changed a move before. Where the softest has no curvature, ways that are no lines are
looked for too, in small problems (`curves.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import block_array, csr_array, vstack

from solverkit.kinds.bilevel.curves import LARGEST, curves
from solverkit.kinds.bilevel.local import Local
from solverkit.kinds.bilevel.lower_solve import LowerAnswer, at, solve_lower
from solverkit.kinds.bilevel.multipliers import LowerMultipliers
from solverkit.kinds.bilevel.optimistic import best_upper
from solverkit.kinds.bilevel.spectrum import lanczos
from solverkit.kinds.bilevel.stationarity import Split, Stationarity
from solverkit.kinds.ways import Place, Ways
from solverkit.operators.least_squares import null_space, positive_definiteness
from solverkit.operators.polyhedra import AffineProjector
from solverkit.operators.qp import largest, row_norms

DENSE = 500  # n + m up to which the null space is dense, and up to which x is probed
STEPS = (1e-2, 1e-3)  # of a probe, times 1 + ||x||_inf
WALK = (1e-3, 1e-2, 1e-1)
SOFTEST = 2  # eigenvectors that are walked along
SUDDEN = 3.0
FLAT = 1e-6  # of the largest entry: eigenvalues up to here are no curvature
COORDINATES = 10  # x of up to this length is probed along its coordinates
RANDOM = 4
DIFFERENCE = 1e-5
PRODUCTS = 200  # of Lanczos
NEGATIVE = 1e-6  # the least tolerance of the term: less is not worth finding


@dataclass(frozen=True)
class Curvature:
    """value: -lambda_min / max|W| on the critical subspace, at least 0; direction: its eigenvector's z."""

    value: float
    how: str
    direction: np.ndarray | None = None
    soft: tuple[np.ndarray, ...] = ()
    """z of the softest eigenvectors, where second derivatives do not decide."""
    around: bool = True
    """Whether moves along coordinates and at random could tell more."""
    flat: bool = False
    """Whether the softest has no curvature."""


def reduced_curvature(local: Local, multipliers: LowerMultipliers, found: Stationarity, extra: np.ndarray) -> Curvature:
    """`extra`: gradients of value rows, (k, n + m)."""
    third = not _quadratic_lower(local)
    W = _lagrangian(local, found)
    size, N = local.problem.n + local.problem.m, len(local.z)
    convex = not third and positive_definiteness(W) >= -1e-10
    if convex and (size > DENSE or _quadratic_upper(local)):
        return Curvature(0.0, "Lagrangian convex")
    split = Split.of(local, multipliers)
    tangent, strong = _tangent(local, multipliers, split, extra, local.active_upper)
    cross = _cross(local, found.w, strong) if third else csr_array((N, len(strong)))
    bend = _bend(local, multipliers, found.w) if third else None
    scale = max(largest(W), 1e-300)
    if size <= DENSE:
        seen = _dense(W, cross, bend, tangent, scale)
        pressed = _pressed(local, found)
        if len(pressed) < len(local.active_upper):
            wider, _ = _tangent(local, multipliers, split, extra, pressed)
            other = _dense(W, cross, bend, wider, scale)
            seen = replace(seen, soft=other.soft, flat=other.flat)
        return Curvature(0.0, "Lagrangian convex", soft=seen.soft, flat=seen.flat) if convex else seen
    return _lanczos(W, cross, bend, tangent, scale)


def _quadratic_lower(local: Local) -> bool:
    degree = local.problem.lower_function.degree
    return degree is not None and degree <= 2 and local.lower.rows.affine


def _quadratic_upper(local: Local) -> bool:
    degree = local.problem.upper_function.degree
    return degree is not None and degree <= 2 and local.upper.rows.affine


def _lagrangian(local: Local, found: Stationarity) -> csr_array:
    """F'' + alpha'G'' + beta'g''; multipliers of `found` belong to rows of length one."""
    W = local.upper_hessian
    if not local.upper.rows.affine:
        alpha = np.zeros(local.upper.rows.count)
        active = local.active_upper
        norms = np.maximum(row_norms(csr_array(local.upper.jacobian[active])), 1e-300)
        alpha[active] = found.alpha[: len(active)] / norms
        W = W + local.upper.rows.hessian(local.z, alpha)
    if not local.lower.rows.affine:
        norms = np.maximum(row_norms(local.lower.jacobian), 1e-300)
        W = W + local.lower.rows.hessian(local.z, found.beta / norms)
    return csr_array(W)


def _pressed(local: Local, found: Stationarity) -> np.ndarray:
    """Active upper rows with a multiplier: the others may be left inwards."""
    active = local.active_upper
    return active[np.abs(found.alpha[: len(active)]) > local.width * local.upper_scale]


def _tangent(
    local: Local, multipliers: LowerMultipliers, split: Split, extra: np.ndarray, upper: np.ndarray
) -> tuple[csr_array, np.ndarray]:
    """Rows over (dz, dlambda) that vanish on the critical subspace, and the lower rows whose multiplier moves.

    upper : the upper rows that are kept"""
    n = local.problem.n
    strong = np.concatenate([split.strong, split.equal])
    held = np.concatenate([strong, split.biactive, split.still])
    hessian = local.lagrangian_hessian(multipliers.value)
    moving = csr_array(local.lower.jacobian[strong][:, n:])
    still = vstack([local.lower.jacobian[held], local.upper.jacobian[upper], csr_array(extra)])
    first = block_array([[hessian[n:], moving.T]])
    second = block_array([[still, csr_array((still.shape[0], len(strong)))]])
    rows = csr_array(vstack([first, second]))
    norms = row_norms(rows)
    keep = np.flatnonzero(norms > 0)
    return csr_array(rows[keep] / norms[keep][:, None]), strong


def _cross(local: Local, w: np.ndarray, strong: np.ndarray) -> csr_array:
    """Columns g_{i,zy} w, (n + m, strong)."""
    n, count = local.problem.n, local.lower.rows.count
    direction = np.concatenate([np.zeros(n), w])
    columns = []
    for i in strong:
        weights = np.zeros(count)
        weights[i] = 1.0
        columns.append(local.lower.rows.hessian(local.z, weights) @ direction)
    return csr_array(np.array(columns).T.reshape(len(local.z), len(strong)))


def _bend(local: Local, multipliers: LowerMultipliers, w: np.ndarray):
    """d -> (w' grad_y L)'' d by central differences of L'' (0, w)."""
    problem, rows = local.problem, local.lower.rows
    direction = np.concatenate([np.zeros(problem.n), w])
    weights = multipliers.value[: rows.file.count]
    step = DIFFERENCE * (1 + float(np.abs(local.z).max(initial=0.0)))

    def product(z):
        return problem.lower_hvp(z, direction) + problem.lower_rows_hvp(z, weights, direction)

    def apply(d):
        length = float(np.abs(d).max(initial=0.0))
        if length == 0:
            return np.zeros_like(d)
        h = step / length
        return (product(local.z + h * d) - product(local.z - h * d)) / (2 * h)

    return apply


def _dense(W: csr_array, cross: csr_array, bend, tangent: csr_array, scale: float) -> Curvature:
    N = W.shape[0]
    basis = null_space(tangent.toarray(), 1e-10)
    if basis.shape[1] == 0:
        return Curvature(0.0, "no free direction")
    z, multiplier = basis[:N], basis[N:]
    product = W @ z + cross @ multiplier
    if bend is not None:
        product = product + np.column_stack([bend(column) for column in z.T])
    reduced = z.T @ product + multiplier.T @ (cross.T @ z)
    last = min(SOFTEST, len(reduced)) - 1
    values, vectors = eigh((reduced + reduced.T) / 2, subset_by_index=[0, last])
    scale = max(scale, float(np.abs(reduced).max()))
    soft = tuple((z @ vectors).T)
    flat = bool(values[0] <= FLAT * scale)
    return Curvature(max(-float(values[0]) / scale, 0.0), "reduced Hessian", soft[0], soft, flat=flat)


def _lanczos(W: csr_array, cross: csr_array, bend, tangent: csr_array, scale: float) -> Curvature:
    N, total = W.shape[0], W.shape[0] + cross.shape[1]
    projector, zero = AffineProjector(tangent), np.zeros(tangent.shape[0])

    def apply(v):
        v = projector.project(np.asarray(v).ravel(), zero)[0]
        top = W @ v[:N] + cross @ v[N:]
        if bend is not None:
            top = top + bend(v[:N])
        return projector.project(np.concatenate([top, cross.T @ v[:N]]), zero)[0] / scale

    start = projector.project(np.random.default_rng(0).normal(size=total), zero)[0]
    found = lanczos(apply, start, PRODUCTS, NEGATIVE)
    if not np.isfinite(found.smallest):
        return Curvature(float("nan"), "the Hessian of the Lagrangian is not finite")
    return Curvature(max(-found.smallest, 0.0), "Lanczos", found.vector[:N])


# -- the probe


@dataclass(frozen=True)
class Probe:
    """The fastest fall of F per distance that a move of x found, the largest sudden one, how many told anything."""

    value: float
    sudden: float
    informative: int


def probe(local: Local, answer: LowerAnswer, bend: Curvature, seed: int, tol: float) -> Probe:
    """See the module. The direction of `bend`, in z or x, is tried first."""
    n = local.problem.n
    starts = [local.z[n:], *answer.minimizers, *answer.starts][:8]
    noise = 1e-10 * (abs(local.upper_value) + local.upper_scale)
    worst, sudden, told = 0.0, 0.0, 0
    for d in _directions(n, bend.direction, seed) if bend.around else []:
        for step in STEPS:
            if found := _moved(local, step * d, starts, seed, tol):
                told += 1
                worst = max(worst, (found[0] - noise) / found[1])
    for d in _unit([part[:n] for part in bend.soft]):
        known = np.inf  # how fast F changed a move before
        for step in WALK:
            if not (found := _moved(local, step * d, starts, seed, tol)):
                continue
            fall, distance = found
            told += 1
            worst = max(worst, (fall - noise) / distance)
            if fall / distance > SUDDEN * known:
                sudden = max(sudden, fall)
            if fall < -noise:
                break
            known = max(abs(fall), noise) / distance
    if bend.flat and n > 1 and len(local.z) <= LARGEST:
        ways = _curves(local, bend, starts, noise, seed, tol)
        worst, sudden, told = max(worst, ways.fastest), max(sudden, ways.sudden), told + ways.told
    return Probe(worst, sudden, told)


def _curves(local: Local, bend: Curvature, starts: list[np.ndarray], noise: float, seed: int, tol: float) -> Ways:
    x = local.z[: local.problem.n]
    size = 1 + float(np.abs(x).max(initial=0.0))

    def moved(step: np.ndarray) -> Place | None:
        there = local.problem.upper_set.project(x + step) - x
        found = _moved(local, step / size, starts, seed, tol)
        return None if found is None else Place(there, found[1], found[0])

    return curves(moved, [part[: len(x)] for part in bend.soft], len(x), size, noise, SUDDEN, seed)


def _moved(
    local: Local, step: np.ndarray, starts: list[np.ndarray], seed: int, tol: float
) -> tuple[float, float] | None:
    """(the fall of F, the distance) where x moves by a step times 1 + ||x||_inf and y answers; None: nothing told."""
    problem, n = local.problem, local.problem.n
    x, y = local.z[:n], local.z[n:]
    moved = problem.upper_set.project(x + step * (1 + float(np.abs(x).max(initial=0.0))))
    if float(np.abs(moved - x).max(initial=0.0)) <= 1e-9:
        return None
    there = at(local, y, moved)
    if not np.isfinite(there.lower_value):
        return None
    after = solve_lower(there, seed, starts=starts)
    if not np.isfinite(after.value):
        return None
    best = best_upper(there, after)
    end = at(there, best.y)
    if not (end.lower.violation <= 1e-7 and end.upper.violation <= max(tol, 1e-9)):
        return None
    return local.upper_value - best.value, float(np.abs(end.z - local.z).max())


def _directions(n: int, direction: np.ndarray | None, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    found = [] if direction is None else [direction[:n]]
    if n <= COORDINATES:
        found += list(np.eye(n))
    found += list(rng.normal(size=(RANDOM, n)))
    return _unit(found)


def _unit(directions: list[np.ndarray]) -> list[np.ndarray]:
    """Both senses of each, the largest entry 1."""
    lengths = [float(np.abs(d).max(initial=0.0)) for d in directions]
    unit = [d / length for d, length in zip(directions, lengths, strict=True) if length > 1e-12]
    return [sign * d for d in unit for sign in (1.0, -1.0)]
