"""The Newton system by dense Bunch-Kaufman factorization, for a few hundred rows.

K = L D L' with 1 x 1 and 2 x 2 blocks in D; a 2 x 2 block of Bunch-Kaufman pivoting has one eigenvalue of each sign, so
the inertia of K is read off the pivots (Sylvester). LAPACK is called directly: SciPy's wrappers would cost more than
the arithmetic.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg.lapack import dsytrf, dsytrs

from solverkit_sketched_newton.inner.base import Direction, Inertia, NewtonSystem

SINGULAR = 1e-14  # a pivot this small is zero, the largest entry of each row being about 1
TINY = 1e-300


class Dense:
    """Bunch-Kaufman factors of the whole matrix, O((n + m)^3 / 3)."""

    def __init__(self) -> None:
        self._matrix = self._factors = self._pivots = self._scale = np.zeros(0)

    def prepare(self, system: NewtonSystem) -> Inertia:
        """Factor; counts the eigenvalues."""
        m, n = system.jacobian.shape
        size = n + m
        if not size:
            self._matrix = np.zeros((0, 0))
            return Inertia(usable=True, correct=True)
        matrix = np.zeros((size, size), order="F")
        matrix[:n, :n] = _array(system.hessian)
        if m:
            jacobian = _array(system.jacobian)
            matrix[n:, :n] = jacobian
            matrix[:n, n:] = jacobian.T
        diagonal = matrix.reshape(-1, order="A")[:: size + 1]  # a view
        diagonal[:n] += system.barrier + system.delta_w
        diagonal[n:] -= system.delta_c
        self._matrix = matrix
        # equilibrated, so that the great pivots of active bounds do not make small ones look like zeros
        self._scale = scale = 1.0 / np.sqrt(np.abs(matrix).max(axis=0) + TINY)
        scaled = matrix * scale
        scaled *= scale[:, None]
        self._factors, self._pivots, _ = dsytrf(scaled, lower=1, lwork=32 * size, overwrite_a=1)
        return self._inertia(n)

    def solve(self, r_x: np.ndarray, r_c: np.ndarray, rtol: float) -> Direction:
        """K^-1 (-r), refined once where rounding shows."""
        n, size = len(r_x), len(self._matrix)
        if not size:
            return Direction(np.zeros(0), np.zeros(0), 0.0)
        right = np.concatenate([r_x, r_c])
        np.negative(right, out=right)
        norm = math.sqrt(right @ right)
        d = self._substitute(right)
        left = right - self._matrix @ d
        residual = math.sqrt(left @ left)
        if residual > 1e-14 * norm:
            refined = d + self._substitute(left)
            left = right - self._matrix @ refined
            again = math.sqrt(left @ left)
            if again < residual:
                d, residual = refined, again
        return Direction(d[:n], d[n:], residual / norm if norm else 0.0)

    def _substitute(self, right: np.ndarray) -> np.ndarray:
        return self._scale * dsytrs(self._factors, self._pivots, self._scale * right, lower=1)[0]

    def _inertia(self, n: int) -> Inertia:
        """From the blocks of D: `_pivots` is positive at a 1 x 1 block, negative twice at a 2 x 2 one."""
        pivots = self._factors.diagonal()
        single = self._pivots > 0
        values = pivots[single]
        pairs = (len(pivots) - len(values)) // 2
        if not np.isfinite(pivots).all():
            return Inertia(usable=False, correct=False)
        if len(values) and np.abs(values).min() <= SINGULAR:  # of an equilibrated matrix
            return Inertia(usable=False, correct=False)
        negative = int(np.count_nonzero(values < 0)) + pairs
        return Inertia(usable=True, correct=negative == len(pivots) - n)


def _array(matrix: object) -> np.ndarray:
    return matrix.toarray() if hasattr(matrix, "toarray") else matrix  # type: ignore[return-value]
