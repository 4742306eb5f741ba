"""Options of `notears`. Defaults are those of the reference code (xunzheng/notears, linear)."""

from __future__ import annotations

from pydantic import Field

from solverkit.engine.options import Options


class NotearsOptions(Options):
    """The augmented Lagrangian of Zheng, Aragam, Ravikumar and Xing (NeurIPS 2018)."""

    lambda1: float | None = Field(
        None,
        ge=0,
        description="Weight of sum |W| in what is minimized. Default: the problem's l1 where it has one, else 0.1, the "
        "reference's. Larger: fewer edges, weights biased towards 0.",
    )
    h_tol: float = Field(1e-8, gt=0, description="Acyclicity h at which the method is done. The reference's value.")
    rho_max: float = Field(1e16, gt=0, description="Penalty rho at which it gives up. The reference's value.")
    growth: float = Field(10.0, gt=1, description="rho is multiplied by this while h falls too slowly.")
    progress: float = Field(
        0.25, gt=0, lt=1, description="h must fall to this fraction of its last value, or rho grows. The reference's."
    )
    w_threshold: float = Field(
        0.3,
        ge=0,
        description="|W| below this is dropped at the end; then the least edges on cycles, until there are none. "
        "Standardized or weak data lose real edges to 0.3.",
    )
    refit: bool = Field(
        False,
        description="Refit the weights on the edges that are left. The reference does not: its weights are biased.",
    )
    inner_iterations: int = Field(15_000, ge=1, description="Most L-BFGS-B iterations for one rho. SciPy's default.")
