"""Variance-reduced extragradient steps between two snapshots (Alacaoglu and Malitsky 2022, Algorithm 1).

    z     = alpha v + (1 - alpha) w
    h     = P( z - tau F(w) )
    v     = P( z - tau [F(w) + F_i(h) - F_i(w)] )

One component and two projections a step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.kernels import njit
from solverkit_halpern.kernels.components import add_difference
from solverkit_halpern.kernels.flags import VECTORS
from solverkit_halpern.kernels.sets import SetCode, project


@njit(**VECTORS)
def extragradient(
    form: Any,
    split: int,
    first: SetCode,
    second: SetCode,
    v: np.ndarray,  # (N,) overwritten
    w: np.ndarray,  # (N,) the snapshot
    base: np.ndarray,  # (N,) F(w)
    total: np.ndarray,  # (N,) the half steps are added to it
    step: float,  # tau
    alpha: float,
    samples: np.ndarray,  # (m, 1 or 2)
) -> None:
    """m steps in place."""
    z, half = np.empty_like(v), np.empty_like(v)
    theta = psi = half_theta = half_psi = 0.0
    for t in range(len(samples)):
        for k in range(len(v)):
            z[k] = alpha * v[k] + (1.0 - alpha) * w[k] - step * base[k]
        half_theta = project(z[:split], half[:split], first, half_theta)
        half_psi = project(z[split:], half[split:], second, half_psi)
        add_difference(form, samples[t], half, w, -step, z)
        theta = project(z[:split], v[:split], first, theta)
        psi = project(z[split:], v[split:], second, psi)
        for k in range(len(v)):
            total[k] += half[k]
