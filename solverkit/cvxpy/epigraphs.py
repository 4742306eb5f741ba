"""Nonsmooth atoms by epigraphs, and attributes of matrices as expressions: CVXPY's own reductions, put together.

| atom | becomes |
|---|---|
| abs, max, maximum, min, minimum, norm1, norm_inf, sum_largest, cummax, dotsort | linear rows, by CVXPY |
| norm(x, 2), also along an axis | t with (t, x) in a second-order cone; norm(x, 2) <= t that cone itself |
| symmetric, diagonal and sparse variables | affine expressions of their free entries, by CVXPY |

All others stay as they are. A convex atom in a place where CVXPY's rules want a convex one is replaced by a number that
is no less, which is exact at every minimizer.
"""

from __future__ import annotations

from typing import Any

import cvxpy as cp
import numpy as np
from cvxpy.atoms.pnorm import Pnorm, PnormApprox
from cvxpy.reductions.canonicalization import Canonicalization
from cvxpy.reductions.cvx_attr2constr import CvxAttr2Constr
from cvxpy.reductions.eliminate_pwl.canonicalizers import CANON_METHODS
from cvxpy.reductions.solution import Solution

DIMENSION_REDUCING = ("symmetric", "diag", "sparsity")


def _norm(e: Any, args: list[Any]) -> tuple[Any, list[Any]]:
    """norm(x, 2, axis) as t with ||x|| <= t; other powers stay."""
    (x,) = args
    if float(e.p) != 2:
        return e.copy(args), []
    t = cp.Variable(e.shape)
    return t, [_cone(t, x, e.axis)]


def _cone(t: Any, x: Any, axis: Any) -> Any:
    """||x|| <= t, or of each column (axis 0) or row of x."""
    if axis is None:
        return cp.SOC(cp.reshape(t, (1,), order="F"), cp.vec(x, order="F"))
    return cp.SOC(cp.vec(t, order="F"), x if axis in (0, (0,)) else x.T, axis=0)


def _is_cone(e: Any) -> bool:
    """norm(u, 2) <= t with u and t affine, one t a norm."""
    if type(e).__name__ != "Inequality":
        return False
    left, right = e.args
    norm = isinstance(left, Pnorm) and float(left.p) == 2
    return norm and left.args[0].is_affine() and right.is_affine() and right.size == left.size


class Epigraphs(Canonicalization):
    """CVXPY's reduction with the atoms of the table."""

    def __init__(self) -> None:
        methods = {atom: method for atom, method in CANON_METHODS.items() if atom is not cp.cumsum}
        super().__init__(canon_methods={**methods, Pnorm: _norm, PnormApprox: _norm})
        self.cones: dict[int, tuple[Any, tuple[int, ...]]] = {}  # id of norm(u) <= t -> (the cone, shape)

    def canonicalize_tree(self, expr: Any, canonicalize_params: bool = True) -> tuple[Any, list[Any]]:
        """CVXPY's walk, with norm(u) <= t as a cone where u and t are affine."""
        if _is_cone(expr):
            left, right = expr.args
            cone = _cone(right, left.args[0], left.axis)
            self.cones[expr.id] = (cone, expr.shape)
            return cone, []
        return super().canonicalize_tree(expr, canonicalize_params)

    def invert(self, solution: Solution, inverse_data: Any) -> Solution:
        """CVXPY's, with the multiplier of norm(u) <= t: the first of the cone's."""
        found = super().invert(solution, inverse_data)
        for key, (_, shape) in self.cones.items():
            if found.dual_vars and found.dual_vars.get(key) is not None:
                found.dual_vars[key] = np.asarray(found.dual_vars[key])[:, 0].reshape(shape, order="F")
        return found

    def accepts(self, problem: Any) -> bool:
        """Whether there is anything to do."""
        return any(
            type(atom) in self.canon_methods and not (isinstance(atom, Pnorm) and float(atom.p) != 2)
            for atom in _atoms(problem)
        )


def _atoms(problem: Any) -> list[Any]:
    """Every atom of objective and constraints, not their types."""
    found, waiting = [], [problem.objective.expr, *(arg for part in problem.constraints for arg in part.args)]
    while waiting:
        e = waiting.pop()
        if e.args:
            found.append(e)
            waiting.extend(e.args)
    return found


class Smoothed:
    """A problem that minimizes, with smooth atoms and second-order cones, and the way back.

    `problem` is CVXPY's; `steps` says in words what was done.
    """

    def __init__(self, model: Any) -> None:
        self.steps: list[str] = []
        self._way: list[tuple[Any, Any]] = []
        self.problem = model
        reduction = Epigraphs()
        if reduction.accepts(model):
            own = {variable.id for variable in model.variables()}
            self._apply(reduction)
            added = sum(variable.size for variable in self.problem.variables() if variable.id not in own)
            if added:
                self.steps.append(f"nonsmooth atoms by epigraphs: {added} more variables")
        if any(v.attributes.get(key) for v in self.problem.variables() for key in DIMENSION_REDUCING):
            self._apply(CvxAttr2Constr(reduce_bounds=False))
            self.steps.append("symmetric, diagonal and sparse variables by their free entries")

    def _apply(self, reduction: Any) -> None:
        self.problem, inverse = reduction.apply(self.problem)
        self._way.append((reduction, inverse))

    def invert(self, solution: Solution) -> Solution:
        """CVXPY's solution of what was given."""
        for reduction, inverse in reversed(self._way):
            solution = reduction.invert(solution, inverse)
        return solution


def flipped(model: Any) -> Any:
    """The problem with its objective minimized: itself, or the negative of a maximization."""
    if isinstance(model.objective, cp.Minimize):
        return model
    return cp.Problem(cp.Minimize(-model.objective.expr), model.constraints)


def order_of(shape: tuple[int, ...]) -> np.ndarray:
    """Where the elements of a C-ordered vector lie in CVXPY's F-ordered one."""
    return np.arange(int(np.prod(shape, dtype=int))).reshape(shape, order="F").ravel(order="C")
