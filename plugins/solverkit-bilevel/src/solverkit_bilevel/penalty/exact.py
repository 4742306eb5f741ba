"""F(x, y*(x)) itself: the lower level solved, its adjoint by conjugate gradients on Hessian-vector products.

    y*(x) = argmin_{y in Y} f(x, .),  Y a box or free,    I: coordinates of y* strictly inside
    H_II v = grad_y F_I,              hypergradient = grad_x F - f_xy[:, I] v

It needs f strongly convex in y on I near the answer; conjugate gradients that meet a direction without curvature say so
by `None`. This is the finish of the penalty method, not the method: psi_s asks for gradients alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.penalty.projected import Domain, Walk, minimize

FLAT = 1e-12  # curvature, relative to the greatest seen, that is none
PRODUCTS = 5000  # of one adjoint


@dataclass
class Exact:
    """The lower solution at one x, its adjoint, and the hypergradient."""

    x: np.ndarray
    walk: Walk  # over y, of f(x, .)
    adjoint: np.ndarray  # (m,), 0 outside I
    upper: float
    gradient: np.ndarray  # (n,) hypergradient
    size: float  # |grad F|
    products: int  # Hessian-vector products


def read_exact(
    problem: Bilevel,
    Y: Domain,
    x: np.ndarray,
    walk: Walk,
    adjoint: np.ndarray,
    accuracy: float,
    limit: int,
    noise: float,
) -> Exact | None:
    """Solve below and differentiate. `accuracy` of the lower residual and of the adjoint's, relative to |grad_y F|."""
    n = problem.n

    def evaluate(y: np.ndarray) -> tuple[float, np.ndarray]:
        z = np.concatenate([x, y])
        return problem.lower(z), problem.lower_gradient(z)[n:]

    value, gradient = evaluate(walk.v)
    moved = replace(walk, value=value, gradient=gradient)
    size = float(np.linalg.norm(problem.upper_gradient(np.concatenate([x, walk.v]))))
    moved, _ = minimize(evaluate, Y, moved, accuracy * (1 + size), limit, noise)
    z = np.concatenate([x, moved.v])
    slope = problem.upper_gradient(z)
    inside = (moved.v > Y.lower) & (moved.v < Y.upper)
    solved = _adjoint(problem, z, np.where(inside, slope[n:], 0.0), inside, np.where(inside, adjoint, 0.0), accuracy)
    if solved is None:
        return None
    adjoint, mixed, products = solved
    return Exact(
        x, moved, adjoint, problem.upper(z), slope[:n] - mixed, float(np.linalg.norm(slope)), products
    )  # fmt: skip


def _adjoint(
    problem: Bilevel, z: np.ndarray, right: np.ndarray, inside: np.ndarray, guess: np.ndarray, accuracy: float
) -> tuple[np.ndarray, np.ndarray, int] | None:
    """(v, f_xy v, products) with H_II v = right; None where H has no curvature along a direction.

    The x part of each product is kept along with the y part, so that f_xy v costs no product of its own.
    """
    n, size = problem.n, int(inside.sum())

    def product(d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        both = problem.lower_hvp(z, np.concatenate([np.zeros(n), d]))
        return both[:n], np.where(inside, both[n:], 0.0)

    mixed, image = product(guess) if guess.any() else (np.zeros(n), np.zeros(len(guess)))
    v, r, count = guess.copy(), right - image, int(guess.any())
    target = accuracy * float(np.linalg.norm(right))
    d, square, greatest = r.copy(), float(r @ r), 0.0
    for _ in range(min(10 * size + 10, PRODUCTS)):
        if not np.sqrt(square) > target:
            return v, mixed, count
        across, image = product(d)
        count += 1
        bent, length = float(d @ image), float(d @ d)
        greatest = max(greatest, bent / length)
        if not bent > FLAT * max(greatest, 1e-300) * length:
            return None
        step = square / bent
        v, mixed, r = v + step * d, mixed + step * across, r - step * image
        fresh = float(r @ r)
        d, square = r + (fresh / square) * d, fresh
    return v, mixed, count
