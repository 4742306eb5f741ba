"""Dependent gradients: of the many multipliers, those under which the Lagrangian bends upwards.

Where the active gradients are dependent, multipliers are an affine set y + N s, and no single one need show that a
point is a minimum: the necessary condition asks for one for each direction. One that serves all directions is enough:

    max_s  lambda_min( Z' H(y + N s) Z ),      H linear in s,   Z a basis of the tangent space,

a concave function of s, maximized by cutting planes v'H(s)v over the eigenvectors v seen, in a box that grows no sign
wrong: multipliers of inequalities keep theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import linprog

from solverkit.kinds.nonlinear.local import TINY, Local
from solverkit.kinds.nonlinear.multipliers import Measured, measure
from solverkit.operators.least_squares import null_space

if TYPE_CHECKING:
    from solverkit.kinds.nonlinear.curvature import Active

RANK = 1e-8  # active gradients of length one count as dependent below this singular value
CUTS = 40
REACH = 1e3  # largest change of a force, in units of the scale of grad f
PRODUCTS = 50  # dimensions of the multipliers up to which this is tried


def better_multipliers(
    local: Local, found: Measured, active: Active, hessian: Callable[..., np.ndarray]
) -> Measured | None:
    """Multipliers with the best worst curvature; None where there is no choice, or too much of it.

    hessian : (local, y, weight) -> weight Hess f + sum y_i Hess c_i, dense (n, n)"""
    problem, rows, bounds = local.problem, active.rows, active.bounds
    gradients = active.gradients(local)
    norms = np.maximum(np.linalg.norm(gradients, axis=1), TINY)
    N = null_space((gradients / norms[:, None]).T, RANK)
    if not 0 < N.shape[1] <= PRODUCTS:
        return None
    tangent = null_space(gradients / norms[:, None], RANK)
    if tangent.shape[1] == 0:
        return None
    sides = np.concatenate([active.row_side, active.bound_side])
    free = np.concatenate([active.row_free, active.bound_free])

    def placed(force: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        y, z = np.zeros(problem.m), np.zeros(problem.n)
        y[rows], z[bounds] = force[: len(rows)] / norms[: len(rows)], force[len(rows) :]
        return y, z

    force = np.concatenate([found.y[rows] * norms[: len(rows)], found.z[bounds]])
    least = force - N @ (N.T @ force)
    if np.all(free | (sides * least >= 0)):  # from the least ones on: a method may bring huge ones
        force = least
    base = hessian(local, placed(force)[0], 1.0)
    parts = [hessian(local, placed(column)[0], 0.0) for column in N.T]
    reduced = [tangent.T @ part @ tangent for part in (base, *parts)]
    s = _maximize(reduced, N, force, sides, free, REACH * local.scale)
    y, z = placed(force + N @ s)
    return measure(local, y, z, f"{found.origin}, moved where gradients are dependent")


def _maximize(parts: list[np.ndarray], N: np.ndarray, force, sides, free, reach: float) -> np.ndarray:
    """Kelley's method for max t  s.t.  v'(P_0 + sum s_j P_j)v >= t  for all v, signs of the forces kept."""
    k, scale = N.shape[1], max(float(np.abs(parts[0]).max()), TINY)
    signed = np.flatnonzero(~free)
    keep = np.hstack([-sides[signed][:, None] * N[signed], np.zeros((len(signed), 1))])
    room = np.maximum(sides[signed] * force[signed], 0.0)
    cuts: list[np.ndarray] = []
    offsets: list[float] = []
    best, s, best_s = -np.inf, np.zeros(k), np.zeros(k)
    for _ in range(CUTS):
        values, vectors = eigh(parts[0] + sum(c * part for c, part in zip(s, parts[1:], strict=True)))
        if values[0] > best:
            best, best_s = float(values[0]), s
        if best >= 0:
            break
        for v in vectors[:, : min(4, len(values))].T:
            cuts.append(np.array([*(-(v @ part @ v) for part in parts[1:]), 1.0]))
            offsets.append(float(v @ parts[0] @ v))
        solved = linprog(
            np.array([*np.zeros(k), -1.0]),
            np.vstack([keep, *cuts]),
            np.concatenate([room, offsets]),
            bounds=[(-reach, reach)] * k + [(None, scale)],
        )
        if solved.x is None or solved.x[-1] <= best + 1e-10 * scale:
            break
        s = solved.x[:k]
    return best_s
