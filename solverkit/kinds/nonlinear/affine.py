"""Affine rows by their matrix, dense or sparse, which is never copied.

    r(x) = A x + b

A dense A of 1000 x 100,000 numbers takes 800 MB: as a sparse matrix with every entry it would take 1.2 GB, and each
Jacobian as much again. `jacobian` therefore hands out A itself, read-only.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

DENSE_SIZE = 10_000  # entries from which a matrix is kept dense
DENSE_SHARE = 0.3  # and the share of nonzeros


class Affine:
    """A `Function` on the CPU in float64. A (m, n): an ndarray, used as it is, or sparse; b (m,) or None for zero."""

    degree: int | None = 1
    device = "cpu"
    dtype = "float64"

    def __init__(self, A: Any, b: np.ndarray | None = None) -> None:
        if issparse(A):
            self.A: Any = csr_array(A, dtype=float)
        else:
            self.A = np.asarray(A, dtype=float).view()
            self.A.flags.writeable = False
        self.outputs, self.inputs = self.A.shape
        self.b = None if b is None or not np.any(b) else np.asarray(b, dtype=float)

    def value(self, z: np.ndarray) -> np.ndarray:
        """A z + b"""
        return self.A @ z if self.b is None else self.A @ z + self.b

    def gradient(self, z: np.ndarray) -> np.ndarray:
        """Of a single row."""
        return self.vjp(z, np.ones(1))

    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """A'w"""
        return self.A.T @ weights

    def jvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """A d"""
        return self.A @ direction

    def jacobian(self, z: np.ndarray) -> Any:
        """A itself where it is dense, read-only; a copy where it is sparse."""
        return self.A if isinstance(self.A, np.ndarray) else self.A.copy()

    def hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Zero."""
        return np.zeros(self.inputs)

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        """Zero."""
        return csr_array((self.inputs, self.inputs))

    def to(self, device: str, dtype: str) -> Affine:
        """Stays where it is: a method on a device moves A once and for all itself."""
        return self

    @cached_property
    def _digest(self) -> str:
        digest = hashlib.sha256(f"affine {self.A.shape}".encode())
        parts = [self.A] if isinstance(self.A, np.ndarray) else [self.A.indptr, self.A.indices, self.A.data]
        for part in [*parts, np.zeros(0) if self.b is None else self.b]:
            digest.update(np.ascontiguousarray(part).data)  # not tobytes, which copies
        return digest.hexdigest()

    def digest(self) -> str:
        """Hex sha256 of A and b."""
        return self._digest


def densified(function: Any) -> Any:
    """The function by its matrix where it is proven affine and its Jacobian is large and mostly full."""
    size = function.inputs * function.outputs
    if function.degree not in (0, 1) or size < DENSE_SIZE or isinstance(function, Affine):
        return function
    origin = np.zeros(function.inputs)
    jacobian = function.jacobian(origin)
    if issparse(jacobian) and np.count_nonzero(jacobian.data) < DENSE_SHARE * size:
        return function
    return Affine(jacobian.toarray() if issparse(jacobian) else jacobian, function.value(origin))
