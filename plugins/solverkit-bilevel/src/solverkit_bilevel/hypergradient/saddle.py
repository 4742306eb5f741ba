"""A way down from where grad Phi vanishes and Phi is not at a minimum: a direction of negative curvature.

    Phi'' v = J'(F'' + (w' f_y)'') J v,   J v = (v, -f_yy^-1 f_yx v),   f_yy w = -F_y,   on coordinates off their bounds

`steps` Lanczos steps with full reorthogonalization, two linear systems each; the third derivatives of f are a central
difference of products. Exact where there are no more free coordinates than steps; elsewhere a curvature that is large
and negative is seen, a slight one may be missed.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh_tridiagonal

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.sets import Box, Free
from solverkit_bilevel.hypergradient.conjugate_gradients import conjugate_gradients
from solverkit_bilevel.hypergradient.descent import Descent, Walk
from solverkit_bilevel.hypergradient.products import lower_products

DIFFERENCE = 1e-4  # of (x, y) in the third derivatives, times 1 + |(x, y)|
INSIDE = 1e-6  # distance from a bound, times 1 + |x|, of a coordinate that is free
SYSTEMS = 1e-6  # accuracy of the two systems: a tenth of NEGATIVE is enough
NEGATIVE = 5e-5  # of the largest curvature: half of what the certificate lets pass
LENGTHS = 20  # trials along the direction, each half of the one before


def escape(problem: Bilevel, descent: Descent, walk: Walk, steps: int) -> bool:
    """Move `walk` down along the most negative curvature; False, and `walk` as it was, where there is none or X is
    neither free nor a box."""
    direction = _downward(problem, descent, walk, steps)
    if direction is None:
        return False
    length = 1 + float(np.abs(walk.z[: problem.n]).max())
    for _ in range(LENGTHS):
        for sign in (1.0, -1.0):
            if descent.jump(problem, walk, sign * length * direction):
                return True
        length *= 0.5
    return False


def _downward(problem: Bilevel, descent: Descent, walk: Walk, steps: int) -> np.ndarray | None:
    """The direction, its largest entry 1 and downhill where the slope says so; None where no curvature is negative."""
    free = _free(descent, walk.z[: problem.n])
    if free is None or not free.any():
        return None

    def bent(v: np.ndarray) -> np.ndarray:
        return np.where(free, _curved(problem, descent, walk, v), 0.0)

    basis = [_first(free)]
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(min(steps, int(free.sum()))):
        r = bent(basis[-1])
        if not np.isfinite(r).all():
            return None
        diagonal.append(float(r @ basis[-1]))
        for _ in range(2):
            for v in basis:
                r = r - float(r @ v) * v
        norm = float(np.linalg.norm(r))
        if norm <= 1e-8 * max(np.abs([*diagonal, *beside])):
            break
        beside.append(norm)
        basis.append(r / norm)
    size = len(diagonal)
    values, vectors = eigh_tridiagonal(np.array(diagonal), np.array(beside[: size - 1]))
    if not values[0] < -NEGATIVE * float(np.abs(values).max()):
        return None
    direction = np.asarray(np.array(basis[:size]).T @ vectors[:, 0])
    direction = direction / np.abs(direction).max()
    return -direction if float(direction @ walk.gradient) > 0 else direction


def _free(descent: Descent, x: np.ndarray) -> np.ndarray | None:
    """Coordinates off their bounds; None for sets that are neither free nor boxes."""
    region, margin = descent.region, INSIDE * (1 + float(np.abs(x).max(initial=0.0)))
    if isinstance(region, Box):
        return (x - region.lower > margin) & (region.upper - x > margin)
    return np.ones(len(x), dtype=bool) if isinstance(region, Free) else None


def _curved(problem: Bilevel, descent: Descent, walk: Walk, v: np.ndarray) -> np.ndarray:
    """Phi'' v."""
    n, z, products = problem.n, walk.z, descent.reduced.products
    product = lower_products(problem, z)
    across = problem.lower_hvp(z, np.concatenate([v, np.zeros(problem.m)]))[n:]
    tangent = conjugate_gradients(product, -across, n, None, SYSTEMS, products)
    d = np.concatenate([v, tangent.z])
    u = problem.upper_hvp(z, d)
    if "quadratic-lower" not in problem.provides:
        w = np.concatenate([np.zeros(n), -walk.adjoint])
        h = DIFFERENCE * (1 + float(np.abs(z).max(initial=0.0))) / float(np.abs(d).max())
        u = u + (problem.lower_hvp(z + h * d, w) - problem.lower_hvp(z - h * d, w)) / (2 * h)
    return u[:n] - conjugate_gradients(product, u[n:], n, None, SYSTEMS, products).cross


def _first(free: np.ndarray) -> np.ndarray:
    """A fixed start of no particular symmetry."""
    v = np.where(free, np.cos(1.0 + 2.0 * np.arange(len(free))), 0.0)
    return v / np.linalg.norm(v)
