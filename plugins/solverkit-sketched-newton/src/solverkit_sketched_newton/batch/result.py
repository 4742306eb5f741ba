"""What came out of a batch: one row a problem."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class BatchStatus(enum.IntEnum):
    """How each problem ended: the method's word, which a certificate may be asked about."""

    CONVERGED = 0
    """The scaled KKT error is below tol."""
    MAX_ITER = 1
    """The limit on iterations came first: raise max_iter, or solve this problem alone."""
    STALLED = 2
    """No step reduces the merit function: infeasible, degenerate or badly scaled; solve this problem alone."""


@dataclass(frozen=True, eq=False)
class BatchResult:
    """One row a problem; arrays are NumPy's, whatever device did the work."""

    x: np.ndarray  # (B, n)
    multipliers: np.ndarray  # (B, m), sign convention of the kind `nonlinear`
    bound_multipliers: np.ndarray  # (B, n)
    fun: np.ndarray  # (B,)
    error: np.ndarray  # (B,) scaled KKT error
    violation: np.ndarray  # (B,) of the constraints, infinity norm
    status: np.ndarray  # (B,) of BatchStatus
    iterations: np.ndarray  # (B,)
    certificates: tuple[Any, ...] = field(default=())  # solverkit.kinds.base.Certificate, where asked for

    @property
    def success(self) -> np.ndarray:
        """(B,) CERTIFIED where certificates were asked for, CONVERGED otherwise."""
        if self.certificates:
            return np.array([certificate.status.name == "CERTIFIED" for certificate in self.certificates])
        return self.status == BatchStatus.CONVERGED
