"""The last digits: Newton steps on the bilevel problem with its lower level replaced by the lower KKT conditions.

    min_u F(x, y)   over u = (x, y, lam)
    grad_y f(x, y) + J_y' lam = 0,    h(x, y) = 0,    H(x, y) = 0,    G(x, y) <= 0,    x in X
    g(x, y) <= 0  and  lam >= 0,      one of each pair held at zero

LV-HBA leaves (x, y) within O(1/c) of a solution; here the lower problem is solved at that x, the pairs are
read off (which row is active), and an active-set Newton method walks on: conjugate gradients in the null
space of the held rows (a direction of negative curvature is followed), a ratio test that adds rows, and
multiplier signs that release them. A pair never releases both of its rows. With quadratic F and f one step
is exact for a set of held rows.

At its end all released signs are right: for a pair with both rows held (biactive) that is strong
stationarity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import block_array, csc_array, csr_array, diags_array, eye_array, hstack, vstack
from scipy.sparse.linalg import splu

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.envelope import ProximalLagrangian, lower_rows
from solverkit_bilevel.rows import AffineRows
from solverkit_bilevel.structure import Structure

IDENTIFY = 1e-6  # below this a multiplier or the slack of a normalized row counts as zero
RESIDUAL = 1e-9  # of rows and complementarity, relative, for an iterate to count as feasible
STATIONARY = 1e-8  # projected gradient, relative to 1 + |grad F|


@dataclass
class Polished:
    """A point with a solved lower level."""

    w: np.ndarray  # (n + m,)
    lam: np.ndarray  # (k,) multipliers of the normalized lower rows, those of Y last among inequalities
    upper: float  # F
    stationarity: float  # |projected gradient| plus wrong signs of multipliers
    steps: int


class Branch:
    """The KKT form of one problem: its rows over u, their values and Jacobian."""

    def __init__(self, problem: Bilevel, rows: AffineRows, upper: AffineRows) -> None:
        self.problem, self.rows, self.upper = problem, rows, upper
        self.n, self.m, self.k, self.p = problem.n, problem.m, rows.count, rows.inequalities
        self.total = self.n + self.m
        self.quadratic = "quadratic-lower" in problem.provides
        self.Ay = csr_array(rows.A[:, self.n :])
        u, v, q = self.total + self.k, upper.count, upper.inequalities
        wide = hstack([rows.A, csr_array((self.k, self.k))])
        wide_upper = hstack([upper.A, csr_array((v, self.k))])
        signs = hstack([csr_array((self.p, self.total)), -eye_array(self.p, self.k)])
        self._fixed = csr_array(vstack([wide, wide_upper, signs], format="csr"))
        self.size = u
        m = self.m
        self.pairs = m + np.arange(self.p)  # rows g
        self.signs = m + self.k + v + np.arange(self.p)  # rows -lam
        self.free = np.zeros(m + self.k + v + self.p, dtype=bool)  # rows that may be released
        self.free[self.pairs] = self.free[self.signs] = True
        self.free[m + self.k : m + self.k + q] = True
        self.partner = np.full(len(self.free), -1)
        self.partner[self.pairs], self.partner[self.signs] = self.signs, self.pairs

    def values(self, u: np.ndarray) -> np.ndarray:
        """All rows at u: stationarity, g, h, G, H, -lam."""
        w, lam = u[: self.total], u[self.total :]
        still = self.problem.lower_gradient(w)[self.n :] + self.Ay.T @ lam
        return np.concatenate([still, self.rows.A @ w - self.rows.b, self.upper.A @ w - self.upper.b, -lam[: self.p]])

    def jacobian(self, u: np.ndarray) -> csr_array:
        """Of all rows, (m + k + v + p, N + k)."""
        curvature = csr_array(self.problem.lower_hessian(u[: self.total]))[self.n :]
        return csr_array(vstack([hstack([curvature, self.Ay.T]), self._fixed], format="csr"))

    def gradient(self, u: np.ndarray) -> np.ndarray:
        """Of F."""
        return np.concatenate([self.problem.upper_gradient(u[: self.total]), np.zeros(self.k)])

    def curvature(self, u: np.ndarray, weights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """v -> Hessian of F + weights' grad_y f times v; third derivatives of f by a central difference."""
        w, padding = u[: self.total], np.zeros(self.k)
        along = np.concatenate([np.zeros(self.n), weights])
        length = float(np.linalg.norm(along))
        reach = 1e-4 * (1 + float(np.abs(w).max())) / max(length, 1e-300)

        def product(v: np.ndarray) -> np.ndarray:
            out = self.problem.upper_hvp(w, v[: self.total])
            if not self.quadratic and length > 0:
                ahead = self.problem.lower_hvp(w + reach * along, v[: self.total])
                out = out + (ahead - self.problem.lower_hvp(w - reach * along, v[: self.total])) / (2 * reach)
            return np.concatenate([out, padding])

        return product

    def held(self, u: np.ndarray) -> np.ndarray:
        """The rows at zero near u, bool: every equality, of each pair at least one, both where neither is clear."""
        values, lam = self.values(u), u[self.total : self.total + self.p]
        held = ~self.free
        held[self.free] = values[self.free] > -IDENTIFY
        held[self.pairs] |= lam > IDENTIFY
        held[self.signs] &= lam <= IDENTIFY
        return held


