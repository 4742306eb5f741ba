"""CVXPY problems of the composite form, as objects: min f(x) + h(x) + chi(x) over one variable.

| term of the objective | becomes |
|---|---|
| c*sum_squares(e), c*quad_over_lin(e, t) | least squares; of a multiple of x itself, part of chi |
| c*sum(logistic(e)), e without constant | logistic |
| c*sum(huber(e, M)) | huber |
| c*norm1(e), c*sum(abs(e)), c*tv(vector) | h, l1; of x itself part of chi, where that has no set but bounds |
| c*norm(e, 2), c*norm_inf(e), c*sum(pos(e)), c*max(e) | h |
| c*sum(norm(E, 2, axis)), c*mixed_norm(E), c*tv(matrix) | h, norms of groups |
| linear | part of chi |

e is affine in the variable. Of constraints: bounds, and the simplex x >= 0, sum(x) == t. Anything else is refused by
name. Matrices are read off by CVXPY's own derivatives of affine expressions, which do not depend on where they are
taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array, eye_array

from solverkit.errors import UsageError
from solverkit.kinds.base import Block
from solverkit.kinds.composite.file import stacked
from solverkit.kinds.composite.linear_maps import Matrix
from solverkit.kinds.composite.losses import RowLoss
from solverkit.kinds.composite.parts import Smooth
from solverkit.kinds.composite.problem import Composite
from solverkit.kinds.composite.row_norms import RowNorms
from solverkit.kinds.composite.terms import Bounded, Euclidean, Nothing
from solverkit.kinds.composite.total import Total
from solverkit.operators import proximal as p


def from_cvxpy(model: Any, name: str = "cvxpy") -> Composite:
    """The composite problem of a CVXPY problem, which stays as it is. UsageError names what has no place in the form.

    The variable's block has its name where that is a name of ours, else `x`, and its shape.
    """
    from cvxpy import Minimize

    if not isinstance(model.objective, Minimize):
        raise UsageError("the CVXPY problem maximizes; minimize the negative")
    if not model.is_dcp():
        raise UsageError("the CVXPY problem is not convex by CVXPY's rules (is_dcp)")
    if len(model.variables()) != 1:
        names = ", ".join(variable.name() for variable in model.variables())
        raise UsageError(f"the form has one variable; the CVXPY problem has {len(model.variables())} ({names})")
    (x,) = model.variables()
    if any(x.attributes[key] for key in ("PSD", "NSD", "symmetric", "diag", "boolean", "integer", "complex")):
        raise UsageError(f"variable {x.name()} has attributes that the form has no place for")
    if len(x.shape) > 2:
        raise UsageError(f"variable {x.name()} has shape {x.shape}; variables here have at most two lengths")
    kept = x.value
    x.save_value(np.zeros(x.shape))  # bounds or not
    try:
        return _Reader(x, name).problem(model)
    finally:
        x.save_value(kept)


class _Reader:
    """Gathers the parts, term by term."""

    def __init__(self, x: Any, name: str) -> None:
        self.x, self.name, self.size = x, name, int(x.size)
        columns = np.arange(self.size).reshape(x.shape, order="F").ravel()  # CVXPY is columns first, we are rows first
        self.order = columns
        self.smooth: list[Smooth] = []
        self.parts: list[tuple[Any, p.ProximalMap]] = []
        self.strong, self.slope, self.weight = 0.0, np.zeros(self.size), 0.0
        self.constant = 0.0

    def problem(self, model: Any) -> Composite:
        """All of it."""
        self.term(model.objective.expr, 1.0)
        rest = _set(model, self)
        if self.weight > 0 and isinstance(rest, p.Box):
            rest = Bounded(p.L1(self.weight), rest)
        elif self.weight > 0 and isinstance(rest, p.Free):
            rest = p.L1(self.weight)
        elif self.weight > 0:
            self.parts.append((Matrix(eye_array(self.size, format="csr")), p.L1(self.weight)))
        start = np.zeros(self.x.shape)
        block = Block(self.x.name() if self.x.name().isidentifier() else "x", self.x.shape, start)
        simple = Euclidean(self.size, rest, self.strong, self.slope)
        if simple.violation(start.ravel()) > 0:
            start = rest.prox(start.ravel(), 1.0).reshape(self.x.shape)
            block = Block(block.name, block.shape, start)
        smooth: Smooth = Nothing(self.size)
        if self.smooth or self.constant:
            alone = len(self.smooth) == 1 and not self.constant
            smooth = self.smooth[0] if alone else Total(self.smooth or [smooth], self.constant)
        structured = stacked(self.parts) if self.parts else None
        return Composite(self.name, block, smooth, simple, structured)

    # -- the objective

    def term(self, e: Any, factor: float) -> None:
        """One term, times a number."""
        kind, parts = type(e).__name__, e.args
        if e.is_affine():
            matrix, shift = self.affine(e)
            self.slope = self.slope + factor * matrix.toarray().ravel()
            self.constant += factor * float(shift[0])
        elif kind == "AddExpression":
            for part in parts:
                self.term(part, factor)
        elif kind == "NegExpression":
            self.term(parts[0], -factor)
        elif kind in ("multiply", "MulExpression", "DivExpression") and any(part.is_constant() for part in parts):
            moving = next(part for part in parts if not part.is_constant())
            fixed = float(next(part for part in parts if part.is_constant()).value)
            self.term(moving, factor / fixed if kind == "DivExpression" else factor * fixed)
        elif kind == "Sum" and e.axis is None:
            self.summed(parts[0], factor)
        else:
            self.atom(e, kind, factor)

    def positive(self, e: Any, factor: float) -> None:
        if not factor > 0:
            raise UsageError(f"the term {e} has the factor {factor:g}; terms here are convex, so above 0")

    def atom(self, e: Any, kind: str, factor: float) -> None:
        """A term that is one function of an affine expression."""
        if kind == "quad_over_lin" and e.args[1].is_constant() and e.axis is None:
            return self.squares(e.args[0], factor / float(e.args[1].value))
        if kind in ("norm1", "norm_inf", "max", "Pnorm", "PnormApprox") and e.axis is None and e.args[0].is_affine():
            self.positive(e, factor)
            power = float(getattr(e, "p", 0)) if kind.startswith("Pnorm") else 0.0
            if kind == "norm1" or power == 1:
                return self.norm1(e.args[0], factor)
            maps = {"norm_inf": p.LInf(factor), "max": p.Conjugate(p.Simplex(factor))}
            if kind in maps or power == 2:
                return self.nonsmooth(e.args[0], maps.get(kind, p.L2(factor)))
        if kind == "norm1" and e.axis is None and type(e.args[0]).__name__.startswith("Pnorm"):  # mixed_norm
            return self.summed(e.args[0], factor)
        raise _unknown(e, kind)

    def summed(self, e: Any, factor: float) -> None:
        """The sum over the elements of e."""
        kind = type(e).__name__
        self.positive(e, factor)
        if kind in ("AddExpression", "NegExpression") or (kind == "multiply" and e.args[0].is_constant()):
            return self._sum_of(e, kind, factor)
        inner = e.args[0] if e.args else e
        if kind in ("Pnorm", "PnormApprox") and float(e.p) == 2 and inner.is_affine() and inner.ndim == 2:
            return self.groups(inner, e.axis, factor)
        if not inner.is_affine():
            raise _unknown(e, kind)
        if kind == "abs":
            return self.norm1(inner, factor)
        if kind in ("Power", "PowerApprox", "power") and float(e.p.value if hasattr(e.p, "value") else e.p) == 2:
            return self.squares(inner, factor)
        if kind == "logistic":
            return self.logistic(inner, factor)
        if kind == "huber":
            matrix, shift = self.affine(inner)
            return self.smooth.append(RowLoss("huber", matrix, -shift, 2 * factor, float(e.M.value)))
        if kind == "maximum" and len(e.args) == 2 and e.args[1].is_constant() and not np.any(e.args[1].value):
            return self.nonsmooth(inner, p.Tilted(p.L1(factor / 2), factor / 2))
        raise _unknown(e, kind)

    def _sum_of(self, e: Any, kind: str, factor: float) -> None:
        import cvxpy as cp

        if kind == "multiply":
            value = np.unique(np.asarray(e.args[0].value, dtype=float))
            if len(value) != 1:
                raise _unknown(e, kind)
            return self.term(cp.sum(e.args[1]), factor * float(value[0]))
        for part in e.args:
            if part.size != e.size:
                raise _unknown(e, kind)
            self.term(cp.sum(part), -factor if kind == "NegExpression" else factor)
        return None

    def squares(self, e: Any, factor: float) -> None:
        if not e.is_affine():
            raise _unknown(e, "sum_squares")
        self.positive(e, factor)
        matrix, shift = self.affine(e)
        multiple = _multiple(matrix)
        if multiple is None:
            return self.smooth.append(RowLoss("least-squares", _handy(matrix), -shift, 2 * factor))
        self.strong += 2 * factor * multiple**2
        self.slope = self.slope + 2 * factor * multiple * shift
        self.constant += factor * float(shift @ shift)
        return None

    def logistic(self, e: Any, factor: float) -> None:
        matrix, shift = self.affine(e)
        if shift.any():
            raise UsageError(f"logistic({e}) has a constant in it; the logistic loss here is of linear predictions")
        self.smooth.append(RowLoss("logistic", _handy(matrix), np.full(len(shift), -1.0), factor))

    def norm1(self, e: Any, factor: float) -> None:
        matrix, shift = self.affine(e)
        multiple = _multiple(matrix)
        if multiple is not None and not shift.any():
            self.weight += factor * abs(multiple)
        else:
            self.parts.append((Matrix(matrix), _shifted(p.L1(factor), shift)))

    def nonsmooth(self, e: Any, outer: p.ProximalMap) -> None:
        matrix, shift = self.affine(e)
        self.parts.append((Matrix(matrix), _shifted(outer, shift)))

    def groups(self, e: Any, axis: Any, factor: float) -> None:
        """Norms along an axis: the rows of E' for axis 0."""
        matrix, shift = self.affine(e)
        if axis is None:
            return self.parts.append((Matrix(matrix), _shifted(p.L2(factor), shift)))
        axis = int(axis[0] if isinstance(axis, tuple) else axis) % 2
        index = np.arange(e.size).reshape(e.shape, order="C")  # `affine` gives rows first
        order = (index.T if axis == 0 else index).ravel()
        outer = RowNorms(e.shape[axis], factor)
        return self.parts.append((Matrix(csr_array(matrix[order])), _shifted(outer, shift[order])))

    def affine(self, e: Any) -> tuple[csr_array, np.ndarray]:
        """(matrix, shift) of e, both rows first."""
        gradient = e.grad.get(self.x)
        matrix = csr_array((e.size, self.size)) if gradient is None else csr_array(csr_array(gradient).T)
        rows = np.arange(e.size).reshape(e.shape, order="F").ravel()
        shift = np.asarray(e.value, dtype=float).ravel(order="C")
        return csr_array(matrix[rows][:, self.order]), shift


