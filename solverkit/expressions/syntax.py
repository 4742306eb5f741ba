"""The syntax of expressions in problem files: text in, an immutable tree out, nothing ever executed.

Two layers keep hostile text away from everything that follows. A lexer of our own admits decimal numbers, plain
ASCII names and a dozen operators, and caps length, symbols and nesting; so Python's parser never sees a string, an
attribute, a keyword or a hundred thousand parentheses. Then the `ast` it returns is translated node by node by
whitelist; what is not listed is refused. Arithmetic on numbers is done at once, in floats, so `9**9**9` is an error
and not a hanging integer.

    expression := number | name | -e | e + e | e - e | e * e | e / e | e @ e | e ** e | f(e, ...) | e[index, ...]
    constraint := e <= e | e >= e | e == e | e <= e <= e
"""

from __future__ import annotations

import ast
import difflib
import keyword
import math
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from solverkit.errors import SolverKitError
from solverkit.expressions.functions import CONSTANTS, FUNCTIONS

MAX_LENGTH = 50_000  # characters
MAX_SYMBOLS = 10_000  # numbers, names, operators and brackets
MAX_DEPTH = 60  # nesting of brackets, calls, powers and signs; a sum or product of many terms is one level
MAX_TERMS = 1000  # in one sum or product
TRIES = 20  # of Python's parser
MAX_DIGITS = 640  # characters of a number: with more, Python's parser may refuse an integer, in words of its own


class ExpressionError(SolverKitError):
    """An expression that cannot be used: what is wrong, what to do, and where.

    `offset` is the 0-based character column within the text that was given to `parse`.
    """

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message, offset)
        self.message = message
        self.offset = offset

    def __str__(self) -> str:
        return self.message


def _offset() -> int:
    return field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A real literal."""

    value: float
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a parameter or a data array: which of them is not the syntax's business."""

    name: str
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Negative:
    """-operand."""

    operand: Tree
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Chain:
    """first op operand op operand ..., left to right; the operators are all of {+, -} or all of {*, /, @}."""

    first: Tree
    rest: tuple[tuple[str, Tree], ...]
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Power:
    """base ** exponent, elementwise."""

    base: Tree
    exponent: Tree
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the table `FUNCTIONS`; the number of arguments is right, their shapes are not yet known."""

    function: str
    arguments: tuple[Tree, ...]
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Slice:
    """start:stop:step within an index; None where left out."""

    start: Tree | None
    stop: Tree | None
    step: Tree | None
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Index:
    """base[items]; the items are integer expressions of numbers and parameters, or slices of them."""

    base: Tree
    items: tuple[Tree | Slice, ...]
    offset: int = _offset()


@dataclass(frozen=True, slots=True)
class Compare:
    """operands[0] operators[0] operands[1] ...; only at the top of a constraint, or first in `where`."""

    operands: tuple[Tree, ...]
    operators: tuple[str, ...]
    offset: int = _offset()


Tree = Number | Name | Negative | Chain | Power | Call | Index | Compare


def parse(text: str) -> Tree:
    """The tree of an expression, or a `Compare` where the text is a constraint.

    Raises `ExpressionError`, with the place, for everything outside the language; never anything else, and never
    after more than a moment.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"an expression is text; got {type(text).__name__}")
    _check_symbols(text)
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
    return ast.parse(text, mode="eval").body


def names(tree: Tree) -> frozenset[str]:
    """Every name that occurs in the tree, in indices too; functions are not names."""
    return frozenset(node.name for node in walk(tree) if isinstance(node, Name))


def walk(tree: Tree | Slice) -> Iterator[Tree | Slice]:
    """All nodes of a tree, the tree itself first."""
    stack: list[Tree | Slice] = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