class NullSpace:
    """Projection onto { v : J v = b } by one sparse LU, J of any rank.

    `solverkit.operators.polyhedra` does the same with an ordering for small symmetric systems; COLAMD is
    forty times faster here, where J has dense rows and columns beside 10,000 sparse ones.
    """

    def __init__(self, J: csr_array) -> None:
        norms = np.sqrt(np.asarray(J.multiply(J).sum(axis=1)).ravel())
        self.scale = 1 / np.where(norms > 0, norms, 1.0)
        self.J = csr_array(diags_array(self.scale) @ J)
        self.JT = csr_array(self.J.T)
        rows, size = J.shape
        self.size = size
        system = block_array([[eye_array(size), self.JT], [self.J, -1e-9 * eye_array(rows)]])
        self.lu = splu(csc_array(system), permc_spec="COLAMD")

    def project(self, v: np.ndarray, b: np.ndarray, rounds: int = 3) -> tuple[np.ndarray, np.ndarray]:
        """(v', nu) with v' + J' nu = v and J v' = b; least squares in nu where J is rank deficient."""
        b, nu, point = b * self.scale, np.zeros(len(b)), v.copy()
        for _ in range(rounds):
            both = self.lu.solve(np.concatenate([v - point - self.JT @ nu, b - self.J @ point]))
            point, nu = point + both[: self.size], nu + both[self.size :]
        return point, nu * self.scale


@np.errstate(over="ignore", invalid="ignore")  # a level without a bound runs off to infinity, and is left then
def polish(problem: Bilevel, w: np.ndarray, rest: AffineRows, structure: Structure, iterations: int) -> Polished | None:
    """The stationary point that Newton reaches from w, or the feasible iterate of least F; None where there is none.

    `rest` are the rows of C that the lower problem does not own. Raises nothing: breakdowns give None.
    """
    if problem.lower_set.affine(problem.m) is None:
        return None
    rows, _ = lower_rows(problem, structure, with_set=True, normalize=True)
    branch = Branch(problem, rows, rest)
    y, lam = lower_solution(problem, w, structure)
    u = np.concatenate([w[: problem.n], y, lam])
    try:
        return _walk(branch, u, iterations, structure)
    except (np.linalg.LinAlgError, RuntimeError):  # a singular factorization
        return None


def lower_solution(
    problem: Bilevel, w: np.ndarray, structure: Structure, rounds: int = 40
) -> tuple[np.ndarray, np.ndarray]:
    """(y, lam): the proximal method of multipliers for the lower problem at x, started at y: among several lower
    solutions it finds one near y."""
    model = ProximalLagrangian(
        problem, structure, gamma1=1e3, gamma2=1e4, inner="exact", normalize=True, bound=None,
        tolerance=1e-13, iterations=20_000, eta=None,
    )  # fmt: skip
    w, z, d = w.copy(), np.zeros(model.k), np.zeros(model.m)
    for _ in range(rounds):
        found = model.saddle(problem, w, problem.lower(w), problem.lower_gradient(w), z, z, d)
        w[model.n :] += found.d
        change = np.abs(found.d).max(initial=0.0) / (1 + np.abs(w).max())
        change += np.abs(found.lam - z).max(initial=0.0) / (1 + np.abs(z).max(initial=0.0))
        z = found.lam
        if change <= 1e-11:
            break
    return w[model.n :].copy(), z


@dataclass
class Assessment:
    """First-order facts of one iterate with its held rows."""

    values: np.ndarray
    jacobian: csr_array
    gradient: np.ndarray
    index: np.ndarray  # held rows
    projector: NullSpace
    multipliers: np.ndarray  # of the held rows
    slope: float  # |projected gradient|
    release: int  # held row of most negative releasable multiplier
    wrong: float  # and how negative
    feasible: bool  # for the bilevel problem
    exact: bool  # and on every held row


def _assess(branch: Branch, u: np.ndarray, held: np.ndarray) -> Assessment:
    values, jacobian, gradient = branch.values(u), branch.jacobian(u), branch.gradient(u)
    index = np.flatnonzero(held)
    projector = NullSpace(csr_array(jacobian[index]))
    direction, multipliers = projector.project(-gradient, np.zeros(len(index)))
    release, wrong = _wrong_sign(branch, held, index, multipliers)
    worst = max(np.abs(values[~branch.free]).max(initial=0.0), values[branch.free].max(initial=0.0))
    pairs = np.minimum(-values[branch.pairs], -values[branch.signs]).max(initial=0.0)
    small = RESIDUAL * (1 + np.abs(u).max())
    feasible = bool(max(worst, pairs) <= small)
    exact = bool(feasible and np.abs(values[held]).max(initial=0.0) <= small)
    slope = float(np.linalg.norm(direction))
    return Assessment(values, jacobian, gradient, index, projector, multipliers, slope, release, wrong, feasible, exact)


