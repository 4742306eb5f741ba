"""One production step: a Newton direction for the barrier problem, and a line search on its merit function.

    [ W + S + delta_w I    J'        ] [ dw ]       [ g_L ]          S = z / distance
    [ J                   -delta_c I ] [ dy ]  =  - [  c  ]

    (w, y) <- (w, y) + a (dw, dy),    z <- z + a_z dz,    dz = mu / distance - z - (z / distance) d(distance)

a starts at the fraction-to-the-boundary rule and is halved until L_eta has decreased enough (`merit`). The first trial
is taken, too, where the KKT error of the barrier problem has decreased: near a solution both hold, and far from one
that spares steps which a merit function refuses for its curvature alone. A second-order correction is tried before
halving, and a more regular matrix before steps become short.

| here | paper | meaning |
|---|---|---|
| eta1, eta2, nu | eta_1, eta_2, nu | weights of L_eta and how the descent test moves them |
| armijo | beta | sufficient decrease |
| mu | | barrier parameter (Waechter and Biegler 2006) |

Deviations from the paper: delta_w by inertia instead of |W|_F + xi; eta is set back whenever the KKT error has halved,
so that one bad region does not blow it up for good; and the acceptance by the KKT error.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit_sketched_newton.barrier import Distances, gap, kkt, longest, norm_inf
from solverkit_sketched_newton.form import Form, row_norms
from solverkit_sketched_newton.inner.base import NewtonSystem
from solverkit_sketched_newton.merit import slope_along
from solverkit_sketched_newton.options import SketchedNewtonOptions
from solverkit_sketched_newton.regularize import Regularizer
from solverkit_sketched_newton.state import Evaluated, State
from solverkit_sketched_newton.trial import Local, Step, Trial

TAU = 0.99  # least fraction to the boundary
KAPPA_EPS = 10.0  # the barrier problem is solved when its error is below this times mu
FLOOR = 0.03  # nor one shorter than this, whatever the bounds leave
SHORT = 0.2  # a step shorter than this part of what the bounds leave is given up for one of a more regular matrix
RETRIES = ((0.0, 0.0), (1e-2, 1e-4), (1.0, 1e-2), (100.0, 1.0))  # least delta_w and delta_c of first and further tries
FAR_BELOW = 0.1  # multipliers below this times eta1 do not need it
TINY = 1e-12  # in place of a length of zero
SHORTEST = 1e-10  # shortest step of the line search


class NotFinite(Exception):
    """The Hessian at the current iterate holds NaN or Inf: no step leads on from here."""


class Newton:
    """Steps for one problem in standard form; rebuilt from problem and options after a resume."""

    def __init__(self, problem: Nonlinear, form: Form, options: SketchedNewtonOptions, inner: Any) -> None:
        self.form, self.options = form, options
        self.regularizer = Regularizer(inner)
        self.armijo = options.armijo or 1e-4
        quadratic = {"quadratic-objective", "affine-constraints"} <= problem.provides
        self.one_step = quadratic and not form.bounded
        self.signs = np.random.default_rng(0).choice([-1.0, 1.0], (3, form.n))  # probes of the Hessian's size

        # without rows f is a merit function itself, and |grad f|^2 would hold steps up where it must rise first
        self.first_eta = options.eta1, options.eta2 if form.m else 0.0

    def set_back(self, state: State) -> None:
        """eta as it was at the start."""
        state.eta1, state.eta2 = self.first_eta
        state.least = np.inf

    # -- parts of the iterate

    def measure(self, state: State, jacobian: Any) -> None:
        """`error`, `barrier_error` and the parts that the report shows."""
        form, at = self.form, state.at
        distances = Distances.of(form, at.w) if form.bounded else None
        gradient = at.g + jacobian.T @ state.y if form.m else at.g
        parts = kkt(gradient, at.c, state.y, state.z_low, state.z_high, form, distances, 0.0)
        state.error, state.dual, state.violation = parts.error, parts.dual, parts.primal
        state.barrier_error = state.error
        if distances is not None:
            open_gap = gap(distances, state.z_low, state.z_high, state.mu) / parts.s_c
            state.barrier_error = replace(parts, gap=open_gap).error
        state.uneven = np.inf
        if state.error <= state.tol:
            state.uneven = norm_inf(at.c / np.maximum(row_norms(jacobian), TINY)) if form.m else 0.0
        if not math.isfinite(at.f):
            state.error = math.nan
        state.rough = parts.plain / (state.scaling.f * state.size)

    def lower_barrier(self, state: State, jacobian: Any) -> None:
        """The next mu, as often as the present barrier problem is solved well enough."""
        if not self.form.bounded:
            return
        least = state.tol / 10
        while state.mu > least and state.barrier_error <= KAPPA_EPS * state.mu:
            state.mu = max(least, min(self.options.mu_factor * state.mu, state.mu**self.options.mu_power))
            self.set_back(state)  # another merit function
            self.measure(state, jacobian)

    def look(self, state: State, jacobian: Any) -> Local:
        """The barrier problem at the current iterate."""
        form, at = self.form, state.at
        gradient = at.g + jacobian.T @ state.y if form.m else at.g
        if not form.bounded:
            return Local(None, gradient, None, None, at.f)
        distances = Distances.of(form, at.w)
        weight, sign = distances.weights(form)
        phi = at.f + distances.value(state.mu)
        return Local(distances, gradient + distances.gradient(form, state.mu), weight, sign, phi)

    # -- the step

    def step(self, problem: Nonlinear, state: State, jacobian: Any) -> tuple[Evaluated, Any] | None:
        """Move the state's multipliers and return the accepted point with its Jacobian; None where no step was."""
        self.lower_barrier(state, jacobian)
        local = self.look(state, jacobian)
        system = self.system(problem, state, local, jacobian)
        rtol = self.accuracy(state)
        if state.error < 0.5 * state.least:
            self.set_back(state)
            state.least = state.error
        # f is constant here: of a system of equations, the multipliers are zero and would only bend its steps
        equations = state.size <= TINY and not (self.form.bounded or state.y.any())
        for attempt, (delta_w, delta_c) in enumerate(RETRIES):
            if attempt:
                delta_w = max(delta_w * self.stiffness(system), 10 * state.shift)
                state.eta1, state.eta2 = self.first_eta
            shifted = replace(system, delta_w=delta_w, delta_c=delta_c) if attempt else system
            solved = self.regularizer.solve(shifted, local.lagrangian, state.at.c, rtol, state.delta_w)
            if solved is None:
                return None
            state.shift = solved.system.delta_w
            if not attempt:
                state.delta_w = solved.system.delta_w or state.delta_w
            state.inner_iterations += solved.direction.iterations
            dy = np.zeros(self.form.m) if equations else solved.direction.dy
            step = self.direction(state, local, solved.system, solved.direction.dx, dy)
            weights = step.slope.weights(state.eta1, state.eta2, self.options.nu)
            if weights is not None:
                state.eta1, state.eta2 = weights
                found = self.search(problem, state, local, step, last=not self.form.m or attempt == len(RETRIES) - 1)
                if found is None and not attempt and self.form.m:
                    found = self.relaxed(problem, state, local, step)
                if found is not None:
                    return found
            if weights is None:  # take the multipliers at once: then w alone descends, whatever its curvature
                return self.detached(problem, state, jacobian, local, solved.system, step)
        return None

    def relaxed(self, problem: Nonlinear, state: State, local: Local, step: Step) -> tuple[Evaluated, Any] | None:
        """A search with a penalty as small as the multipliers, where eta1 is far above them and that still descends."""
        eta1 = norm_inf(state.y + step.dy)
        if eta1 > FAR_BELOW * state.eta1 or not step.slope.descends(eta1, state.eta2):
            return None
        state.eta1 = eta1
        return self.search(problem, state, local, step, last=False)

    def stiffness(self, system: NewtonSystem) -> float:
        """The size of the Hessian's entries, 1 where it is zero."""
        size = self.probed(system, np.ones(self.form.n))
        return size if size > 0 else 1.0

    def probed(self, system: NewtonSystem, size: np.ndarray) -> float:
        """max |B d| over three d with |d| = size; over one where each product is an oracle call."""
        if self.form.dense:
            return float(np.abs(system.product((self.signs * size).T)).max(initial=0.0))
        if system.hessian is None:
            return norm_inf(system.product(self.signs[0] * size))
        return float(np.max([norm_inf(system.product(signs * size)) for signs in self.signs]))

    def accuracy(self, state: State) -> float:
        """The relative residual asked of an iterative inner solver: the end's where one exact step solves all."""
        error = max(state.barrier_error, state.tol)
        if self.one_step:
            return min(self.options.forcing, 0.1 * state.tol / error)
        return min(self.options.forcing, math.sqrt(error))

    def system(self, problem: Nonlinear, state: State, local: Local, jacobian: Any) -> NewtonSystem:
        """The Newton matrix at the current iterate, without shifts."""
        form, w, y = self.form, state.at.w, state.y
        hessian = form.hessian(problem, w, y)
        if hessian is None:
            product = lambda v: form.product(problem, w, y, v)  # noqa: E731
        else:
            product = hessian.__matmul__
        if local.distances is None:
            sigma = np.zeros(form.n)
        else:
            d = local.distances
            sigma = d.spread(form, state.z_low / d.below, state.z_high / d.above)
        diagonal = (lambda: form.hessian_diagonal(problem, w, y)) if hessian is None else None
        system = NewtonSystem(hessian, product, sigma, jacobian, diagonal=diagonal)
        change = self.probed(system, 1.0 + np.abs(w)) / state.scaling.f
        if not math.isfinite(change):
            raise NotFinite
        size = norm_inf(state.at.g) / state.scaling.f
        state.size = max(size + min(1.0, change), TINY)
        return system

    def direction(self, state: State, local: Local, system: NewtonSystem, dx: np.ndarray, dy: np.ndarray) -> Step:
        """Steps of the bound multipliers, and the slope of L_eta."""
        form, mu = self.form, state.mu
        moved = system.jacobian @ dx
        turned = system.product(dx)
        if form.m:
            turned = turned + system.jacobian.T @ dy
        dz_low = dz_high = np.zeros(0)
        if local.distances is not None:
            below, above = local.distances.below, local.distances.above
            dz_low = mu / below - state.z_low - state.z_low / below * dx[form.below]
            dz_high = mu / above - state.z_high + state.z_high / above * dx[form.above]
            turned = turned + local.distances.spread(form, mu / below**2, mu / above**2) * dx
        slope = slope_along(dx, dy, local.lagrangian, turned, state.at.c, moved, local.weight, local.sign)
        return Step(dx, dy, dz_low, dz_high, slope)

    def detached(
        self, problem: Nonlinear, state: State, jacobian: Any, local: Local, system: NewtonSystem, step: Step
    ) -> tuple[Evaluated, Any] | None:
        """y <- y + dy in full, then a search along dx alone with eta anew."""
        state.y = state.y + step.dy
        local = self.look(state, jacobian)
        state.eta1, state.eta2 = self.first_eta
        step = self.direction(state, local, system, step.dx, np.zeros_like(step.dy))
        weights = step.slope.weights(state.eta1, state.eta2, self.options.nu)
        if weights is None:
            return None
        state.eta1, state.eta2 = weights
        return self.search(problem, state, local, step)

    # -- the line search

    def search(
        self, problem: Nonlinear, state: State, local: Local, step: Step, last: bool = True
    ) -> tuple[Evaluated, Any] | None:
        """Backtrack; on success y and z are moved and the new point is returned. Only the last try goes on for long."""
        form, at = self.form, state.at
        alpha, alpha_z = 1.0, 1.0
        if local.distances is not None:
            tau = max(TAU, 1.0 - state.mu)
            below, above = local.distances.below, local.distances.above
            alpha = min(longest(below, step.dx[form.below], tau), longest(above, -step.dx[form.above], tau))
            alpha_z = min(longest(state.z_low, step.dz_low, tau), longest(state.z_high, step.dz_high, tau))
        trial = Trial(form, self.armijo, problem, state, local, step, alpha_z)
        first, shortest = True, SHORTEST * alpha if last else max(SHORT * alpha, FLOOR)
        while alpha >= shortest:
            found = trial.at(at.w + alpha * step.dx, state.y + alpha * step.dy, alpha, first)
            if found is None and first and trial.infeasible and not form.linear:
                found = self.corrected(state, step, trial, alpha)
            if found is not None:
                state.step = alpha
                return found
            first = False
            alpha *= 0.5
        state.step = 0.0
        return None

    def corrected(self, state: State, step: Step, trial: Trial, alpha: float) -> tuple[Evaluated, Any] | None:
        """A second-order correction: the same matrix, the violation of the trial point added."""
        local, form = trial.local, self.form
        right = alpha * state.at.c + trial.c
        rtol = 1e-8 if form.has_hessian else self.accuracy(state)  # each digit costs oracle calls there
        found = self.regularizer.inner.solve(local.lagrangian, right, rtol)
        dx = found.dx
        longest_ = 1.0
        if local.distances is not None:
            tau = max(TAU, 1.0 - state.mu)
            below, above = local.distances.below, local.distances.above
            longest_ = min(longest(below, dx[form.below], tau), longest(above, -dx[form.above], tau))
        if not np.isfinite(dx).all():
            return None
        return trial.at(state.at.w + longest_ * dx, state.y + alpha * step.dy, alpha, True)
