"""Options of the peers for games and linear programs."""

from __future__ import annotations

from pydantic import Field

from solverkit.engine.options import Options


class HighsOptions(Options):
    """What HiGHS is given besides the problem."""

    tolerance: float | None = Field(
        None,
        gt=0,
        le=0.1,
        description="HiGHS's own tolerance (feasibility, optimality). Default: a tenth of tol, between 1e-10 and 1e-4, "
        "since its tolerances and the certificate's are scaled differently.",
    )
    threads: int = Field(1, ge=1, le=64, description="Threads that HiGHS may use.")
    presolve: bool = Field(True, description="Whether HiGHS simplifies the program first.")


class CvxpyOptions(Options):
    """What CVXPY hands to Clarabel."""

    tolerance: float | None = Field(
        None,
        gt=0,
        le=0.1,
        description="Clarabel's gap and feasibility tolerance. Default: a tenth of tol, at least 1e-12.",
    )
