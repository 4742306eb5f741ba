"""Constraints of problem files: a comparison becomes an expression between bounds.

    lower <= c(x) <= upper

Sides in which no variable occurs are the bounds; where variables stand on both sides, the difference is bounded by 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from solverkit.expressions import shapes as rule
from solverkit.expressions.errors import ExpressionError
from solverkit.expressions.evaluate import evaluate
from solverkit.expressions.program import lower
from solverkit.expressions.syntax import parse
from solverkit.expressions.tree import Chain, Compare, Negative, Number, Tree, names


@dataclass(frozen=True)
class Constraint:
    """lower <= tree <= upper, elementwise; an equality where both are the same expression.

    `lower` and `upper` name constants only; None where there is no bound on that side.
    """

    tree: Tree
    lower: Tree | None
    upper: Tree | None

    @property
    def is_equality(self) -> bool:
        """Whether the constraint is c(x) == bound."""
        return self.lower is not None and self.lower == self.upper

    def bounds(
        self, variables: Mapping[str, rule.Shape], constants: Mapping[str, Any]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The bounds of the m elements of `tree`, rows first: two (m,) float64 arrays with infinities where open.

        Raises `ExpressionError` where a bound has a shape that does not fit, or the lower one exceeds the upper.
        """
        shape = lower([self.tree], variables, constants).shapes[0]
        low, high = (
            _bound(side, shape, constants, open_) for side, open_ in ((self.lower, -np.inf), (self.upper, np.inf))
        )
        if np.any(low > high):
            raise ExpressionError("the lower bound exceeds the upper bound", self.tree.offset)
        return low, high

    def inequalities(self) -> list[Tree]:
        """Trees r with r <= 0, at most two; none for an equality."""
        if self.is_equality:
            return []
        sides = []
        if self.upper is not None:
            sides.append(_minus(self.tree, self.upper))
        if self.lower is not None:
            sides.append(_minus(self.lower, self.tree))
        return sides

    def equalities(self) -> list[Tree]:
        """Trees r with r == 0: one for an equality, otherwise none."""
        return [_minus(self.tree, self.lower)] if self.is_equality and self.lower is not None else []


def split(comparison: str | Tree, variables: Set[str] | Mapping[str, Any]) -> list[Constraint]:
    """The constraints of `a <= b`, `a >= b`, `a == b`, `a <= b <= c` or `a >= b >= c`.

    variables : the names that are unknowns (a set, or a mapping from them); all other names are constants

    One constraint; two where a chain has variables in an outer side. Raises `ExpressionError` for everything else,
    among others strict inequalities and constraints without a variable.
    """
    tree = parse(comparison) if isinstance(comparison, str) else comparison
    if not isinstance(tree, Compare):
        raise ExpressionError("a constraint is a comparison: write ... <= ..., ... >= ... or ... == ...", tree.offset)
    strict = [symbol for symbol in tree.operators if symbol in "<>"]
    if strict:
        raise ExpressionError(
            f"a solver cannot tell '{strict[0]}' from '{strict[0]}='; write '{strict[0]}='", tree.offset
        )
    unknowns = frozenset(variables)
    if not any(names(operand) & unknowns for operand in tree.operands):
        shown = ", ".join(sorted(unknowns)[:12])
        raise ExpressionError(f"the constraint has no variable in it (variables here: {shown})", tree.offset)
    if len(tree.operators) == 1:
        return [_pair(tree.operands[0], tree.operands[1], tree.operators[0], unknowns)]
    if "==" in tree.operators or tree.operators[0] != tree.operators[1]:
        raise ExpressionError("a chain is lower <= expression <= upper; write two constraints", tree.offset)
    low, middle, high = tree.operands if "<=" in tree.operators else tree.operands[::-1]
    if names(middle) & unknowns and not (names(low) | names(high)) & unknowns:
        return [Constraint(middle, low, high)]
    pairs = ((low, middle), (middle, high))
    return [_pair(left, right, "<=", unknowns) for left, right in pairs if (names(left) | names(right)) & unknowns]


def _pair(left: Tree, right: Tree, symbol: str, unknowns: frozenset[str]) -> Constraint:
    if symbol == ">=":
        left, right, symbol = right, left, "<="
    if not names(right) & unknowns:
        return Constraint(left, right if symbol == "==" else None, right)
    if not names(left) & unknowns:
        return Constraint(right, left, left if symbol == "==" else None)
    zero = Number(0.0, left.offset)
    return Constraint(_minus(left, right), zero if symbol == "==" else None, zero)


def _minus(left: Tree, right: Tree) -> Tree:
    if right == Number(0.0):
        return left
    if left == Number(0.0):
        return Negative(right, right.offset)
    return Chain(left, (("-", right),), left.offset)


def _bound(side: Tree | None, shape: rule.Shape, constants: Mapping[str, Any], open_: float) -> np.ndarray:
    if side is None:
        return np.full(rule.size(shape), open_)
    value = np.asarray(evaluate(side, constants))
    try:
        return np.broadcast_to(value, shape).ravel().copy()
    except ValueError:
        raise ExpressionError(
            f"the bound has shape {value.shape}, the expression is {rule.show(shape)}", side.offset
        ) from None
