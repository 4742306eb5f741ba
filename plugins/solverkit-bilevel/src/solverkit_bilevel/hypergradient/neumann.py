"""The adjoint system f_yy z = b by a truncated Neumann series.

    z_J = a sum_{j=0}^{J} (I - a f_yy)^j b,     t_j = (I - a f_yy)^j b,     0 < a <= 1/L

What is left, t_{J+1} = b - f_yy z_J, is the residual itself, so the bias is known as the series is summed:

    |z_J - f_yy^-1 b| <= |t_{J+1}| / mu <= (1 - a mu)^(J+1) |b| / mu

(Ghadimi and Wang 2018, lemma 3.2, without their random truncation). J + 1 products, f_xy z_J among them.
"""

from __future__ import annotations

import numpy as np

from solverkit_bilevel.hypergradient.conjugate_gradients import Adjoint
from solverkit_bilevel.hypergradient.products import Product


def neumann(product: Product, b: np.ndarray, n: int, a: float, terms: int, rtol: float = 0.0) -> Adjoint:
    """z_J with J + 1 = `terms`, or fewer once |t| <= rtol |b|. For a >= 2/L the terms grow and the sum is worthless:
    `residual` > |b| tells."""
    z, cross, t = np.zeros_like(b), np.zeros(n), b.copy()
    target, used, left = rtol * float(np.linalg.norm(b)), 0, float(np.linalg.norm(b))
    while used < terms and left > target:
        bent, across = product(t)
        z, cross, t = z + a * t, cross + a * across, t - a * bent
        used, left = used + 1, float(np.linalg.norm(t))
    return Adjoint(z, cross, left, used)


def bias_bound(a: float, strong: float, terms: int, size: float) -> float:
    """(1 - a mu)^terms |b| / mu: the largest error of z after so many terms. `strong` is mu, `size` is |b|."""
    return (1 - a * strong) ** terms * size / strong
