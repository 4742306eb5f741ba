"""Which inner solver suits a problem: by its size, the density of its constraints and what is known of its Hessian."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from solverkit_sketched_newton.inner.base import InnerSolver

if TYPE_CHECKING:
    from solverkit_sketched_newton.form import Form
    from solverkit_sketched_newton.options import SketchedNewtonOptions

SOLVERS = {
    "structured": ("structured", "Structured"),
    "dense": ("dense", "Dense"),
    "sparse": ("sparse", "SparseLDL"),
    "schur": ("schur", "Schur"),
    "condensed": ("condensed", "Condensed"),
    "nystrom": ("nystrom", "NystromCG"),
    "krylov": ("krylov", "Krylov"),
}


def choose(form: Form, options: SketchedNewtonOptions, hessian: Any, jacobian: Any) -> InnerSolver:
    """The inner solver for one run.

    hessian, jacobian : of the start, as `NewtonSystem` will hold them; hessian is None where only products are known
    """
    name: str = options.inner
    if name == "auto":
        name = "dense" if form.dense else "structured"
    module, solver = SOLVERS[name]
    make = getattr(import_module(f"solverkit_sketched_newton.inner.{module}"), solver)
    return make(rank=options.rank) if name in ("structured", "nystrom") else make()
