"""The proximal Lagrangian value function of the lower problem, and its saddle point.

    v(x, y, z) = min_t max_lam  f(x, t) + lam' r(x, t) + |t - y|^2 / (2 gamma1) - |lam - z|^2 / (2 gamma2)
    (V)

r = (g, h) scaled by rows; lam in [0, r_max] for g, [-r_max, r_max] for h. With d = t - y at the saddle point

    grad_x v = grad_x f(x, t) + J_x r' lam,      grad_y v = -d / gamma1,      grad_z v = (lam - z) / gamma2

f - v >= 0 on C, and 0 exactly where y solves the lower problem and z is a multiplier. It is summed from
differences, never as f minus v, and stays accurate far below the rounding of f.

| inner | saddle point by |
|---|---|
| exact | lam maximized out, semismooth Newton in t; rows of Y join r. f quadratic: one solve, kept factor |
| extragradient | u' = P(u - eta T(u)), u+ = P(u - eta T(u')), T = (grad_t, -grad_lam) |
| descent-ascent | u+ = P(u - eta T(u)), eta <= rho_T / L_B^2 |
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, eye_array

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.sets import Free
from solverkit_bilevel.proximal_qp import DENSE_SIZE, NotPositiveDefinite, ProximalQP
from solverkit_bilevel.rows import AffineRows
from solverkit_bilevel.structure import Structure

DENSE_ROWS = 4_000_000


@dataclass
class Saddle:
    """The saddle point of (V) and what follows from it."""

    d: np.ndarray  # (m,) t - y
    lam: np.ndarray  # (k,) multipliers of the scaled rows
    gap: float  # f - v
    slope: np.ndarray  # (n + m,) gradient of f - v in (x, y)


class ProximalLagrangian:
    """(V) for one problem.

    Rows and, where f is quadratic, its Hessian come from `structure`: only F, f and their derivatives are called along
    the run.
    """

    def __init__(
        self,
        problem: Bilevel,
        structure: Structure,
        *,
        gamma1: float,
        gamma2: float,
        inner: str,
        normalize: bool,
        bound: float | None,
        tolerance: float,
        iterations: int,
        eta: float | None,
    ) -> None:
        self.n, self.m = problem.n, problem.m
        self.gamma1, self.gamma2, self.inner = gamma1, gamma2, inner
        self.tolerance, self.iterations, self.eta = tolerance, iterations, eta
        self.rows, self.scale = lower_rows(problem, structure, with_set=inner == "exact", normalize=normalize)
        self.k = self.rows.count
        self.hi = np.full(self.k, np.inf if bound is None else bound)
        self.lo = np.maximum(self.rows.floor, -self.hi)
        total = self.n + self.m
        filled = self.rows.A.nnz > 0.2 * self.k * total and self.k * total <= DENSE_ROWS
        small = filled or self.k * total <= 50_000
        self.A = self.rows.A.toarray() if small else self.rows.A
        self.AT = np.ascontiguousarray(self.A.T) if small else csr_array(self.A.T)
        self.Ay = np.ascontiguousarray(self.A[:, self.n :]) if small else csr_array(self.A[:, self.n :])
        self.AyT = np.ascontiguousarray(self.Ay.T) if small else csr_array(self.Ay.T)
        self.sparse_Ay = csr_array(self.rows.A[:, self.n :])
        self.quadratic = "quadratic-lower" in problem.provides
        self._free = inner == "exact" or isinstance(problem.lower_set, Free)
        if inner == "exact" and self.quadratic:
            self._freeze(structure)

    def residuals(self, w: np.ndarray) -> np.ndarray:
        """r(x, y), (k,): g <= 0, then h = 0."""
        return self.A @ w - self.rows.b

    def clip(self, multiplier: np.ndarray) -> np.ndarray:
        """The nearest multiplier of Z."""
        return np.minimum(np.maximum(multiplier, self.lo), self.hi)

    def saddle(
        self,
        problem: Bilevel,
        w: np.ndarray,
        f: float,
        slope: np.ndarray,
        z: np.ndarray,
        lam: np.ndarray,
        d: np.ndarray,
    ) -> Saddle:
        """The saddle point at (w, z), from the guess (lam, d); f and slope are f(w) and its gradient."""
        if self.inner != "exact":
            return self._first_order(problem, w, f, slope, z, lam, d)
        if not self.quadratic:
            return self._newton(problem, w, f, slope, z, lam)
        r = self.residuals(w)
        d, lam = self._qp.solve(slope[self.n :], r, z, self._inside(lam))
        bent = self._curvature @ d
        rise = float(slope[self.n :] @ d + 0.5 * (d @ bent))
        return self._close(d, lam, r + self.Ay @ d, z, rise, slope, self._cross @ d)

    def _inside(self, lam: np.ndarray) -> np.ndarray:
        return (lam > self.lo) & (lam < self.hi)

    def _freeze(self, structure: Structure) -> None:
        """The constant Hessian of a quadratic f, and the factor of its proximal QP."""
        assert structure.hessian is not None
        hessian = structure.hessian.csr()
        self._curvature = csr_array(hessian[self.n :, self.n :])
        self._cross = csr_array(hessian[: self.n, self.n :])
        self._qp = self._proximal_qp(self._curvature)

    def _proximal_qp(self, curvature: csr_array) -> ProximalQP:
        """The QP of a quadratic model; a curvature that 1/gamma1 does not outweigh is shifted up to it."""
        M = csr_array(curvature + eye_array(self.m) / self.gamma1)
        rows = self.Ay if isinstance(self.Ay, np.ndarray) else None
        try:
            return ProximalQP(M, self.sparse_Ay, self.lo, self.hi, self.gamma2, rows)
        except NotPositiveDefinite:
            least = least_eigenvalue(M)
            shift = max(0.1 / self.gamma1, 1e-8 * abs(least)) - least  # the first is lost beside a huge curvature
            M = csr_array(M + shift * eye_array(self.m))
            return ProximalQP(M, self.sparse_Ay, self.lo, self.hi, self.gamma2, rows)

    def _close(self, d, lam, r, z, rise, slope, cross) -> Saddle:
        """Gap and gradient. r is at t, rise = f(x, t) - f(x, y), cross = grad_x f(x, t) - grad_x f(x, y)."""
        away = lam - z
        gap = -(rise + (d @ d) / (2 * self.gamma1) + lam @ r - (away @ away) / (2 * self.gamma2))
        out = -(self.AT @ lam)
        out[: self.n] -= cross
        out[self.n :] = slope[self.n :] + d / self.gamma1
        return Saddle(d, lam, float(gap), out)

    @np.errstate(over="ignore", invalid="ignore")  # a lower level without a bound runs off to infinity
    def _newton(self, problem, w, f, slope, z, lam) -> Saddle:
        """Newton with line search on the envelope; each model's QP is solved by semismooth Newton."""
        n, active = self.n, self._inside(lam)
        start = self.residuals(w)
        d, t, r, value, gradient = np.zeros(self.m), w.copy(), start, f, slope
        lam, phi = self._envelope(d, start, z, f)
        for _ in range(max(2, self.iterations // 200)):
            pull = gradient[n:] + d / self.gamma1
            residual = pull + self.AyT @ lam
            if np.abs(residual).max(initial=0.0) <= self.tolerance * (1 + np.abs(gradient[n:]).max(initial=0.0)):
                break
            qp = self._proximal_qp(csr_array(problem.lower_hessian(t))[n:, n:])
            step, _ = qp.solve(pull, r, z, active)
            moved, descent, size = self.Ay @ step, float(residual @ step), 1.0
            while True:
                t[n:] = w[n:] + d + size * step
                value = problem.lower(t)
                new, found = self._envelope(d + size * step, r + size * moved, z, value)
                if found <= phi + 1e-4 * size * descent + 1e-14 * (1 + abs(phi)) or size < 1e-10:
                    break
                size *= 0.5
            d, r, lam, phi = d + size * step, r + size * moved, new, found
            gradient, active = problem.lower_gradient(t), self._inside(lam)
            if size * np.abs(step).max(initial=0.0) <= 1e-9 * (1 + np.abs(t[n:]).max(initial=0.0)):
                break
        return self._close(d, lam, r, z, value - f, slope, gradient[:n] - slope[:n])

    def _envelope(self, d: np.ndarray, r: np.ndarray, z: np.ndarray, f: float) -> tuple[np.ndarray, float]:
        """(best lam, value) of (V) at t = y + d, where the rows are r and the lower objective f."""
        lam = np.clip(z + self.gamma2 * r, self.lo, self.hi)
        away = lam - z
        return lam, float(f + (d @ d) / (2 * self.gamma1) + lam @ r - (away @ away) / (2 * self.gamma2))

    # -- first-order saddles

    def operator(self, problem, t, y, z, lam) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(grad_t, -grad_lam) of (V) at (t, lam), and grad f there; t is (x, t) whole."""
        gradient = problem.lower_gradient(t)
        descent = gradient[self.n :] + self.AyT @ lam + (t[self.n :] - y) / self.gamma1
        return descent, (lam - z) / self.gamma2 - self.residuals(t), gradient

    def project(self, problem: Bilevel, t: np.ndarray) -> np.ndarray:
        """P_Y, where Y is not among the rows."""
        return t if self._free else problem.lower_set.project(t)

    def extragradient_step(self, problem, w, t, lam, z, eta, first=None):
        """One extragradient step of t (m,) and lam, from T at (t, lam) where it is known: (t, lam, T moved too far)."""
        n = self.n
        full = np.concatenate([w[:n], t])
        down, up, _ = first or self.operator(problem, full, w[n:], z, lam)
        full[n:] = self.project(problem, t - eta * down)
        middle = np.clip(lam - eta * up, self.lo, self.hi)
        down2, up2, _ = self.operator(problem, full, w[n:], z, middle)
        change = np.hypot(np.linalg.norm(down2 - down), np.linalg.norm(up2 - up))
        length = np.hypot(np.linalg.norm(full[n:] - t), np.linalg.norm(middle - lam))
        new = self.project(problem, t - eta * down2)
        return new, np.clip(lam - eta * up2, self.lo, self.hi), bool(eta * change > 0.9 * length)

    def _first_order(self, problem, w, f, slope, z, lam, d) -> Saddle:
        """First-order steps from the last saddle point until a step is short; eta is halved where T varies faster."""
        n = self.n
        t, lam = self.project(problem, w[n:] + d), np.clip(lam, self.lo, self.hi)
        eta = self.eta or 1.0
        full = np.concatenate([w[:n], t])
        down, up, gradient = self.operator(problem, full, w[n:], z, lam)
        strong = min(1 / self.gamma1, 1 / self.gamma2)
        for _ in range(self.iterations):
            size = 1 + np.abs(gradient[n:]).max(initial=0.0) + np.abs(lam).max(initial=0.0)
            if self.inner == "extragradient":
                new, multiplier, far = self.extragradient_step(problem, w, t, lam, z, eta, (down, up, gradient))
            else:
                new = self.project(problem, t - eta * down)
                multiplier, far = np.clip(lam - eta * up, self.lo, self.hi), False
            full[n:] = new
            values = self.operator(problem, full, w[n:], z, multiplier)
            change = np.hypot(np.linalg.norm(values[0] - down), np.linalg.norm(values[1] - up))
            length = np.hypot(np.linalg.norm(new - t), np.linalg.norm(multiplier - lam))
            if self.inner == "descent-ascent":
                far = bool(eta * change**2 > 1.01 * strong * length**2)
            if far and eta > 1e-12:
                eta *= 0.5
                continue
            t, lam, (down, up, gradient) = new, multiplier, values
            if length <= eta * self.tolerance * size:
                break
        full[n:] = t
        d = t - w[n:]
        rise = problem.lower(full) - f
        return self._close(d, lam, self.residuals(full), z, rise, slope, gradient[:n] - slope[:n])


def lower_rows(
    problem: Bilevel, structure: Structure, *, with_set: bool, normalize: bool
) -> tuple[AffineRows, np.ndarray]:
    """The rows of the lower problem that contain y (those of Y too with `with_set`), scaled; and their factors."""
    rows = structure.lower_rows(problem)
    if with_set:
        box = AffineRows.of_set(problem.lower_set, problem.n, problem.m, problem.n + problem.m)
        assert box is not None
        rows = AffineRows.stack([rows, box])
    norms = rows.norms(slice(problem.n, None))
    rows = rows.take(np.flatnonzero(norms > 0))
    norms = norms[norms > 0]
    weight = 1 / norms if normalize else np.ones(rows.count)
    return rows.scaled(weight), weight


def least_eigenvalue(M: csr_array) -> float:
    """Least eigenvalue of a symmetric M, or Gershgorin's bound on it where M is large."""
    if M.shape[0] <= DENSE_SIZE:
        return float(np.linalg.eigvalsh(M.toarray())[0])
    off = np.asarray(abs(M).sum(axis=1)).ravel() - np.abs(M.diagonal())
    return float((M.diagonal() - off).min())
