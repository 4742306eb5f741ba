"""Texts whose grammar is not ours to know: fewer lines, then fewer characters in what is left."""

from __future__ import annotations

from collections.abc import Callable

from solverkit.reduction.fewer import fewest

LONGEST = 4000
"""Characters of a text that is worth trying one by one."""


def shorter(content: bytes, holds: Callable[[bytes], bool]) -> bytes:
    """A part of `content` for which `holds`."""
    lines = fewest(content.splitlines(keepends=True), lambda kept: holds(b"".join(kept)))
    content = b"".join(lines)
    if len(content) > LONGEST:
        return content
    letters = [content[k : k + 1] for k in range(len(content))]
    return b"".join(fewest(letters, lambda kept: holds(b"".join(kept))))
