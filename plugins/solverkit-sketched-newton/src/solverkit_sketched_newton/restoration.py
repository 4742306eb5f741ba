"""Feasibility restoration: the violation of the constraints is minimized within the bounds.

    min_w 1/2 |c(w)|^2   s.t.   low <= w <= high

by projected Levenberg-Marquardt steps: variables at a bound that the gradient J'c pushes outwards are held, for the
others (J'J + lambda I) d = -J'c, solved as the Newton system [lambda I, J'; J, -I]. lambda follows Nielsen's rule.
Slacks are set to their best values after each step. It ends below a tenth of the violation it began with, or where the
projected gradient vanishes: there the problem is infeasible, as far as can be seen locally.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit_sketched_newton.barrier import norm_inf
from solverkit_sketched_newton.form import Form
from solverkit_sketched_newton.inner.base import InnerSolver, NewtonSystem
from solverkit_sketched_newton.state import Evaluated, Restoration, State, restored, stored

HELD = 1e20  # diagonal of a variable that is held
STATIONARY = 1e-8  # projected gradient of |c|^2 / 2, beside |J| |c|, at which it vanishes
STUCK = 1e-6  # the same where no step lowers the violation any more: its square is flat to rounding
SUCCESS = 0.1  # the violation must fall below this times that of the entry
MOST_DAMPING = 1e16
SHAKES, SHAKE = 6, (0.01, 0.1, 1.0)  # random points at each relative distance: a maximum may be flat
FALLS = 1 - 1e-6  # and what |c|^2 must come below, relative


def begin(state: State, form: Form) -> None:
    """Enter the restoration at the current iterate."""
    w = np.clip(state.at.w, form.low, form.high)
    state.at = Evaluated(w, state.at.f, state.at.c, state.at.g, state.at.jacobian)
    state.restoration = Restoration(entered=norm_inf(state.at.c), damping=1e-3 * max(norm_inf(state.at.c), 1e-8))
    state.restorations += 1


def vanishes(state: State, form: Form, tolerance: float = STATIONARY) -> bool:
    """Whether the violation is stationary within the bounds."""
    jacobian = restored(state.at.jacobian)
    w, c = state.at.w, state.at.c
    gradient = jacobian.T @ c
    projected = w - np.clip(w - gradient, form.low, form.high)
    steep = abs(jacobian).max() if jacobian.size else 0.0
    return norm_inf(projected) <= tolerance * max(float(steep), 1e-8) * norm_inf(c)


def shaken(problem: Nonlinear, state: State, form: Form, rng: np.random.Generator) -> bool:
    """Move to a point near by that violates less, where one is found at random: a maximum is stationary, too."""
    at = state.at
    for reach in np.repeat(SHAKE, SHAKES):
        step = reach * (1.0 + np.abs(at.w)) * rng.uniform(-1.0, 1.0, form.n)
        found = _evaluate(problem, form, np.clip(at.w + step, form.low, form.high))
        if found is not None and float(found[2] @ found[2]) < FALLS * float(at.c @ at.c):
            w, f, c = found
            g, jacobian = form.slopes(problem, w)
            state.at = Evaluated(w, f, c, g, stored(jacobian))
            return True
    return False


def advance(problem: Nonlinear, state: State, form: Form, inner: InnerSolver) -> bool:
    """One step; False where damping has outgrown every step."""
    at, memory = state.at, state.restoration
    assert memory is not None
    jacobian = restored(at.jacobian)
    gradient = jacobian.T @ at.c
    held = ((at.w <= form.low) & (gradient > 0)) | ((at.w >= form.high) & (gradient < 0))
    zero = np.zeros((form.n, form.n)) if form.dense else csr_array((form.n, form.n))
    diagonal = np.where(held, HELD, memory.damping)
    inner.prepare(NewtonSystem(zero, np.zeros_like, diagonal, jacobian, delta_c=1.0))
    dx = inner.solve(np.zeros(form.n), at.c, 1e-6).dx
    memory.steps += 1
    w = np.clip(at.w + np.where(held, 0.0, dx), form.low, form.high)
    new = _evaluate(problem, form, w) if np.isfinite(dx).all() else None
    before = 0.5 * float(at.c @ at.c)
    after = np.inf if new is None else 0.5 * float(new[2] @ new[2])
    predicted = -float(gradient @ (w - at.w)) - 0.5 * float(np.sum((jacobian @ (w - at.w)) ** 2))
    ratio = (before - after) / predicted if predicted > 0 else -1.0
    if new is None or not ratio > 1e-4:
        memory.damping *= memory.growth
        memory.growth *= 2.0
        return memory.damping <= MOST_DAMPING
    memory.damping *= max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3)
    memory.damping = max(memory.damping, 1e-14)
    memory.growth = 2.0
    w, f, c = new
    g, moved = form.slopes(problem, w)
    state.at = Evaluated(w, f, c, g, stored(moved))
    state.step = 1.0
    return True


def _evaluate(problem: Nonlinear, form: Form, w: np.ndarray) -> tuple[np.ndarray, float, np.ndarray] | None:
    """w with its best slacks, f and c there; None where they are not finite."""
    f, c = form.values(problem, w)
    if not np.isfinite(c).all():
        return None
    if form.slacks:
        w = w.copy()
        part = slice(form.free, form.n)
        rows = form.slack_rows
        best = np.clip(c[rows] + w[part], form.low[part], form.high[part])
        c = c.copy()
        c[rows] += w[part] - best
        w[part] = best
    return w, f, c
