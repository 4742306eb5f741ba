"""Smooth parts that are losses of linear predictions over the rows of data.

    f(x) = scale sum_i phi(a_i'x, b_i),   scale 1/N for a mean

| loss | phi(z, b) | phi'' at most |
|---|---|---|
| least-squares | (z - b)^2 / 2 | 1 |
| logistic | log(1 + exp(-b z)), b = -1 or 1 | 1/4 |
| huber | (z - b)^2 / 2 where |z - b| <= delta, delta (|z - b| - delta / 2) elsewhere | 1 |

The gradient's Lipschitz constant is L = scale max phi'' ||A||^2, ||A|| by Lanczos iterations. A value and a gradient at
one x read A twice, once for A x and once for A'.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any, Literal

import numpy as np
from scipy.sparse import issparse
from scipy.sparse.linalg import ArpackError, svds
from scipy.special import expit

from solverkit.errors import UsageError

Loss = Literal["least-squares", "logistic", "huber"]
GRAM = 1000
"""Largest n for which A'A, or a Hessian, is formed and its eigenvalues are computed."""

CURVATURE = {"least-squares": 1.0, "logistic": 0.25, "huber": 1.0}


class RowLoss:
    """f over the rows of A (N, n) with targets b (N,); see the module. UsageError for labels that are not -1 and 1."""

    known = True  # convex, and its gradient right, by its formula

    def __init__(self, loss: Loss, A: Any, b: np.ndarray, scale: float = 1.0, delta: float = 1.0) -> None:
        self.loss, self.A, self.scale, self.delta = loss, A, float(scale), float(delta)
        self.b = np.asarray(b, dtype=float)
        if self.b.shape != (A.shape[0],):
            raise UsageError(f"there are {A.shape[0]} rows of data and targets of shape {self.b.shape}")
        if loss == "logistic" and not np.isin(self.b, (-1.0, 1.0)).all():
            raise UsageError("labels of the logistic loss are -1 and 1")
        if not (self.scale > 0 and self.delta > 0):
            raise UsageError(f"scale and delta are positive, not {scale} and {delta}")
        self.size: int = A.shape[1]
        self.count: int = A.shape[0]
        self.quadratic = loss == "least-squares"

    @cached_property
    def lipschitz(self) -> float:
        """L of the gradient, one part in a million too large rather than too small."""
        return CURVATURE[self.loss] * self.scale * spectral_norm(self.A) ** 2 * (1 + 1e-6)

    @cached_property
    def strong(self) -> float:
        """m >= 0 with f - (m / 2) ||x||^2 convex: of least squares with more rows than columns, and 0 of others."""
        return self.scale * least_singular(self.A) ** 2 if self.quadratic else 0.0

    def value(self, x: np.ndarray) -> float:
        """f(x)."""
        return self.scale * float(self._losses(self.A @ x, self.b).sum())

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """grad f(x), (n,)."""
        return self.scale * (self.A.T @ self._slopes(self.A @ x, self.b))

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Both from one product A x."""
        z = self.A @ x
        return self.scale * float(self._losses(z, self.b).sum()), self.scale * (self.A.T @ self._slopes(z, self.b))

    def batch_gradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """N scale times the mean of the terms' gradients: an estimate of grad f, (n,)."""
        rows, b = self.A[samples], self.b[samples]
        return (self.scale * self.count / len(samples)) * (rows.T @ self._slopes(rows @ x, b))

    def _losses(self, z: np.ndarray, b: np.ndarray) -> np.ndarray:
        if self.loss == "logistic":
            return np.logaddexp(0.0, -b * z)
        r = z - b
        if self.loss == "least-squares":
            return 0.5 * r**2
        size = np.abs(r)
        return np.where(size <= self.delta, 0.5 * r**2, self.delta * (size - self.delta / 2))

    def _slopes(self, z: np.ndarray, b: np.ndarray) -> np.ndarray:
        if self.loss == "logistic":
            return -b * expit(-b * z)
        r = z - b
        return r if self.loss == "least-squares" else np.clip(r, -self.delta, self.delta)

    def to(self, device: str, dtype: str) -> RowLoss:
        """Itself: data losses are computed by NumPy in float64. UsageError elsewhere."""
        if device != "cpu" or dtype != "float64":
            raise UsageError(f"losses of data are computed on the CPU in float64, not on {device} in {dtype}")
        return self

    def digest(self) -> str:
        """Hex sha256 of the loss and the data."""
        digest = hashlib.sha256(repr(("row loss 1", self.loss, self.scale, self.delta, self.A.shape)).encode())
        for array in (self.A.data, self.A.indices, self.A.indptr) if issparse(self.A) else (self.A,):
            digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(np.ascontiguousarray(self.b).tobytes())
        return digest.hexdigest()


