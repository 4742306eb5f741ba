"""The syntax of expressions in problem files: text in, an immutable tree out, nothing ever executed.

Two layers keep hostile text away from everything that follows. `symbols` admits known symbols alone. Then the `ast`
that Python's parser returns is translated node by node by whitelist; what is not listed is refused. Arithmetic on
numbers is done at once, in floats, so `9**9**9` is an error and not a hanging integer.

    expression := number | name | -e | e + e | e - e | e * e | e / e | e @ e | e ** e | f(e, ...) | e[index, ...]
    constraint := e <= e | e >= e | e == e | e <= e <= e
"""

from __future__ import annotations

import ast
import math
import re
from contextlib import suppress

from solverkit.expressions.errors import ExpressionError, nearest
from solverkit.expressions.functions import FUNCTIONS
from solverkit.expressions.symbols import MAX_DEPTH, check_symbols
from solverkit.expressions.tree import Call, Chain, Compare, Index, Name, Negative, Number, Power, Slice, Tree, walk

MAX_TERMS = 1000  # in one sum or product
TRIES = 20  # of Python's parser

_SUMS: dict[type, str] = {ast.Add: "+", ast.Sub: "-"}
_PRODUCTS: dict[type, str] = {ast.Mult: "*", ast.Div: "/", ast.MatMult: "@"}
_COMPARISONS: dict[type, str] = {ast.LtE: "<=", ast.GtE: ">=", ast.Eq: "==", ast.Lt: "<", ast.Gt: ">"}


