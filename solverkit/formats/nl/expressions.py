"""Expressions of .nl files: read from prefix notation, computed many at a time.

An expression is its shape, the operators and leaves in prefix order, and the values of its leaves. The rows of one
indexed constraint have one shape, so they are computed together, each leaf a vector over the rows: that takes one
operation of CasADi where a row alone would take thousands of calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from solverkit.formats.nl.operators import NOT_READ, OPERATORS, POWERS, Degree, total
from solverkit.formats.nl.text import Lines

VARIABLE, NUMBER, SUM = "v", "n", "o54/"


class Expression(NamedTuple):
    """`shape` holds "v", "n" and operators ("o2", "o54/3" for a sum of 3); `leaves` what the v and n stand for."""

    shape: tuple[str, ...]
    leaves: list[float]


Token = tuple[str, float | None, int]
"""What one line means: its entry in the shape, its value where it is a leaf, and how many more arguments it needs."""


class Reader:
    """Reads expressions, one after the other, from the lines of a file. Equal lines are looked at once."""

    def __init__(self, lines: Lines, variables: int, limit: int) -> None:
        self.lines = lines
        self.variables = variables
        self.defined: set[int] = set()  # indices from `variables` on that have a meaning so far
        self.limit = limit
        self._tokens: dict[str, Token] = {}

    def read(self) -> Expression:
        """The expression that begins in the next line."""
        shape: list[str] = []
        leaves: list[float] = []
        missing = 1
        while missing:
            line = self.lines.next("an expression")
            token = self._tokens.get(line) or self._look(line)
            shape.append(token[0])
            if token[1] is not None:
                leaves.append(token[1])
            missing += token[2]
        return Expression(tuple(shape), leaves)

    def _look(self, line: str) -> Token:
        lines = self.lines
        letter, word = line[:1], line[1:]
        if letter == VARIABLE:
            index = lines.integer(word, "a variable", self.limit)
            if index >= self.variables and index not in self.defined:
                raise lines.refuse(f"v{index} is used before its V segment defines it")
            token: Token = (VARIABLE, index, -1)
        elif letter and letter in "nsl":
            token = (NUMBER, lines.number(word), -1)
        elif letter == "o":
            name, arity = _operator(lines, word)
            if "/" in name:
                return name, None, arity - 1  # the number of arguments stands in a line of its own
            token = (name, None, arity - 1)
        elif letter == "f":
            raise lines.refuse("calls an imported function, which is code outside of the file; write it as a formula")
        else:
            raise lines.refuse(f"'{line[:30]}' where an expression (o, n or v and a number) is expected")
        self._tokens[line] = token
        return token


def _operator(lines: Lines, word: str) -> tuple[str, int]:
    code = lines.integer(word, "the number of an operator", 1000)
    operator = OPERATORS.get(code)
    if operator is None:
        raise lines.refuse(f"the operator o{code} ({NOT_READ.get(code, 'unknown')}) is not read")
    if operator.arity is not None:
        return f"o{code}", operator.arity
    count = lines.integer(lines.next("the number of arguments"), "the number of arguments", len(lines) + 1)
    if count < 1:
        raise lines.refuse(f"{operator.name} of nothing")
    return f"o{code}/{count}", count


def _code(name: str) -> tuple[int, int]:
    """Operator and number of arguments of a shape's entry."""
    code, _, count = name[1:].partition("/")
    return int(code), int(count) if count else OPERATORS[int(code)].arity or 0


def grouped(expressions: Sequence[Expression]) -> list[tuple[tuple[str, ...], np.ndarray, np.ndarray]]:
    """(shape, positions, leaves) of expressions of one shape; leaves are (number of leaves, number of positions)."""
    positions: dict[tuple[str, ...], list[int]] = {}
    for position, expression in enumerate(expressions):
        positions.setdefault(expression.shape, []).append(position)
    return [
        (shape, np.array(places), np.array([expressions[place].leaves for place in places], dtype=float).T)
        for shape, places in positions.items()
    ]


