"""Objectives that are means over samples, as the stochastic methods see them.

    f(z) = (1 / N) sum_i f_i(z),   z = (x, y)

A batch estimates f by the mean over some of its terms. What belongs to every term (a regularizer) is part of each f_i.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np


@runtime_checkable
class Summands(Protocol):
    """The terms of a mean over samples.

    `samples` is an integer array of any length b >= 1 with entries in 0, ..., count - 1, repetitions allowed; the mean
    is over its entries. z and the results are NumPy arrays, (n + m,), at this boundary.
    """

    count: int  # N

    def value(self, z: np.ndarray, samples: np.ndarray) -> float:
        """(1 / b) sum_{i in samples} f_i(z)."""
        ...

    def gradient(self, z: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Its gradient with respect to x and y, (n + m,)."""
        ...

    def hvp(self, z: np.ndarray, direction: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Its Hessian times a direction, (n + m,)."""
        ...

    def to(self, device: str, dtype: str) -> Summands:
        """The same terms with their arithmetic elsewhere; `self` where nothing changes."""
        ...

    def digest(self) -> str:
        """A hex sha256 of what is computed: part of the problem's fingerprint."""
        ...
