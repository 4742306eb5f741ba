"""Subgradients of a structured nonsmooth part, from the proximal map of its outer function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from solverkit.operators.proximal import ProximalMap

STEP = 1e-6


def maximizer(outer: ProximalMap, z: np.ndarray) -> np.ndarray:
    """A y with g(z) <= <y, z> - g*(y) + rounding: (z - p) / s is a subgradient of g at p = prox_{s g}(z).

    For norms and other functions that are linear along rays p lies on the ray of z, unless z is within s of a kink; so
    y is a subgradient at z itself, and at a kink the one of least norm.
    """
    step = STEP * (1 + float(np.abs(z).max(initial=0.0)))
    return (z - outer.prox(z, step)) / step