def _set(model: Any, reader: _Reader) -> p.ProximalMap:
    """The set of the constraints and of the variable's attributes."""
    x, size = reader.x, reader.size
    low, high, totals = np.full(size, -np.inf), np.full(size, np.inf), []
    low = np.zeros(size) if x.attributes["nonneg"] or x.attributes["pos"] else low
    high = np.zeros(size) if x.attributes["nonpos"] or x.attributes["neg"] else high
    given = x.attributes.get("bounds")
    if given is not None:
        sides = [np.broadcast_to(np.asarray(side, dtype=float), x.shape).ravel() for side in given]
        low, high = np.maximum(low, sides[0]), np.minimum(high, sides[1])
    for constraint in model.constraints:
        kind = type(constraint).__name__
        known = kind in ("Inequality", "Equality", "Zero", "NonPos", "NonNeg")
        if not known or not all(arg.is_affine() for arg in constraint.args):
            raise UsageError(f"the constraint {constraint} is no bound, and the form has no place for it")
        e = constraint.args[0] - constraint.args[1] if len(constraint.args) == 2 else constraint.args[0]
        matrix, shift = reader.affine(e)
        if kind in ("Equality", "Zero"):
            row = matrix.toarray()
            if len(row) != 1 or not np.ptp(row) == 0 or row[0, 0] == 0:
                raise UsageError(f"the constraint {constraint} is neither a bound nor sum(x) == t")
            totals.append(-float(shift[0]) / row[0, 0])
            continue
        sign = -1.0 if kind == "NonNeg" else 1.0
        _bound(sign * matrix, sign * shift, low, high, constraint)
    if not totals:
        return p.Box(low, high) if np.isfinite(low).any() or np.isfinite(high).any() else p.Free()
    if len(totals) == 1 and totals[0] > 0 and not low.any() and (high >= totals[0]).all():
        return p.Simplex(totals[0])
    raise UsageError("sum(x) == t is known together with x >= 0 alone, the simplex")


