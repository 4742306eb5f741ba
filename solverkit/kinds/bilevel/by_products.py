"""Terms of the certificate from Hessian-vector products alone: a free, smooth lower level with many variables.

With y free there are no lower multipliers, and where H = f_yy is positive definite

    grad Phi = F_x - f_xy H^-1 F_y,      w = -H^-1 F_y,        Phi(x) = F(x, y(x))
    Phi'' d  = (W u)_x - f_xy H^-1 (W u)_y,   u = (d, -H^-1 f_yx d),   W = F'' + (w' grad_y f)''

every H^-1 by conjugate gradients, the third derivatives in W by central differences of products. Phi'' is looked at on
the moves that keep the active rows of X, G and H, by Lanczos. Memory is that of some 100 vectors of length m or n.

This way is taken where n + m > `local.LARGE`, the lower level has no rows, the upper rows do not depend on y, and an
objective's Hessian would be dense. Otherwise sparse factorizations decide (`stationarity.py`, `curvature.py`).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array, vstack

from solverkit.kinds.bilevel.curvature import Curvature
from solverkit.kinds.bilevel.local import Local
from solverkit.kinds.bilevel.lower_solve import LowerAnswer, at, distinct, random_points
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.kinds.bilevel.spectrum import Extremes, conjugate_gradients, lanczos
from solverkit.kinds.bilevel.stationarity import Stationarity, ValueRow
from solverkit.operators.least_squares import signed_least_squares
from solverkit.operators.qp import row_norms
from solverkit.operators.randomized.nystrom import NystromPreconditioner, nystrom

SOLVED = 1e-6  # relative residual of a linear system above which nothing is concluded from it
CURVED = 1e-8  # the same system within Phi'': a hundredth of what the curvature term tolerates
SLOW = 30  # products of one system from which H is worth a preconditioner
RANK = 60
LOWER_STEPS = 40  # of Lanczos on f_yy: the systems with it, and the lower solves, would stumble over the rest
COLUMNS = 40  # n up to which Phi'' is formed column by column
DIFFERENCE = 1e-5
CONVEX_POINTS = 2
RANDOM_STARTS = {True: 2, False: 4}  # by convexity: the third start is a far one
ITERATIONS = 200


def _quadratic(problem: Bilevel) -> bool:
    degree = problem.lower_function.degree
    return degree is not None and degree <= 2


def lower_product(local: Local):
    """v -> f_yy v at the point."""
    problem, n = local.problem, local.problem.n

    def product(v: np.ndarray) -> np.ndarray:
        return problem.lower_hvp(local.z, np.concatenate([np.zeros(n), v]))[n:]

    return product


def lower_spectrum(local: Local, seed: int) -> Extremes:
    """Extreme curvatures of f(x, .) at the point."""
    return lanczos(lower_product(local), np.random.default_rng(seed).normal(size=local.problem.m), LOWER_STEPS)


# -- the lower level


def solve_free(local: Local, seed: int) -> LowerAnswer:
    """f*(x) by trust-region Newton from the candidate and from random points."""
    problem, n = local.problem, local.problem.n
    y, rng = local.z[n:], np.random.default_rng(seed)
    convex, label = problem.convex is True, "declared convex, no counterexample"
    if _quadratic(problem):
        bend = lower_spectrum(local, seed)
        if bend.smallest >= -1e-10 * bend.size:
            convex, label = True, "proved quadratic, convex as far as Lanczos sees"
    guesses = [y, *random_points(local, rng, 0 if convex and _quadratic(problem) else RANDOM_STARTS[convex])]
    found = [_newton(local, guess) for guess in guesses]
    values = np.array([at(local, end).lower_value for end in found])
    found.append(y)
    values = np.append(values, local.lower_value)
    if not np.isfinite(values[:-1]).any():
        return LowerAnswer("", np.nan, np.nan, [y], note="no local solve of the lower level ended at a finite value")
    values = np.where(np.isfinite(values), values, np.inf)
    order = np.argsort(values, kind="stable")
    best = float(values[order[0]])
    near = values <= best + 1e-10 * max(local.lower_scale, abs(best))
    minimizers = distinct([found[i] for i in order if near[i]])
    label = label if convex else "multi-start only"
    bend = lower_spectrum(at(local, minimizers[0]), seed)
    unique = True if convex and bend.smallest > 1e-10 * bend.size else None
    minima = distinct([found[i] for i in order])
    return LowerAnswer(label, local.lower_value - best, best, minimizers[:1] if unique else minimizers, minima, unique)


def _newton(local: Local, start: np.ndarray) -> np.ndarray:
    """A local minimizer: limited-memory BFGS to come near, then a trust region with conjugate gradients."""
    problem, x = local.problem, local.z[: local.problem.n]
    zero, size = np.zeros(problem.n), max(local.lower_scale, 1e-12)

    def both(y: np.ndarray) -> tuple[float, np.ndarray]:
        z = np.concatenate([x, y])
        return problem.lower(z) / size, problem.lower_gradient(z)[problem.n :] / size

    def product(y: np.ndarray, v: np.ndarray) -> np.ndarray:
        return problem.lower_hvp(np.concatenate([x, y]), np.concatenate([zero, v]))[problem.n :] / size

    try:
        options = {"maxiter": ITERATIONS, "gtol": 1e-5, "ftol": 1e-12}
        near = minimize(both, start, jac=True, method="L-BFGS-B", options=options).x
        fine = {"gtol": 1e-10, "maxiter": 50}
        end = minimize(both, near, jac=True, hessp=product, method="trust-ncg", options=fine).x
    except (ValueError, FloatingPointError, np.linalg.LinAlgError):
        return np.full_like(start, np.nan)
    return np.asarray(end)


def negative_curvature(local: Local, seed: int) -> float:
    """-lambda_min / ||f_yy|| where negative curvature was seen at y or at random y, else 0; NaN where it cannot be."""
    rng = np.random.default_rng(seed)
    worst = 0.0
    for y in [local.z[local.problem.n :], *random_points(local, rng, CONVEX_POINTS)]:
        here = at(local, y)
        if not np.isfinite(here.lower_value):
            continue
        bend = lower_spectrum(here, seed)
        if not np.isfinite(bend.size):
            continue
        worst = max(worst, -bend.smallest / max(bend.size, 1e-300))
    return worst if worst > 1e-8 else 0.0


# -- the upper level


class Reduced:
    """Phi's derivatives at the candidate; see the module."""

    def __init__(self, local: Local) -> None:
        self.local = local
        self.n = local.problem.n
        self._inner = lower_product(local)
        found = conjugate_gradients(self._inner, -local.upper_gradient[self.n :])
        self.w, self.residual = found.x, found.residual
        self.along = np.concatenate([np.zeros(self.n), self.w])
        self.gradient = local.upper_gradient[: self.n] + local.problem.lower_hvp(local.z, self.along)[: self.n]
        self._third = not _quadratic(local.problem)
        self._precondition = self._nystrom() if found.products > SLOW and self.n > COLUMNS else None
        self.failed = 0.0  # the worst relative residual within Phi''
        self.size = 0.0  # the largest ||W u|| / ||u|| that was seen

    def _solve(self, right: np.ndarray) -> np.ndarray:
        found = conjugate_gradients(self._inner, right, CURVED, precondition=self._precondition)
        self.failed = max(self.failed, found.residual)
        return found.x

    def _nystrom(self):
        """What makes the many systems with the same H short: its largest eigenvalues, from RANK products."""
        m = self.local.problem.m

        def images(V: np.ndarray) -> np.ndarray:
            return np.column_stack([self._inner(column) for column in V.T])

        try:
            found = nystrom(images, np.zeros(m), min(RANK, m // 4), np.random.default_rng(0))
            return NystromPreconditioner(found, 0.0).solve
        except (ValueError, np.linalg.LinAlgError):
            return None

    def _bend(self, u: np.ndarray) -> np.ndarray:
        """(w' grad_y f)'' u."""
        length = float(np.abs(u).max(initial=0.0))
        if not self._third or length == 0:
            return np.zeros_like(u)
        z, product = self.local.z, self.local.problem.lower_hvp
        h = DIFFERENCE * (1 + float(np.abs(z).max(initial=0.0))) / length
        return (product(z + h * u, self.along) - product(z - h * u, self.along)) / (2 * h)

    def product(self, d: np.ndarray, rows_hessian: csr_array | None = None) -> np.ndarray:
        """Phi'' d, with the curvature of the upper rows added."""
        problem, z, n = self.local.problem, self.local.z, self.n
        moved = problem.lower_hvp(z, np.concatenate([d, np.zeros(problem.m)]))
        u = np.concatenate([d, -self._solve(moved[n:])])
        bent = problem.upper_hvp(z, u) + self._bend(u)
        if rows_hessian is not None:
            bent = bent + rows_hessian @ u
        self.size = max(self.size, float(np.linalg.norm(bent)) / max(float(np.linalg.norm(u)), 1e-300))
        back = self._solve(bent[n:])
        return bent[:n] - problem.lower_hvp(z, np.concatenate([np.zeros(n), back]))[:n]


def stationarity(local: Local, reduced: Reduced, values: list[ValueRow]) -> Stationarity:
    """The projected hypergradient; NaN where y(x) is not known to be smooth."""
    if not reduced.residual <= SOLVED:
        note = f"the lower Hessian is too near to singular: conjugate gradients left {reduced.residual:.1e}"
        return Stationarity("none", np.nan, 0, np.nan, note)
    active = local.active_upper
    extra = csr_array(np.array([row.gradient[: reduced.n] for row in values]).reshape(len(values), reduced.n))
    rows = csr_array(vstack([csr_array(local.upper.jacobian[active])[:, : reduced.n], extra]))
    signs = np.concatenate([local.upper.inequality[active], np.ones(len(values), bool)])
    slack = np.abs(np.concatenate([local.upper.value[active], [row.value for row in values]]))
    norms = np.maximum(row_norms(rows), 1e-300)
    unit = csr_array(rows.multiply(1 / norms[:, None]))
    fit = signed_least_squares(csr_array(unit.T), reduced.gradient, csr_array((0, len(signs))), signs)
    norm = float(np.abs(fit.residual).max(initial=0.0))
    value = max(norm, float((np.where(signs, slack / norms, 0.0) * np.abs(fit.u)).max(initial=0.0)))
    return Stationarity("S", value, 0, norm, "", fit.u, np.zeros(0), reduced.w)


def curvature(local: Local, reduced: Reduced, found: Stationarity, seed: int) -> Curvature:
    """The most negative curvature of Phi, over the largest that was seen, on the moves that keep the active rows."""
    if not np.isfinite(found.value):
        return Curvature(float("nan"), "the hypergradient is not known")
    if reduced.n == 0:
        return Curvature(0.0, "no free direction")
    project, weights = _tangent(local, found)
    total = None
    if not local.upper.rows.affine:
        total = local.upper.rows.hessian(local.z, weights)

    def apply(d: np.ndarray) -> np.ndarray:
        return project(reduced.product(project(d), total))

    if reduced.n <= COLUMNS:
        bend = _formed(apply, reduced.n)
    else:
        bend = lanczos(apply, project(np.random.default_rng(seed).normal(size=reduced.n)), negative=1e-6)
    if not reduced.failed <= SOLVED:
        return Curvature(float("nan"), f"conjugate gradients left {reduced.failed:.1e}")
    scale = max(bend.size, reduced.size, 1e-300)
    direction = np.concatenate([bend.vector, np.zeros(local.problem.m)])
    return Curvature(max(-bend.smallest / scale, 0.0), "products", direction)


def _formed(apply, n: int) -> Extremes:
    matrix = np.column_stack([apply(unit) for unit in np.eye(n)])
    if not np.isfinite(matrix).all():
        return Extremes(np.nan, np.nan, np.nan, np.zeros(n))
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return Extremes(float(values[0]), float(values[-1]), 0.0, vectors[:, 0])


def _tangent(local: Local, found: Stationarity):
    """The projector onto the moves of x along the active upper rows; multipliers of all upper rows."""
    n, active = local.problem.n, local.active_upper
    rows = csr_array(local.upper.jacobian[active])[:, :n]
    norms = np.maximum(row_norms(rows), 1e-300)
    weights = np.zeros(local.upper.rows.count)
    weights[active] = found.alpha[: len(active)] / norms
    if len(active) == 0:
        return (lambda d: d), weights
    counts = np.diff(rows.indptr)
    if counts.max(initial=0) <= 1:  # bounds
        free = np.ones(n)
        free[rows.indices[rows.data != 0]] = 0.0
        return (lambda d: free * d), weights
    from solverkit.operators.polyhedra import AffineProjector

    projector = AffineProjector(csr_array(rows.multiply(1 / norms[:, None])))
    zero = np.zeros(len(active))
    return (lambda d: projector.project(d, zero)[0]), weights
