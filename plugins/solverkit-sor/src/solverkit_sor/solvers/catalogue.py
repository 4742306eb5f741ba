"""The arms by name, and the parameter of each that is worth tuning."""

from __future__ import annotations

from solverkit.errors import UsageError
from solverkit_sor.solvers.amg import AMG
from solverkit_sor.solvers.base import Arm, Matrices, Relative
from solverkit_sor.solvers.cg import CG
from solverkit_sor.solvers.factored import ILU, Direct
from solverkit_sor.solvers.gmres import GMRES
from solverkit_sor.solvers.gridded import GridSOR
from solverkit_sor.solvers.relaxed import SOR, SSORCG

ARMS: dict[str, type[Arm]] = {arm.name: arm for arm in (CG, SOR, SSORCG, GridSOR, AMG, ILU, Direct, GMRES)}

TUNED = {"sor": "w", "ssor-cg": "w", "grid-sor": "w", "ilu": "drop", "gmres": "restart"}
"""Parameter by solver; solvers without an entry have no number to tune."""

GRIDS: dict[str, tuple[float, ...]] = {
    "w": tuple(round(1 + 0.05 * k, 2) for k in range(20)),
    "drop": tuple(float(f"{10 ** (-4 + 0.5 * k):.3g}") for k in range(8)),
    "restart": (10, 20, 30, 50, 75, 100),
}
"""Values of a parameter where the user gives none: the paper's for w, PCGBandit's (arXiv 2509.08765) for drop."""


def make_arm(
    name: str, matrices: Matrices | None = None, relative: Relative = "rhs", grid: tuple[int, ...] | None = None
) -> Arm:
    """The arm `name`; UsageError where there is none."""
    if name not in ARMS:
        raise UsageError(f"there is no solver {name!r} (there are: {', '.join(ARMS)})")
    if name == GridSOR.name:
        return GridSOR(matrices, relative, grid)
    return ARMS[name](matrices, relative)
