"""One step of x, and the periodic steps of y (arXiv 2401.09587, algorithm 1).

    y_t+1 = average of N steps  y <- Proj_{B(y_t, R)}(y - gamma f_y(x_t, y; zeta))    where t > 0 and I divides t, else
    y_t z_t+1 = z_t - nu (f_yy z_t - F_y)                       at (x_t, y_t; zeta', xi)
    m_t+1 = beta m_t + (1 - beta) (F_x - f_xy z_t)          the same product, the same xi
    x_t+1 = P_X(x_t - eta m_t+1 / |m_t+1|)

Production: eta_t = eta / (1 + t/T0)^(1/2), and m/max(|m|, clip) in the place of m/|m|; one product more at each update
of y follows L, and gamma and nu stay below 2/L. The paper has X = R^n.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.sets import SimpleSet
from solverkit_bilevel.bo_rep.options import BORepOptions
from solverkit_bilevel.bo_rep.refinement import descend
from solverkit_bilevel.bo_rep.state import Loop
from solverkit_bilevel.hypergradient.oracles import Oracles

SMOOTH = 0.95  # of the running mean of |m|
FORGET = 0.98  # of what recent maxima remember
REACH = 4.0  # R in drifts of y
STABLE = 1.95  # gamma L, nu L that are let through: power iteration sees L from below
FALL = 0.9  # of L, at most, from one update of y to the next
GUARD = 1e-10  # of |m|, as in the authors' scripts
BLOWN = 100.0  # |f_yy z - F_y| over recent |F_y|, above which z diverges; a stable z stays below 2
STEPS = 10  # N
WINDOWS = 2


def advance(
    problem: Bilevel, loop: Loop, options: BORepOptions, region: SimpleSet, oracles: Oracles, average: bool
) -> None:
    """One t, in place."""
    n, paper, at = problem.n, options.mode == "paper", loop.point.copy()
    shrink = 1.0 if paper else 1 / np.sqrt(1 + loop.t / options.decay)
    noisy = 1.0 if paper or loop.batches.lower is None else shrink
    if loop.t and loop.t % options.interval == 0:
        if not paper:
            _watch(problem, loop, options, oracles)
        _update_lower(problem, loop, options, oracles, loop.gamma * noisy, average)
    slope = oracles.upper_gradient(problem, at)
    bent, across = oracles.lower_products(problem, at)(loop.z)
    system = bent - slope[n:]
    loop.z = loop.z - loop.nu * noisy * system
    before = loop.m
    loop.m = options.beta * loop.m + (1 - options.beta) * (slope[:n] - across)
    _measure(loop, options, slope[n:], system, before)
    length = _length(loop, options, loop.eta * shrink)
    x = region.project(at[:n] - length * loop.m)
    loop.moved = float(np.linalg.norm(x - at[:n]))
    loop.point[:n] = x
    loop.t += 1


def stable(asked: float | None, largest: float) -> float:
    """A step of y or z that contracts: the one asked for, or 1/L where there is none or it is not below 2/L."""
    if asked is not None and not asked * largest >= STABLE:  # an L that is not finite is for the driver to see
        return asked
    return 1 / largest if largest > 0 else 1.0


def diverges(loop: Loop) -> bool:
    """Whether z runs away from f_yy z = F_y: nu is 2/L or more where x is now."""
    return bool(loop.left > BLOWN * loop.rhs > 0)


def _watch(problem: Bilevel, loop: Loop, options: BORepOptions, oracles: Oracles) -> None:
    """One step of power iteration: L moves with x, and gamma and nu with L."""
    bent, _ = oracles.lower_products(problem, loop.point)(loop.along)
    largest = float(np.linalg.norm(bent))
    if largest > 0:
        loop.largest, loop.along = max(FALL * loop.largest, largest), bent / largest
        loop.gamma, loop.nu = stable(options.gamma, loop.largest), stable(options.nu, loop.largest)


def _update_lower(
    problem: Bilevel, loop: Loop, options: BORepOptions, oracles: Oracles, step: float, average: bool
) -> None:
    n = problem.n
    y, mean = descend(problem, loop.point, step, loop.radius, options.lower_steps or STEPS, oracles)
    fresh = mean if average else y
    moved = float(np.linalg.norm(fresh - loop.point[n:]))
    loop.point[n:] = fresh
    loop.drift = max(0.9 * loop.drift, moved)
    if options.radius is None and loop.drift > 0:
        loop.radius = REACH * loop.drift


def _measure(loop: Loop, options: BORepOptions, rhs: np.ndarray, system: np.ndarray, before: np.ndarray) -> None:
    """What the next steps and the handover are chosen by."""
    size = float(np.linalg.norm(loop.m))
    loop.size = SMOOTH * loop.size + (1 - SMOOTH) * size if np.isfinite(loop.size) else size
    loop.rhs = max(FORGET * loop.rhs, float(np.linalg.norm(rhs)))
    loop.left = float(np.linalg.norm(system))
    if loop.moved > 0:
        loop.bend = max(FORGET * loop.bend, float(np.linalg.norm(loop.m - before)) / loop.moved)
    loop.filling += size
    if (loop.t + 1) % options.patience == 0:
        loop.windows = [*loop.windows, loop.filling / options.patience][-WINDOWS:]
        loop.filling = 0.0


def _length(loop: Loop, options: BORepOptions, eta: float) -> float:
    """What m is multiplied by."""
    size = float(np.linalg.norm(loop.m))
    if not options.normalize:
        return eta
    if options.mode == "paper":
        return eta / (GUARD + size)
    clip = options.clip if options.clip is not None else eta * loop.bend
    return eta / max(size, clip, GUARD)
