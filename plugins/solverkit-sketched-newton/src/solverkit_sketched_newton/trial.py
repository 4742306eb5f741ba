"""Trial points of a line search: what makes one good enough, and how little has to be evaluated to see that it is not.

f and c come first. The last term of L_eta is never negative, so where the rest is above the limit already, the point is
refused without its derivatives. The first trial of a search is taken as well where its KKT error, that of the barrier
problem, is below `CONTRACTION` times the present one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit_sketched_newton.barrier import Distances, kkt, norm_inf, within
from solverkit_sketched_newton.form import Form
from solverkit_sketched_newton.merit import Slope, lower_part, upper_part
from solverkit_sketched_newton.state import Evaluated, State

CONTRACTION = 0.9  # a first trial whose KKT error is below this times the present one is taken
ROUNDING = 10 * float(np.finfo(float).eps)


@dataclass(eq=False)
class Local:
    """What one step knows of the current iterate."""

    distances: Distances | None
    lagrangian: np.ndarray  # g_L of the barrier problem
    weight: np.ndarray | None
    sign: np.ndarray | None
    phi: float


@dataclass(eq=False)
class Step:
    """A direction with what the line search asks of it."""

    dx: np.ndarray
    dy: np.ndarray
    dz_low: np.ndarray
    dz_high: np.ndarray
    slope: Slope


class Trial:
    """Judges trial points of one line search."""

    def __init__(
        self,
        form: Form,
        armijo: float,
        problem: Nonlinear,
        state: State,
        local: Local,
        step: Step,
        alpha_z: float,
    ) -> None:
        self.form, self.armijo, self.problem = form, armijo, problem
        self.state, self.local, self.step = state, local, step
        self.alpha_z = alpha_z
        self.slope = step.slope.at(state.eta1, state.eta2)
        c, y = state.at.c, state.y
        self.start = lower_part(local.phi, y, c, state.eta1)
        self.start += upper_part(local.lagrangian, local.weight, state.eta2)
        size = abs(local.phi) + float(np.abs(y) @ np.abs(c)) if len(c) else abs(local.phi)
        self.noise = ROUNDING * size
        self.infeasible = False  # the last point judged is further from the constraints than the current one
        self.c = c

    def at(self, w: np.ndarray, y: np.ndarray, alpha: float, by_error: bool) -> tuple[Evaluated, Any] | None:
        """The point, moved to, where it is good enough; oracles are asked for no more than the verdict needs."""
        state, form = self.state, self.form
        f, c = form.values(self.problem, w)
        self.infeasible = False
        if form.slacks:
            form.reset_slacks(w, c)
        if not (math.isfinite(f) and np.isfinite(c).all()):
            return None
        self.c = c
        distances = Distances.of(form, w) if form.bounded else None
        phi = f if distances is None else f + distances.value(state.mu)
        if not math.isfinite(phi):
            return None
        limit = self.start + self.armijo * alpha * self.slope + self.noise
        part = lower_part(phi, y, c, state.eta1)
        goal = CONTRACTION * state.barrier_error
        by_error = by_error and norm_inf(c) <= goal
        self.infeasible = form.m > 0 and float(c @ c) > float(state.at.c @ state.at.c)
        if part > limit and not by_error:
            return None
        g, jacobian = form.slopes(self.problem, w)
        gradient = g + jacobian.T @ y if form.m else g
        if not np.isfinite(gradient).all():
            return None
        z_low, z_high, weight, lagrangian = state.z_low, state.z_high, None, gradient
        if distances is not None:
            z_low = within(z_low + self.alpha_z * self.step.dz_low, distances.below, state.mu)
            z_high = within(z_high + self.alpha_z * self.step.dz_high, distances.above, state.mu)
            weight, _ = distances.weights(form)
            lagrangian = gradient + distances.gradient(form, state.mu)
        good = part + upper_part(lagrangian, weight, state.eta2) <= limit
        if not good and by_error:
            good = kkt(gradient, c, y, z_low, z_high, form, distances, state.mu).error <= goal
        if not good:
            return None
        state.y, state.z_low, state.z_high = y, z_low, z_high
        return Evaluated(w, f, c, g, state.at.jacobian), jacobian
