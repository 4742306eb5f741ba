"""The adjoint system f_yy z = b by conjugate gradients, with f_xy z at no further product.

z is a sum of directions p_k whose products (f_yy p_k, f_xy p_k) were computed anyway, so f_xy z is the same sum of
f_xy p_k. Error after k steps: at most 2 ((sqrt(kappa) - 1) / (sqrt(kappa) + 1))^k of the first one, in the f_yy norm.

SciPy's `cg` sees one block of the product alone, and says nothing of the curvature that it met.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit_bilevel.hypergradient.products import Product

ROUNDING = 4 * float(np.finfo(float).eps)
"""A curvature below this share of the greatest one met is none: a step along it would be made of rounding errors."""


@dataclass(frozen=True, eq=False)
class Adjoint:
    """An approximate z, and what is known of its error.

    | here | formula | meaning |
    |---|---|---|
    | z | z | (m,) |
    | cross | f_xy z | (n,); grad Phi = grad_x F - cross |
    | residual | norm of f_yy z - b | the error of z is at most residual / mu |
    | least, most | min, max p'f_yy p / p'p | over the directions used: mu <= least, most <= L |
    """

    z: np.ndarray
    cross: np.ndarray
    residual: float
    products: int
    least: float = np.inf
    most: float = 0.0


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is told by `cross` and `residual`
def conjugate_gradients(
    product: Product, b: np.ndarray, n: int, start: np.ndarray | None = None, rtol: float = 1e-10, limit: int = 1000
) -> Adjoint:
    """z with |f_yy z - b| <= rtol |b|, or what `limit` products gave. n is the length of f_xy z.

    Ends at the first direction of no positive curvature, `least` <= 0: f_yy is not positive definite. Products that
    are not finite make `cross` NaN. Memory: four vectors of length m, whatever the number of products.
    """
    z, cross, residual, products = np.zeros_like(b), np.zeros(n), b.copy(), 0
    if start is not None and start.any():
        bent, cross = product(start)
        z, residual, products = start.copy(), b - bent, 1
    p, square, least, most = residual.copy(), float(residual @ residual), np.inf, 0.0
    target = (rtol * float(np.linalg.norm(b))) ** 2
    while square > target and products < limit:
        bent, across = product(p)
        products += 1
        curvature, length = float(p @ bent), float(p @ p)
        if abs(curvature) <= ROUNDING * most * length:
            curvature = 0.0
        least, most = min(least, curvature / length), max(most, curvature / length)
        if not curvature > 0:
            if np.isnan(curvature):
                cross = np.full(n, np.nan)
            break
        step = square / curvature
        z, cross, residual = z + step * p, cross + step * across, residual - step * bent
        fresh = float(residual @ residual)
        p, square = residual + (fresh / square) * p, fresh
    return Adjoint(z, cross, float(np.sqrt(square)), products, least, most)
