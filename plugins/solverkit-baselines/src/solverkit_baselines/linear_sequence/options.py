"""Options of the peers for linear sequences."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from solverkit.engine.options import Options

First = Annotated[
    Literal["auto", "zero", "previous", "extrapolated"],
    Field(
        description="First iterate of each system: zero, the solution before it, or the line through the two before. "
        "auto: previous where b_t depends on the solution before, zero elsewhere."
    ),
]
Cap = Annotated[
    int, Field(ge=1, description="Iterations of one system at most; beyond it the system counts as not solved.")
]


class CgOptions(Options):
    """Options of `scipy-cg`."""

    preconditioner: Literal["none", "jacobi"] = Field(
        "none", description="jacobi: the diagonal of A_t, which costs next to nothing and helps where it varies."
    )
    first: First = "auto"
    max_inner: Cap = 10_000


class AmgOptions(Options):
    """Options of `pyamg`."""

    hierarchy: Literal["rs", "sa"] = Field(
        "rs",
        description="rs: Ruge-Stueben, classical coarse points. sa: smoothed aggregation. Both by PyAMG's defaults.",
    )
    refresh: Literal["lazy", "every", "never"] = Field(
        "lazy",
        description="When the hierarchy is built anew. every: for each matrix that differs from the one before. lazy: "
        "when a system cost more than the average since the last building, building included. never: built once.",
    )
    setup_cost: float | None = Field(
        None,
        ge=0,
        description="What a building costs in iterations, for the lazy rule, so that it does not depend on a clock. "
        "Default: 10 for rs, 18 for sa, as measured on Laplacians with 1e4 and 1e5 unknowns.",
    )
    first: First = "auto"
    max_inner: Cap = 10_000


class DirectOptions(Options):
    """Options of `superlu`."""

    ordering: Literal["auto", "mmd", "colamd"] = Field(
        "auto",
        description="Order of elimination. mmd: minimum degree on A + A', pivots on the diagonal where they are not "
        "small; for symmetric matrices. colamd: for all others. auto: by whether the matrices are symmetric.",
    )
    refinements: int = Field(
        3,
        ge=0,
        description="Steps of iterative refinement at most, taken while the residual is above what is asked for.",
    )
