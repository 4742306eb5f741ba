"""What can be proven about an expression from its tree: its degree as a polynomial, and smoothness.

A proof may use any subset of the variables, the others being held fixed: an objective quadratic in y for each x has
degree 2 in {y}, whatever it does in x.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import numpy as np

from solverkit.expressions.errors import ExpressionError
from solverkit.expressions.evaluate import evaluate
from solverkit.expressions.functions import FUNCTIONS
from solverkit.expressions.program import Program
from solverkit.expressions.tree import Call, Chain, Compare, Index, Name, Negative, Number, Power, Tree, names, walk


def degree(tree: Tree, variables: Set[str], constants: Mapping[str, Any] | None = None) -> int | None:
    """0, 1 or 2 where the tree is proven to be a polynomial of at most that degree in `variables`; otherwise None.

    The degree is joint: x*y has degree 2 in {x, y} and 1 in {x}. Terms that cancel are not noticed: x - x is 1.
    `constants` are needed only for exponents with names, as in x**p.
    """
    found = _degree(tree, variables, constants or {})
    return found if found is not None and found <= 2 else None


def program_degree(program: Program) -> int | None:
    """The proven degree of all the outputs of a program together; 0 where it has none."""
    degrees = [degree(tree, program.variables.keys(), program.constants) for tree in program.trees]
    return None if None in degrees else max((part for part in degrees if part is not None), default=0)


def is_smooth(tree: Tree) -> bool:
    """Whether every function in the tree is continuously differentiable inside its domain."""
    return all(FUNCTIONS[node.function].smooth for node in walk(tree) if isinstance(node, Call))


def _degree(tree: Tree, variables: Set[str], constants: Mapping[str, Any]) -> int | None:
    match tree:
        case Number():
            return 0
        case Name():
            return int(tree.name in variables)
        case Negative():
            return _degree(tree.operand, variables, constants)
        case Index():
            return _degree(tree.base, variables, constants)
        case Compare():
            return 0 if all(_degree(part, variables, constants) == 0 for part in tree.operands) else None
        case Chain():
            return _chain(tree, variables, constants)
        case Power():
            return _power(tree, variables, constants)
    primitive = FUNCTIONS[tree.function]
    degrees = [
        _degree(part, variables, constants)
        for position, part in enumerate(tree.arguments)
        if position not in primitive.integers | primitive.data
    ]
    if all(part == 0 for part in degrees):
        return 0
    return primitive.degree(*degrees) if primitive.degree else None


def _chain(tree: Chain, variables: Set[str], constants: Mapping[str, Any]) -> int | None:
    total = _degree(tree.first, variables, constants)
    for symbol, operand in tree.rest:
        part = _degree(operand, variables, constants)
        if total is None or part is None or (symbol == "/" and part > 0):
            return None
        total = max(total, part) if symbol in "+-" else total + part
    return total


def _power(tree: Power, variables: Set[str], constants: Mapping[str, Any]) -> int | None:
    base, exponent = (_degree(part, variables, constants) for part in (tree.base, tree.exponent))
    if base is None or exponent != 0:
        return None
    if base == 0:
        return 0
    if not names(tree.exponent) <= set(constants):
        return None
    try:
        value = np.asarray(evaluate(tree.exponent, constants))
    except ExpressionError:
        return None
    if np.any(value < 0) or np.any(value != np.round(value)):
        return None
    return base * int(np.max(value))
