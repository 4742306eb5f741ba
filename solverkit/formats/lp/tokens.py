"""The words of an LP file, each with its place.

| word | what it is |
|---|---|
| number | digits with an optional fraction and exponent; signs are words of their own |
| name | begins with a letter or one of !"#$%&(),;?@_'`{}~ and goes on with those, digits and dots |
| operator | `+ - : < <= =< > >= => =`, and `[ ] * / ^ ->`, which belong to what is refused |

A backslash begins a comment, up to the end of the line. Line ends are blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from solverkit.formats.files import Refused

MAX_WORD = 255
_WORD = re.compile(
    r"(?P<blank>[ \t\r]+|\\.*)"
    r"|(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?)"
    r"|(?P<name>[A-Za-z!\"#$%&(),;?@_'`{}~][A-Za-z0-9!\"#$%&(),;?@_'`{}~.]*)"
    r"|(?P<operator><=|=<|>=|=>|->|[-+:<>=\[\]*/^])"
)
_SAME = {"<": "<=", "=<": "<=", ">": ">=", "=>": ">="}


class Word(NamedTuple):
    """One word."""

    kind: str  # number, name, operator
    text: str  # an operator in its usual form
    line: int  # from 1
    column: int  # from 1
    first: bool  # whether it begins its line


def words(content: bytes) -> Iterator[Word]:
    """The words of a file in order; `Refused` at the first character that begins none."""
    for number, text in enumerate(content.decode("latin-1").split("\n"), 1):
        place, first = 0, True
        while place < len(text):
            found = _WORD.match(text, place)
            if found is None:
                raise Refused(f"the character {text[place]!a} has no place in an LP file", number, place + 1)
            kind, word = found.lastgroup, found.group()
            if kind != "blank":
                if len(word) > MAX_WORD:
                    raise Refused(f"a word of {len(word)} characters; at most {MAX_WORD}", number, place + 1)
                yield Word(str(kind), _SAME.get(word, word), number, place + 1, first)
                first = False
            place = found.end()
