"""How problem.yaml describes a sequence of linear systems: exactly one of four forms, and what holds for all."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from solverkit.kinds.fields import Name, Quantity, Scalar, Schema, exactly_one

Names = Annotated[
    list[Name] | None, Field(description="names of the context's columns; default: context, context0, ...")
]
Context = Annotated[Quantity | None, Field(description="(T,) or (T, k): what is known of each system beforehand")]
RightSides = Annotated[Quantity, Field(description="(T, n), or (n,) for the same at every step")]


class SystemsForm(Schema):
    """Matrices value by value, `pattern` and `values`, or one `matrix` with many right-hand sides."""

    pattern: Annotated[
        Quantity | None, Field(description="sparse (n, n): where entries are; its values do not matter")
    ] = None
    values: Annotated[Quantity | None, Field(description="(T, nnz): entries by rows, columns ascending in a row")] = (
        None
    )
    matrix: Annotated[Quantity | None, Field(description="(n, n): the one matrix of all systems")] = None
    right_hand_sides: RightSides
    context: Context = None
    context_names: Names = None


class ShiftedForm(Schema):
    """A + c_t B, B the identity unless `by` names another matrix."""

    matrix: Annotated[Quantity, Field(description="A, (n, n)")]
    shifts: Annotated[Quantity, Field(description="c, (T,)")]
    by: Annotated[Quantity | None, Field(description="B, (n, n); default: the identity")] = None
    right_hand_sides: RightSides
    context: Annotated[Quantity | None, Field(description="(T,) or (T, k); default: the shifts")] = None
    context_names: Names = None


class SteppingForm(Schema):
    """Implicit time steps: (sum_j a_tj K_j) x_t = (sum_j r_tj R_j) x_{t-1} + f_t."""

    matrices: Annotated[list[Quantity], Field(min_length=1, description="K_j, each (n, n)")]
    coefficients: Annotated[Quantity, Field(description="a, (T, J)")]
    previous: Annotated[list[Quantity], Field(min_length=1, description="R_j, each (n, n)")]
    previous_coefficients: Annotated[Quantity, Field(description="r, (T, J)")]
    forcing: Annotated[Quantity, Field(description="f, (T, n), or (n,) for one that never changes")] = 0.0
    initial: Annotated[Quantity, Field(description="x before the first step, (n,)")] = 0.0
    context: Context = None
    context_names: Names = None


class FolderForm(Schema):
    """MatrixMarket files A_1.mtx, b_1.mtx, A_2.mtx, ... in the order of their numbers; or one A.mtx for all."""

    path: Annotated[str, Field(min_length=1, max_length=1000, description="folder within the problem's folder")]
    context: Context = None
    context_names: Names = None


class LinearSequenceFile(Schema):
    """A_t x_t = b_t for t = 0, ..., T - 1. Exactly one of `systems`, `shifted`, `stepping` and `folder` is given."""

    model_config = exactly_one("systems", "shifted", "stepping", "folder")

    systems: Annotated[SystemsForm | None, Field(description="matrices value by value, or one for all")] = None
    shifted: Annotated[ShiftedForm | None, Field(description="A + c_t B")] = None
    stepping: Annotated[SteppingForm | None, Field(description="implicit time steps")] = None
    folder: Annotated[FolderForm | None, Field(description="numbered MatrixMarket files")] = None
    rtol: Annotated[
        Scalar | None, Field(description="relative residual that counts as solved; default: what the run asks for")
    ] = None
    grid: Annotated[
        list[Scalar] | None,
        Field(min_length=1, max_length=3, description="lengths of the regular grid of the unknowns, in C order"),
    ] = None
