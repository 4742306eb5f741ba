"""Polynomials of contexts whose range is not known beforehand.

    phi(c) = (1, T_1(z_1), T_2(z_1), T_1(z_2), ...),   z_k = c_k mapped from the window [low_k, high_k] to [-1, 1]

When a context leaves the window, the window grows. As the polynomials of both windows span the same space, phi_new(c)
= M phi_old(c) with a matrix M, and whatever was summed in old features moves over exactly: a Gram matrix G to M G M'.
"""

from __future__ import annotations

from math import isfinite, isnan
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kernels import njit

PADDING = 0.1
"""A window that must grow takes this share of its width more, so that a drifting context moves it seldom."""


@njit(cache=True)
def pairs(context: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(1 + 2 k,) phi of a context (k,), outside the windows of their nearest point, and zeros for windows unknown."""
    phi = np.zeros(1 + 2 * context.size)
    phi[0] = 1.0
    for k in range(context.size):
        if low[k] < high[k]:
            z = (2.0 * min(max(context[k], low[k]), high[k]) - low[k] - high[k]) / (high[k] - low[k])
            phi[1 + 2 * k], phi[2 + 2 * k] = z, 2.0 * z * z - 1.0
    return phi


@njit(cache=True)
def inside(context: np.ndarray, low: np.ndarray, high: np.ndarray) -> bool:
    """Whether each context is in its window; unknown (NaN) windows hold nothing."""
    within = True
    for k in range(context.size):
        within = within and low[k] <= context[k] <= high[k]
    return within


class Window:
    """The interval of each context seen so far."""

    def __init__(self, count: int, low: Any = None, high: Any = None) -> None:
        """`count` contexts; `low`, `high` (count,) where their range is known, else it is found on the way."""
        self.count = count
        self.low = np.full(count, np.nan) if low is None else np.broadcast_to(np.asarray(low, float), count).copy()
        self.high = np.full(count, np.nan) if high is None else np.broadcast_to(np.asarray(high, float), count).copy()
        if np.any(self.low >= self.high):
            raise UsageError(f"contexts need low < high, got {self.low.tolist()} and {self.high.tolist()}")

    @property
    def known(self) -> bool:
        """Whether every context has its window."""
        return self.count == 0 or not isnan(self.low.sum())

    @property
    def terms(self) -> int:
        """Length of phi: 1 + 2 count."""
        return 1 + 2 * self.count

    def vector(self, context: Any) -> np.ndarray:
        """(count,) the context, checked."""
        if type(context) is np.ndarray and context.dtype == np.float64 and context.ndim == 1:
            given = context  # as a tuner hands it over, a round's hot path
        else:
            given = np.asarray(() if context is None else context, dtype=np.float64).ravel()
        if given.shape != (self.count,):
            raise UsageError(f"the context has {given.size} numbers, this learner was made for {self.count}")
        if not all(map(isfinite, given.tolist())):
            raise UsageError(f"the context {given.tolist()} is not finite")
        return given

    def features(self, context: np.ndarray) -> np.ndarray:
        """(1 + 2 count,) phi(context); outside the windows, that of their nearest point."""
        return pairs(context, self.low, self.high)

    def grow(self, context: np.ndarray) -> np.ndarray | None:
        """Make room for `context`; M (terms, terms) where windows changed that had contexts before, else None."""
        if inside(context, self.low, self.high):
            return None
        moved, matrix = False, np.eye(self.terms)
        for k in range(self.count):
            low, high, c = self.low[k], self.high[k], context[k]
            if low <= c <= high:
                continue
            if np.isnan(low):
                half = 0.05 * abs(c) or 0.05
                self.low[k], self.high[k] = c - half, c + half
                continue
            new = (min(low, c), max(high, c))
            pad = PADDING * (new[1] - new[0])
            new = (new[0] - pad if c < low else low, new[1] + pad if c > high else high)
            # z_new = s z + o
            s = (high - low) / (new[1] - new[0])
            o = (low + high - new[0] - new[1]) / (new[1] - new[0])
            first, second = 1 + 2 * k, 2 + 2 * k
            matrix[first, [0, first]] = o, s
            matrix[second, [0, first, second]] = s * s + 2 * o * o - 1.0, 4.0 * s * o, s * s
            self.low[k], self.high[k] = new
            moved = True
        return matrix if moved else None