def children(node: Tree | Slice) -> tuple[Tree | Slice, ...]:
    """The direct parts of a node, from left to right."""
    match node:
        case Negative():
            return (node.operand,)
        case Chain():
            return (node.first, *(operand for _, operand in node.rest))
        case Power():
            return (node.base, node.exponent)
        case Call():
            return node.arguments
        case Index():
            return (node.base, *node.items)
        case Slice():
            return tuple(part for part in (node.start, node.stop, node.step) if part is not None)
        case Compare():
            return node.operands
    return ()


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'sqrt'?`, or nothing where no known name is close."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


# -- first layer: symbols -------------------------------------------------------------------------------------------

_SYMBOL = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<operator>\*\*|<=|>=|==|!=|:=|//|[-+*/@()\[\],:<>=])"
)

_HINTS = {
    "=": "write == for equality",
    ":=": "write == for equality",
    "!=": "'!=' is not a constraint that can be solved; use <=, >= or ==",
    "//": "'//' has no meaning here; write / for division",
    "^": "write ** for powers",
    "%": "'%' has no meaning here",
    ".": "'.' has no meaning here: there are no attributes; write T(A) for A.T, and sum(x) for x.sum()",
    '"': "strings have no meaning here",
    "'": "strings have no meaning here; write T(A) for a transpose",
    "#": "comments belong outside of the expression",
    "&": "write two constraints instead of '&'",
    "|": "'|' has no meaning here; write abs(x) for an absolute value",
    "{": "write ( ) for grouping",
    "}": "write ( ) for grouping",
}

_WORDS = {
    "if": "use where(condition, a, b)",
    "else": "use where(condition, a, b)",
    "and": "write two constraints",
    "lambda": "write the expression itself",
    "for": "use sum(...) over an array",
}


def _check_symbols(text: str) -> None:
    """Refuse every text that is not a well-bracketed row of known symbols, without parsing it."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the expression has {len(text)} characters, more than {MAX_LENGTH}; put numbers into data",
            MAX_LENGTH,
        )
    if not text.strip(" \t\r\n"):
        raise ExpressionError("the expression is empty")
    brackets: list[tuple[str, int]] = []
    position = count = signs = 0
    previous = symbol = ""
    while position < len(text):
        match = _SYMBOL.match(text, position)
        if match is None:
            raise ExpressionError(_refuse_character(text[position]), position)
        if match.lastgroup == "space":
            position = match.end()
            continue
        kind, symbol = match.lastgroup, match.group()
        count += 1
        if count > MAX_SYMBOLS:
            raise ExpressionError(f"more than {MAX_SYMBOLS} symbols; use sum(...), and put numbers into data", position)
        if symbol in _HINTS:
            raise ExpressionError(_HINTS[symbol], position)
        if kind == "name":
            _check_name(symbol, position)
        if kind == "number" and len(symbol) > MAX_DIGITS:
            raise ExpressionError(f"a number of {len(symbol)} characters; float64 holds 17 digits", position)
        if kind in ("name", "number") and previous in ("name", "number", ")", "]"):
            raise ExpressionError(
                f"an operator is missing before '{symbol[:20]}'; a product needs its *, numbers are decimal",
                position,
            )
        if symbol in "([":
            brackets.append((symbol, position))
            if len(brackets) > MAX_DEPTH:
                raise ExpressionError(f"brackets nested deeper than {MAX_DEPTH}", position)
        elif symbol in ")]":
            if not brackets or brackets[-1][0] != {")": "(", "]": "["}[symbol]:
                raise ExpressionError(f"'{symbol}' without its opening bracket", position)
            brackets.pop()
        signs = signs + 1 if symbol in "+-" else 0
        if signs > MAX_DEPTH:
            raise ExpressionError("too many signs in a row", position)
        previous = symbol if kind == "operator" else kind or ""
        position = match.end()
    if previous not in ("name", "number", ")", "]"):
        raise ExpressionError(f"the expression ends after '{symbol}'", len(text.rstrip()))
    if brackets:
        raise ExpressionError(f"'{brackets[-1][0]}' is never closed", brackets[-1][1])


def _refuse_character(character: str) -> str:
    if character in _HINTS:
        return _HINTS[character]
    shown = f"'{character}'" if character.isascii() and character.isprintable() else f"U+{ord(character):04X}"
    return f"the character {shown} has no meaning here"


def _check_name(name: str, position: int) -> None:
    if name.startswith("__") or len(name) > 64:
        raise ExpressionError(f"'{name[:20]}' is not a name: up to 64 letters, digits and _, not __", position)
    if keyword.iskeyword(name):
        hint = f"; {_WORDS[name]}" if name in _WORDS else ""
        raise ExpressionError(f"'{name}' has no meaning here{hint}", position)


# -- second layer: structure ----------------------------------------------------------------------------------------

_SUMS: dict[type, str] = {ast.Add: "+", ast.Sub: "-"}
_PRODUCTS: dict[type, str] = {ast.Mult: "*", ast.Div: "/", ast.MatMult: "@"}
_COMPARISONS: dict[type, str] = {ast.LtE: "<=", ast.GtE: ">=", ast.Eq: "==", ast.Lt: "<", ast.Gt: ">"}


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


def unknown_name(name: str, variables: list[str], others: list[str], offset: int) -> ExpressionError:
    """The error of a name that stands for nothing, with what there is."""
    if name in FUNCTIONS:
        return ExpressionError(f"'{name}' is a function; write {FUNCTIONS[name].usage}", offset)
    known = "; ".join(
        f"{kind} here: {', '.join(shown[:12])}{', ...' if len(shown) > 12 else ''}"
        for kind, shown in (("variables", variables), ("data and parameters", others))
        if shown
    )
    hint = nearest(name, [*variables, *others, *CONSTANTS])
    return ExpressionError(f"unknown name '{name}'" + (f" ({known})" if known else "") + hint, offset)
