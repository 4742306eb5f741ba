"""Second-order conditions, so that a maximum or a saddle is never taken for a minimum.

With multipliers (y, z) of a stationary point, H the Hessian of the Lagrangian and

    T = { d : J_i d = 0 for equalities and active rows, d_j = 0 at active bounds },      active: all,
    K = { the same for the strongly active; weakly active ones may be left inwards },

d'Hd >= 0 is necessary on T (under a constraint qualification) and on the cone K, and d'Hd > 0 on K is enough for a
strict local minimum. H is equilibrated first, d_j = e_j / sqrt(max_k |H_jk|), which changes no sign; the value is the
most negative eigenvalue of the result on T, or of a face of K (up to MAX_WEAK weakly active ones are enumerated: a
minimizer of d'Hd over K and the sphere is an eigenvector on the face that it lies in), relative to the largest.

Small problems, n <= DENSE: null spaces and eigenvalues of dense matrices. Larger ones: H positive semidefinite by
Gershgorin's disks or by its pivots is proof enough; otherwise Lanczos on T, up to LARGE variables and rows. Beyond that
nothing is said, and the certificate says that it says nothing.

Where the small problem's reduced Hessian is positive definite, the step that Newton's method would make is known too:
r divided by it is the distance to the minimizer of the model, whatever the units of f.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh
from scipy.sparse import csr_array, issparse
from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigsh

from solverkit.kinds.nonlinear.degenerate import better_multipliers
from solverkit.kinds.nonlinear.local import TINY, Local
from solverkit.kinds.nonlinear.multipliers import Measured
from solverkit.kinds.nonlinear.problem import Matrix, Nonlinear
from solverkit.operators.least_squares import null_space, positive_definiteness
from solverkit.operators.polyhedra import AffineProjector
from solverkit.operators.qp import row_norms

DENSE = 500
PIVOTS = 20_000  # n up to which a sparse H is factored to see whether it is semidefinite
LARGE = 200_000  # n + m up to which Lanczos is tried
MAX_WEAK = 6
FLAT = 1e-6  # relative eigenvalues up to here count as zero: the direction is degenerate
PROBED = 8  # degenerate directions that are handed on
SOFTEST = 4  # directions of least curvature that are handed on
RANK = 1e-10


def _none() -> np.ndarray:
    return np.zeros((0, 0))


@dataclass(frozen=True, eq=False)
class Curvature:
    """What second derivatives say of a point."""

    value: float  # relative negative curvature, at least 0; NaN where it could not be computed
    how: str
    strict: bool = False  # positive definite on K: a strict local minimum
    degenerate: np.ndarray = field(default_factory=_none)  # (k, n) directions of no or weakly negative curvature
    soft: np.ndarray = field(default_factory=_none)  # (k, n) those of least curvature, x_j measured by 1 + |x_j|
    stiff: np.ndarray = field(default_factory=_none)  # (n, k) eigenvectors over the roots of their positive curvature
    inverse: np.ndarray = field(default_factory=_none)  # (k, n) the left inverse of `stiff`; stiff stiff' inverts H
    step: np.ndarray | None = None  # the Newton step on T, (n,)
    descent: np.ndarray | None = None  # the same where rows of H count that are of rounding size beside the largest
    outside: float = float("nan")  # what of the residual lies outside of T, infinity norm
    moved: Measured | None = None  # the multipliers that were used instead of those given

    @property
    def walks(self) -> bool:
        """Whether there is a direction that a probe should walk."""
        return len(self.degenerate) + len(self.soft) > 0


@dataclass(frozen=True, eq=False)
class Active:
    """Rows and bounds at the point, by what they hold."""

    rows: np.ndarray  # indices of equalities and active rows
    rows_weak: np.ndarray  # bool, of `rows`
    row_side: np.ndarray  # +1 at the upper bound, -1 at the lower, of `rows`
    row_free: np.ndarray  # bool: at both, an equality
    bounds: np.ndarray  # indices of active bounds
    bounds_weak: np.ndarray
    bound_side: np.ndarray
    bound_free: np.ndarray

    @classmethod
    def of(cls, local: Local, found: Measured, width: float) -> Active:
        parts: list[np.ndarray] = []
        for multiplier, norms, (below, above) in (
            (found.y, local.norms, local.row_room),
            (found.z, np.ones(local.problem.n), local.bound_room),
        ):
            low, high = below <= width, above <= width
            index = np.flatnonzero(low | high)
            force = np.where(high, multiplier, -multiplier)[index] * norms[index]
            weak = (force <= width * local.scale) & ~(low & high)[index]
            parts += [index, weak, np.where(high[index], 1.0, -1.0), (low & high)[index]]
        return cls(*parts)

    def gradients(self, local: Local, rows: Any = slice(None), bounds: Any = slice(None)) -> np.ndarray:
        """Gradients of active rows and bounds, or of the chosen ones of them, (k, n) dense."""
        jacobian = local.jacobian[self.rows[rows]]
        jacobian = jacobian.toarray() if issparse(jacobian) else np.asarray(jacobian)
        return np.vstack([jacobian, np.eye(local.problem.n)[self.bounds[bounds]]])


def curvature(local: Local, found: Measured, width: float, tol: float) -> Curvature:
    """The second-order conditions at a point with these multipliers, or with others that are as good to first order.

    width : of active rows and bounds, relative;  tol : of the first-order conditions"""
    problem = local.problem
    if problem.objective_function.degree == 0:
        return Curvature(0.0, "no objective: every feasible point is an answer", strict=True)
    active = Active.of(local, found, width)
    if problem.n <= DENSE:
        seen = _dense(local, found, active)
        if seen.value <= FLAT or problem.affine:
            return seen
        moved = better_multipliers(local, found, active, dense_hessian)
        if moved is None or not moved.worst <= max(found.worst, tol * local.scale):
            return seen
        other = _dense(local, moved, Active.of(local, moved, width))
        return replace(other, moved=moved) if other.value < seen.value else seen
    if "hessian" in problem.provides and sparse_hessian(problem):
        H = problem.hessian(local.x, found.y)
        pivots = issparse(H) and problem.n <= PIVOTS
        if _diagonally_dominant(H) or (pivots and positive_definiteness(csr_array(H)) >= 0):
            return Curvature(0.0, "Lagrangian convex at the point")
    if problem.n + problem.m <= LARGE:
        return _lanczos(local, found, active)
    return Curvature(0.0, f"not checked: more than {LARGE} variables and rows")


def sparse_hessian(problem: Nonlinear) -> bool:
    """Whether the Hessian is cheap to form, as far as that is known: torch's is dense, and made of products."""
    functions = (problem.objective_function, problem.constraint_function)
    return not any(hasattr(function, "tensor") for function in functions if function is not None)


