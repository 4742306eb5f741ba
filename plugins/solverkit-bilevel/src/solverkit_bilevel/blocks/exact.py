"""All lower problems solved at one x, and the hypergradient from their own Hessians.

    y_i <- y_i - t H_i^-1 grad_y g_i     for all i at once, t halved until the mean of the g_i falls
    v_i  = H_i^-1 grad_y f_i,            hypergradient = grad_x F - f_xy v

The block Hessians take k Hessian-vector products, whatever m is, since a product serves all blocks. Blocks of many
variables are solved by L-BFGS and conjugate gradients over all of them (`penalty.exact`).
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.blocks.layout import Layout
from solverkit_bilevel.blocks.sampled import REGULAR, regular
from solverkit_bilevel.penalty.exact import Exact, read_exact
from solverkit_bilevel.penalty.projected import Domain, Walk

LARGE = 32  # variables a block from which conjugate gradients are cheaper than products for a matrix
ROUNDS = 50  # Newton steps
INNER = 2000  # L-BFGS steps


def read(
    problem: Bilevel,
    layout: Layout,
    Y: Domain,
    x: np.ndarray,
    walk: Walk,
    adjoint: np.ndarray,
    accuracy: float,
    noise: float,
) -> Exact | None:
    """The lower solutions at x from `walk`, and the hypergradient; None where a lower problem has no curvature."""
    if layout.width > LARGE:
        return read_exact(problem, Y, x, walk, adjoint, accuracy, INNER, noise)
    n, rows = layout.n, layout.rows(np.arange(layout.count))
    z = np.concatenate([x, walk.v])
    scale = 1 + float(np.linalg.norm(problem.upper_gradient(z)))
    bent = _solve(problem, layout, z, rows, accuracy * scale, noise)
    if bent is None:
        return read_exact(problem, Y, x, walk, adjoint, accuracy, INNER, noise)
    slope = problem.upper_gradient(z)
    v = np.zeros(len(z))
    v[rows] = np.linalg.solve(bent, layout.count * slope[rows][:, :, None])[:, :, 0]
    mixed = problem.lower_hvp(z, v)[:n]
    settled = Walk(z[n:], np.nan, np.zeros(len(z) - n))
    return Exact(x, settled, v[n:], problem.upper(z), slope[:n] - mixed, float(np.linalg.norm(slope)), layout.width + 1)


def _solve(
    problem: Bilevel, layout: Layout, z: np.ndarray, rows: np.ndarray, target: float, noise: float
) -> np.ndarray | None:
    """Newton on every block, in place; the block Hessians at the end, None where it does not settle."""
    n, m = layout.n, layout.count
    value, gradient = problem.lower(z), problem.lower_gradient(z)
    for _ in range(ROUNDS):
        bent = _hessians(problem, layout, z, rows)
        if not np.isfinite(bent).all():
            return None
        if float(np.linalg.norm(gradient[n:])) <= target:
            values = np.linalg.eigvalsh(bent)
            return bent if np.all(values[:, 0] > REGULAR * np.abs(values[:, -1])) else None
        step = np.zeros(len(z))
        step[rows] = -np.linalg.solve(regular(bent), m * gradient[rows][:, :, None])[:, :, 0]
        size, rate = 1.0, float(gradient @ step)
        slack = noise * (1e-3 + abs(value))
        while True:
            trial = z + size * step
            fresh = problem.lower(trial)
            if fresh <= value + 1e-4 * size * rate + slack:
                break
            size *= 0.5
            if size < 1e-8:
                return None
        z[:] = trial
        before = float(np.linalg.norm(gradient[n:]))
        value, gradient = fresh, problem.lower_gradient(z)
        if float(np.linalg.norm(gradient[n:])) > 0.5 * before and before <= 1e3 * target:  # rounding
            target = before
    return None


def _hessians(problem: Bilevel, layout: Layout, z: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """H_i of all blocks, (count, k, k)."""
    count, k = rows.shape
    found = np.empty((count, k, k))
    for j in range(k):
        unit = np.zeros(len(z))
        unit[rows[:, j]] = 1.0
        found[:, :, j] = count * problem.lower_hvp(z, unit)[rows]
    return 0.5 * (found + found.transpose(0, 2, 1))
