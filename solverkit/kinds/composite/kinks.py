"""Nonsmooth parts that are known by subgradients: losses of data with kinks, functions with a derivative of their own.

    h(x) = scale sum_i phi(a_i'x, b_i),   scale 1/N for a mean

| loss | phi(z, b) | subgradient in z | also |z| form, for a lower bound |
|---|---|---|---|
| absolute | |z - b| | sign(z - b), 0 at the kink | itself |
| hinge | max(1 - b z, 0), b = -1 or 1 | -b where b z < 1 | |z - b| / 2 - b (z - b) / 2 |

A batch of rows gives an unbiased estimate of a subgradient. ||h'|| <= M = scale min(sum ||a_i||, sqrt(N) ||A||).
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.sparse import issparse

from solverkit.errors import UsageError
from solverkit.kinds.composite.linear_maps import Matrix
from solverkit.kinds.composite.losses import spectral_norm
from solverkit.kinds.composite.terms import Outer
from solverkit.operators.proximal import L1, ProximalMap, Tilted, Translated
from solverkit.operators.qp import row_norms

if TYPE_CHECKING:
    from collections.abc import Callable

Kink = Literal["absolute", "hinge"]


class RowKinks:
    """h over the rows of A (N, n) with targets b (N,); see the module. UsageError for labels that are not -1 and 1."""

    known = True  # convex, and its subgradients right, by its formula

    def __init__(self, loss: Kink, A: Any, b: np.ndarray, scale: float = 1.0) -> None:
        self.loss, self.A, self.scale = loss, A, float(scale)
        self.b = np.asarray(b, dtype=float)
        if self.b.shape != (A.shape[0],):
            raise UsageError(f"there are {A.shape[0]} rows of data and targets of shape {self.b.shape}")
        if loss == "hinge" and not np.isin(self.b, (-1.0, 1.0)).all():
            raise UsageError("labels of the hinge loss are -1 and 1")
        if not self.scale > 0:
            raise UsageError(f"scale is positive, not {scale}")
        self.size: int = A.shape[1]
        self.count: int = A.shape[0]

    @cached_property
    def lipschitz(self) -> float:
        """M, see the module."""
        lengths = row_norms(self.A) if issparse(self.A) else np.linalg.norm(self.A, axis=1)
        return self.scale * min(float(lengths.sum()), float(np.sqrt(self.count)) * spectral_norm(self.A))

    @cached_property
    def rows_form(self) -> Outer:
        """h as g(A x): what the certificate bounds it by."""
        g: ProximalMap = L1(self.scale)
        if self.loss == "hinge":
            g = Tilted(L1(self.scale / 2), -self.b * self.scale / 2)
        return Outer(Matrix(self.A), Translated(g, self.b))

    def value(self, x: np.ndarray) -> float:
        """h(x)."""
        z = self.A @ x
        terms = np.abs(z - self.b) if self.loss == "absolute" else np.maximum(1 - self.b * z, 0.0)
        return self.scale * float(terms.sum())

    def _slopes(self, z: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.sign(z - b) if self.loss == "absolute" else np.where(b * z < 1, -b, 0.0)

    def subgradient(self, x: np.ndarray) -> np.ndarray:
        """A subgradient, (n,)."""
        return self.scale * (self.A.T @ self._slopes(self.A @ x, self.b))

    def batch_subgradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """N scale times the mean of the terms' subgradients, (n,)."""
        rows, b = self.A[samples], self.b[samples]
        return (self.scale * self.count / len(samples)) * (rows.T @ self._slopes(rows @ x, b))

    def digest(self) -> str:
        """Hex sha256 of the loss and the data."""
        digest = hashlib.sha256(repr(("row kinks 1", self.loss, self.scale, self.A.shape)).encode())
        for array in (self.A.data, self.A.indices, self.A.indptr) if issparse(self.A) else (self.A,):
            digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(np.ascontiguousarray(self.b).tobytes())
        return digest.hexdigest()


class Subgradients:
    """h from a compiled expression or torch callable; where it has a kink, the derivative's convention counts."""

    count = 1
    lipschitz: float | None = None

    def __init__(self, function: Any) -> None:
        self.function, self.size = function, int(function.inputs)

    def value(self, x: np.ndarray) -> float:
        """h(x)."""
        return float(self.function.value(x)[0])

    def subgradient(self, x: np.ndarray) -> np.ndarray:
        """The derivative, (n,)."""
        return self.function.gradient(x)

    def batch_subgradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """The subgradient: there is one term."""
        return self.subgradient(x)

    def digest(self) -> str:
        """Of the function."""
        return str(self.function.digest())


class Called:
    """f or h from two functions of NumPy arrays: x (n,) -> a number, x (n,) -> a gradient or subgradient (n,)."""

    count = 1
    quadratic = False

    def __init__(
        self,
        value: Callable[[np.ndarray], float],
        slope: Callable[[np.ndarray], np.ndarray],
        size: int,
        lipschitz: float | None = None,
    ) -> None:
        self._value, self._slope, self.size, self.lipschitz = value, slope, size, lipschitz

    def value(self, x: np.ndarray) -> float:
        """The function at x."""
        return float(self._value(x.copy()))

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """(n,). UsageError where the function gives another shape."""
        found = np.array(self._slope(x.copy()), dtype=float)
        if found.shape != (self.size,):
            raise UsageError(f"a gradient has the shape of x, ({self.size},), not {found.shape}")
        return found

    subgradient = gradient

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Both."""
        return self.value(x), self.gradient(x)

    def batch_gradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """The gradient: there is one term."""
        return self.gradient(x)

    batch_subgradient = batch_gradient

    def to(self, device: str, dtype: str) -> Called:
        """Itself."""
        return self

    def digest(self) -> str:
        """Of values and slopes at two fixed points: the code itself cannot be compared."""
        rng = np.random.default_rng(0)
        points = np.abs(rng.standard_normal((2, self.size))) / self.size
        digest = hashlib.sha256(repr(("called", self.size, self.lipschitz)).encode())
        for x in points:
            digest.update(np.array([self.value(x), *self.gradient(x)]).tobytes())
        return digest.hexdigest()
