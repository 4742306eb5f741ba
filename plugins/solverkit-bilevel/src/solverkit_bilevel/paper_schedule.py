"""The iteration of LV-HBA to the letter (arXiv 2401.16164), one gradient a block.

    c_k  = c0 (k + 1)^p
    t'   = P_Y( t - eta [grad_y f(x, t) + J_y g(x, t)' lam + (t - y) / gamma1] )
    lam' = P_[0,r]( lam - eta [-g(x, t) + (lam - z) / gamma2] )
    d_x  = grad_x F / c_k + grad_x f(x, y) - grad_x f(x, t') - J_x g(x, t')' lam'
    d_y  = grad_y F / c_k + grad_y f(x, y) - (y - t') / gamma1,        d_z = -(lam' - z) / gamma2
    (x, y) <- P_C((x, y) - alpha (d_x, d_y)),                          z <- P_Z(z - beta d_z)

Equalities: lam and z in [-r, r]. Nothing is added, so nothing is cured: with the constants of the authors'
script the saddle operator's rotation outruns its contraction (spectral radius 1.0065 at n = 100) and the
iterates leave. `extragradient` and `exact` replace the second and third line only.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.envelope import ProximalLagrangian
from solverkit_bilevel.joint_set import JointSet
from solverkit_bilevel.options import LVHBAOptions
from solverkit_bilevel.state import State


def run_block(
    problem: Bilevel, model: ProximalLagrangian, joint: JointSet, s: State, options: LVHBAOptions, count: int
) -> None:
    """`count` iterations in place. Residuals and values are those of the last one."""
    n, gamma1, gamma2 = model.n, model.gamma1, model.gamma2
    alpha, beta, eta, power = options.alpha, options.beta, model.eta or 0.01, options.power
    w, z, t, lam, warm = s.w, s.z, s.w[n:] + s.d, s.lam, s.warm
    A_transposed, c, full = model.AT, s.c, w.copy()  # full is (x, t)
    descend = _saddle_step(problem, model, eta)
    for k in range(s.iterations, s.iterations + count):
        c = s.c0 * (k + 1) ** power
        full[:n], full[n:] = w[:n], t
        lower = problem.lower_gradient(w)
        upper = problem.upper_gradient(w)
        t_old, lam_old, z_old, w_old = t, lam, z, w
        t, lam = descend(w, full, z, lam, lower)
        full[n:] = t
        slope = lower - A_transposed @ lam
        slope[:n] -= problem.lower_gradient(full)[:n]
        slope[n:] = lower[n:] - (w[n:] - t) / gamma1
        w, warm = joint.project(w - alpha * (upper / c + slope), warm)
        z = model.clip(z + (beta / gamma2) * (lam - z))
    s.w, s.z, s.d, s.lam, s.warm, s.c = w, z, t - w[n:], lam, warm, c
    s.iterations += count
    s.upper_slope, s.upper, s.lower = upper, problem.upper(w), problem.lower(w)
    s.gap = _gap(problem, model, s, t)
    saddle = np.hypot(np.linalg.norm(t - t_old), np.linalg.norm(lam - lam_old)) / eta
    moved = np.hypot(np.linalg.norm(w - w_old) / alpha, np.linalg.norm(z - z_old) / beta)
    s.step = alpha
    s.residual = float(c * moved + c * abs(s.gap) + saddle)


def _saddle_step(problem: Bilevel, model: ProximalLagrangian, eta: float):
    """(w, (x, t), z, lam, grad f(w)) -> new (t, lam)."""
    n, inverse1, inverse2 = model.n, 1 / model.gamma1, 1 / model.gamma2

    def descent_ascent(w, full, z, lam, lower):
        t = full[n:]
        down = problem.lower_gradient(full)[n:] + model.AyT @ lam + inverse1 * (t - w[n:])
        up = inverse2 * (lam - z) - (model.A @ full - model.rows.b)
        return model.project(problem, t - eta * down), model.clip(lam - eta * up)

    def extragradient(w, full, z, lam, lower):
        return model.extragradient_step(problem, w, full[n:].copy(), lam, z, eta)[:2]

    def exact(w, full, z, lam, lower):
        found = model.saddle(problem, w, problem.lower(w), lower, z, lam, full[n:] - w[n:])
        return w[n:] + found.d, found.lam

    return {"descent-ascent": descent_ascent, "extragradient": extragradient, "exact": exact}[model.inner]


def _gap(problem: Bilevel, model: ProximalLagrangian, s: State, t: np.ndarray) -> float:
    """f - v with the current (t, lam) in place of the saddle point: an estimate, of either sign at first."""
    full = np.concatenate([s.w[: model.n], t])
    away = s.lam - s.z
    v = problem.lower(full) + s.lam @ model.residuals(full)
    v += (s.d @ s.d) / (2 * model.gamma1) - (away @ away) / (2 * model.gamma2)
    return float(s.lower - v)
