"""A composite problem in CVXPY's words.

    min f(x) + g(z) + chi(x)   s.t.   K x = z       the multiplier of the constraint is the dual y of the lower bound

| part | in CVXPY |
|---|---|
| RowLoss, Nothing, quadratic expressions, Total | sums of squares, logistic, huber; a quadratic form of the Hessian |
| L1, L2, LInf, GroupL2, RowNorms, max over a simplex; Translated, Tilted, Scaled, Product | norms, mixed norms, max |
| Free, Box, Simplex, L2Ball, Affine, L1, Bounded | constraints, norm1 |
| Entropy | -entr on the simplex |

What is none of these is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from solverkit.errors import Unsuitable
from solverkit.kinds.composite.losses import FromFunction, RowLoss
from solverkit.kinds.composite.problem import Composite
from solverkit.kinds.composite.row_norms import RowNorms
from solverkit.kinds.composite.squares import Lowered
from solverkit.kinds.composite.terms import Bounded, Entropy, Euclidean, Nothing
from solverkit.kinds.composite.total import Total
from solverkit.operators import proximal as p


@dataclass(frozen=True)
class Model:
    """The CVXPY problem, its variable, and the constraint K x = z where there is one."""

    problem: Any
    x: Any
    link: Any | None


def model_of(problem: Composite) -> Model:
    """The model. Raises Unsuitable, naming the part that cannot be said."""
    import cvxpy as cp

    x = cp.Variable(problem.n)
    value, constraints = _chi(problem.simple, x)
    terms, link = [_smooth(problem.smooth, x), value], None
    structured: Any = problem.structured or getattr(problem.nonsmooth, "rows_form", None)
    if structured is None and problem.nonsmooth is not None:
        raise _unsaid("h", problem.nonsmooth)
    if structured is not None:
        if not hasattr(structured, "linear"):
            raise _unsaid("K", structured)
        z = cp.Variable(structured.rows)
        link = structured.linear.sparse() @ x == z
        terms.append(_outer(structured.outer, z))
    whole = cp.Problem(cp.Minimize(sum(terms)), constraints + ([] if link is None else [link]))
    return Model(whole, x, link)


def _unsaid(what: str, part: object) -> Unsuitable:
    return Unsuitable(f"{what} is a {type(part).__name__}, which this peer cannot say in CVXPY's words")


def _smooth(part: Any, x: Any) -> Any:
    import cvxpy as cp

    if isinstance(part, Nothing):
        return 0.0
    if isinstance(part, Total):
        return sum(_smooth(each, x) for each in part.parts) + part.constant
    if isinstance(part, Lowered):
        return _quadratic(part, x) if part.quadratic else _smooth(part.inner, x) - part.moved / 2 * cp.sum_squares(x)
    if isinstance(part, FromFunction) and part.quadratic:
        return _quadratic(part, x)
    if not isinstance(part, RowLoss):
        raise _unsaid("f", part)
    z = part.A @ x
    if part.loss == "least-squares":
        return part.scale / 2 * cp.sum_squares(z - part.b)
    if part.loss == "logistic":
        return part.scale * cp.sum(cp.logistic(cp.multiply(-part.b, z)))
    return part.scale / 2 * cp.sum(cp.huber(z - part.b, part.delta))  # type: ignore[arg-type]  # takes floats


def _quadratic(part: Any, x: Any) -> Any:
    """f(0) + <grad f(0), x> + x'H x / 2."""
    import cvxpy as cp

    zero = np.zeros(part.size)
    inner: Any = part.inner if isinstance(part, Lowered) else part
    hessian = inner.function.hessian(zero, np.ones(1))
    if isinstance(part, Lowered):
        from scipy.sparse import eye_array

        hessian = hessian - part.moved * eye_array(part.size)
    return part.value(zero) + part.gradient(zero) @ x + 0.5 * cp.quad_form(x, cp.psd_wrap(hessian))


def _outer(g: p.ProximalMap, z: Any) -> Any:
    """g(z)."""
    import cvxpy as cp

    if isinstance(g, p.L1):
        return cp.sum(cp.multiply(np.broadcast_to(g.weight.host, z.shape), cp.abs(z)))
    if isinstance(g, p.L2):
        return g.weight * cp.norm(z, 2)
    if isinstance(g, p.LInf):
        return g.weight * cp.norm_inf(z)
    if isinstance(g, RowNorms):
        rows = cp.reshape(z, (z.size // g.columns, g.columns), order="C")
        return cp.sum(cp.multiply(np.broadcast_to(g.weight.host, rows.shape[0]), cp.norm(rows, 2, axis=1)))
    if isinstance(g, p.GroupL2):
        groups = [row[row >= 0] for row in g._padded.host]
        return sum(w * cp.norm(z[index], 2) for w, index in zip(g.weight.host, groups, strict=True))
    if isinstance(g, p.Conjugate) and isinstance(g.inner, p.Simplex):
        return g.inner.total * cp.max(z)
    if isinstance(g, p.Translated):
        return _outer(g.inner, z - np.broadcast_to(g.shift.host, z.shape))
    if isinstance(g, p.Tilted):
        return _outer(g.inner, z) + np.broadcast_to(g.slope.host, z.shape) @ z
    if isinstance(g, p.Scaled):
        return g.weight * _outer(g.inner, g.argument * z)
    if isinstance(g, p.Product):
        return sum(_outer(part, z[at]) for at, part in g.parts)
    raise _unsaid("g", g)


def _chi(chi: Any, x: Any) -> tuple[Any, list[Any]]:
    """(chi without its set, the set)."""
    import cvxpy as cp

    if isinstance(chi, Entropy):
        value = -chi.strong * cp.sum(cp.entr(x)) if chi.strong else 0.0
        return value + chi.slope @ x, [x >= 0, cp.sum(x) == 1]
    if not isinstance(chi, Euclidean):
        raise _unsaid("chi", chi)
    value = chi.slope @ x + (chi.strong / 2 * cp.sum_squares(x) if chi.strong else 0.0)
    more, constraints = _rest(chi.rest, x)
    return value + more, constraints


def _rest(r: Any, x: Any) -> tuple[Any, list[Any]]:
    import cvxpy as cp

    if isinstance(r, p.Free):
        return 0.0, []
    if isinstance(r, p.L1):
        return cp.sum(cp.multiply(np.broadcast_to(r.weight.host, x.shape), cp.abs(x))), []
    if isinstance(r, Bounded):
        return _rest(r.inner, x)[0], _rest(r.box, x)[1]
    if isinstance(r, p.Box):
        low, high = (np.broadcast_to(side.host, x.shape) for side in (r.lower, r.upper))
        below, above = np.flatnonzero(np.isfinite(low)), np.flatnonzero(np.isfinite(high))
        sides = [(x[below] >= low[below], below), (x[above] <= high[above], above)]
        return 0.0, [side for side, places in sides if len(places)]
    if isinstance(r, p.Simplex):
        return 0.0, [x >= 0, cp.sum(x) == r.total]
    if isinstance(r, p.L2Ball):
        return 0.0, [cp.norm(x - np.broadcast_to(r.center.host, x.shape), 2) <= r.radius]
    if isinstance(r, p.Affine):
        return 0.0, [r.A @ x == r.b]
    raise _unsaid("chi", r)
