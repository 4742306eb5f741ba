"""Options of the peers for composite problems."""

from __future__ import annotations

from pydantic import Field

from solverkit.engine.options import Options


class ConicOptions(Options):
    """What CVXPY hands to the conic solver."""

    tolerance: float | None = Field(
        None,
        gt=0,
        le=0.1,
        description="Gap and feasibility tolerance of the conic solver. Default: a tenth of tol for Clarabel, a "
        "hundredth for SCS, whose residuals are scaled differently; at least 1e-12 and 1e-9.",
    )
    iterations: int | None = Field(
        None, ge=1, description="Iterations at most. Default: 500 for Clarabel, 100,000 for SCS."
    )
