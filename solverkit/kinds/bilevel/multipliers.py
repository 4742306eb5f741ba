"""Multipliers of the lower level at a candidate.

    grad_y f + sum_i lambda_i grad_y g_i + sum_j mu_j grad_y h_j = 0,   lambda >= 0,  lambda_i = 0 where g_i < 0

by nonnegative least squares over the active rows (Y's rows are lower rows here), rows of length one in y. The residual
of the lower KKT system is the larger of what is left (infinity norm) and the largest lambda_i |g_i|, both per scale.

Where active rows depend on each other, multipliers are not unique, and the reformulation of the bilevel problem by the
lower KKT conditions must be stationary at *every* one of them (Dempe and Dutta 2012): for y >= |x| at x = 0 the inner
multipliers allow no move at all, and only the vertices show the descent. So vertices are sampled too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, diags_array

from solverkit.kinds.bilevel.local import Local
from solverkit.operators.least_squares import null_space, signed_least_squares
from solverkit.operators.qp import row_norms

VERTEX_ROWS = 12  # active inequality rows up to which both ends of every multiplier are visited
RANDOM_VERTICES = 6
DEPENDENT = 1e-9  # relative singular value below which active rows count as dependent


@dataclass(frozen=True)
class LowerMultipliers:
    """One set of multipliers over all lower rows, and what it leaves of the KKT system, in units of grad f."""

    value: np.ndarray  # (rows,)
    residual: float
    complementarity: float


def lower_multipliers(local: Local) -> LowerMultipliers:
    """The best multipliers of the active rows."""
    normal, active, norms = _active_gradients(local)
    gradient = local.lower_gradient[local.problem.n :]
    signs = local.lower.inequality[active]
    fit = signed_least_squares(csr_array(normal.T), gradient, csr_array((0, len(active))), signs)
    return _packed(local, active, norms, fit.u)


def _active_gradients(local: Local) -> tuple[csr_array, np.ndarray, np.ndarray]:
    """Gradients in y of the active rows that depend on y, scaled to length one; their indices; their lengths."""
    active = local.active_lower
    jacobian = csr_array(local.lower.jacobian[active][:, local.problem.n :])
    norms = row_norms(jacobian)
    kept = norms > 1e-13 * local.lower.scale[active]
    jacobian, norms, active = csr_array(jacobian[np.flatnonzero(kept)]), norms[kept], active[kept]
    return csr_array(diags_array(1 / norms) @ jacobian), active, norms


def _packed(local: Local, active: np.ndarray, norms: np.ndarray, scaled: np.ndarray) -> LowerMultipliers:
    value = np.zeros(local.lower.rows.count)
    value[active] = scaled / norms
    n = local.problem.n
    left = local.lower_gradient[n:] + (local.lower.jacobian.T @ value)[n:]
    product = np.where(local.lower.inequality, np.abs(value * local.lower.value), 0.0)
    return LowerMultipliers(value, float(np.abs(left).max(initial=0.0)), float(product.max(initial=0.0)))


def unique_multipliers(local: Local) -> bool:
    """The active rows' gradients in y are linearly independent."""
    normal, active, _ = _active_gradients(local)
    if len(active) > normal.shape[1]:
        return False
    if len(active) <= 1:
        return True
    if max(normal.shape) <= 600:
        values = np.linalg.svd(normal.toarray(), compute_uv=False)
        return bool(values[-1] > DEPENDENT * values[0])
    # a random vector's distance to the range of `normal`: its part in the null space of the transpose
    vector = np.random.default_rng(0).normal(size=len(active))
    fit = signed_least_squares(normal, -vector, csr_array((0, normal.shape[1])), np.zeros(normal.shape[1], bool))
    return bool(np.linalg.norm(fit.residual) <= 1e-6 * np.linalg.norm(vector))


def vertices(local: Local, first: LowerMultipliers, seed: int) -> list[LowerMultipliers]:
    """`first`, and vertices of the multiplier polyhedron where it is not a point: distinct supports, each once."""
    if unique_multipliers(local):
        return [first]
    normal, active, norms = _active_gradients(local)
    signs = local.lower.inequality[active]
    start = first.value[active] * norms
    size = max(float(np.abs(start).max(initial=0.0)), local.lower_scale)
    rng = np.random.default_rng(seed)
    costs = [rng.normal(size=len(active)) * signs for _ in range(RANDOM_VERTICES)]
    if signs.sum() <= VERTEX_ROWS:
        for i in np.flatnonzero(signs):
            costs += [np.eye(len(active))[i], -np.eye(len(active))[i]]
    bounds = [(0.0, 1e4 * size) if sign else (None, None) for sign in signs]
    equations, target = _independent(normal, start)
    found = {_support(start, signs, size): first}
    for cost in costs:
        answer = linprog(cost, A_eq=equations, b_eq=target, bounds=bounds, method="highs-ds")
        if answer.x is None or answer.x[signs].max(initial=0.0) > 9e3 * size:  # a ray, not a vertex
            continue
        found.setdefault(_support(answer.x, signs, size), _packed(local, active, norms, answer.x))
    return list(found.values())


def _independent(normal: csr_array, start: np.ndarray):
    """normal' u = normal' start, without redundancy where small, so that no rounding makes it infeasible."""
    if max(normal.shape) > 600:
        return normal.T, normal.T @ start
    basis = null_space(null_space(normal.toarray().T, DEPENDENT).T)
    return basis.T, basis.T @ start


def _support(value: np.ndarray, signs: np.ndarray, size: float) -> tuple[int, ...]:
    return tuple(np.flatnonzero(signs & (value > 1e-7 * size)))