def _bound(matrix: csr_array, shift: np.ndarray, low: np.ndarray, high: np.ndarray, constraint: Any) -> None:
    """Tighten the bounds by matrix x + shift <= 0, one variable in each row."""
    if np.any(np.diff(matrix.indptr) != 1) or np.any(matrix.data == 0):
        raise UsageError(f"the constraint {constraint} is no bound, and the form has no place for it")
    places, limits = matrix.indices, -shift / matrix.data
    above = matrix.data > 0
    np.minimum.at(high, places[above], limits[above])
    np.maximum.at(low, places[~above], limits[~above])


def _multiple(matrix: csr_array) -> float | None:
    """c of a matrix that is c times the identity."""
    rows, columns = matrix.shape
    if rows != columns or matrix.nnz != rows:
        return None
    diagonal = matrix.diagonal()
    return float(diagonal[0]) if diagonal.all() and np.ptp(diagonal) == 0 else None


def _handy(matrix: csr_array) -> Any:
    """Dense where a third of it is not zero."""
    return matrix.toarray() if matrix.nnz * 3 > matrix.shape[0] * matrix.shape[1] else matrix


def _shifted(outer: p.ProximalMap, shift: np.ndarray) -> p.ProximalMap:
    return p.Translated(outer, -shift) if shift.any() else outer


def _unknown(e: Any, kind: str) -> UsageError:
    return UsageError(
        f"the term {str(e)[:120]} ({kind}) is not of a form that is known here: sum_squares, sums of logistic and "
        "huber, norm1, norm2, norm_inf, max, norms of rows or columns, tv, of affine expressions"
    )
