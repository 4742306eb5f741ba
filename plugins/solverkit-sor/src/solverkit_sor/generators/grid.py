"""Five-point operators on the interior points of the unit square, Dirichlet; points in C order, spacing left out."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, diags_array, eye_array, kron


def laplacian(m: int) -> csr_array:
    """4 on the diagonal, -1 for each neighbour: (m^2, m^2)."""
    line = diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(m, m))
    one = eye_array(m)
    return csr_array(kron(line, one) + kron(one, line))


def weighted_laplacian(k: np.ndarray) -> csr_array:
    """-h^2 div(k grad) by finite volumes, (m^2, m^2), for a positive k of (m + 2, m + 2), boundary points included.

    The conductivity of a face is the harmonic mean of its two points, so that the flux is the one of two layers.
    """
    m = k.shape[0] - 2
    number = np.full(k.shape, -1)
    number[1:-1, 1:-1] = np.arange(m * m).reshape(m, m)
    rows, columns, values = [], [], []
    inner, low, high = slice(1, -1), slice(None, -1), slice(1, None)
    for near, far in (((low, inner), (high, inner)), ((inner, low), (inner, high))):
        face = (2.0 * k[near] * k[far] / (k[near] + k[far])).ravel()
        one, other = number[near].ravel(), number[far].ravel()
        both = (one >= 0) & (other >= 0)
        for here, there in ((one, other), (other, one)):
            rows += [here[here >= 0], here[both]]
            columns += [here[here >= 0], there[both]]
            values += [face[here >= 0], -face[both]]
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return csr_array(entries, shape=(m * m, m * m))


def points(m: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of the interior points, each (m^2,)."""
    line = np.arange(1, m + 1) / (m + 1)
    first, second = np.meshgrid(line, line, indexing="ij")
    return first.ravel(), second.ravel()


def bump(x: np.ndarray, y: np.ndarray, centre: tuple[float, float], radius: float) -> np.ndarray:
    """exp(1 - 1/(1 - s)) with s = min(1, squared distance / radius^2): smooth, 1 at the centre, 0 outside."""
    s = ((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / radius**2
    inside = s < 1
    values = np.zeros(s.shape)
    values[inside] = np.exp(1 - 1 / (1 - s[inside]))
    return values
