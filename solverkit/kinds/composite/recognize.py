"""From the text of a nonsmooth or simple part to its structure: what is known of each term of the sum.

| term of `nonsmooth:` | K | g |
|---|---|---|
| c*norm1(e), c*sum(abs(e)) | e's matrix | c sum |z_i + b_i| |
| c*sum(relu(e)), c*sum(max(e, 0)) | e's matrix | c sum max(z_i + b_i, 0) |
| c*norm(e) | e's matrix | c ||z + b||_2 |
| c*sum(row_norms(E)) | E's matrix | c times the sum of the norms of E's rows |
| c*max(e_1, e_2, ...), numbers | their rows | c max_i (z_i + b_i) |
| c*graph_total_variation(e, edges, weights) | weighted differences along edges of e | l1 |
| c*total_variation(e) | differences of e | l1 for vectors, pairs of differences for matrices (isotropic) |

e is affine in the variable, c a positive number of parameters. Terms are stacked. Of `simple:` the terms c*norm1(x) and
c*entropy(x) are known, and whatever is left must be quadratic with the same curvature in every coordinate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, eye_array

from solverkit.expressions.errors import ExpressionError
from solverkit.expressions.evaluate import evaluate
from solverkit.expressions.program import lower
from solverkit.expressions.tree import Call, Chain, Name, Negative, Number, Power, Tree, names
from solverkit.kinds.composite.linear_maps import After, GridDifferences, Matrix, PairedDifferences, edge_differences
from solverkit.kinds.composite.row_norms import RowNorms
from solverkit.operators.proximal import L1, L2, Conjugate, ProximalMap, Simplex, Tilted, Translated

if TYPE_CHECKING:
    from solverkit.kinds.base import Source
    from solverkit.kinds.source import KeyPath

KNOWN = (
    "norm1(e), sum(abs(e)), sum(relu(e)), norm(e), sum(row_norms(E)), total_variation(e), "
    "graph_total_variation(e, edges), max(e, f) of numbers, with e affine. From Python, h may be any K with any "
    "proximal map: composite(nonsmooth=(K, g)); and `nonsmooth: {subgradients: ...}` takes any convex expression"
)


@dataclass(frozen=True)
class Weighted:
    """One term: a positive number times a tree, and where it stands in the text."""

    factor: float
    tree: Tree
    offset: int


def terms(tree: Tree, variable: str, constants: Mapping[str, Any]) -> list[Weighted]:
    """The terms of a sum, each with its number drawn out; ExpressionError for a number that cannot be worked out."""
    if isinstance(tree, Negative):
        return [replace(term, factor=-term.factor) for term in terms(tree.operand, variable, constants)]
    if isinstance(tree, Chain) and all(symbol in "+-" for symbol, _ in tree.rest):
        found = terms(tree.first, variable, constants)
        for symbol, part in tree.rest:
            sign = -1.0 if symbol == "-" else 1.0
            found += [replace(term, factor=sign * term.factor) for term in terms(part, variable, constants)]
        return found
    return [_weighted(tree, variable, constants)]


def _weighted(tree: Tree, variable: str, constants: Mapping[str, Any]) -> Weighted:
    """A product with its constant factors drawn out, where one factor alone has the variable in it."""
    if not (isinstance(tree, Chain) and all(symbol in "*/" for symbol, _ in tree.rest)):
        return Weighted(1.0, tree, tree.offset)
    moving = [part for part in (tree.first, *(part for _, part in tree.rest)) if variable in names(part)]
    if len(moving) != 1 or any(symbol == "/" and part is moving[0] for symbol, part in tree.rest):
        return Weighted(1.0, tree, tree.offset)
    factor = 1.0 if tree.first is moving[0] else _number(tree.first, constants)
    for symbol, part in tree.rest:
        if part is not moving[0]:
            factor = factor / _number(part, constants) if symbol == "/" else factor * _number(part, constants)
    inner = terms(moving[0], variable, constants)
    if len(inner) == 1:
        return Weighted(factor * inner[0].factor, inner[0].tree, inner[0].offset)
    return Weighted(factor, moving[0], moving[0].offset)


def _number(tree: Tree, constants: Mapping[str, Any]) -> float:
    value = evaluate(tree, constants)
    if not isinstance(value, float):
        raise ExpressionError(f"a factor of shape {np.shape(value)}, where a number is needed", tree.offset)
    return value


def is_square(tree: Tree, variable: str) -> bool:
    """sum(x**2), sum(square(x)) or normsq(x)."""
    if not isinstance(tree, Call) or len(tree.arguments) != 1:
        return False
    inner = tree.arguments[0]
    if tree.function == "normsq":
        return isinstance(inner, Name) and inner.name == variable
    if tree.function != "sum":
        return False
    if isinstance(inner, Call) and inner.function == "square":
        inner = inner.arguments[0]
        return isinstance(inner, Name) and inner.name == variable
    base = getattr(inner, "base", None)
    return isinstance(inner, Power) and isinstance(base, Name) and base.name == variable and is_two(inner)


def is_two(power: Power) -> bool:
    """Whether the exponent is the number 2."""
    return isinstance(power.exponent, Number) and power.exponent.value == 2


def linear(tree: Tree, variable: str, shape: tuple[int, ...], constants: Mapping[str, Any]) -> np.ndarray | None:
    """c of a term that is written as sum(c*x) or dot(c, x), (n,); None for any other."""
    if not isinstance(tree, Call):
        return None
    parts: list[Tree] = list(tree.arguments)
    if tree.function == "sum" and len(parts) == 1 and isinstance(parts[0], Chain):
        chain = parts[0]
        parts = [chain.first, *(part for _, part in chain.rest)] if [s for s, _ in chain.rest] == ["*"] else []
    elif tree.function != "dot":
        return None
    others = [part for part in parts if not (isinstance(part, Name) and part.name == variable)]
    if len(parts) != 2 or len(others) != 1 or variable in names(others[0]):
        return None
    value = np.asarray(evaluate(others[0], constants), dtype=float)
    return value.ravel() if value.shape == shape else None


class Reader:
    """Reads the terms of one part of a problem file; defects go to the source."""

    def __init__(self, source: Source, variable: str, shape: tuple[int, ...], path: KeyPath) -> None:
        self.source, self.variable, self.shape, self.path = source, variable, shape, path
        self.variables = {variable: shape}

    def split(self, text: str) -> list[Weighted] | None:
        """The terms of a text; None after a defect."""
        tree = self.source.tree(text, self.path, self.variables)
        if tree is None:
            return None
        try:
            return terms(tree, self.variable, self.source.constants)
        except ExpressionError as error:
            self.source.defect(self.path, error.message, error.offset)
            return None

    def structured(self, term: Weighted) -> tuple[Any, ProximalMap] | None:
        """(K, g) of one term; None after a defect."""
        if term.factor <= 0:
            self.source.defect(
                self.path, f"a factor of {term.factor:g}: terms here are convex, so above 0", term.offset
            )
            return None
        form, inner = _form(term.tree)
        if form is None:
            self.source.defect(self.path, f"not one of the forms that are known here: {KNOWN}", term.offset)
            return None
        if form == "total_variation":
            return self._total_variation(inner, term.factor)
        if form == "graph_total_variation":
            assert isinstance(term.tree, Call)
            return self._graph(term.tree, term.factor)
        read = self._affine(*_arguments(term.tree) if form == "max" else (inner,))
        if read is None:
            return None
        matrix, shift, shape = read
        return Matrix(matrix), _shifted(_outer(form, term.factor, shape), shift)

    def _total_variation(self, inner: Tree, factor: float) -> tuple[Any, ProximalMap] | None:
        if isinstance(inner, Name) and inner.name == self.variable:
            if len(self.shape) == 1:
                return GridDifferences(self.shape), L1(factor)
            paired = PairedDifferences((self.shape[0], self.shape[1]))
            return paired, RowNorms(2, factor)
        read = self._affine(inner)
        if read is None:
            return None
        matrix, shift, shape = read
        if len(shape) == 1:
            differences: Any = GridDifferences(shape)
            outer: ProximalMap = L1(factor)
        else:
            differences = PairedDifferences((shape[0], shape[1]))
            outer = RowNorms(2, factor)
        return After(differences, Matrix(matrix)), _shifted(outer, differences.forward(shift))

    def _graph(self, call: Call, factor: float) -> tuple[Any, ProximalMap] | None:
        read = self._affine(call.arguments[0])
        if read is None:
            return None
        matrix, shift, _ = read
        edges, *given = (np.asarray(evaluate(part, self.source.constants)) for part in call.arguments[1:])
        differences = edge_differences(edges, matrix.shape[0])
        weight = factor * (given[0] if given else 1.0)
        return Matrix(csr_array(differences @ matrix)), _shifted(L1(weight), differences @ shift)

    def _affine(self, *inner: Tree) -> tuple[Any, np.ndarray, tuple[int, ...]] | None:
        """(matrix, shift, shape of the first) of affine trees, rows first; None after a defect."""
        if len(inner) == 1 and isinstance(inner[0], Name) and inner[0].name == self.variable:
            size = int(np.prod(self.shape, dtype=int))  # the variable itself may be too long to be worth a compiler
            return eye_array(size, format="csr"), np.zeros(size), self.shape
        function = self.source.compiled(inner, self.variables)
        if function.degree is None or function.degree > 1:
            self.source.defect(self.path, "must be affine in the variable here", inner[0].offset)
            return None
        zero = np.zeros(function.inputs)
        shape = lower([inner[0]], self.variables, self.source.constants).shapes[0]
        return function.jacobian(zero), function.value(zero), shape


def _form(tree: Tree) -> tuple[str | None, Tree]:
    """Which form a tree is, and its affine part; None where it is none."""
    if not isinstance(tree, Call):
        return None, tree
    inner = tree.arguments[0]
    if tree.function in ("norm1", "norm", "total_variation", "graph_total_variation", "max"):
        return tree.function, inner
    if tree.function != "sum" or len(tree.arguments) != 1 or not isinstance(inner, Call):
        return None, tree
    if inner.function == "max" and isinstance(inner.arguments[1], Number) and inner.arguments[1].value == 0:
        return "relu", inner.arguments[0]
    known = {"abs": "norm1", "relu": "relu", "row_norms": "row_norms"}
    return known.get(inner.function), inner.arguments[0]


def _arguments(tree: Tree) -> list[Tree]:
    """The arguments of max(e, f), of max(e, max(f, g)) and so on, in order."""
    if not (isinstance(tree, Call) and tree.function == "max"):
        return [tree]
    return [part for argument in tree.arguments for part in _arguments(argument)]


def _outer(form: str, factor: float, shape: tuple[int, ...]) -> ProximalMap:
    if form == "norm1":
        return L1(factor)
    if form == "norm":
        return L2(factor)
    if form == "max":  # the support function of the simplex
        return Conjugate(Simplex(factor))
    if form == "relu":  # max(z, 0) = |z| / 2 + z / 2
        return Tilted(L1(factor / 2), factor / 2)
    return RowNorms(shape[1], factor)


def _shifted(outer: ProximalMap, shift: np.ndarray) -> ProximalMap:
    """g(z + shift)."""
    return Translated(outer, -shift) if shift.any() else outer
