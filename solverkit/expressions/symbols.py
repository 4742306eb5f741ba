"""The first layer of the syntax: a text is a well-bracketed row of known symbols, or refused without being parsed.

Decimal numbers, plain ASCII names and a dozen operators; length, symbols and nesting are capped. So Python's parser
never sees a string, an attribute, a keyword or a hundred thousand parentheses.
"""

from __future__ import annotations

import keyword
import re

from solverkit.expressions.errors import ExpressionError

MAX_LENGTH = 50_000  # characters
MAX_SYMBOLS = 10_000  # numbers, names, operators and brackets
MAX_DEPTH = 60  # nesting of brackets, calls, powers and signs; a sum or product of many terms is one level
MAX_DIGITS = 640  # characters of a number: with more, Python's parser may refuse an integer, in words of its own

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


def check_symbols(text: str) -> None:
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
