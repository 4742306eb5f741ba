"""A quadratic lower level under an upper objective that grows exponentially."""

from __future__ import annotations

import numpy as np


def exponential_tail(size: int = 5, seed: int = 0, steepness: float = 1.0) -> dict[str, np.ndarray]:
    """Data of min exp(a'x) + exp(-a'x) + 1/2 |y - b|^2 with y the minimizer of 1/2 (y - M x)'Q (y - M x).

    `M` (size, size) normal with deviation 0.5/sqrt(size), plus the identity; `Q` = I + G G'/size for a normal G; `b`
    (size,) normal; `a` (size,) of length `steepness`, in a random direction.
    The hyperobjective is 2 cosh(a'x) + 1/2 |M x - b|^2.
    """
    rng = np.random.default_rng(seed)
    M = np.eye(size) + rng.normal(scale=0.5 / np.sqrt(size), size=(size, size))
    G = rng.normal(size=(size, size))
    a = rng.normal(size=size)
    return {
        "M": M,
        "Q": np.eye(size) + G @ G.T / size,
        "b": rng.normal(size=size),
        "a": steepness * a / np.linalg.norm(a),
    }
