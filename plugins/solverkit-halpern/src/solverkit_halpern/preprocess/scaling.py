"""Diagonal scaling of a linear program, with the map back.

    A~ = D A E,   x = E x~ / alpha,   y = D y~ / beta
    c~ = beta E c,   rows~ = alpha D rows,   bounds~ = alpha bounds / E

Ruiz equilibration divides rows and columns by the square roots of their largest entries, round by round; Pock-Chambolle
(alpha = 1) then by the square roots of their absolute sums. alpha = 1 / (||sides|| + 1), beta = 1 / (||c|| + 1) bring
both sides of the problem to about unit size, so that the primal weight may begin at 1 (cuPDLPx, arXiv 2507.14051).

Factors are rounded to powers of 2, so that scaling and the map back are exact.

| here | paper | meaning |
|---|---|---|
| rows | D | (m,) factors of the rows |
| columns | E | (n,) factors of the columns |
| primal, dual | alpha, beta | scalars on bounds and objective |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse


@dataclass(frozen=True)
class Scaling:
    """Factors, and the maps between given and scaled coordinates."""

    rows: np.ndarray  # D, (m,)
    columns: np.ndarray  # E, (n,)
    primal: float = 1.0  # alpha
    dual: float = 1.0  # beta

    def x_back(self, x: np.ndarray) -> np.ndarray:
        """x of a scaled x~, (n,)."""
        return self.columns * x / self.primal

    def y_back(self, y: np.ndarray) -> np.ndarray:
        """y of a scaled y~, (m,)."""
        return self.rows * y / self.dual

    def x_scaled(self, x: np.ndarray) -> np.ndarray:
        """x~ of a given x: the inverse of `x_back`."""
        return x * self.primal / self.columns

    def y_scaled(self, y: np.ndarray) -> np.ndarray:
        """y~ of a given y: the inverse of `y_back`."""
        return y * self.dual / self.rows

    def matrix(self, A: Any) -> Any:
        """D A E, (m, n), of the layout of A."""
        if not issparse(A):
            return self.rows[:, None] * A * self.columns
        A = csr_array(A)
        counts = np.diff(A.indptr)
        data = A.data * np.repeat(self.rows, counts) * self.columns[A.indices]
        return csr_array((data, A.indices, A.indptr), shape=A.shape)


def equilibrated(A: Any, ruiz: int = 10, pock_chambolle: bool = True) -> Scaling:
    """Row and column factors of A, (m, n), dense or sparse. Rows and columns of zeros keep the factor 1."""
    size = csr_array(abs(A)) if issparse(A) else np.abs(A)
    factors = Scaling(np.ones(size.shape[0]), np.ones(size.shape[1]))
    for _ in range(ruiz):
        scaled = factors.matrix(size)
        factors = _divided(factors, _largest(scaled, 1), _largest(scaled, 0))
    if pock_chambolle:
        scaled = factors.matrix(size)
        factors = _divided(factors, np.asarray(scaled.sum(axis=1)).ravel(), np.asarray(scaled.sum(axis=0)).ravel())
    return Scaling(_power(factors.rows), _power(factors.columns))


def rescaled(scaling: Scaling, c: np.ndarray, sides: np.ndarray) -> Scaling:
    """The same with alpha and beta: `c` (n,) and `sides` (m,), the finite sides of the rows or 0, as they are given."""
    primal = 1 / (float(np.linalg.norm(scaling.rows * sides)) + 1)
    dual = 1 / (float(np.linalg.norm(scaling.columns * c)) + 1)
    return Scaling(scaling.rows, scaling.columns, float(_power(np.array(primal))), float(_power(np.array(dual))))


def _largest(size: Any, axis: int) -> np.ndarray:
    found = size.max(axis=axis)
    return np.asarray(found.toarray() if issparse(found) else found, dtype=float).ravel()


def _divided(factors: Scaling, rows: np.ndarray, columns: np.ndarray) -> Scaling:
    return Scaling(
        factors.rows / np.sqrt(np.where(rows > 0, rows, 1.0)),
        factors.columns / np.sqrt(np.where(columns > 0, columns, 1.0)),
    )


def _power(factor: np.ndarray) -> np.ndarray:
    """The nearest power of 2, within what float64 can multiply and divide by."""
    return np.exp2(np.clip(np.round(np.log2(factor)), -500, 500))