def parse(text: str) -> Tree:
    """The tree of an expression, or a `Compare` where the text is a constraint.

    Raises `ExpressionError`, with the place, for everything outside the language; never anything else, and never
    after more than a moment.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"an expression is text; got {type(text).__name__}")
    check_symbols(text)
    line = re.sub(r"\s", " ", text)  # one line of the same length: Python's parser counts columns per line
    shift = len(line) - len(line.lstrip())
    try:
        return _Reader(shift).read(_body(line[shift:]), top=True)
    except SyntaxError as error:
        place = (error.offset or 1) - 1 + shift
        raise ExpressionError(f"this is not an expression: {error.msg}", place) from None
    except (MemoryError, RecursionError):
        raise ExpressionError("too deeply nested; use sum(...) and matrices for long formulas") from None


def _body(text: str) -> ast.expr:
    """Python's own tree. CPython up to 3.12 counts the depth of all threads' parsers together, and may then say that it
    does not add up: another try is the cure."""
    for _ in range(TRIES):
        with suppress(SystemError):
            return ast.parse(text, mode="eval").body
    raise ExpressionError("Python's parser fails while other threads use it; try again, or parse in one thread")


class _Reader:
    """Translates Python's `ast` by whitelist; `shift` is what was cut off at the left of the text."""

    def __init__(self, shift: int) -> None:
        self.shift = shift

    def read(self, node: ast.expr, depth: int = 0, top: bool = False) -> Tree:
        """`top` where a comparison may stand."""
        place = node.col_offset + self.shift
        if depth > MAX_DEPTH:
            raise ExpressionError(f"nested deeper than {MAX_DEPTH}; use sum(...) and matrices", place)
        match node:
            case ast.Constant():
                return self._number(node.value, place)
            case ast.Name():
                return Name(node.id, place)
            case ast.UnaryOp(op=ast.USub()):
                operand = self.read(node.operand, depth + 1)
                return Number(-operand.value, place) if isinstance(operand, Number) else Negative(operand, place)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.read(node.operand, depth + 1)
            case ast.BinOp(op=ast.Pow()):
                base, exponent = self.read(node.left, depth + 1), self.read(node.right, depth + 1)
                if isinstance(base, Number) and isinstance(exponent, Number):
                    return Number(_fold("**", base.value, exponent.value, place), place)
                return Power(base, exponent, place)
            case ast.BinOp():
                return self._chain(node, depth, place)
            case ast.Compare() if top:
                return self._compare(node, depth, place)
            case ast.Compare():
                raise ExpressionError(
                    "a comparison stands alone in a constraint, or first in where(condition, a, b)", place
                )
            case ast.Call():
                return self._call(node, depth, place)
            case ast.Subscript():
                return self._index(node, depth, place)
            case ast.Tuple() | ast.List():
                raise ExpressionError("lists have no meaning here; use concat(a, b), or put numbers into data", place)
        raise ExpressionError(f"{type(node).__name__} has no meaning here", place)

    def _number(self, value: object, place: int) -> Number:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ExpressionError("only real numbers have a meaning here", place)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ExpressionError("the constant overflows", place)
        return Number(number, place)

    def _chain(self, node: ast.BinOp, depth: int, place: int) -> Tree:
        """Walks down the left spine, so that a thousand terms are one level deep."""
        table = _SUMS if type(node.op) in _SUMS else _PRODUCTS
        rest: list[tuple[str, ast.expr]] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and type(left.op) in table:
            rest.append((table[type(left.op)], left.right))
            left = left.left
        if not rest:
            raise ExpressionError(f"{type(node.op).__name__} has no meaning here", place)
        if len(rest) >= MAX_TERMS:
            raise ExpressionError(f"more than {MAX_TERMS} terms; use sum(...) or dot(c, x)", place)
        first = self.read(left, depth + 1)
        operands = tuple((symbol, self.read(right, depth + 1)) for symbol, right in reversed(rest))
        if not isinstance(first, Number) or not all(isinstance(operand, Number) for _, operand in operands):
            return Chain(first, operands, place)
        value = first.value
        for symbol, operand in operands:
            assert isinstance(operand, Number)
            value = _fold(symbol, value, operand.value, place)
        return Number(value, place)

    def _compare(self, node: ast.Compare, depth: int, place: int) -> Compare:
        symbols = []
        for operator in node.ops:
            if type(operator) not in _COMPARISONS:
                raise ExpressionError(f"{type(operator).__name__} has no meaning here", place)
            symbols.append(_COMPARISONS[type(operator)])
        if len(symbols) > 2:
            raise ExpressionError("at most lower <= expression <= upper; write several constraints", place)
        operands = tuple(self.read(operand, depth + 1) for operand in (node.left, *node.comparators))
        return Compare(operands, tuple(symbols), place)

    def _call(self, node: ast.Call, depth: int, place: int) -> Call:
        if not isinstance(node.func, ast.Name):
            raise ExpressionError("only functions of the table can be called, by their plain name", place)
        name = node.func.id
        if name not in FUNCTIONS:
            raise ExpressionError(f"unknown function '{name}'{nearest(name, list(FUNCTIONS))}", place)
        if node.keywords:
            raise ExpressionError(f"{name}: arguments have no names here; write {FUNCTIONS[name].usage}", place)
        function = FUNCTIONS[name]
        if not function.least <= len(node.args) <= function.most:
            raise ExpressionError(f"{name}: {len(node.args)} arguments; write {function.usage}", place)
        arguments = tuple(
            self.read(argument, depth + 1, top=function.condition and position == 0)
            for position, argument in enumerate(node.args)
        )
        if function.condition and not (isinstance(arguments[0], Compare) and len(arguments[0].operators) == 1):
            raise ExpressionError(f"{name}: the condition is one comparison, as in where(x > 0, x, 0)", place)
        return Call(name, arguments, place)

    def _index(self, node: ast.Subscript, depth: int, place: int) -> Index:
        base = self.read(node.value, depth + 1)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if not 1 <= len(parts) <= 2:
            raise ExpressionError("one or two indices", place)
        return Index(base, tuple(self._item(part, depth + 1) for part in parts), place)

    def _item(self, node: ast.expr, depth: int) -> Tree | Slice:
        place = node.col_offset + self.shift
        if isinstance(node, ast.Slice):
            start, stop, step = (
                None if part is None else self._integer(part, depth) for part in (node.lower, node.upper, node.step)
            )
            return Slice(start, stop, step, place)
        return self._integer(node, depth)

    def _integer(self, node: ast.expr, depth: int) -> Tree:
        """Whether it is an integer is known once the parameters are; here only its form is checked."""
        tree = self.read(node, depth + 1)
        if any(not isinstance(part, Number | Name | Negative | Chain | Power) for part in walk(tree)):
            raise ExpressionError("an index is an integer, a parameter, or arithmetic of them", tree.offset)
        return tree


def _fold(symbol: str, left: float, right: float, place: int) -> float:
    """Arithmetic of two literals, in floats."""
    try:
        match symbol:
            case "+":
                value = left + right
            case "-":
                value = left - right
            case "*":
                value = left * right
            case "/":
                value = left / right
            case "**":
                value = math.pow(left, right)
            case _:
                raise ExpressionError("@ multiplies matrices and vectors, not numbers", place)
    except ZeroDivisionError:
        raise ExpressionError("division by zero", place) from None
    except OverflowError:
        raise ExpressionError("the constant overflows", place) from None
    except ValueError:
        raise ExpressionError(f"{left} ** {right} is not a real number", place) from None
    if not math.isfinite(value):
        raise ExpressionError("the constant overflows", place)
    return value