def _diagonally_dominant(H: Matrix) -> bool:
    diagonal = H.diagonal()
    others = np.asarray(abs(H).sum(axis=1)).ravel() - np.abs(diagonal)
    return bool(np.all(diagonal - others >= -1e-14 * np.abs(diagonal)))


def _equilibrated(H: np.ndarray, least: float = 1e-12) -> tuple[np.ndarray, np.ndarray]:
    """(D H D, the diagonal of D); rows below `least` of the largest count as rounding."""
    size = np.abs(H).max(axis=1, initial=0.0)
    size = np.where(size > least * size.max(initial=0.0), size, max(float(size.max(initial=0.0)), TINY))
    unit = 1 / np.sqrt(size)
    return unit[:, None] * H * unit, unit


def dense_hessian(local: Local, y: np.ndarray, weight: float = 1.0) -> np.ndarray:
    """weight Hess f + sum y_i Hess c_i, (n, n), from the Hessian where there is one, otherwise from n products."""
    problem = local.problem
    if "hessian" in problem.provides:
        H = problem.hessian(local.x, y, weight)
        H = H.toarray() if issparse(H) else np.asarray(H)
    else:
        H = np.array([problem.hvp(local.x, y, direction, weight) for direction in np.eye(problem.n)]).reshape(
            problem.n, -1
        )
    return (H + H.T) / 2


