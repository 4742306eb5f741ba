"""Errors of expressions: what is wrong, what to do, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from solverkit.errors import SolverKitError
from solverkit.expressions.functions import CONSTANTS, FUNCTIONS


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


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'sqrt'?`, or nothing where no known name is close."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


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
