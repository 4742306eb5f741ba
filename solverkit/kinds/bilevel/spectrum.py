"""Extreme eigenvalues and linear systems of a symmetric operator that is known by its products alone.

Lanczos with full reorthogonalization: after k products, k numbers theta (Ritz values) inside the spectrum. The smallest
one is never below the smallest eigenvalue, so a negative one is a proof up to rounding; how far above it may lie is
told by its residual norm only for the eigenvalue next to it. Memory (k + few) vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.sparse.linalg import LinearOperator, cg

Product = Callable[[np.ndarray], np.ndarray]

STEPS = 100
LEAST = 30  # products before a smallest Ritz value that is not negative is believed
SETTLED = 1e-4  # of the spectrum's size: residual with which it is


@dataclass(frozen=True)
class Extremes:
    """The smallest and the largest Ritz value; the vector of the smallest; products with NaN make all NaN."""

    smallest: float
    largest: float
    residual: float  # ||A v - theta v|| of the smallest
    vector: np.ndarray

    @property
    def size(self) -> float:
        """max |theta|, about ||A||_2."""
        return max(abs(self.smallest), abs(self.largest))


def lanczos(product: Product, start: np.ndarray, steps: int = STEPS, negative: float = 1e-10) -> Extremes:
    """Ritz values from the Krylov space of `start`.

    Ends early where the smallest one has settled, or lies below -negative * max |theta| by more than its residual.
    """
    length = float(np.linalg.norm(start))
    if length == 0:
        return Extremes(0.0, 0.0, 0.0, start)
    steps = min(steps, len(start))
    basis = np.empty((steps, len(start)))
    basis[0] = start / length
    diagonal: list[float] = []
    below: list[float] = []
    while True:
        k = len(below)
        image = np.asarray(product(basis[k]), dtype=float)
        if not np.isfinite(image).all():
            return Extremes(np.nan, np.nan, np.nan, start)
        diagonal.append(float(image @ basis[k]))
        known = basis[: k + 1]
        for _ in range(2):
            image = image - known.T @ (known @ image)
        rest = float(np.linalg.norm(image))
        values, vectors = eigh_tridiagonal(np.array(diagonal), np.array(below))
        residual, size = rest * abs(float(vectors[-1, 0])), float(np.abs(values).max())
        seen = values[0] + residual < -negative * size
        settled = k >= LEAST and residual <= SETTLED * size
        if rest <= 1e-12 * size or seen or settled or k == steps - 1:
            break
        below.append(rest)
        basis[k + 1] = image / rest
    return Extremes(float(values[0]), float(values[-1]), residual, known.T @ vectors[:, 0])


@dataclass(frozen=True)
class Solution:
    """x with A x = b up to a relative residual that was computed, not estimated."""

    x: np.ndarray
    residual: float  # ||A x - b|| / ||b||
    products: int


def conjugate_gradients(
    product: Product, right: np.ndarray, rtol: float = 1e-10, most: int = 2000, precondition: Product | None = None
) -> Solution:
    """A x = b for a positive semidefinite A and b in its range, from zero. `precondition`: about v -> A^-1 v."""
    size = float(np.linalg.norm(right))
    if size == 0:
        return Solution(np.zeros_like(right), 0.0, 0)
    steps = 0

    def count(_: np.ndarray) -> None:
        nonlocal steps
        steps += 1

    shape = (len(right), len(right))
    operator = LinearOperator(shape, matvec=product, dtype=float)
    about = None if precondition is None else LinearOperator(shape, matvec=precondition, dtype=float)
    most = min(most, 10 * len(right))
    with np.errstate(over="ignore", invalid="ignore"):  # a singular operator: the residual says so
        x, _ = cg(operator, right, rtol=rtol, atol=0.0, maxiter=most, M=about, callback=count)
        left = float(np.linalg.norm(product(x) - right))
    return Solution(x, left / size, steps + 1)