def _dense(local: Local, found: Measured, active: Active) -> Curvature:
    plain = dense_hessian(local, found.y)
    H, unit = _equilibrated(plain)
    if not np.isfinite(H).all():
        return Curvature(float("nan"), "the Hessian is not finite")
    scale = max(float(np.abs(H).max(initial=0.0)), TINY)
    every = active.gradients(local) * unit
    tangent = null_space(_unit(every), RANK)
    values, vectors = _spectrum(H, tangent)
    worst = _negative(values, scale)
    strong = active.gradients(local, ~active.rows_weak, ~active.bounds_weak) * unit
    step, outside = _newton(H, unit, tangent, strong, values, scale, found.residual)
    how = "reduced Hessian"
    if len(strong) < len(every):
        wider = null_space(_unit(strong), RANK)
        values, vectors = _spectrum(H, wider)
        if _negative(values, scale) > worst:
            weak = _inward(local, active) * unit
            worst, how = _on_cone(H, wider, strong, weak, worst, scale)
        tangent = wider
    flat = np.flatnonzero(values <= FLAT * scale)[:PROBED]
    degenerate = (unit[:, None] * (tangent @ vectors[:, flat])).T if len(flat) else np.zeros((0, len(unit)))
    steep = np.flatnonzero(values > FLAT * scale)
    lengths = np.sqrt(values[steep])
    stiff = unit[:, None] * (tangent @ vectors[:, steep]) / lengths
    inverse = lengths[:, None] * (tangent @ vectors[:, steep]).T / unit
    soft = _softest(local, plain, tangent, unit)
    descent = _descent(local, plain, active, found) if step is None else step
    return Curvature(worst, how, len(flat) == 0, degenerate, soft, stiff, inverse, step, descent, outside)


def _descent(local: Local, plain: np.ndarray, active: Active, found: Measured) -> np.ndarray | None:
    """For variables of very different units: the Newton step on T, or a direction of negative curvature, downhill."""
    H, unit = _equilibrated(plain, 1e-200)
    tangent = null_space(_unit(active.gradients(local) * unit), RANK)
    scale = max(float(np.abs(H).max(initial=0.0)), TINY)
    values, vectors = _spectrum(H, tangent)
    if len(values) and values[0] < -1e-8 * scale:
        d = unit * (tangent @ vectors[:, 0])
        return d * (-np.sign(found.residual @ d) / max(float((np.abs(d) / local.size).max()), TINY))
    none = np.zeros((0, len(unit)))
    return _newton(H, unit, tangent, none, values, scale, found.residual)[0]


