"""The heat equation with a diffusion that varies in time, the second experiment of the paper (arXiv 2310.02246).

    u' = kappa(t) div(k grad u) + f   on the unit square, u = 0 on its boundary, u(0) a bump in the middle

by Crank-Nicolson steps: with alpha_t = kappa(t + dt/2) dt / (2 dx^2) and L = -dx^2 div(k grad),

    (I + alpha_t L) u_t = (I - alpha_t L) u_{t-1} + dt f(t + dt/2)
    kappa(t) = max(0.1 sin 2 pi t, -10 sin 2 pi t)
    f = 32 bump of radius 1/8 at (1/2 + cos(16 pi t)/4, 1/2 + sin(16 pi t)/4)

The paper has k = 1. Half the time kappa is a hundred times larger than in the other half.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array, eye_array

from solverkit_sor.generators.grid import bump, laplacian, points, weighted_laplacian


def heat(nx: int = 50, T: int = 5000, dt: float = 1e-3) -> dict[str, Any]:
    """The paper's sequence on (nx - 1)^2 = n unknowns, spacing 1 / nx.

    Keys: `identity` and `L` (n, n) sparse; `coefficients` and `previous_coefficients` (T, 2), (1, +-alpha_t);
    `forcing` (T, n); `initial` (n,); `diffusion` (T,), kappa at the middle of each step.
    """
    return _steps(laplacian(nx - 1), nx, T, dt)


def heat_heterogeneous(
    nx: int = 100, T: int = 500, dt: float = 1e-2, contrast: float = 1e6, smooth: float = 3.0, seed: int = 0
) -> dict[str, Any]:
    """The same with a conductivity k of geometric mean about 1 that spans `contrast` from least to largest.

    log k is Gaussian noise on the grid, smoothed over `smooth` points. Keys as `heat`, and `conductivity`, k on all
    points of the grid, (nx + 1, nx + 1).
    """
    k = conductivity(nx, contrast, smooth, seed)
    return {**_steps(weighted_laplacian(k), nx, T, dt), "conductivity": k}


def conductivity(nx: int, contrast: float, smooth: float, seed: int) -> np.ndarray:
    """(nx + 1, nx + 1) between contrast^(-1/2) and contrast^(1/2), both of which it takes."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(np.random.default_rng(seed).standard_normal((nx + 1, nx + 1)), smooth, mode="wrap")
    unit = (field - field.min()) / (field.max() - field.min()) - 0.5
    return contrast**unit


def _steps(L: csr_array, nx: int, T: int, dt: float) -> dict[str, Any]:
    middle = (np.arange(T) + 0.5) * dt
    wave = np.sin(2 * np.pi * middle)
    kappa = np.maximum(0.1 * wave, -10.0 * wave)
    alpha = kappa * dt * nx**2 / 2
    one = np.ones(T)
    x, y = points(nx - 1)
    forcing = np.empty((T, (nx - 1) ** 2))
    for t, angle in enumerate(16 * np.pi * middle):
        centre = (0.5 + np.cos(angle) / 4, 0.5 + np.sin(angle) / 4)
        forcing[t] = 32 * dt * bump(x, y, centre, 0.125)
    return {
        "identity": csr_array(eye_array(L.shape[0])),
        "L": L,
        "coefficients": np.column_stack([one, alpha]),
        "previous_coefficients": np.column_stack([one, -alpha]),
        "forcing": forcing,
        "initial": bump(x, y, (0.5, 0.5), 0.25),
        "diffusion": kappa,
    }
