"""Customers who answer prices within shared capacities."""

from __future__ import annotations

import numpy as np


def priced_demand(products: int = 2, resources: int = 2, seed: int = 0) -> dict[str, np.ndarray]:
    """Data of max p'y over prices, with demand y the minimizer of 1/2 y'Q y - (v - p)'y, y >= 0, A y <= capacity.

    `Q` (products, products) diagonally dominant with negative entries beside the diagonal (buying one product makes
    others more welcome); `v` (products,) between 4 and 8, what a first unit is worth; `A` (resources, products) with
    entries between 0.5 and 2, about half of them zero where there are more than three products; `capacity`
    (resources,), between 20 and 45 percent of what is used when everything is free: less than the best prices would
    sell without it.

    With multipliers m >= 0 of the capacities, p'y = v'y - y'Q y - m'A y, so that no price earns more than the maximum
    of v'y - y'Q y over the polyhedron, and p = v - Q y earns that: a concave quadratic program is the exact answer.
    """
    rng = np.random.default_rng(seed)
    mixed = rng.uniform(0, 1, (products, products)) / products
    mixed = (mixed + mixed.T) / 2
    Q = np.diag(1.5 + mixed.sum(axis=1)) - mixed
    v = rng.uniform(4, 8, products)
    A = rng.uniform(0.5, 1.5, (resources, products))
    if products > 3:
        A *= rng.random((resources, products)) < 0.5
    A[np.arange(products) % resources, np.arange(products)] += 0.5  # every product uses something
    capacity = rng.uniform(0.2, 0.45, resources) * (A @ np.linalg.solve(Q, v))
    return {"Q": Q, "v": v, "A": A, "capacity": capacity}