def _walk(branch: Branch, u: np.ndarray, iterations: int, structure: Structure) -> Polished | None:
    """The active-set Newton method; keeps the feasible iterate of least F, the restored last one included."""
    held, best, radius, done = branch.held(u), None, 10 * (1 + float(np.abs(u).max())), False
    for step in range(iterations + 1):
        if step == iterations and not branch.quadratic:  # the lower level has been followed to first order only
            y, lam = lower_solution(branch.problem, u[: branch.total], structure)
            u = np.concatenate([u[: branch.n], y, lam])
            held = branch.held(u)
        here = _assess(branch, u, held)
        scale = 1 + float(np.linalg.norm(here.gradient))
        upper = branch.problem.upper(u[: branch.total])
        if here.feasible and (best is None or upper <= best.upper + 1e-10 * (1 + abs(upper))):
            best = Polished(u[: branch.total].copy(), u[branch.total :].copy(), upper, here.slope + here.wrong, step)
        if here.exact and here.slope <= STATIONARY * scale:
            done = here.wrong <= STATIONARY * scale
            if not done:
                held = held.copy()
                held[here.release] = False
                continue
        if done or step == iterations:
            break
        correction, _ = here.projector.project(np.zeros(branch.size), -here.values[here.index])
        product = branch.curvature(u, here.multipliers[: branch.m])
        start = here.gradient if here.exact else here.gradient + product(correction)
        tangent = _conjugate_gradients(product, start, here.projector, len(here.index), radius)
        u, held, taken, searched = _advance(branch, u, held, correction + tangent, here)
        length = float(np.linalg.norm(tangent))
        radius = max(2 * taken * length, 1e-10) if searched else max(radius, 2 * length)
    return best


def _wrong_sign(branch: Branch, held: np.ndarray, index: np.ndarray, multipliers: np.ndarray) -> tuple[int, float]:
    """The releasable held row of most negative multiplier, and by how much it is negative (0: none)."""
    partner = branch.partner[index]
    releasable = branch.free[index] & ((partner < 0) | held[partner])
    negative = np.where(releasable, -multipliers, 0.0)
    if not len(negative) or negative.max() <= 0:
        return -1, 0.0
    worst = int(np.argmax(negative))
    return int(index[worst]), float(negative[worst])


def _conjugate_gradients(product, gradient, projector: NullSpace, rows: int, radius: float) -> np.ndarray:
    """min gradient's + s'W s / 2 over the null space of the held rows, |s| <= radius (Steihaug)."""
    zero = np.zeros(rows)
    s = np.zeros(len(gradient))
    r, _ = projector.project(-gradient, zero)
    p, square = r, float(r @ r)
    target = 1e-20 * (1 + float(gradient @ gradient)) + 1e-16 * square
    for _ in range(min(300, len(gradient))):
        if square <= target:
            break
        bent = product(p)
        curvature, length = float(p @ bent), float(p @ p)
        step = square / curvature if curvature > 1e-14 * length else np.inf
        if np.linalg.norm(s) + step * np.sqrt(length) >= radius:  # to the boundary along p
            along, inside = float(s @ p), float(s @ s)
            root = np.sqrt(along**2 + length * max(radius**2 - inside, 0.0))
            return s + min(step, (root - along) / length) * p
        s = s + step * p
        r, _ = projector.project(r - step * bent, zero, rounds=2)
        fresh = float(r @ r)
        p, square = r + (fresh / square) * p, fresh
    return s


def _advance(
    branch: Branch, u: np.ndarray, held: np.ndarray, d: np.ndarray, here: Assessment
) -> tuple[np.ndarray, np.ndarray, float, bool]:
    """A step along d: to the first row in the way, which is then held, or as far as F + rho |residual| falls. Returns
    the point, the held rows, the fraction of d taken, and whether the fall of the merit decided it."""
    values, moved = here.values, here.jacobian @ d
    candidates = np.flatnonzero(~held & (moved > 1e-14 * (1 + np.abs(values))))
    reach = np.maximum(-values[candidates], 0.0) / moved[candidates]
    size, blocking = 1.0, -1
    if len(candidates) and reach.min() < 1.0:
        blocking = int(candidates[np.argmin(reach)])
        size = float(reach.min())
    weight = 2 * float(np.abs(here.multipliers).max(initial=0.0)) + 1e-3

    def merit(point: np.ndarray) -> float:
        return branch.problem.upper(point[: branch.total]) + weight * float(np.abs(branch.values(point)[held]).sum())

    before, full = merit(u), size
    slack = 1e-12 * (1 + abs(before))
    while size > 1e-8 and merit(u + size * d) > before + slack:
        size *= 0.5
    searched = size < full
    if blocking >= 0 and (not searched or full <= 1e-8):
        held = held.copy()
        held[blocking] = True
        size = full
    return u + size * d, held, size, searched
