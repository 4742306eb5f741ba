"""Newton systems of a nonlinear diffusion: the p-Laplacian under a load that grows step by step.

    min_u E(u) = int (eps^2 + |grad u|^2)^(p/2) / p - load u   on the unit square, u = 0 on its boundary

with linear finite elements on an unstructured mesh. For each load Newton's method starts from the answer of the load
before it; its systems H(u) d = -E'(u) are recorded. With g = grad u, s = eps^2 + |g|^2, an element of area |e| has

    E' = |e| s^(p/2 - 1) B'g,   H = |e| B' (s^(p/2 - 1) I + (p - 2) s^(p/2 - 2) g g') B,   B the hats' gradients

H is symmetric, and positive definite for p > 1; for p < 2 its entries spread over decades as the load grows. A step is
halved until E falls (Armijo, 1e-4). Barrett and Liu, Math. Comp. 61 (1993), has the discretization.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

from solverkit_sor.generators.mesh import Mesh, gradients, scatter, triangulate

MAX_NEWTON = 50  # systems a load; far more than any load takes


def newton_p_laplace(
    points: int = 900, loads: int = 12, p: float = 1.5, top: float = 10.0, eps: float = 1e-2, seed: int = 0
) -> dict[str, Any]:
    """About `points` unknowns, `loads` loads from top / loads to `top`, T systems in all.

    Keys: `pattern` (n, n) sparse, `values` (T, nnz), `right_hand_sides` (T, n), `context` (T, 2): the load, and
    the decimal logarithm of the right-hand side's norm relative to the load's.
    """
    mesh = triangulate(max(round(points**0.5), 2), np.random.default_rng(seed))
    energy = _Energy(mesh, p, eps)
    u = np.zeros(mesh.n)
    pattern, values, rights, marks, sizes = None, [], [], [], []
    for load in top * np.arange(1, loads + 1) / loads:
        scale = float(np.linalg.norm(load * energy.weight))
        for _ in range(MAX_NEWTON):
            gradient = energy.gradient(u, load)
            size = float(np.linalg.norm(gradient)) / scale
            if size < 1e-8:
                break
            pattern = energy.hessian(u)
            values.append(pattern.data)
            rights.append(-gradient)
            marks.append(load)
            sizes.append(size)
            u = _descend(energy, u, load, splu(csc_array(pattern)).solve(-gradient), gradient)
    return {
        "pattern": pattern,
        "values": np.array(values),
        "right_hand_sides": np.array(rights),
        "context": np.column_stack([marks, np.log10(sizes)]),
    }


class _Energy:
    """E and its derivatives at u, (n,)."""

    def __init__(self, mesh: Mesh, p: float, eps: float) -> None:
        self.mesh, self.p, self.eps = mesh, p, eps
        self.area, self.hats = gradients(mesh)
        self.number = mesh.inner[mesh.triangles]
        self.weight = self._gather(np.repeat(self.area[:, None] / 3, 3, axis=1))  # (n,) integral of each hat function

    def _gather(self, local: np.ndarray) -> np.ndarray:
        """(n,) sums of element vectors (e, 3)."""
        inside = self.number >= 0
        return np.bincount(self.number[inside], local[inside], minlength=self.mesh.n)

    def _slope(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """grad u (e, 2) and eps^2 + |grad u|^2 (e,)."""
        corner = np.append(u, 0.0)[self.number]  # number -1, the boundary, is the zero at the end
        slope = np.einsum("ei,eid->ed", corner, self.hats)
        return slope, self.eps**2 + np.einsum("ed,ed->e", slope, slope)

    def value(self, u: np.ndarray, load: float) -> float:
        """E(u)."""
        return float(self.area @ self._slope(u)[1] ** (self.p / 2) / self.p - load * (self.weight @ u))

    def gradient(self, u: np.ndarray, load: float) -> np.ndarray:
        """E'(u), (n,)."""
        slope, s = self._slope(u)
        flux = (self.area * s ** (self.p / 2 - 1))[:, None] * slope
        return self._gather(np.einsum("eid,ed->ei", self.hats, flux)) - load * self.weight

    def hessian(self, u: np.ndarray) -> Any:
        """H(u), sparse (n, n); the same pattern at every u."""
        slope, s = self._slope(u)
        along = np.einsum("eid,ed->ei", self.hats, slope)
        first = np.einsum("eid,ejd->eij", self.hats, self.hats) * s[:, None, None] ** (self.p / 2 - 1)
        second = (self.p - 2) * along[:, :, None] * along[:, None, :] * s[:, None, None] ** (self.p / 2 - 2)
        return scatter(self.mesh, self.area[:, None, None] * (first + second))


def _descend(energy: _Energy, u: np.ndarray, load: float, d: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """u + step d, the step halved from 1 until E falls enough."""
    value, slope, step = energy.value(u, load), float(gradient @ d), 1.0
    while energy.value(u + step * d, load) > value + 1e-4 * step * slope and step > 1e-6:
        step /= 2
    return u + step * d
