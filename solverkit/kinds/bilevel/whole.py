"""The full objective of a `Summands` object: the mean over all samples, as a `Function`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from solverkit.errors import UsageError
from solverkit.kinds.bilevel.summands import Summands

MAX_DENSE = 50_000_000  # elements of a dense Hessian


@dataclass(eq=False)
class Whole:
    """A `Function` of one output; Jacobian and Hessian have a full pattern, from products with unit vectors."""

    summands: Summands
    inputs: int
    device: str = "cpu"
    dtype: str = "float64"
    outputs: int = 1
    degree: int | None = None

    @cached_property
    def _all(self) -> np.ndarray:
        return np.arange(self.summands.count)

    @property
    def products_only(self) -> bool:
        """Whether a Hessian would be too large to form."""
        return self.inputs**2 > MAX_DENSE

    def value(self, z: np.ndarray) -> np.ndarray:
        return np.array([self.summands.value(z, self._all)], dtype=float)

    def gradient(self, z: np.ndarray) -> np.ndarray:
        return np.array(self.summands.gradient(z, self._all))

    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return weights[0] * self.gradient(z)

    def jvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return np.array([self.gradient(z) @ direction])

    def jacobian(self, z: np.ndarray) -> csr_array:
        return _full(self.gradient(z)[None, :])

    def hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return weights[0] * self.summands.hvp(z, direction, self._all)

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        if self.products_only:
            raise UsageError(f"a dense Hessian of {self.inputs} variables is too large; use products (hvp)")
        dense = np.array([self.hvp(z, weights, unit) for unit in np.eye(self.inputs)])
        return _full(0.5 * (dense + dense.T))

    def to(self, device: str, dtype: str) -> Whole:
        if (device, dtype) == (self.device, self.dtype):
            return self
        return Whole(self.summands.to(device, dtype), self.inputs, device, dtype)

    def digest(self) -> str:
        return self.summands.digest()


def _full(dense: np.ndarray) -> csr_array:
    rows, columns = dense.shape
    indices = np.tile(np.arange(columns, dtype=np.int32), rows)
    pointers = np.arange(0, rows * columns + 1, columns, dtype=np.int32)
    return csr_array((dense.ravel().copy(), indices, pointers), shape=dense.shape)
