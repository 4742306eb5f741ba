"""Shifted Laplacians, the first experiment of the paper (arXiv 2310.02246, section 5).

    A_t = A + c_t I,   c_t = lowest + span Beta(a, b),   b_t ~ N(0, I) given ||b_t||^2 <= n

| here | paper | meaning |
|---|---|---|
| a, b | 1/2, 3/2 or 2, 6 | law of the shifts: high or low variance, both of mean 0 with the defaults |
| lowest, span | -0.15, 0.6 | A - 0.15 I is barely positive definite for a 10 x 10 grid |
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit_sor.generators.grid import laplacian


def shifted_laplacian(
    size: int = 10,
    T: int = 5000,
    a: float = 0.5,
    b: float = 1.5,
    lowest: float = -0.15,
    span: float = 0.6,
    seed: int = 0,
) -> dict[str, Any]:
    """Keys: `A` (n, n) sparse, n = size^2, the 5-point Laplacian with diagonal 4; `shifts` (T,); `B` (T, n)."""
    rng = np.random.default_rng(seed)
    n = size * size
    shifts = lowest + span * rng.beta(a, b, T)
    return {"A": laplacian(size), "shifts": shifts, "B": truncated_normal(rng, T, n)}


def truncated_normal(rng: np.random.Generator, T: int, n: int) -> np.ndarray:
    """(T, n): standard normal vectors of squared length at most n, by rejection."""
    rows = rng.standard_normal((T, n))
    while (long := np.flatnonzero(np.einsum("tn,tn->t", rows, rows) > n)).size:
        rows[long] = rng.standard_normal((long.size, n))
    return rows
