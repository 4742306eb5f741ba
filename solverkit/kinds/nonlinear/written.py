"""The constraints that a file's or caller's formulas describe, with dense matrices kept as matrices.

Where much dense data is multiplied, torch does the arithmetic, and its Jacobians have every entry. Constraints that are
affine are then kept apart from the others, by their matrix; `A @ x` with a dense A of the data is A itself, uncopied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.expressions.constraints import split
from solverkit.expressions.degree import degree
from solverkit.expressions.shapes import size
from solverkit.expressions.syntax import parse
from solverkit.expressions.tree import Chain, Name, Tree
from solverkit.kinds import formulas as compiler
from solverkit.kinds.nonlinear.affine import DENSE_SIZE, Affine, densified
from solverkit.kinds.nonlinear.rows import Part

if TYPE_CHECKING:
    from solverkit.kinds.base import Constraints, Source

    Shapes = Mapping[str, tuple[int, ...]]


def written(formulas: Mapping[str, Any], shapes: Shapes, source: Source) -> list[Part]:
    """The rows of the formulas, in their order; defects go to `source`."""

    def compiled(names: Sequence[str]) -> Constraints | None:
        return compiler.constraints({name: formulas[name] for name in names}, shapes, source, ("subject_to",))

    whole = compiled(list(formulas))
    if whole is None or whole.function.outputs == 0:
        return []
    if source.defects:
        return [Part(whole.function, whole.lower, whole.upper, whole.names)]
    if not (hasattr(whole.function, "tensor") and all(isinstance(formula, str) for formula in formulas.values())):
        return [Part(densified(whole.function), whole.lower, whole.upper, whole.names)]
    parts = []
    for sort, names in groupby(formulas, lambda name: _sort(name, formulas[name], shapes, source)):
        found = compiled(list(names))
        if found is None or found.function.outputs == 0:
            continue
        if isinstance(sort, tuple):
            _, matrix, at = sort
            parts.append(Part(Affine(source.data[matrix]), found.lower, found.upper, found.names, at))
        else:
            function = densified(found.function) if sort == "affine" else found.function
            parts.append(Part(function, found.lower, found.upper, found.names))
    return parts


def _sort(name: str, text: str, shapes: Shapes, source: Source) -> str | tuple[str, str, slice]:
    """`affine`, `general`, or (name, matrix, slice of the flat vector) of a dense matrix times one variable."""
    pieces = split(parse(text), shapes)
    if len(pieces) == 1 and (product := _product(pieces[0].tree, shapes, source)) is not None:
        return name, *product
    constants = {**source.parameters, **source.data}
    degrees = [degree(piece.tree, shapes.keys(), constants) for piece in pieces]
    return "affine" if all(found in (0, 1) for found in degrees) else "general"


def _product(tree: Tree, shapes: Shapes, source: Source) -> tuple[str, slice] | None:
    """The matrix and the variable of `A @ x`, A large and dense; None for anything else."""
    if not (isinstance(tree, Chain) and isinstance(tree.first, Name) and len(tree.rest) == 1):
        return None
    (operation, factor), matrix = tree.rest[0], source.data.get(tree.first.name)
    if operation != "@" or not isinstance(factor, Name) or len(shapes.get(factor.name, ())) != 1:
        return None
    if not isinstance(matrix, np.ndarray) or matrix.ndim != 2 or matrix.size < DENSE_SIZE:
        return None
    names = list(shapes)
    start = sum(size(shapes[name]) for name in names[: names.index(factor.name)])
    return tree.first.name, slice(start, start + size(shapes[factor.name]))
