"""Heat flow on an unstructured mesh: linear finite elements on a Delaunay triangulation of seeded points.

    u' = div(k grad u) + f   on the unit square, u = 0 on its boundary, u(0) = 0

by implicit Euler steps of length dt_t, with mass matrix M and stiffness matrix K of k:

    (M + dt_t K) u_t = M u_{t-1} + dt_t F_t

The source F_t is a bump that goes around the middle once in T steps. Points are a jittered grid, drawn together near
the middle, so that the areas of elements differ by two orders of magnitude. The diagonal of K is not constant, and the
entries of M + dt_t K beside it change their sign as dt_t grows.
Elements: Larson and Bengzon, The Finite Element Method (2013), chapters 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit.errors import UsageError
from solverkit_sor.generators.grid import bump

WAVES = 12  # of the random conductivity


@dataclass(frozen=True)
class Mesh:
    """A triangulation of the unit square."""

    points: np.ndarray  # (m, 2)
    triangles: np.ndarray  # (e, 3) counterclockwise
    inner: np.ndarray  # (m,) number of each point among the n inside; -1 on the boundary

    @property
    def n(self) -> int:
        """Points inside."""
        return int(self.inner.max()) + 1


def mesh_heat(
    points: int = 10_000,
    T: int = 300,
    dt: float = 1e-4,
    growth: float = 1.0,
    contrast: float = 100.0,
    ramp: float = 1.0,
    seed: int = 0,
) -> dict[str, Any]:
    """About `points` unknowns. `growth` is the ratio of the last step's length to the first's, dt, reached after the
    share `ramp` of the steps; `contrast` that of the greatest conductivity to the least, one for each triangle.
    Raises UsageError for a ramp outside (0, 1].

    Keys: `M` and `K` (n, n) sparse; `coefficients` (T, 2), (1, dt_t); `previous_coefficients` (T, 1), ones; `forcing`
    (T, n); `log_dt` (T,), decimal; `x` and `y` (n,), coordinates of the unknowns.
    """
    if not 0 < ramp <= 1:
        raise UsageError(f"ramp = {ramp:g}: give the share of the steps that grow, above 0 and at most 1")
    rng = np.random.default_rng(seed)
    mesh = triangulate(max(round(points**0.5), 2), rng)
    centres = mesh.points[mesh.triangles].mean(axis=1)
    M, K = assemble(mesh, random_field(centres, contrast, rng))
    rise = max(round(ramp * T) - 1, 1)
    steps = dt * growth ** (np.minimum(np.arange(T), rise) / rise)
    inside = mesh.points[mesh.inner >= 0]
    x, y = inside.T
    forcing = np.empty((T, mesh.n))
    for t, angle in enumerate(2 * np.pi * np.arange(T) / T):
        source = bump(x, y, (0.5 + np.cos(angle) / 4, 0.5 + np.sin(angle) / 4), 0.125)
        forcing[t] = steps[t] * (M @ source)
    ones = np.ones(T)
    return {
        "M": M,
        "K": K,
        "coefficients": np.column_stack([ones, steps]),
        "previous_coefficients": ones[:, None],
        "forcing": forcing,
        "log_dt": np.log10(steps),
        "x": x,
        "y": y,
    }


def triangulate(m: int, rng: np.random.Generator) -> Mesh:
    """A mesh with m^2 points inside, numbered row by row of the grid that they come from."""
    from scipy.spatial import Delaunay

    line = np.arange(m + 2) / (m + 1)
    grid = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    edge = ((grid == 0) | (grid == 1)).any(axis=1)
    moved = grid.copy()
    moved[~edge] += rng.uniform(-0.3, 0.3, (m * m, 2)) / (m + 1)
    moved += 0.75 * np.sin(2 * np.pi * moved) / (2 * np.pi)  # a quarter of the spacing in the middle
    moved[edge] = np.clip(np.where((grid == 0) | (grid == 1), grid, moved)[edge], 0, 1)
    triangles = Delaunay(moved).simplices
    a, b, c = (moved[triangles[:, k]] for k in range(3))
    double = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    triangles = np.where(double[:, None] < 0, triangles[:, [0, 2, 1]], triangles)[np.abs(double) > 1e-14]
    return Mesh(moved, triangles, np.where(edge, -1, np.cumsum(~edge) - 1))


def random_field(points: np.ndarray, contrast: float, rng: np.random.Generator) -> np.ndarray:
    """A positive smooth function at points (e, 2): exp of `WAVES` random waves, least and greatest `contrast` apart."""
    waves = rng.normal(0.0, 4 * np.pi, (WAVES, 2))
    phase = rng.uniform(0, 2 * np.pi, WAVES)
    field = np.cos(points @ waves.T + phase).sum(axis=1)
    unit = (field - field.min()) / max(field.max() - field.min(), 1e-300) - 0.5
    return contrast**unit


def gradients(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Area (e,) of each triangle and the gradients (e, 3, 2) of its three hat functions."""
    corner = mesh.points[mesh.triangles]
    opposite = corner[:, [2, 0, 1]] - corner[:, [1, 2, 0]]
    area = 0.5 * (opposite[:, 2, 0] * -opposite[:, 1, 1] + opposite[:, 2, 1] * opposite[:, 1, 0])
    turned = np.stack([-opposite[..., 1], opposite[..., 0]], axis=-1)
    return area, turned / (2 * area)[:, None, None]


def assemble(mesh: Mesh, k: np.ndarray) -> tuple[csr_array, csr_array]:
    """Mass and stiffness matrix, each (n, n) with the same pattern, for a conductivity k (e,) a triangle."""
    area, gradient = gradients(mesh)
    stiffness = (k * area)[:, None, None] * np.einsum("eid,ejd->eij", gradient, gradient)
    mass = area[:, None, None] * (np.ones((3, 3)) + np.eye(3)) / 12
    return scatter(mesh, mass), scatter(mesh, stiffness)


def scatter(mesh: Mesh, local: np.ndarray) -> csr_array:
    """The (n, n) matrix of element matrices (e, 3, 3); rows and columns of the boundary are left out."""
    number = mesh.inner[mesh.triangles]
    rows, columns = np.broadcast_arrays(number[:, :, None], number[:, None, :])
    kept = (rows >= 0) & (columns >= 0)
    matrix = csr_array((local[kept], (rows[kept], columns[kept])), shape=(mesh.n, mesh.n))
    matrix.sum_duplicates()
    return matrix
