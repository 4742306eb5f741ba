"""The functions that expressions may call: one table with their shapes and their three implementations.

Formulas are written so that values and both derivatives stay finite wherever the mathematics is: logistic(800) is
800, sigmoid(-800) is 0, and the second derivative of logistic at 0 is 1/4 in every target. For CasADi that means one
branch variable n = -|x| whose derivative at 0 is +1, instead of abs, whose derivative at 0 is 0.

Conventions of an entry: `numpy(*arguments)`, `torch(torch, *arguments)` and `casadi(ca, shapes, *arguments)`, where
matrices are CasADi matrices, vectors are columns, and `shapes` are the shapes of the array arguments. Arguments named
in `integers` (Python ints) and `data` (constant arrays) are fixed when the expression is compiled; they come last.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from solverkit.expressions import implementations as does
from solverkit.expressions import shapes as rule

CONSTANTS = {"pi": math.pi}

Degree = int | None


def _linear(*degrees: Degree) -> Degree:
    """The degree of a function that is linear in all its arguments."""
    return None if None in degrees else max(degree for degree in degrees if degree is not None)


def _product(*degrees: Degree) -> Degree:
    """The degree of a bilinear function."""
    return None if None in degrees else sum(degree for degree in degrees if degree is not None)


def _squared(degree: Degree) -> Degree:
    return None if degree is None else 2 * degree


@dataclass(frozen=True)
class Primitive:
    """One function of the expression language."""

    usage: str  # how it is written: "reshape(x, m, n)"
    summary: str  # one sentence for the reader of `describe`
    least: int  # number of arguments
    most: int
    shape: Callable[..., rule.Shape]  # shapes of arrays, ints and data arrays -> shape; ValueError where they misfit
    numpy: Callable[..., Any]
    torch: Callable[..., Any]
    casadi: Callable[..., Any]
    smooth: bool = True  # continuously differentiable in the interior of its domain
    degree: Callable[..., Degree] | None = None  # degrees of arguments -> degree; None: only constants stay polynomial
    elementwise: bool = False  # CasADi arguments are stretched to the common shape
    condition: bool = False  # the first argument is a comparison
    integers: frozenset[int] = frozenset()
    data: frozenset[int] = frozenset()

    @property
    def name(self) -> str:
        """The name under which it is called."""
        return self.usage.partition("(")[0]


FUNCTIONS: dict[str, Primitive] = {}


def _add(usage: str, summary: str, least: int, most: int | None = None, **entry: Any) -> None:
    primitive = Primitive(usage, summary, least, least if most is None else most, **entry)
    FUNCTIONS[primitive.name] = primitive


def _elementwise(usage: str, summary: str, **entry: Any) -> None:
    """An elementwise function; its number of arguments is read off the usage."""
    count = usage.count(",") + 1
    _add(usage, summary, count, shape=rule.broadcast, elementwise=True, **entry)


# -- CasADi matrices are columns first; ours are rows first ---------------------------------------------------------


_add(
    "sum(x)",
    "The sum of all elements; sum(X, 0) sums down the columns of a matrix, sum(X, 1) along its rows.",
    1,
    2,
    shape=rule.reduce,
    numpy=lambda x, axis=None: np.sum(x, axis=axis),
    torch=lambda torch, x, axis=None: torch.sum(x) if axis is None else torch.sum(x, axis),
    casadi=does.casadi_sum,
    degree=_linear,
    integers=frozenset({1}),
)
_add(
    "mean(x)",
    "The mean of all elements; mean(X, axis) as in sum.",
    1,
    2,
    shape=rule.reduce,
    numpy=lambda x, axis=None: np.mean(x, axis=axis),
    torch=lambda torch, x, axis=None: torch.mean(x) if axis is None else torch.mean(x, axis),
    casadi=lambda ca, shapes, x, axis=None: does.casadi_sum(ca, shapes, x, axis) / does.sum_length(shapes[0], axis),
    degree=_linear,
    integers=frozenset({1}),
)
_add(
    "dot(x, y)",
    "The inner product of two vectors.",
    2,
    shape=lambda x, y: rule.same((rule.need_vector(x),), (rule.need_vector(y),))[:0],
    numpy=np.dot,
    torch=lambda torch, x, y: torch.sum(x * y),
    casadi=lambda ca, shapes, x, y: ca.dot(x, y),
    degree=_product,
)
_add(
    "norm(x)",
    "The Euclidean norm (Frobenius for a matrix); not differentiable at 0, where its derivative is taken as 0.",
    1,
    shape=lambda x: (),
    numpy=does.norm,
    torch=does.torch_norm,
    casadi=does.casadi_norm,
    smooth=False,
)
_add(
    "norm1(x)",
    "The sum of absolute values; not differentiable where an element is 0.",
    1,
    shape=lambda x: (),
    numpy=lambda x: np.sum(np.abs(x)),
    torch=lambda torch, x: torch.sum(torch.abs(x)),
    casadi=lambda ca, shapes, x: ca.sum1(ca.fabs(ca.vec(x))),
    smooth=False,
)
_add(
    "row_norms(X)",
    "The Euclidean norm of each row of a matrix; not differentiable where a row is 0.",
    1,
    shape=lambda x: (rule.need_matrix(x)[0],),
    numpy=does.row_norms,
    torch=does.torch_row_norms,
    casadi=lambda ca, shapes, x: does.casadi_root(ca, ca.sum2(x**2)),
    smooth=False,
)
_add(
    "total_variation(x)",
    "The sum of |differences| of a vector; of a matrix the sum over its elements of the length of the two differences "
    "to the next row and column (isotropic).",
    1,
    shape=rule.total_variation,
    numpy=does.total_variation,
    torch=does.torch_total_variation,
    casadi=does.casadi_total_variation,
    smooth=False,
)
_add(
    "graph_total_variation(x, edges, weights)",
    "The sum over edges (i, j), rows of data, of |x[i] - x[j]|, each times its weight where weights are given.",
    2,
    3,
    shape=does.check_edges,
    numpy=lambda x, edges, weights=1.0: np.sum(weights * np.abs(x[does.ends(edges)[0]] - x[does.ends(edges)[1]])),
    torch=does.torch_graph_variation,
    casadi=does.casadi_graph_variation,
    smooth=False,
    data=frozenset({1, 2}),
)
_add(
    "normsq(x)",
    "The sum of squares.",
    1,
    shape=lambda x: (),
    numpy=lambda x: np.sum(np.square(x)),
    torch=lambda torch, x: torch.sum(x * x),
    casadi=lambda ca, shapes, x: ca.sumsqr(x),
    degree=_squared,
)
_elementwise(
    "square(x)",
    "x**2, elementwise.",
    numpy=np.square,
    torch=lambda torch, x: x * x,
    casadi=lambda ca, shapes, x: x**2,
    degree=_squared,
)
for _usage, _summary, _numpy, _casadi in (
    ("exp(x)", "The exponential.", np.exp, "exp"),
    ("log(x)", "The natural logarithm, of x > 0.", np.log, "log"),
    ("log1p(x)", "log(1 + x), exact for small x.", np.log1p, "log1p"),
    ("expm1(x)", "exp(x) - 1, exact for small x.", np.expm1, "expm1"),
    ("sqrt(x)", "The square root; its derivative at 0 is infinite.", np.sqrt, "sqrt"),
    ("sin(x)", "The sine.", np.sin, "sin"),
    ("cos(x)", "The cosine.", np.cos, "cos"),
    ("tan(x)", "The tangent.", np.tan, "tan"),
    ("asin(x)", "The inverse sine, of -1 <= x <= 1.", np.arcsin, "asin"),
    ("acos(x)", "The inverse cosine, of -1 <= x <= 1.", np.arccos, "acos"),
    ("atan(x)", "The inverse tangent.", np.arctan, "atan"),
    ("sinh(x)", "The hyperbolic sine.", np.sinh, "sinh"),
    ("cosh(x)", "The hyperbolic cosine.", np.cosh, "cosh"),
    ("tanh(x)", "The hyperbolic tangent.", np.tanh, "tanh"),
):
    _elementwise(
        _usage,
        _summary,
        numpy=_numpy,
        torch=lambda torch, x, name=_casadi: getattr(torch, name)(x),
        casadi=lambda ca, shapes, x, name=_casadi: getattr(ca, name)(x),
    )
_elementwise(
    "abs(x)",
    "The absolute value; not differentiable at 0, where its derivative is taken as 0.",
    numpy=np.abs,
    torch=lambda torch, x: torch.abs(x),
    casadi=lambda ca, shapes, x: ca.fabs(x),
    smooth=False,
)
_elementwise(
    "logistic(x)",
    "log(1 + exp(x)), the logistic loss of a margin -x (also called softplus).",
    numpy=lambda x: np.logaddexp(0.0, x),
    torch=lambda torch, x: -torch.nn.functional.logsigmoid(-x),
    casadi=does.casadi_logistic,
)
_elementwise(
    "sigmoid(x)",
    "1 / (1 + exp(-x)), the derivative of logistic.",
    numpy=does.sigmoid,
    torch=lambda torch, x: torch.sigmoid(x),
    casadi=does.casadi_sigmoid,
)
_elementwise(
    "relu(x)",
    "max(x, 0).",
    numpy=lambda x: np.where(np.asarray(x) > 0, x, 0.0),
    torch=lambda torch, x: torch.where(x > 0, x, torch.zeros_like(x)),
    casadi=lambda ca, shapes, x: ca.if_else(x > 0, x, 0 * x),
    smooth=False,
)
_elementwise(
    "leaky_relu(x, slope)",
    "x where x > 0, slope*x elsewhere.",
    numpy=lambda x, slope: np.where(np.asarray(x) > 0, x, slope * x),
    torch=lambda torch, x, slope: torch.where(x > 0, x, slope * x),
    casadi=lambda ca, shapes, x, slope: ca.if_else(x > 0, x, slope * x),
    smooth=False,
)
_elementwise(
    "max(x, y)",
    "The larger of two, elementwise; the derivative of a tie is that of x.",
    numpy=np.maximum,
    torch=lambda torch, x, y: torch.where(x >= y, x, y),
    casadi=lambda ca, shapes, x, y: ca.if_else(x >= y, x, y),
    smooth=False,
)
_elementwise(
    "min(x, y)",
    "The smaller of two, elementwise; the derivative of a tie is that of x.",
    numpy=np.minimum,
    torch=lambda torch, x, y: torch.where(x <= y, x, y),
    casadi=lambda ca, shapes, x, y: ca.if_else(x <= y, x, y),
    smooth=False,
)
_elementwise(
    "where(condition, x, y)",
    "x where the comparison holds, y elsewhere; both must have finite derivatives everywhere.",
    numpy=np.where,
    torch=lambda torch, condition, x, y: torch.where(condition, x, y),
    casadi=lambda ca, shapes, condition, x, y: ca.if_else(condition, x, y),
    smooth=False,
    degree=lambda condition, x, y: _linear(x, y) if condition == 0 else None,
    condition=True,
)
_elementwise(
    "huber(x, delta)",
    "x**2/2 where |x| <= delta, delta*(|x| - delta/2) elsewhere.",
    numpy=lambda x, delta: does.huber(np.where, np.abs, x, delta),
    torch=lambda torch, x, delta: does.huber(torch.where, torch.abs, x, delta),
    casadi=lambda ca, shapes, x, delta: does.huber(ca.if_else, ca.fabs, x, delta),
)
_add(
    "difference(x)",
    "The first differences x[1:] - x[:-1] of a vector.",
    1,
    shape=rule.difference,
    numpy=np.diff,
    torch=lambda torch, x: x[1:] - x[:-1],
    casadi=lambda ca, shapes, x: x[1:] - x[:-1],
    degree=_linear,
)
_add(
    "concat(x, y, ...)",
    "Scalars and vectors joined to one vector.",
    1,
    1000,
    shape=rule.concat,
    numpy=lambda *parts: np.concatenate([np.atleast_1d(part) for part in parts]),
    torch=lambda torch, *parts: torch.cat([torch.atleast_1d(part) for part in parts]),
    casadi=lambda ca, shapes, *parts: ca.vertcat(*parts),
    degree=_linear,
)
_add(
    "reshape(x, m, n)",
    "The elements of x as an m by n matrix, rows first; reshape(x, n) as a vector.",
    2,
    3,
    shape=rule.reshape,
    numpy=lambda x, *shape: np.reshape(x, shape),
    torch=lambda torch, x, *shape: torch.reshape(x, shape),
    casadi=lambda ca, shapes, x, *shape: does.casadi_shaped(ca, does.casadi_ravel(ca, x, shapes[0]), shape),
    degree=_linear,
    integers=frozenset({1, 2}),
)
for _usage in ("transpose(X)", "T(X)"):
    _add(
        _usage,
        "The transpose of a matrix; dense or sparse.",
        1,
        shape=rule.transpose,
        numpy=lambda x: x.T,
        torch=lambda torch, x: x.T,
        casadi=lambda ca, shapes, x: x.T,
        degree=_linear,
    )
_add(
    "trace(X)",
    "The sum of the diagonal of a square matrix.",
    1,
    shape=rule.trace,
    numpy=np.trace,
    torch=lambda torch, x: torch.trace(x),
    casadi=lambda ca, shapes, x: ca.trace(x),
    degree=_linear,
)
_add(
    "diag(X)",
    "The diagonal of a matrix, or the matrix with a given diagonal.",
    1,
    shape=rule.diag,
    numpy=np.diag,
    torch=lambda torch, x: torch.diagonal(x) if x.ndim == 2 else torch.diag_embed(x),
    casadi=lambda ca, shapes, x: (
        ca.densify(ca.diag(x)) if len(shapes[0]) == 1 else ca.diag(x[: min(shapes[0]), : min(shapes[0])])
    ),
    degree=_linear,
)
_add(
    "logsumexp(x)",
    "log(sum(exp(x))) over all elements, a smooth maximum.",
    1,
    shape=lambda x: (),
    numpy=does.logsumexp,
    torch=does.torch_logsumexp,
    casadi=lambda ca, shapes, x: ca.logsumexp(ca.densify(ca.vec(x))),
)
_add(
    "softmax(x)",
    "exp(x) / sum(exp(x)) of a vector, or of each row of a matrix.",
    1,
    shape=lambda x: x if x else (rule.need_vector(x),),
    numpy=does.softmax,
    torch=lambda torch, x: torch.softmax(x, -1),
    casadi=does.casadi_softmax,
)
_add(
    "cross_entropy(X, labels)",
    "The mean over rows i of logsumexp(X[i, :]) - X[i, labels[i]]; labels are a data vector of integers from 0.",
    2,
    shape=does.check_labels,
    numpy=does.cross_entropy,
    torch=does.torch_cross_entropy,
    casadi=does.casadi_cross_entropy,
    data=frozenset({1}),
)
_add(
    "entropy(x)",
    "The sum of x*log(x), 0 where x is 0 (the negative of Shannon's entropy), of x >= 0.",
    1,
    shape=lambda x: (),
    numpy=does.entropy,
    torch=lambda torch, x: torch.sum(torch.where(x == 0, torch.zeros_like(x), x * torch.log(x))),
    casadi=lambda ca, shapes, x: ca.sum1(ca.vec(ca.if_else(x == 0, 0 * x, x * ca.log(x)))),
)
_add(
    "arange(n)",
    "The vector 0, 1, ..., n - 1.",
    1,
    shape=lambda n: rule.reshape((n,), n),
    numpy=lambda n: np.arange(n, dtype=np.float64),
    torch=lambda torch, n: torch.arange(n),
    casadi=lambda ca, shapes, n: ca.DM(range(n)),
    degree=lambda: 0,
    integers=frozenset({0}),
)
