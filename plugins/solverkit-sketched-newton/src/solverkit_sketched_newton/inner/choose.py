"""Which inner solver suits a problem: by its size, the density of its constraints and what is known of its Hessian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from solverkit_sketched_newton.inner.base import InnerSolver

if TYPE_CHECKING:
    from solverkit_sketched_newton.form import Form
    from solverkit_sketched_newton.options import SketchedNewtonOptions


def choose(form: Form, options: SketchedNewtonOptions, hessian: Any, jacobian: Any) -> InnerSolver:
    """The inner solver for one run.

    hessian, jacobian : of the start, as `NewtonSystem` will hold them; hessian is None where only products are known
    """
    name = options.inner
    if name == "auto":
        name = "dense" if form.dense else "sparse"
    if name == "dense":
        from solverkit_sketched_newton.inner.dense import Dense

        return Dense()
    from solverkit_sketched_newton.inner.sparse import SparseLDL

    return SparseLDL()
