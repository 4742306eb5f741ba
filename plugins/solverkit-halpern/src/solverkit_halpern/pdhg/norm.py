"""The norm of an operator between two subspaces, by Golub-Kahan bidiagonalization with reorthogonalization.

    A V_k = U_k B_k,   ||A|| ~ largest singular value of B_k

A few products give a percent where power iteration takes tens: the products are what the methods here are counted by.
(G. Golub, W. Kahan, SIAM J. Numerical Analysis B 2, 1965.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg.blas import dnrm2

Map = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Norm:
    """What was found: a lower bound that is close to the norm, with the right singular vector that shows it."""

    value: float
    vector: np.ndarray  # (q,), unit length; zero where the operator is
    products: int


def operator_norm(
    forward: Map, adjoint: Map, start: np.ndarray, left: Map, right: Map, limit: int = 16, rtol: float = 5e-3
) -> Norm:
    """||left A right|| for projections `left`, `right` onto subspaces, from a first vector.

    forward, adjoint : v -> A v and u -> A'u
    start : (q,) any vector that is not orthogonal to the answer
    limit, rtol : steps at most (two products each), and the relative change that ends them
    """
    v = right(start)
    length = _length(v)
    if length == 0 or not np.isfinite(length):
        return Norm(0.0, np.zeros_like(v), 0)
    basis: list[np.ndarray] = [v / length]
    others: list[np.ndarray] = []
    diagonal: list[float] = []
    beside: list[float] = []
    value, products = 0.0, 0
    weights = np.ones(1)
    for _ in range(limit):
        u = _orthogonal(left(forward(basis[-1])), others)
        products += 1
        alpha = _length(u)
        if alpha <= 1e-14 * value or alpha == 0:
            break
        others.append(u / alpha)
        diagonal.append(alpha)
        v = _orthogonal(right(adjoint(others[-1])), basis)
        products += 1
        beta = _length(v)
        beside.append(beta)
        before = value
        value, weights = _largest(diagonal, beside)
        if beta <= 1e-12 * value or abs(value - before) <= rtol * value:
            break
        basis.append(v / beta)
    vector = sum((w * b for w, b in zip(weights, basis, strict=False)), np.zeros_like(basis[0]))
    return Norm(value, vector, products)


def _length(v: np.ndarray) -> float:
    """||v||, without squares that under- or overflow."""
    return float(dnrm2(v)) if len(v) else 0.0


def _orthogonal(v: np.ndarray, basis: list[np.ndarray]) -> np.ndarray:
    for b in basis:
        v = v - (b @ v) * b
    return v


def _largest(diagonal: list[float], beside: list[float]) -> tuple[float, np.ndarray]:
    """The largest singular value of the upper bidiagonal (k, k + 1) matrix, and its right vector."""
    k = len(diagonal)
    matrix = np.zeros((k, k + 1))
    matrix[np.arange(k), np.arange(k)] = diagonal
    matrix[np.arange(k), np.arange(1, k + 1)] = beside
    _, values, right = np.linalg.svd(matrix)
    return float(values[0]), right[0]
