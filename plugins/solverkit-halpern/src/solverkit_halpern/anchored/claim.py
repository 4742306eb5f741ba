"""When a run without a gap of its own may say that it has converged: when the certificate's own test holds.

The scalings of the certificate are found by probing F around the point, which costs tens of evaluations; so it is asked
when the residual falls below the tolerance times the size of F, and then each time that the residual has halved.
"""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Context
from solverkit.kinds.base import PointStatus
from solverkit.kinds.inclusion.certificate import certify
from solverkit.kinds.inclusion.problem import Inclusion

PROBES = 16  # evaluations of F that one look costs, about
NEAR = 100.0  # times the tolerance: from where on the certificate is asked


class Claim:
    """Asks sparingly; `asked`, the residual at which it asked last, is kept by the caller, whose state is saved."""

    def __init__(self, problem: Inclusion, ctx: Context) -> None:
        self._problem, self._ctx = problem, ctx

    def due(self, u: np.ndarray, residual: float, asked: float) -> bool:
        """Whether the residual has come so far that asking is worth it."""
        threshold = NEAR * self._ctx.tol * (1 + float(np.abs(u).max(initial=0.0)))
        return residual <= min(asked / 2, threshold)

    def holds(self, u: np.ndarray) -> bool:
        """Whether u would be certified."""
        self._ctx.charge("nop", PROBES)
        return certify(self._problem, self._problem.blocks(u), self._ctx.tol, 0).status is PointStatus.CERTIFIED
