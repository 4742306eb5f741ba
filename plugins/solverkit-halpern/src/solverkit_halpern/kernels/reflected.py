"""Variance-reduced forward-reflected-backward steps between two snapshots (Algorithm 3 of arXiv 2310.02987).

On F^k(v) = eta F(v) + r (v - centre), r = 1 for the inner problem of an inexact Halpern step and 0 for plain VR-FoRB:

    v_{t+1} = P( alpha v_t + (1 - alpha) w - tau [F^k(w) + F^k_i(v_t) - F^k_i(w_{t-1})] )

w_{t-1} differs from w in the first step after the snapshot has moved only. One component and one projection a step,
and a few passes over v.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.kernels import njit
from solverkit_halpern.kernels.components import add_difference
from solverkit_halpern.kernels.flags import VECTORS
from solverkit_halpern.kernels.sets import SetCode, project


@njit(**VECTORS)
def reflected(
    form: Any,
    split: int,
    first: SetCode,
    second: SetCode,
    v: np.ndarray,  # (N,) overwritten
    w: np.ndarray,  # (N,) the snapshot
    before: np.ndarray,  # (N,) the snapshot before it, w where it did not move
    base: np.ndarray,  # (N,) F^k(w)
    scale: float,  # eta
    pull: float,  # r
    step: float,  # tau
    alpha: float,
    samples: np.ndarray,  # (m, 1 or 2)
) -> None:
    """m steps in place."""
    z = np.empty_like(v)
    theta = psi = 0.0
    for t in range(len(samples)):
        old = before if t == 0 else w
        for k in range(len(v)):
            z[k] = alpha * v[k] + (1.0 - alpha) * w[k] - step * (base[k] + pull * (v[k] - old[k]))
        add_difference(form, samples[t], v, old, -step * scale, z)
        theta = project(z[:split], v[:split], first, theta)
        psi = project(z[split:], v[split:], second, psi)
