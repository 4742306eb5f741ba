"""Products with the matrix of a game in single precision: half the memory traffic of a product that is nothing else.

The iteration tolerates errors of 1e-7 relative; its claims do not rest on them, since each is recomputed in double by
the problem's own oracles.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Charge = Callable[[str, int], None]


class SingleProducts:
    """A y and A'x from a float32 copy of A, counted as products by `charge`."""

    def __init__(self, matrix: np.ndarray, charge: Charge) -> None:
        self._matrix = np.asarray(matrix, dtype=np.float32)
        self._charge = charge

    def forward(self, y: np.ndarray) -> np.ndarray:
        """A y, (p,), in float64."""
        self._charge("nmul", 1)
        return (self._matrix @ y.astype(np.float32)).astype(float)

    def adjoint(self, x: np.ndarray) -> np.ndarray:
        """A'x, (q,), in float64."""
        self._charge("nmul", 1)
        return (self._matrix.T @ x.astype(np.float32)).astype(float)
