"""Initialization refinement: EpochSGD in shrinking balls (Hazan and Kale 2014; arXiv 2401.09587, its first subroutine).

    for s = 0, ..., S - 1:   T_s steps  y <- Proj_{B(yhat, V_s)}(y - a_s f_y(x_0, y; zeta))  from yhat,
                             yhat <- their average,   a_s+1 = a_s / 2,  T_s+1 = 2 T_s,  V_s+1 = V_s / sqrt(2)

Its aim is |y_0 - y*(x_0)| <= min(eps, 1/L_1), inside which relaxed smoothness is worth something.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.bo_rep.options import BORepOptions
from solverkit_bilevel.bo_rep.state import Loop
from solverkit_bilevel.hypergradient.conjugate_gradients import conjugate_gradients
from solverkit_bilevel.hypergradient.oracles import Oracles

PRODUCTS = 20  # of the Newton step that guesses the distance


def first_radius(problem: Bilevel, point: np.ndarray, oracles: Oracles) -> float:
    """Twice the length of a Newton step, by a few products: about 2 |y - y*(x)|."""
    slope = oracles.lower_gradient(problem, point)[problem.n :]
    newton = conjugate_gradients(oracles.lower_products(problem, point), slope, problem.n, None, 1e-2, PRODUCTS)
    length = float(np.linalg.norm(newton.z))
    return 2 * length if length > 0 else 1.0


def refine(problem: Bilevel, loop: Loop, options: BORepOptions, oracles: Oracles, average: bool) -> None:
    """One epoch, in place; the ball of the last one becomes R."""
    s = loop.epoch
    step = (options.epoch_step or loop.gamma) / 2**s
    radius = loop.radius / np.sqrt(2) if s else loop.radius
    y, total = descend(problem, loop.point, step, radius, options.epoch_steps * 2**s, oracles)
    loop.point[problem.n :] = total if average else y
    loop.radius, loop.epoch = float(radius), s + 1


def descend(
    problem: Bilevel, point: np.ndarray, step: float, radius: float, steps: int, oracles: Oracles
) -> tuple[np.ndarray, np.ndarray]:
    """The last y and the average of projected steps in the ball around the y of `point`."""
    n = problem.n
    center, at = point[n:].copy(), point.copy()
    total = np.zeros(problem.m)
    for _ in range(steps):
        offset = at[n:] - step * oracles.lower_gradient(problem, at)[n:] - center
        length = float(np.linalg.norm(offset))
        at[n:] = center + (offset * (radius / length) if length > radius else offset)
        total += at[n:]
    return at[n:].copy(), total / steps
