"""Batches of the PAGE estimator with anchored steps (Algorithm 1 of arXiv 2310.02987, between two full evaluations).

    g   += (1 / b) sum_{i in S} [F_i(u) - F_i(u')] / (n q_i)          u' the point before u
    u'   = u
    u    = P( lambda_t u_0 + (1 - lambda_t) u - eta g )

A step costs b components (`components`) and one projection of each block in linear time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.kernels import njit
from solverkit_halpern.kernels.components import add_difference
from solverkit_halpern.kernels.flags import VECTORS
from solverkit_halpern.kernels.sets import SetCode, project


@njit(**VECTORS)
def page(
    form: Any,  # Bilinear or Affine
    split: int,  # where the second block begins
    first: SetCode,
    second: SetCode,
    u: np.ndarray,  # (N,) current point, overwritten
    previous: np.ndarray,  # (N,) the one before, overwritten
    g: np.ndarray,  # (N,) estimate of F(previous), overwritten
    anchor: np.ndarray,  # (N,)
    step: float,  # eta
    anchoring: np.ndarray,  # (m,) lambda of each step
    samples: np.ndarray,  # (m, b, 1 or 2)
) -> None:
    """m steps in place."""
    count, batch, _ = samples.shape
    z = np.empty_like(u)
    theta = psi = 0.0
    for t in range(count):
        for s in range(batch):
            add_difference(form, samples[t, s], u, previous, 1.0 / batch, g)
        weight = anchoring[t]
        for k in range(len(u)):
            previous[k] = u[k]
            z[k] = weight * anchor[k] + (1.0 - weight) * u[k] - step * g[k]
        theta = project(z[:split], u[:split], first, theta)
        psi = project(z[split:], u[split:], second, psi)
