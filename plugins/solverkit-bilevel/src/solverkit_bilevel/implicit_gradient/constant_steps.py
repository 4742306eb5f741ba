"""The published iterations (Ji, Yang, Liang 2021, arXiv 2010.07962, algorithms 1 and 2), with full or sampled oracles.

    y_k+1 = D steps of  y <- y - alpha f_y(x_k, y; zeta)
    z_k+1 : Q products on  f_yy z = F_y(.; xi)  at (x_k, y_k+1; zeta')
    x_k+1 = P(x_k - beta (F_x - f_xy z_k+1))

| solver | oracles | name | z |
|---|---|---|---|
| cg | full | AID-BiO | Q products, started at z_k |
| unroll | full | ITD-BiO | reverse mode through the D steps |
| neumann | samples | stocBiO | Q terms on one batch zeta'; the paper draws a batch of its own for each term |

xi, zeta and zeta' are drawn separately. One batch for all Q products keeps their operator symmetric, so that cg is
possible on it too.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.sets import SimpleSet
from solverkit_bilevel.hypergradient.conjugate_gradients import Adjoint, conjugate_gradients
from solverkit_bilevel.hypergradient.neumann import neumann
from solverkit_bilevel.hypergradient.oracles import Batches, Oracles
from solverkit_bilevel.hypergradient.products import largest_curvature, lower_products
from solverkit_bilevel.hypergradient.unrolled import follow, unrolled
from solverkit_bilevel.implicit_gradient.options import ImplicitGradientOptions
from solverkit_bilevel.implicit_gradient.state import Drift

SMOOTH = 0.95  # of the running mean of |gradient|


def begin(problem: Bilevel, z: np.ndarray, options: ImplicitGradientOptions) -> Drift:
    """At z, with alpha = 1/L where none is given."""
    step = options.lower_step
    if step is None:
        largest, _ = largest_curvature(lower_products(problem, z), np.ones(problem.m))
        step = 1 / largest if largest > 0 else 1.0
    batches = Batches.of(problem, options.batch) if options.oracles == "samples" else Batches()
    return Drift(z.copy(), step, batches, np.zeros(problem.m), np.zeros(problem.n))


def advance(
    problem: Bilevel, drift: Drift, options: ImplicitGradientOptions, region: SimpleSet, oracles: Oracles
) -> None:
    """One step of x, in place."""
    n, shrink = problem.n, 1.0
    if options.oracles == "samples" and options.mode == "production":
        shrink = 1 / np.sqrt(1 + drift.iterations / options.decay)
    before, alpha = drift.z, drift.lower_step * shrink
    z = before.copy()
    if options.oracles == "full":
        z = follow(problem, z, alpha, options.inner_steps)
    else:
        for _ in range(options.inner_steps):
            z[n:] -= alpha * oracles.lower_gradient(problem, z)[n:]
    slope = oracles.upper_gradient(problem, z)
    found = _adjoint(problem, drift, options, oracles, before, z, slope, alpha)
    drift.gradient, drift.adjoint = slope[:n] - found.cross, found.z
    size = float(np.linalg.norm(slope[n:]))
    drift.left = found.residual / size if size > 0 else 0.0
    norm = float(np.linalg.norm(drift.gradient))
    drift.size = norm if not np.isfinite(drift.size) else SMOOTH * drift.size + (1 - SMOOTH) * norm
    z[:n] = region.project(z[:n] - options.upper_step * shrink * drift.gradient)
    drift.z = z
    drift.iterations += 1


def still(problem: Bilevel, drift: Drift, tol: float) -> bool:
    """Whether the last estimate vanishes with y and z accurate enough for it to mean anything."""
    scale = 1 + float(np.linalg.norm(drift.gradient))
    lower = float(np.linalg.norm(problem.lower_gradient(drift.z)[problem.n :]))
    return bool(drift.size <= tol * scale and lower <= tol and drift.left <= 1e-3)


def _adjoint(
    problem: Bilevel,
    drift: Drift,
    options: ImplicitGradientOptions,
    oracles: Oracles,
    before: np.ndarray,
    z: np.ndarray,
    slope: np.ndarray,
    alpha: float,
) -> Adjoint:
    n = problem.n
    if options.solver == "unroll":
        return unrolled(problem, before, slope, alpha, options.inner_steps, options.memory)
    product = oracles.lower_products(problem, z)
    if options.solver == "neumann":
        return neumann(product, slope[n:], n, drift.lower_step, options.adjoint_products)
    return conjugate_gradients(product, slope[n:], n, drift.adjoint, 1e-12, options.adjoint_products + 1)
