"""One quadratic function by its matrix:  f(x) = x'P x / 2 + q'x + r,  P symmetric and sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit.operators.quadratic import array_digest, matrix_digest


class Quadratic:
    """A `Function` with one output, on the CPU in float64. P (n, n), of which the symmetric part counts; q (n,)."""

    device = "cpu"
    dtype = "float64"
    outputs = 1

    def __init__(self, P: Any, q: np.ndarray, r: float = 0.0) -> None:
        P = csr_array(P, dtype=float)
        self.P = csr_array((P + P.T) / 2)
        self.q, self.r = np.asarray(q, dtype=float), float(r)
        self.inputs = len(self.q)
        self.degree: int | None = 2 if self.P.count_nonzero() else 1

    def value(self, z: np.ndarray) -> np.ndarray:
        """(1,)"""
        return np.array([z @ (self.P @ z) / 2 + self.q @ z + self.r])

    def gradient(self, z: np.ndarray) -> np.ndarray:
        """P z + q"""
        return self.P @ z + self.q

    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The gradient times the one weight."""
        return weights[0] * self.gradient(z)

    def jvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """(1,)"""
        return np.array([self.gradient(z) @ direction])

    def jacobian(self, z: np.ndarray) -> csr_array:
        """(1, n), every entry stored."""
        n = self.inputs
        return csr_array((self.gradient(z), np.arange(n), np.array([0, n])), shape=(1, n))

    def hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """w P d"""
        return weights[0] * (self.P @ direction)

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        """w P"""
        return csr_array(weights[0] * self.P)

    def hessian_diagonal(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """w diag(P)"""
        return weights[0] * self.P.diagonal()

    def to(self, device: str, dtype: str) -> Quadratic:
        """Stays where it is."""
        return self

    def digest(self) -> str:
        """Hex sha256 of P, q and r."""
        return matrix_digest(self.P) + array_digest(self.q, np.array([self.r]))
