"""The paper's iterations to the letter (arXiv 2309.01753, algorithms 1 and 2), with the schedules of F2SA.

    double loop: T times   y <- P_Y(y - gamma_k ( grad_y (s_k F + f)(x, y; xi) [ + (y - y_k) / rho ] ))
                           z <- P_Y(z - gamma_k ( grad_y f(x, z; xi')          [ + (z - z_k) / rho ] ))
                 then      x <- P_X(x - alpha_k [ grad_x F(x, y; zeta)
                                                  + (grad_x f(x, y; xi'') - grad_x f(x, z; xi'')) / s_k ])

    single loop: T = 1, each bracket replaced by a momentum
                           d_{k+1} = g_{k+1}(xi) + (1 - eta_{k+1}) (d_k - g_k(xi)),   g_k at the iterates and s of k

    s_k = s0 (k+1)^-s_power,   alpha_k, gamma_k = alpha, gamma times (k+1)^-step_power,   eta_k = (k+1)^-momentum_power

The samples xi'' of the difference are the same for y and z: its noise is divided by s. The momentum of x takes
grad_x F + difference / s as one gradient. Without samples the gradients are full.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.penalty.options import PenaltyOptions
from solverkit_bilevel.penalty.projected import Domain
from solverkit_bilevel.penalty.state import Schedule, State


@dataclass
class Gradients:
    """Gradients of F and f at z = (x, y), from samples where there are any."""

    problem: Bilevel
    batch: int
    rng: np.random.Generator

    def draw(self) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Samples of F and of f; None for the full objective."""
        counts = self.problem.upper_samples, self.problem.lower_samples
        drawn = [self.rng.integers(0, count, min(self.batch, count)) if count else None for count in counts]
        return drawn[0], drawn[1]

    def upper(self, x: np.ndarray, y: np.ndarray, samples: np.ndarray | None) -> np.ndarray:
        """grad F, (n + m,)."""
        z = np.concatenate([x, y])
        return self.problem.upper_gradient(z) if samples is None else self.problem.upper_batch_gradient(z, samples)

    def lower(self, x: np.ndarray, y: np.ndarray, samples: np.ndarray | None) -> np.ndarray:
        """grad f, (n + m,)."""
        z = np.concatenate([x, y])
        return self.problem.lower_gradient(z) if samples is None else self.problem.lower_batch_gradient(z, samples)


def run_block(
    problem: Bilevel, X: Domain, Y: Domain, state: State, options: PenaltyOptions, rng: np.random.Generator, count: int
) -> None:
    """`count` iterations in place."""
    assert state.schedule is not None
    gradients, now = Gradients(problem, options.batch, rng), state.schedule
    iterate = _double if options.loop == "double" else _single
    for _ in range(count):  # steps that are too long end as NaN, which the driver reports
        k = now.k
        fall = (k + 1.0) ** -options.step_power
        state.s = state.s_first * (k + 1.0) ** -options.s_power
        before = state.x.v
        with np.errstate(over="ignore", invalid="ignore"):
            direction = iterate(gradients, X, Y, state, options, fall)
        now.k = k + 1
        state.residual = float(np.linalg.norm(state.x.v - before)) / (options.alpha * fall)
        state.x.gradient = direction
    state.iterations += count
    z = np.concatenate([state.x.v, now.z])
    state.upper, state.size = problem.upper(z), float(np.linalg.norm(problem.upper_gradient(z)))


def _double(
    gradients: Gradients, X: Domain, Y: Domain, state: State, options: PenaltyOptions, fall: float
) -> np.ndarray:
    now, x, n, s = state.schedule, state.x.v, state.n, state.s
    assert now is not None
    y, z, gamma = now.y, now.z, options.gamma * fall
    pull = 0.0 if options.rho is None else 1 / options.rho
    for _ in range(options.inner):
        upper, lower = gradients.draw()
        slope = s * gradients.upper(x, y, upper)[n:] + gradients.lower(x, y, lower)[n:] + pull * (y - now.y)
        _, other = gradients.draw()
        below = gradients.lower(x, z, other)[n:] + pull * (z - now.z)
        y, z = Y.project(y - gamma * slope), Y.project(z - gamma * below)
    now.y, now.z = y, z
    upper, shared = gradients.draw()
    difference = gradients.lower(x, y, shared)[:n] - gradients.lower(x, z, shared)[:n]
    direction = gradients.upper(x, y, upper)[:n] + difference / s
    state.x.v = X.project(x - options.alpha * fall * direction)
    return direction


def _single(
    gradients: Gradients, X: Domain, Y: Domain, state: State, options: PenaltyOptions, fall: float
) -> np.ndarray:
    now, x = state.schedule, state.x.v
    assert now is not None
    upper, lower = gradients.draw()
    fresh = _brackets(gradients, state.n, x, now.y, now.z, state.s, upper, lower)
    if now.before:
        eta = (now.k + 1.0) ** -options.momentum_power
        x_before, y_before, z_before = now.before
        old = _brackets(gradients, state.n, x_before, y_before, z_before, now.s_before, upper, lower)
        kept = (now.for_x, now.for_y, now.for_z)
        fresh = tuple(g + (1 - eta) * (d - o) for g, d, o in zip(fresh, kept, old, strict=True))
    now.for_x, now.for_y, now.for_z = fresh
    now.before, now.s_before = [x, now.y, now.z], state.s
    gamma = options.gamma * fall
    now.y, now.z = Y.project(now.y - gamma * now.for_y), Y.project(now.z - gamma * now.for_z)
    state.x.v = X.project(x - options.alpha * fall * now.for_x)
    return now.for_x


def _brackets(
    gradients: Gradients,
    n: int,
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    s: float,
    upper: np.ndarray | None,
    lower: np.ndarray | None,
) -> tuple[np.ndarray, ...]:
    """The gradients for x, y and z, from one draw."""
    dF, at_y, at_z = gradients.upper(x, y, upper), gradients.lower(x, y, lower), gradients.lower(x, z, lower)
    return dF[:n] + (at_y[:n] - at_z[:n]) / s, s * dF[n:] + at_y[n:], at_z[n:]


def begin(x: np.ndarray, y: np.ndarray) -> Schedule:
    """Both minimizers at the start."""
    return Schedule(y.copy(), y.copy())
