"""How problem.yaml describes an inclusion: exactly one of its forms."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, Tag

from solverkit.kinds.fields import Also, Expression, Formula, Name, Python, Quantity, Scalar, Schema, exactly_one
from solverkit.kinds.variables import Variables


def _reference(value: Any) -> Any:
    """`python: "model.py:components"` is short for the mapping; from Python a function."""
    return {"python": value} if isinstance(value, str) or callable(value) else value


def _callable(value: Any) -> Any:
    """From Python a function stands for the mapping."""
    return {"python": value} if callable(value) and not isinstance(value, BaseModel) else value


def _which(value: Any) -> str:
    """Of a mapping, `python:` names a function, and any other key a block."""
    if isinstance(value, dict):
        return "<python>" if "python" in value else "<blocks>"
    return "<python>" if isinstance(value, Python) else "<text>"


def _texts(value: Any) -> str:
    return "<blocks>" if isinstance(value, dict) else "<text>"


Texts = Annotated[
    Annotated[dict[Name, Expression], Tag("<blocks>")] | Annotated[Expression, Tag("<text>")],
    Discriminator(_texts),
]
Monotone = Annotated[
    bool,
    Field(
        description="whether F is monotone; probed unless it is proven. false: accepted as it is, and nothing claimed"
    ),
]
Lipschitz = Annotated[Scalar | None, Field(description="a Lipschitz constant of F, if you know one; probed")]


class Polytope(Schema):
    """{ z >= 0, matrix z = rhs }, such as realization plans in sequence form."""

    matrix: Annotated[Quantity, Field(description="(rows, n)")]
    rhs: Annotated[Quantity, Field(description="(rows,)")]


class GameForm(Schema):
    """min over x, max over y of x'A y; strategies in simplices unless polytopes are given for both players."""

    payoff: Annotated[Quantity, Field(description="A, (p, q): what the row player x pays to the column player y")]
    rows: Annotated[Polytope | None, Field(description="strategies of x; default: the simplex")] = None
    columns: Annotated[Polytope | None, Field(description="strategies of y; default: the simplex")] = None


class OperatorForm(Schema):
    """0 in F(u) + G(u): F an expression, G the normal cone of the variables' sets."""

    variables: Annotated[Variables, Field(min_length=1, description="the blocks of u, with their sets")]
    value: Annotated[
        Annotated[dict[Name, Expression], Tag("<blocks>")]
        | Annotated[Expression, Tag("<text>")]
        | Annotated[Python, Tag("<python>")],
        Discriminator(_which),
        BeforeValidator(_callable),
        Field(description="F: one expression of the size of u, one for each block by its name, or {python: ...}"),
    ]
    monotone: Monotone = True
    lipschitz: Lipschitz = None


class SaddleForm(Schema):
    """min over some variables, max over the others of a convex-concave function on simple sets."""

    minimize: Annotated[Variables, Field(min_length=1, description="variables of the minimizing side, with their sets")]
    maximize: Annotated[Variables, Field(min_length=1, description="variables of the maximizing side")]
    function: Annotated[Formula, Field(description="convex in the first, concave in the second: one number")]
    monotone: Monotone = True
    lipschitz: Lipschitz = None


class ColumnsForm(Schema):
    """F(u) = matrix u + constant, by groups of columns i, i + count, i + 2 count, ...; sampled by importance."""

    matrix: Annotated[Quantity, Field(description="(N, N), dense or sparse")]
    constant: Annotated[Quantity, Field(description="(N,) or one number")] = 0
    count: Annotated[Scalar | None, Field(description="n, number of components; default: N")] = None


class MatricesForm(Schema):
    """F_i(u) = M_i u + q_i, such as a quadratic game of random samples; sampled by importance."""

    matrices: Annotated[Quantity, Field(description="M, (n, N, N), or (n N, N) one below the other")]
    offsets: Annotated[Quantity, Field(description="q, (n, N), (N,) or one number")] = 0


class FiniteSumForm(Schema):
    """F = (1 / n) sum_i F_i. Exactly one of `function`, `value`, `python`, `columns` and `matrices` gives the terms.

    `function` is a payoff of the variables of `minimize` and `maximize`; the others take `variables`.
    """

    model_config = exactly_one("function", "value", "python", "columns", "matrices")

    variables: Annotated[Variables, Field(default_factory=dict, description="the blocks of u, with their sets")]
    minimize: Annotated[Variables, Field(default_factory=dict, description="variables of the minimizing side")]
    maximize: Annotated[Variables, Field(default_factory=dict, description="variables of the maximizing side")]
    samples: Annotated[
        dict[Name, Quantity],
        Field(default_factory=dict, description="name in the expression -> data; a sample is a row of each"),
    ]
    own: Annotated[
        list[Name],
        Field(default_factory=list, description="variables with one entry or row a sample, which sees that one alone"),
    ]
    function: Annotated[Expression | None, Field(description="payoff of one sample: one number")] = None
    value: Annotated[
        Texts | None,
        Field(description="F_i: one expression, or one for each block by its name"),
    ] = None
    python: Annotated[
        Python | None,
        BeforeValidator(_reference),
        Also({"type": "string"}),
        Field(description="function of the blocks and `samples` (indices) that returns the mean of their F_i"),
    ] = None
    count: Annotated[Scalar | None, Field(description="n, for `python`")] = None
    columns: Annotated[ColumnsForm | None, Field(description="F u = M u + q by groups of columns of M")] = None
    matrices: Annotated[MatricesForm | None, Field(description="F_i u = M_i u + q_i")] = None
    monotone: Monotone = True
    lipschitz: Lipschitz = None


class LinearProgramForm(Schema):
    """min c'x + constant subject to row_lower <= A x <= row_upper, lower <= x <= upper; .inf where a side is open."""

    cost: Annotated[Quantity, Field(description="c, (n,)")]
    matrix: Annotated[Quantity, Field(description="A, (m, n), dense or sparse")]
    row_lower: Annotated[Quantity, Field(description="(m,) or one number; default: open")] = None
    row_upper: Annotated[Quantity, Field(description="(m,) or one number; default: open")] = None
    lower: Annotated[Quantity, Field(description="(n,) or one number")] = 0
    upper: Annotated[Quantity, Field(description="(n,) or one number; default: open")] = None
    constant: Annotated[Scalar, Field(description="added to the value")] = 0
    maximize: Annotated[bool, Field(description="maximize instead")] = False


class InclusionFile(Schema):
    """0 in F(u) + G(u). Exactly one of `game`, `saddle`, `finite_sum`, `operator` and `linear_program` is given."""

    model_config = exactly_one("game", "saddle", "finite_sum", "operator", "linear_program")

    game: Annotated[GameForm | None, Field(description="matrix game, or one in sequence form")] = None
    saddle: Annotated[SaddleForm | None, Field(description="min over some variables, max over the others")] = None
    finite_sum: Annotated[FiniteSumForm | None, Field(description="F is a mean over samples")] = None
    operator: Annotated[OperatorForm | None, Field(description="F is an expression")] = None
    linear_program: Annotated[LinearProgramForm | None, Field(description="min c'x under linear rows")] = None