def spectral_norm(A: Any) -> float:
    """||A||_2 to about 1e-6 by Lanczos iterations from a fixed start; by all singular values for small ones.

    Where every row has one entry at most (weights, missing data) it is the longest column. Where Lanczos iterations do
    not end, since singular values lie close together, sqrt(||A||_1 ||A||_inf) bounds it.
    """
    if min(A.shape) <= 32:
        return float(np.linalg.norm(A.toarray() if issparse(A) else np.asarray(A), 2)) if min(A.shape) else 0.0
    if issparse(A) and np.diff(A.tocsr().indptr).max(initial=0) <= 1:
        return float(np.sqrt(A.multiply(A).sum(axis=0).max()))
    start = np.random.default_rng(0).standard_normal(min(A.shape))
    try:
        return float(svds(A, k=1, v0=start, return_singular_vectors=False, tol=1e-7, maxiter=100)[0])
    except ArpackError:
        size = abs(A)
        return float(np.sqrt(size.sum(axis=0).max() * size.sum(axis=1).max()))


def least_singular(A: Any) -> float:
    """A number below the n-th singular value of A (N, n), 0 where that cannot be told from rounding or n > `GRAM`."""
    N, n = A.shape
    if n > N or n > GRAM or N * n**2 > 2e10:  # a second or two
        return 0.0
    gram = A.T @ A
    values = np.linalg.eigvalsh(gram.toarray() if issparse(gram) else gram)
    return float(np.sqrt(max(values[0] - 1e-12 * n * values[-1], 0.0)))


class FromFunction:
    """f from a compiled expression or torch callable: `function` is r : R^n -> R with its gradient."""

    count = 1

    def __init__(self, function: Any, lipschitz: float | None = None) -> None:
        self.function, self.size = function, int(function.inputs)
        self.quadratic = function.degree is not None and function.degree <= 2
        self._given = lipschitz

    @cached_property
    def lipschitz(self) -> float | None:
        """What the author says, or of a quadratic f the largest eigenvalue of its Hessian; None otherwise."""
        if self._given is not None or not self.quadratic:
            return self._given
        from scipy.sparse.linalg import LinearOperator, eigsh

        zero, one = np.zeros(self.size), np.ones(1)
        if self.size <= 32:
            return float(np.linalg.norm(self.function.hessian(zero, one).toarray(), 2)) * (1 + 1e-6)
        product = LinearOperator((self.size, self.size), matvec=lambda d: self.function.hvp(zero, one, d), dtype=float)
        start = np.random.default_rng(0).standard_normal(self.size)
        return float(eigsh(product, k=1, v0=start, return_eigenvectors=False, tol=1e-8)[0]) * (1 + 1e-6)

    @cached_property
    def strong(self) -> float:
        """m >= 0 with f - (m / 2) ||x||^2 convex: of a small quadratic f, and 0 of others."""
        if not self.quadratic or self.size > GRAM // 2:
            return 0.0
        values = np.linalg.eigvalsh(self.function.hessian(np.zeros(self.size), np.ones(1)).toarray())
        return float(max(values[0] - 1e-12 * self.size * abs(values[-1]), 0.0))

    def value(self, x: np.ndarray) -> float:
        """f(x)."""
        return float(self.function.value(x)[0])

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """grad f(x), (n,)."""
        return self.function.gradient(x)

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Both."""
        return self.value(x), self.gradient(x)

    def batch_gradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """The gradient: there is one term."""
        return self.gradient(x)

    def to(self, device: str, dtype: str) -> FromFunction:
        """The same f with its arithmetic elsewhere."""
        moved = self.function.to(device, dtype)
        return self if moved is self.function else FromFunction(moved, self._given)

    def digest(self) -> str:
        """Of the function."""
        return str(self.function.digest())
