"""Double centring of a matrix game: the rank-one parts that simplices do not see are taken out of its norm.

On sum(x) = 1, sum(y) = 1, with row means a and column means b of A and the grand mean m,

    x'A y = x'K y + a'x + b'y - m,      K = A - a 1' - 1 b' + m 1 1' = C A C,      C v = v - mean(v).

Steps of primal-dual methods go as 1 / ||K||, not as 1 / ||A||: on the policeman-burglar games ||A|| is a hundred times
larger. K is never formed: A stays as it is, dense or sparse, and its products are corrected.

Projections onto {sum = 1} do not see multiples of 1, and K'x differs from A'x by b and a multiple of 1 on sum(x) = 1,
which the linear term b'y puts back. So an iteration that uses projections and the centred data makes the same steps as
one on A itself; only the step size differs. The methods here use that: they centre the norm, and iterate on A.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Product = Callable[[np.ndarray], np.ndarray]


def centre(v: np.ndarray) -> np.ndarray:
    """C v = v - mean(v): the projection onto the tangent of the simplex; a new array."""
    return v - v.mean()


@dataclass(frozen=True)
class Centred:
    """K with the linear terms that make the centred game equal to the given one."""

    matrix: Any  # A, (p, q), dense or sparse
    rows: np.ndarray  # a, (p,): means of the rows
    columns: np.ndarray  # b, (q,): means of the columns
    mean: float  # m

    def forward(self, y: np.ndarray) -> np.ndarray:
        """K y, (p,): one product with A and rank-one corrections."""
        return self.matrix @ y - self.rows * y.sum() - (self.columns @ y - self.mean * y.sum())

    def adjoint(self, x: np.ndarray) -> np.ndarray:
        """K'x, (q,)."""
        return self.matrix.T @ x - self.columns * x.sum() - (self.rows @ x - self.mean * x.sum())

    def value(self, x: np.ndarray, y: np.ndarray) -> float:
        """x'A y of two strategies, by the centred form: the inverse map of the value."""
        return float(x @ self.forward(y) + self.rows @ x + self.columns @ y - self.mean)


def double_centred(matrix: Any) -> Centred:
    """The centred form of a game; costs one product with A and one with A'."""
    p, q = matrix.shape
    rows = np.asarray(matrix @ np.full(q, 1.0 / q)).ravel()
    columns = np.asarray(matrix.T @ np.full(p, 1.0 / p)).ravel()
    return Centred(matrix, rows, columns, float(rows.mean()))
