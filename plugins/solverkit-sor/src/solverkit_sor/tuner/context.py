"""What is known of a system before it is solved: the user's numbers, and one that the matrix itself tells.

Costs of implicit steps move with the step size and the coefficients; a learner that sees them learns one curve
instead of chasing it. `dominance` sees them in the matrix, at the price of a few hundred rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kernels import njit
from solverkit_sor.kernels.splitting import Pattern

NONE = np.empty(0)

SAMPLE = 256
"""Rows that `dominance` looks at: a few microseconds, however large the matrix."""


class Names:
    """The order of a dict's entries, fixed by the first context, and the check that later ones are alike."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count
        self.names: list[str] | None = None

    def vector(self, context: Any) -> np.ndarray:
        """(count,) float64. Raises UsageError for NaN, or for a context unlike the first one."""
        if context is None and self.names is None and not self.count:
            self.count = 0
            return NONE
        if isinstance(context, Mapping):
            names = sorted(map(str, context))
            if self.names is None and self.count in (None, len(names)):
                self.names = names
            if names != self.names:
                raise UsageError(f"the context names {names}; earlier ones named {self.names or self._numbers()}")
            context = [context[name] for name in names]
        elif self.names is not None:
            raise UsageError(f"the context must name {self.names}, as the first one did; got {context!r}")
        try:
            values = np.asarray([] if context is None else context, dtype=np.float64).ravel()
        except (TypeError, ValueError):
            raise UsageError(f"the context must be numbers, or names with numbers; got {context!r}") from None
        if self.count is None:
            self.count = values.size
        if values.size != self.count:
            raise UsageError(f"the context has {values.size} numbers; {self._numbers()} expected")
        if not np.isfinite(values).all():
            raise UsageError(f"the context {values.tolist()} is not finite")
        return values

    def _numbers(self) -> str:
        return "no context was" if self.count == 0 else f"{self.count} numbers were"


@njit(cache=True)
def log_dominance(indptr: np.ndarray, data: np.ndarray, rows: np.ndarray) -> float:
    """Mean over `rows` of log |sum_j a_ij| / sum_j |a_ij|, from below by log 1e-14. O(entries of the rows)."""
    total = 0.0
    for i in rows:
        signed, absolute = 0.0, 1e-300
        for k in range(indptr[i], indptr[i + 1]):
            signed += data[k]
            absolute += abs(data[k])
        total += np.log(max(abs(signed) / absolute, 1e-14))
    return total / rows.size


def dominance(pattern: Pattern, data: np.ndarray) -> float:
    """How stiff a step is, told by SAMPLE rows of its matrix: in (-33, 0].

    For M + dt K, where the rows of K sum to zero, it falls as log(1 / dt) once dt is large: just what conditioning
    follows. Rows at a boundary, which do not, count no more than their number, as logarithms are averaged.
    """
    return float(log_dominance(pattern.indptr, data, sampled(pattern.n)))


@lru_cache(maxsize=8)
def sampled(n: int) -> np.ndarray:
    """Rows spread over 0 to n - 1."""
    return np.unique(np.linspace(0, n - 1, min(SAMPLE, n)).astype(np.uint32))
