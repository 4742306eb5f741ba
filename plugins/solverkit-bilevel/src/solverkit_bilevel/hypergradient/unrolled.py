"""The gradient of x -> F(x, y_K(x)) through K gradient steps of the lower level, by reverse mode.

    y_{k+1} = y_k - a f_y(x, y_k),   k = 0, ..., K - 1,     y_0 fixed

    w_K = grad_y F,  p_K = grad_x F;     p_k = p_{k+1} - a f_xy w_{k+1},   w_k = w_{k+1} - a f_yy w_{k+1}   at y_k

p_0 is the exact gradient of the truncated objective F(x, y_K(x)), not of Phi: with y_0 near y* the implicit answer
is multiplied by I - (I - a f_yy)^K. What is left of that, |w_0|, plays the part of the residual of the adjoint system.

One product a step gives both recursions. `store` keeps all K points, `checkpoint` every ceil(sqrt(K))-th one and walks
each stretch again: about 2 sqrt(K) points and one gradient more a step.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.hypergradient.conjugate_gradients import Adjoint
from solverkit_bilevel.hypergradient.products import lower_products

Memory = Literal["store", "checkpoint"]


def follow(problem: Bilevel, z: np.ndarray, a: float, steps: int) -> np.ndarray:
    """(x, y_K) from z = (x, y_0)."""
    z, n = z.copy(), problem.n
    with np.errstate(over="ignore", invalid="ignore"):  # a step that is too long is for the caller to see
        for _ in range(steps):
            z[n:] -= a * problem.lower_gradient(z)[n:]
    return z


def unrolled(problem: Bilevel, z: np.ndarray, slope: np.ndarray, a: float, steps: int, memory: Memory) -> Adjoint:
    """The reverse sweep from z = (x, y_0); `slope` is grad F at (x, y_K), (n + m,).

    In the result grad_x F - `cross` is p_0, `residual` is |w_0| and z is a times the sum of the w_k: f_yy^-1 grad_y F
    as K grows, where the Hessian is constant.
    """
    n = problem.n
    length = steps if memory == "store" else int(np.ceil(np.sqrt(max(steps, 1))))
    marks = []
    for first in range(0, steps, max(length, 1)):
        marks.append((z, min(length, steps - first)))
        if first + length < steps:
            z = follow(problem, z, a, length)
    w, cross, total = slope[n:].copy(), np.zeros(n), np.zeros(problem.m)
    for begin, count in reversed(marks):
        for at in reversed(_points(problem, begin, a, count)):
            bent, across = lower_products(problem, at)(w)
            total += a * w
            cross, w = cross + a * across, w - a * bent
    return Adjoint(total, cross, float(np.linalg.norm(w)), steps)


def _points(problem: Bilevel, begin: np.ndarray, a: float, count: int) -> list[np.ndarray]:
    """(x, y_k) of one stretch."""
    points = [begin]
    for _ in range(count - 1):
        points.append(follow(problem, points[-1], a, 1))
    return points
