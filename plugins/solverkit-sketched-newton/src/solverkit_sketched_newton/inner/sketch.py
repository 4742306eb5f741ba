"""The paper's inner solvers: sketch-and-project on K d = b, one sketch vector a step, and the exact solve.

    gaussian    s ~ N(0, I):            d <- d - (s'r) / |K s|^2  K s
    kaczmarz    i uniform:              d <- d - r_i / |K_i|^2  K_i               r = K d - b

Both start at d = 0. The residual is carried along, r <- r - w K K_i (kaczmarz: O(n + m) a step with K^2 at hand), and
computed anew after each block of steps. Hong, Na, Mahoney, Kolar, arXiv 2305.18379, section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from solverkit.errors import MissingPackage

BLOCK = 1000  # steps between two exact residuals


class Sketch:
    """A direction that is improved on demand. `steps` counts all steps since `begin`."""

    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self.most = most  # steps for one matrix
        self.steps = 0
        self._matrix = self._square = self._lengths = self._right = self._d = np.zeros(0)

    def begin(self, matrix: np.ndarray, right: np.ndarray) -> None:
        """A new system; d = 0."""
        self._matrix, self._right = matrix, right
        self._d, self.steps = np.zeros_like(right), 0
        if self.name == "exact":
            self._d = np.linalg.solve(matrix, right) if len(right) else right
        elif self.name == "kaczmarz":
            self._square = matrix @ matrix
            self._lengths = self._square.diagonal().copy()

    def solve(self, accuracy: float, rng: np.random.Generator) -> np.ndarray:
        """d with |K d - b| <= accuracy, or as near as `most` steps get."""
        if self.name == "exact":
            return self._d
        kernel = kernels()[self.name]
        residual = self._matrix @ self._d - self._right
        while np.linalg.norm(residual) > accuracy and self.steps < self.most:
            count = min(BLOCK, self.most - self.steps)
            size = len(self._right)
            if self.name == "kaczmarz":
                rows = rng.integers(size, size=count)
                done = kernel(self._matrix, self._square, self._lengths, rows, residual, self._d, accuracy)
            else:
                done = kernel(self._matrix, rng.standard_normal((count, size)), residual, self._d, accuracy)
            self.steps += done
            residual = self._matrix @ self._d - self._right
        return self._d


@cache
def kernels() -> dict[str, Callable[..., int]]:
    """The compiled loops; MissingPackage where Numba is not installed."""
    try:
        from solverkit.kernels import njit
    except ImportError:
        raise MissingPackage(
            'inner=gaussian and inner=kaczmarz need Numba; pip install "solverkit-sketched-newton[paper]"'
        ) from None
    compiled: Any = njit(cache=True)
    return {"kaczmarz": compiled(_kaczmarz), "gaussian": compiled(_gaussian)}


def _kaczmarz(matrix: Any, square: Any, lengths: Any, rows: Any, residual: Any, d: Any, accuracy: float) -> int:
    """Steps along the given rows, in place; how many were needed. O(n + m) each."""
    size, bound = len(d), accuracy * accuracy
    for done in range(len(rows)):
        i = rows[done]
        if lengths[i] > 0.0:
            weight = residual[i] / lengths[i]
            norm = 0.0
            for j in range(size):
                d[j] -= weight * matrix[i, j]
                residual[j] -= weight * square[i, j]
                norm += residual[j] * residual[j]
            if norm <= bound:
                return done + 1
    return len(rows)


def _gaussian(matrix: Any, vectors: Any, residual: Any, d: Any, accuracy: float) -> int:
    """Steps along the given vectors, in place; how many were needed. O((n + m)^2) each."""
    bound = accuracy * accuracy
    for done in range(len(vectors)):
        s = vectors[done]
        along = matrix @ s
        weight = (s @ residual) / (along @ along)
        d -= weight * along
        residual -= weight * (matrix @ along)
        if residual @ residual <= bound:
            return done + 1
    return len(vectors)
