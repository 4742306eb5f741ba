"""The lines of an .nl file, read one after the other; whatever does not fit is refused with its line."""

from __future__ import annotations

import re

import numpy as np

from solverkit.formats.files import Refused

MAX_LINE = 1000
NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?"
_NUMBER = re.compile(NUMBER)
_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_PAIRS = re.compile(rf"(?:[ \t]*[0-9]{{1,15}}[ \t]+{NUMBER}[ \t]*\n)*")
_PAIR = re.compile(rf"[ \t]*[0-9]{{1,15}}[ \t]+{NUMBER}[ \t]*\n")
_COMMENT = re.compile(r"[ \t]*#[^\n]*")

Pairs = tuple[np.ndarray, np.ndarray]


class Lines:
    """The text of a file from its first line to its last, comments taken out. `at` is the next line, from 0."""

    def __init__(self, content: bytes) -> None:
        if content[:1] == b"b":
            raise Refused("a binary .nl file; write the text form (AMPL: `write gmodel;`)", 1, 1)
        text = content.decode("latin-1").replace("\r\n", "\n")
        if "#" in text:
            text = _COMMENT.sub("", text)
        self.lines = [line.rstrip(" \t") for line in text.split("\n")]
        if self.lines.pop() or not text:
            raise Refused("the last line does not end: the file may be cut", len(self.lines) + 1, 1)
        self.at = 0

    def __len__(self) -> int:
        return len(self.lines)

    def refuse(self, message: str, column: int = 1) -> Refused:
        """A refusal at the line that was read last."""
        return Refused(message, max(self.at, 1), column)

    def next(self, what: str) -> str:
        """The next line; `what` is expected there."""
        if self.at == len(self.lines):
            raise Refused(f"the file ends where {what} is expected: it may be cut", self.at + 1, 1)
        line = self.lines[self.at]
        self.at += 1
        if len(line) > MAX_LINE:
            raise self.refuse(f"a line of {len(line)} characters; at most {MAX_LINE} are read")
        return line

    def integer(self, word: str, what: str, limit: int) -> int:
        """A whole number from 0 to below `limit`."""
        if not _INTEGER.fullmatch(word):
            raise self.refuse(f"'{word[:30]}' where {what} is expected")
        value = int(word)
        if not 0 <= value < limit:
            raise self.refuse(f"{what} is from 0 to {limit - 1}, not {value}" if limit else f"there is no {what}")
        return value

    def number(self, word: str) -> float:
        """A finite number."""
        if not _NUMBER.fullmatch(word):
            raise self.refuse(f"'{word[:30]}' where a number is expected")
        value = float(word)
        if abs(value) == float("inf"):
            raise self.refuse(f"the number {word[:30]} is too large")
        return value

    def integers(self, count: int, what: str) -> np.ndarray:
        """The whole numbers of the next `count` lines."""
        return np.array([self.integer(self.next(what), what, 10**15) for _ in range(count)], dtype=np.int64)

    def pairs(self, count: int, what: str, limit: int) -> Pairs:
        """The next `count` lines, each an index below `limit` and a number; no index comes twice."""
        first, last = self.at, min(self.at + count, len(self.lines))
        block = "\n".join(self.lines[first:last]) + "\n"
        if last - first < count or not _PAIRS.fullmatch(block):
            for _ in range(count):
                line = self.next(what)
                if not _PAIR.fullmatch(line + "\n"):
                    raise self.refuse(f"'{line[:30]}' where {what} is expected: an index and a number")
        self.at = last
        words = block.split()
        indices, values = np.array(words[::2], dtype=np.int64), np.array(words[1::2], dtype=float)
        again = np.ones(count, dtype=bool)
        again[np.unique(indices, return_index=True)[1]] = False
        for wrong, message in (
            (indices >= limit, f"{what} has an index below {limit}"),
            (~np.isfinite(values), f"{what} has a finite number"),
            (again, f"{what} was given already"),
        ):
            if wrong.any():
                raise Refused(message, first + int(np.argmax(wrong)) + 1, 1)
        return indices, values
