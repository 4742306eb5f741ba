"""The one way from a file that fails to the smallest one that fails alike."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from solverkit.errors import InvalidProblem, UsageError
from solverkit.reduction import arrays, candidate, edits, text
from solverkit.reduction.candidate import Candidate
from solverkit.reduction.child import Child
from solverkit.reduction.failure import Failure, Question


class NothingFails(UsageError):
    """The file does not fail in the way that was asked about."""


@dataclass(frozen=True)
class Reduced:
    """What is left of a file."""

    file: Path
    failure: Failure
    before: int  # bytes of the file and the data it names
    after: int
    tries: int
    whole: bool  # False where time or the user ended it early


class _Enough(Exception):
    """The time is up, or the user has seen enough."""


class _Search:
    """Tries candidates, and remembers the best."""

    def __init__(self, child: Child, failure: Failure, end: float) -> None:
        self.child = child
        self.failure = failure
        self.end = end
        self.tries = 0

    def fails(self, write: Callable[[Path], Path]) -> bool:
        """Whether what `write` puts into a folder fails as the file did."""
        if time.monotonic() > self.end:
            raise _Enough
        self.tries += 1
        with tempfile.TemporaryDirectory(prefix="solverkit-reduce-") as folder:
            return self.child(write(Path(folder))) == self.failure


def reduce(file: Path, question: Question, out: Path, seconds: float = 300.0) -> Reduced:
    """Write the smallest file that fails as `file` does into the folder `out`, with the data that it needs.

    seconds : of the whole search; the best so far counts, also after Ctrl-C

    Raises NothingFails where the file is well, UsageError where `out` is there already.
    """
    if out.exists():
        raise UsageError(f"{out} exists already; name another folder with --out")
    with Child(question) as child:
        failure = child(file)
        if failure is None:
            raise NothingFails(_well(question))
        search = _Search(child, failure, time.monotonic() + seconds)
        found, whole = _structured(file, search) or _plain(file, search)
    out.mkdir(parents=True)
    written = found(out)
    return Reduced(written, failure, _bytes(file.parent, file), _bytes(out, written), search.tries, whole)


def _well(question: Question) -> str:
    if question.method:
        return f"{question.method} solves the file, and the answer is certified: there is no failure to reduce"
    return "the file loads and its derivatives agree; --method NAME reduces what goes wrong in a solve"


Write = Callable[[Path], Path]


def _structured(file: Path, search: _Search) -> tuple[Write, bool] | None:
    """A problem file, key by key; None where it is another format, is no YAML, or fails only as it is written."""
    if file.suffix.lower() not in (".yaml", ".yml"):
        return None
    try:
        best = candidate.read(file)
    except InvalidProblem:
        return None

    def holds(changed: Candidate) -> bool:
        nonlocal best
        if search.fails(changed.write):
            best = changed
            return True
        return False

    try:
        if not holds(best):
            return None
        while True:
            before = best
            for step in (edits.fewer_keys, arrays.smaller, edits.simpler_values):
                step(best, holds)
            if best == before or _same(best, before):
                return best.write, True
    except (_Enough, KeyboardInterrupt):
        return best.write, False


def _same(one: Candidate, other: Candidate) -> bool:
    return one.tree == other.tree and all(one.arrays[name] is other.arrays[name] for name in one.arrays)


def _plain(file: Path, search: _Search) -> tuple[Write, bool]:
    """Any other file: its text, in a folder with all that stands beside it and is named in it."""
    best = file.read_bytes()
    beside = [other for other in file.parent.iterdir() if other.is_file() and other.name.encode() in best]

    def writer(content: bytes) -> Write:
        def write(folder: Path) -> Path:
            for other in beside:
                if other.name != file.name and other.name.encode() in content:
                    shutil.copy(other, folder / other.name)
            (folder / file.name).write_bytes(content)
            return folder / file.name

        return write

    def holds(content: bytes) -> bool:
        nonlocal best
        if search.fails(writer(content)):
            best = content
            return True
        return False

    try:
        text.shorter(best, holds)
    except (_Enough, KeyboardInterrupt):
        return writer(best), False
    return writer(best), True


def _bytes(folder: Path, file: Path) -> int:
    """Of the file, and of those beside it that it names."""
    content = file.read_bytes()
    others = [other for other in folder.iterdir() if other.is_file() and other != file]
    return len(content) + sum(other.stat().st_size for other in others if other.name.encode() in content)