def degree(shape: tuple[str, ...], leaves: np.ndarray, degrees: Sequence[Degree]) -> Degree:
    """The degree as a polynomial that is proven for all of a group, from those of variables and defined variables."""
    stack: list[tuple[Degree, np.ndarray | None]] = []  # with the values of what is a plain number
    row = len(leaves)
    for name in reversed(shape):
        if name in (VARIABLE, NUMBER):
            row -= 1
            if name == NUMBER:
                stack.append((0, leaves[row]))
            else:
                found = [degrees[int(index)] for index in leaves[row]]
                stack.append((None if None in found else max(part for part in found if part is not None), None))
            continue
        code, arity = _code(name)
        arguments = [stack.pop() for _ in range(arity)]
        parts = [part for part, _ in arguments]
        if code in POWERS and parts[0] is not None and arguments[1][1] is not None:
            stack.append((_power(parts[0], arguments[1][1]), None))
        else:
            stack.append((OPERATORS[code].degree(*parts), None))
    return stack[0][0]


def _power(base: int, exponents: np.ndarray) -> Degree:
    if base == 0:
        return 0
    whole = np.all((exponents >= 0) & (exponents == np.round(exponents)))
    return total(0, base * int(exponents.max())) if whole else None


def build(ca: Any, shape: tuple[str, ...], leaves: np.ndarray, values: Any) -> Any:
    """The values of a group as a column; `values` is the column of variables and definitions."""

    def elementary(name: str, *arguments: Any) -> Any:
        operation = ca.SX.unary if len(arguments) == 1 else ca.SX.binary
        return operation(getattr(ca, f"OP_{name}"), *arguments)

    stack: list[Any] = []
    row = len(leaves)
    for name in reversed(shape):
        if name in (VARIABLE, NUMBER):
            row -= 1
            stack.append(_leaf(ca, name, leaves[row], values))
        else:
            code, arity = _code(name)
            stack.append(OPERATORS[code].build(elementary, *(stack.pop() for _ in range(arity))))
    return stack[0]


def _leaf(ca: Any, name: str, row: np.ndarray, values: Any) -> Any:
    if name == VARIABLE:
        return values[int(row[0])] if len(row) == 1 else values[row.astype(int).tolist()]
    return ca.SX(float(row[0])) if np.all(row == row[0]) else ca.SX(ca.DM(row))


def split_sum(expression: Expression, least: int) -> tuple[list[Expression], int] | None:
    """The terms of the first sum of at least `least`, and its position in the shape; None where there is none."""
    long = (k for k, name in enumerate(expression.shape) if name.startswith(SUM) and _code(name)[1] >= least)
    start = next(long, None)
    if start is None:
        return None
    terms: list[Expression] = []
    begin, leaf = start + 1, sum(name in (VARIABLE, NUMBER) for name in expression.shape[:start])
    for _ in range(_code(expression.shape[start])[1]):
        end, missing, leaves = begin, 1, leaf
        while missing:
            name = expression.shape[end]
            plain = name in (VARIABLE, NUMBER)
            leaves += plain
            missing += -1 if plain else _code(name)[1] - 1
            end += 1
        terms.append(Expression(expression.shape[begin:end], expression.leaves[leaf:leaves]))
        begin, leaf = end, leaves
    return terms, start


def without_sum(expression: Expression, start: int, terms: list[Expression], index: int) -> Expression:
    """The expression with the variable `index` in place of the sum that `split_sum` found."""
    end = start + 1 + sum(len(term.shape) for term in terms)
    before = sum(name in (VARIABLE, NUMBER) for name in expression.shape[:start])
    after = before + sum(len(term.leaves) for term in terms)
    return Expression(
        (*expression.shape[:start], VARIABLE, *expression.shape[end:]),
        [*expression.leaves[:before], float(index), *expression.leaves[after:]],
    )
