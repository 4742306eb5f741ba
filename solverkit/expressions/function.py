"""The one shape in which every smooth function reaches a kind: a vector function of one flat vector.

    r : R^n -> R^m,     J(z) = dr/dz,     H(z, w) = sum_i w_i  d2 r_i / dz2

A file's expressions, a user's torch callables and the readers of other formats all end here, so a kind and its
certificate never ask where a derivative came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_array


@runtime_checkable
class Function(Protocol):
    """A twice differentiable r : R^n -> R^m.

    All arguments and values at this boundary are NumPy arrays (of `dtype`), whatever does the arithmetic and wherever
    it is done. A returned array is the caller's own: it never aliases a buffer that the next call overwrites.
    Sparsity patterns of `jacobian` and `hessian` are the same at every point.
    """

    inputs: int  # n
    outputs: int  # m
    degree: int | None  # of r as a polynomial in z: 0, 1 or 2 where that is proven, None otherwise
    device: str  # "cpu", "cuda", "cuda:1": where the arithmetic is done
    dtype: str  # "float64" or "float32"

    def value(self, z: np.ndarray) -> np.ndarray:
        """r(z), shape (m,)."""
        ...

    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """J(z)' w, shape (n,); the gradient where m = 1 and w = [1]."""
        ...

    def jvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """J(z) d, shape (m,)."""
        ...

    def jacobian(self, z: np.ndarray) -> csr_array:
        """J(z), sparse (m, n)."""
        ...

    def hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """H(z, w) d, shape (n,)."""
        ...

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        """H(z, w), sparse symmetric (n, n), both triangles stored."""
        ...

    def gradient(self, z: np.ndarray) -> np.ndarray:
        """vjp(z, [1]) for m = 1, shape (n,): the fast path of an objective."""
        ...

    def to(self, device: str, dtype: str) -> Function:
        """The same function with its arithmetic elsewhere; `self` where nothing changes."""
        ...

    def digest(self) -> str:
        """A hex sha256 of what the function computes (text and data, not device): part of a problem's fingerprint."""
        ...
