"""Affine and quadratic functions given by their coefficients: what simple sets are made of.

    Linear(A)             r(v) = A v
    SquaredDistance(c)    r(v) = ||v - c||^2
    Stacked(parts)        r(v) = (r_1(v[s_1]), r_2(v[s_2]), ...),  one slice of v a part

Each is a `solverkit.expressions.function.Function` on the CPU in float64.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, eye_array, vstack

if TYPE_CHECKING:
    from solverkit.expressions.function import Function


def array_digest(*arrays: np.ndarray) -> str:
    """Hex sha256 of shapes and float64 contents."""
    digest = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array, dtype=float)
        digest.update(repr(array.shape).encode())
        digest.update(array.reshape(-1).view(np.uint8).data)  # the memory itself: no copy of a large matrix
    return digest.hexdigest()


def matrix_digest(matrix: csr_array) -> str:
    """The same for a sparse matrix, whatever the order of its entries."""
    matrix = csr_array(matrix, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return array_digest(np.asarray(matrix.shape), matrix.indptr, matrix.indices, matrix.data)


class _Host(ABC):
    """What the three share: they stay where they are."""

    device = "cpu"
    dtype = "float64"

    def to(self, device: str, dtype: str):
        return self

    def gradient(self, z: np.ndarray) -> np.ndarray:
        return self.vjp(z, np.ones(1))

    @abstractmethod
    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray: ...


class Linear(_Host):
    """r(v) = A v."""

    degree: int | None = 1

    def __init__(self, A: csr_array) -> None:
        self.A = csr_array(A)
        self.outputs, self.inputs = self.A.shape

    def value(self, z: np.ndarray) -> np.ndarray:
        return self.A @ z

    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return self.A.T @ weights

    def jvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return self.A @ direction

    def jacobian(self, z: np.ndarray) -> csr_array:
        return self.A.copy()

    def hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return np.zeros(self.inputs)

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        return csr_array((self.inputs, self.inputs))

    def digest(self) -> str:
        return matrix_digest(self.A)


class SquaredDistance(_Host):
    """r(v) = ||v - c||^2."""

    degree: int | None = 2
    outputs = 1

    def __init__(self, center: np.ndarray) -> None:
        self.center = np.asarray(center, dtype=float)
        self.inputs = len(self.center)

    def value(self, z: np.ndarray) -> np.ndarray:
        offset = z - self.center
        return np.array([offset @ offset])

    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return 2 * weights[0] * (z - self.center)

    def jvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return np.array([2 * (z - self.center) @ direction])

    def jacobian(self, z: np.ndarray) -> csr_array:
        return csr_array(2 * (z - self.center)[None, :])

    def hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return 2 * weights[0] * direction

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        return csr_array(2 * weights[0] * eye_array(self.inputs))

    def digest(self) -> str:
        return array_digest(self.center)


class Stacked(_Host):
    """Functions of disjoint slices of one vector, their outputs one after the other."""

    def __init__(self, parts: Sequence[tuple[slice, Function]], inputs: int) -> None:
        self.parts = list(parts)
        self.inputs = inputs
        self.outputs = sum(part.outputs for _, part in self.parts)
        degrees = [part.degree for _, part in self.parts]
        self.degree = None if None in degrees else max((d for d in degrees if d is not None), default=0)

    def _weights(self, weights: np.ndarray) -> list[np.ndarray]:
        return np.split(weights, np.cumsum([part.outputs for _, part in self.parts])[:-1])

    def value(self, z: np.ndarray) -> np.ndarray:
        return np.concatenate([part.value(z[at]) for at, part in self.parts] or [np.zeros(0)])

    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        out = np.zeros(self.inputs)
        for (at, part), weight in zip(self.parts, self._weights(weights), strict=True):
            out[at] = part.vjp(z[at], weight)
        return out

    def jvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return np.concatenate([part.jvp(z[at], direction[at]) for at, part in self.parts] or [np.zeros(0)])

    def jacobian(self, z: np.ndarray) -> csr_array:
        blocks = [shifted(part.jacobian(z[at]), at.start, self.inputs) for at, part in self.parts]
        return csr_array(vstack(blocks)) if blocks else csr_array((0, self.inputs))

    def hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        out = np.zeros(self.inputs)
        for (at, part), weight in zip(self.parts, self._weights(weights), strict=True):
            out[at] = part.hvp(z[at], weight, direction[at])
        return out

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        total = csr_array((self.inputs, self.inputs))
        for (at, part), weight in zip(self.parts, self._weights(weights), strict=True):
            total = total + shifted(part.hessian(z[at], weight), at.start, self.inputs, rows=self.inputs)
        return csr_array(total)

    def digest(self) -> str:
        text = "|".join(f"{at.start}:{at.stop}:{part.digest()}" for at, part in self.parts)
        return hashlib.sha256(text.encode()).hexdigest()


def shifted(matrix: csr_array, start: int, columns: int, rows: int | None = None) -> csr_array:
    """The matrix moved `start` columns to the right (and as many rows down where `rows` is given)."""
    coo = matrix.tocoo()
    row = coo.row if rows is None else coo.row + start
    shape = (matrix.shape[0] if rows is None else rows, columns)
    return csr_array((coo.data, (row, coo.col + start)), shape=shape)
