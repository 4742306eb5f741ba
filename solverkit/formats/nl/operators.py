"""The operators of .nl expressions: how many arguments each takes, how CasADi computes it, and what it does to degrees.

| here | meaning |
|---|---|
| `Operator.build(sx, *arguments)` | the value, where `sx` applies one of CasADi's elementary operations |
| `Operator.degree(*degrees)` | degree of a polynomial, None where it is none; only constants stay constant by default |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import log
from typing import Any

Degree = int | None


def transcendental(*degrees: Degree) -> Degree:
    """A constant of constants, otherwise no polynomial."""
    return 0 if all(degree == 0 for degree in degrees) else None


def greatest(*degrees: Degree) -> Degree:
    """Of a sum."""
    return None if None in degrees else max(degree for degree in degrees if degree is not None)


def total(one: Degree, other: Degree) -> Degree:
    """Of a product."""
    return None if one is None or other is None else one + other


def quotient(one: Degree, other: Degree) -> Degree:
    """Of a division, a polynomial where the divisor is constant."""
    return one if other == 0 else None


@dataclass(frozen=True)
class Operator:
    """One operator. `arity` None: the number of arguments stands in the file."""

    name: str
    arity: int | None
    build: Callable[..., Any]
    degree: Callable[..., Degree] = transcendental


def _elementary(name: str) -> Callable[..., Any]:
    return lambda sx, *arguments: sx(name, *arguments)


def _fold(name: str) -> Callable[..., Any]:
    return lambda sx, *arguments: reduce(lambda one, other: sx(name, one, other), arguments)


def _if(sx: Any, condition: Any, then: Any, otherwise: Any) -> Any:
    """Each branch counts as 0 where it is not taken, so that log(x) of a negative x does no harm there."""
    chosen = sx("IF_ELSE_ZERO", condition, then)
    return sx("ADD", chosen, sx("IF_ELSE_ZERO", sx("NOT", condition), otherwise))


def _swapped(name: str) -> Callable[..., Any]:
    return lambda sx, one, other: sx(name, other, one)


OPERATORS: dict[int, Operator] = {
    0: Operator("+", 2, _elementary("ADD"), greatest),
    1: Operator("-", 2, _elementary("SUB"), greatest),
    2: Operator("*", 2, _elementary("MUL"), total),
    3: Operator("/", 2, _elementary("DIV"), quotient),
    4: Operator("mod", 2, _elementary("FMOD")),
    5: Operator("^", 2, _elementary("POW")),
    6: Operator("less", 2, lambda sx, one, other: sx("FMAX", sx("SUB", one, other), 0.0)),
    11: Operator("min", None, _fold("FMIN")),
    12: Operator("max", None, _fold("FMAX")),
    13: Operator("floor", 1, _elementary("FLOOR")),
    14: Operator("ceil", 1, _elementary("CEIL")),
    15: Operator("abs", 1, _elementary("FABS")),
    16: Operator("-", 1, _elementary("NEG"), greatest),
    20: Operator("or", 2, _elementary("OR")),
    21: Operator("and", 2, _elementary("AND")),
    22: Operator("<", 2, _elementary("LT")),
    23: Operator("<=", 2, _elementary("LE")),
    24: Operator("=", 2, _elementary("EQ")),
    28: Operator(">=", 2, _swapped("LE")),
    29: Operator(">", 2, _swapped("LT")),
    30: Operator("!=", 2, _elementary("NE")),
    34: Operator("not", 1, _elementary("NOT")),
    35: Operator("if", 3, _if),
    37: Operator("tanh", 1, _elementary("TANH")),
    38: Operator("tan", 1, _elementary("TAN")),
    39: Operator("sqrt", 1, _elementary("SQRT")),
    40: Operator("sinh", 1, _elementary("SINH")),
    41: Operator("sin", 1, _elementary("SIN")),
    42: Operator("log10", 1, lambda sx, x: sx("MUL", 1 / log(10), sx("LOG", x))),
    43: Operator("log", 1, _elementary("LOG")),
    44: Operator("exp", 1, _elementary("EXP")),
    45: Operator("cosh", 1, _elementary("COSH")),
    46: Operator("cos", 1, _elementary("COS")),
    47: Operator("atanh", 1, _elementary("ATANH")),
    48: Operator("atan2", 2, _elementary("ATAN2")),
    49: Operator("atan", 1, _elementary("ATAN")),
    50: Operator("asinh", 1, _elementary("ASINH")),
    51: Operator("asin", 1, _elementary("ASIN")),
    52: Operator("acosh", 1, _elementary("ACOSH")),
    53: Operator("acos", 1, _elementary("ACOS")),
    54: Operator("sum", None, _fold("ADD"), greatest),
    70: Operator("and", None, _fold("AND")),
    71: Operator("or", None, _fold("OR")),
    76: Operator("^", 2, _elementary("POW")),
    77: Operator("^2", 1, lambda sx, x: sx("POW", x, 2.0), lambda degree: total(degree, degree)),
    78: Operator("^", 2, _elementary("POW")),
}
POWERS = frozenset({5, 76})
"""Operators whose degree depends on the value of a constant exponent."""

NOT_READ = {
    55: "div",
    56: "precision",
    57: "round",
    58: "trunc",
    59: "count",
    60: "numberof",
    61: "numberof",
    62: "atleast",
    63: "atmost",
    64: "a piecewise-linear term",
    65: "an if of texts",
    66: "exactly",
    67: "not atleast",
    68: "not atmost",
    69: "not exactly",
    72: "==>",
    73: "<==>",
    74: "alldiff",
    75: "some same",
    79: "an imported function",
}
"""Operators that the format has and this reader refuses by name."""
