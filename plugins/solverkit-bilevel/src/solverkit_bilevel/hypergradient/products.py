"""Products with the second derivatives of the lower level: one Hessian-vector product gives both blocks.

Hessian of f  times (0, v)  =  (f_xy v, f_yy v)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel

Product = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""v (m,) -> (f_yy v (m,), f_xy v (n,))."""


def lower_products(problem: Bilevel, z: np.ndarray, samples: np.ndarray | None = None) -> Product:
    """Both blocks at z = (x, y) by one counted product, of all of f or of the mean over some of its terms."""
    n = problem.n

    def product(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        direction = np.concatenate([np.zeros(n), v])
        if samples is None:
            both = problem.lower_hvp(z, direction)
        else:
            both = problem.lower_batch_hvp(z, direction, samples)
        return both[n:], both[:n]

    return product


def largest_curvature(
    product: Product, start: np.ndarray, rtol: float = 0.02, limit: int = 30
) -> tuple[float, np.ndarray]:
    """(L, v): the largest eigenvalue of f_yy by power iteration, from below, and its direction, |v| = 1.

    Stops where |L| has settled to `rtol`; warm started by the v of a former call. NaN where a product is not finite.
    """
    v = start / max(float(np.linalg.norm(start)), 1e-300)
    value = 0.0
    for _ in range(limit):
        bent, _ = product(v)
        fresh = float(np.linalg.norm(bent))
        if not np.isfinite(fresh) or fresh == 0:
            return fresh, v
        v = bent / fresh
        settled = abs(fresh - value) <= rtol * fresh
        value = fresh
        if settled:
            break
    return value, v
