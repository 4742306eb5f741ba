"""Text from files on its way to a person: cleaned of control characters, and matched against known names."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})  # controls, direction marks, surrogates, line separators


def clean(text: object, limit: int = 500) -> str:
    """One line that is safe on a terminal, in a page or in a CSV: every hidden character becomes `?`."""
    line = "".join("?" if unicodedata.category(letter) in _HIDDEN else letter for letter in str(text))
    return line if len(line) <= limit else line[: limit - 3] + "..."


def nearest(name: str, names: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the closest known name, empty where none is close."""
    from difflib import get_close_matches

    known = {candidate.casefold(): candidate for candidate in names}
    matches = get_close_matches(name.casefold(), list(known), n=1)
    return f" (did you mean {known[matches[0]]!r}?)" if matches else ""
