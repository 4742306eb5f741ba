"""How problem.yaml describes an inclusion: exactly one of five forms."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from solverkit.kinds.fields import Expression, Formula, Name, Quantity, Scalar, Schema
from solverkit.kinds.variables import Variables

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
        dict[Name, Expression] | Formula,
        Field(description="F: one expression of the size of u, or one for each block, by its name"),
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

    game: GameForm | None = None
    saddle: SaddleForm | None = None
    operator: OperatorForm | None = None
    linear_program: LinearProgramForm | None = None
