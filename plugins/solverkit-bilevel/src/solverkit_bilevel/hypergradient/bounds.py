"""Sets that are boxes, whatever they are put together from."""

from __future__ import annotations

import numpy as np

from solverkit.operators.sets import Box, Free, Product, SimpleSet


def as_box(region: SimpleSet, n: int) -> SimpleSet:
    """One `Box` in R^n in the place of a product of boxes; any other set as it is."""
    if not isinstance(region, Product) or not all(isinstance(part, (Box, Free)) for _, part in region.parts):
        return region
    lower, upper = np.full(n, -np.inf), np.full(n, np.inf)
    for at, part in region.parts:
        if isinstance(part, Box):
            lower[at], upper[at] = part.lower, part.upper
    return Box(lower, upper)