def _softest(local: Local, H: np.ndarray, tangent: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Eigenvectors of least curvature on the tangent space, (k, n); none where curvature is the same everywhere."""
    degree = local.problem.objective_function.degree
    if tangent.shape[1] == 0 or (local.problem.affine and degree is not None and degree <= 2):
        return np.zeros((0, len(unit)))
    size = local.size
    basis = np.linalg.qr((unit / size)[:, None] * tangent)[0]
    reduced = basis.T @ (size[:, None] * H * size) @ basis
    vectors = eigh(reduced, subset_by_index=(0, min(SOFTEST, len(reduced)) - 1))[1]
    return (size[:, None] * (basis @ vectors)).T


def _inward(local: Local, active: Active) -> np.ndarray:
    """Rows b of the weakly active with b'd <= 0 on K, (k, n)."""
    sides = np.concatenate([active.row_side[active.rows_weak], active.bound_side[active.bounds_weak]])
    return sides[:, None] * active.gradients(local, active.rows_weak, active.bounds_weak)


def _unit(rows: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms > 0, norms, 1.0)


def _spectrum(H: np.ndarray, basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if basis.shape[1] == 0:
        return np.zeros(0), np.zeros((0, 0))
    return eigh(basis.T @ H @ basis)


def _negative(values: np.ndarray, scale: float) -> float:
    return abs(float(values.min(initial=0.0))) / scale


def _on_cone(
    H: np.ndarray, wider: np.ndarray, strong: np.ndarray, weak: np.ndarray, worst: float, scale: float
) -> tuple[float, str]:
    """The most negative d'Hd over unit d of K that some face's eigenvectors show."""
    if len(weak) <= MAX_WEAK:
        choices, how = list(product((False, True), repeat=len(weak))), "cone of critical directions"
    else:
        rng = np.random.default_rng(0)
        choices = [(False,) * len(weak), *(tuple(rng.random(len(weak)) < share) for share in np.linspace(0.1, 0.9, 64))]
        how = f"{len(weak)} weakly active constraints: some faces of the cone of critical directions"
    for held in choices:
        mask = np.array(held, bool)
        basis = null_space(_unit(np.vstack([strong, weak[mask]])), RANK) if mask.any() else wider
        values, vectors = _spectrum(H, basis)
        for k in np.flatnonzero(values < -worst * scale):
            direction = basis @ vectors[:, k]
            for d in (direction, -direction):
                if np.all(weak @ d <= 1e-9 * np.linalg.norm(weak, axis=1)):
                    worst = max(worst, -float(values[k]) / scale)
    return worst, how


def _newton(
    H: np.ndarray,
    unit: np.ndarray,
    tangent: np.ndarray,
    strong: np.ndarray,
    values: np.ndarray,
    scale: float,
    residual: np.ndarray,
) -> tuple[np.ndarray | None, float]:
    """The step on T where H is positive definite there, and what of the residual remains whatever the step.

    Nor do multipliers of either sign matter, those of the `strong`: what is left by the least squares of another
    metric is theirs to take."""
    if tangent.shape[1] and not values[0] > 1e-8 * scale:
        return None, float("nan")
    scaled = unit * residual
    inside = tangent @ (tangent.T @ scaled)
    left = scaled - inside
    taken = left @ np.linalg.pinv(_unit(strong), RANK) @ _unit(strong) if len(strong) else 0.0
    outside = float(np.abs((left - taken) / unit).max(initial=0.0))
    if tangent.shape[1] == 0:
        return np.zeros_like(residual), outside
    reduced = cho_factor(tangent.T @ H @ tangent)
    return -unit * (tangent @ cho_solve(reduced, tangent.T @ scaled)), outside


def _lanczos(local: Local, found: Measured, active: Active) -> Curvature:
    problem, n = local.problem, local.problem.n
    free = np.ones(n)
    free[active.bounds] = 0.0
    rows = csr_array(csr_array(local.jacobian[active.rows]).multiply(free[None, :]))
    norms = row_norms(rows)
    keep = np.flatnonzero(norms > 0)
    projector = AffineProjector(csr_array(rows[keep].multiply(1 / norms[keep][:, None])))
    zero = np.zeros(len(keep))

    def project(v: np.ndarray) -> np.ndarray:
        return projector.project(free * v, zero)[0]

    rng = np.random.default_rng(0)
    size = max(float(np.abs(problem.hvp(local.x, found.y, rng.choice([-1.0, 1.0], n))).max()), TINY)

    def apply(v: np.ndarray) -> np.ndarray:
        return project(problem.hvp(local.x, found.y, project(np.asarray(v).ravel()))) / size

    try:
        operator = LinearOperator((n, n), matvec=apply, dtype=float)
        values = eigsh(
            operator, k=1, which="SA", v0=rng.normal(size=n), tol=1e-4, maxiter=200, return_eigenvectors=False
        )
        return Curvature(max(-float(values[0]), 0.0), "Lanczos")
    except ArpackNoConvergence as partial:
        if len(partial.eigenvalues):
            return Curvature(max(-float(partial.eigenvalues[0]), 0.0), "Lanczos, not converged")
    except (ArpackError, RuntimeError):
        pass
    return Curvature(float("nan"), "Lanczos did not converge")
