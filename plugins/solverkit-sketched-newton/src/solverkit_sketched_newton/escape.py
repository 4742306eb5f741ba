"""Leaving a saddle point: KKT points where the Lagrangian bends down along a feasible direction are no minimizers.

Where the last Newton matrix needed a shift although the KKT error has vanished, inverse iteration with the shifted
matrix, its shift made as small as it may be, finds the direction v of least curvature in the null space of J,

    v <- the dw of  [ W + S + delta_w I, J'; J, -delta_c I ] (dw, dy) = (v, 0),

and w moves along +-v as long as phi_mu + y'c + eta1/2 |c|^2 falls by a part of what the curvature promises.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit_sketched_newton.barrier import Distances, longest, norm_inf
from solverkit_sketched_newton.inner.base import NewtonSystem
from solverkit_sketched_newton.merit import lower_part
from solverkit_sketched_newton.newton import TAU, Newton
from solverkit_sketched_newton.state import Evaluated, State, stored

MOST = 3  # escapes in one run
ITERATIONS = 10
BISECTIONS = 8
BENT = 1e-7  # least negative curvature, beside the size of the Hessian
PROMISE = 0.1
HALVINGS = 20


def escape(
    problem: Nonlinear, state: State, newton: Newton, jacobian: Any, rng: np.random.Generator
) -> tuple[Evaluated, Any] | None:
    """A better point near a saddle; None where the current one is no saddle."""
    form, at = newton.form, state.at
    local = newton.look(state, jacobian)
    system = newton.system(problem, state, local, jacobian)
    solved = newton.regularizer.solve(system, local.lagrangian, at.c, 1e-6, state.delta_w)
    if solved is None:
        return None
    _tighten(newton, solved.system)
    v, none = rng.standard_normal(form.n), np.zeros(form.m)
    for _ in range(ITERATIONS):
        dx = newton.regularizer.inner.solve(-v, none, 1e-6).dx
        length = math.sqrt(float(dx @ dx))
        if not (math.isfinite(length) and length > 0):
            return None
        v = dx / length
    curvature = float(v @ (system.product(v) + system.barrier * v))
    if curvature >= -BENT * newton.stiffness(system):
        return None
    if float(local.lagrangian @ v) > 0:
        v = -v
    return _move(problem, state, newton, v, curvature)


def _tighten(newton: Newton, shifted: NewtonSystem) -> None:
    """Prepare the smallest shift of the right inertia, roughly: inverse iteration is the faster the nearer it is."""
    inner, fails, holds = newton.regularizer.inner, 0.0, shifted.delta_w
    for _ in range(BISECTIONS):
        if holds <= 2.0 * fails or holds == 0.0:
            break
        middle = math.sqrt(fails * holds) if fails > 0 else 0.1 * holds
        if inner.prepare(replace(shifted, delta_w=middle)).correct:
            holds = middle
        else:
            fails = middle
    inner.prepare(replace(shifted, delta_w=holds))


def _move(
    problem: Nonlinear, state: State, newton: Newton, v: np.ndarray, curvature: float
) -> tuple[Evaluated, Any] | None:
    form, at = newton.form, state.at
    start = _part(newton, state, at.w, at.f, at.c)
    for sign in (1.0, -1.0):
        size = max(1.0, norm_inf(at.w))
        if form.bounded:
            distances = Distances.of(form, at.w)
            reach = size * sign * v
            size *= min(
                longest(distances.below, reach[form.below], TAU), longest(distances.above, -reach[form.above], TAU)
            )
        for _ in range(HALVINGS):
            w = at.w + size * sign * v
            f, c = form.values(problem, w)
            form.reset_slacks(w, c)
            if _part(newton, state, w, f, c) <= start + PROMISE * 0.5 * curvature * size**2:
                g, matrix = form.slopes(problem, w)
                if np.isfinite(g).all():
                    return Evaluated(w, f, c, g, stored(matrix)), matrix
            size *= 0.5
    return None


def _part(newton: Newton, state: State, w: np.ndarray, f: float, c: np.ndarray) -> float:
    """The merit function without its gradients."""
    phi = f + (Distances.of(newton.form, w).value(state.mu) if newton.form.bounded else 0.0)
    value = lower_part(phi, state.y, c, max(state.eta1, 1.0))
    return value if math.isfinite(value) else math.inf
