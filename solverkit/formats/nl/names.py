"""The names of variables and rows, which modelling languages write beside an .nl file as .col and .row."""

from __future__ import annotations

from pathlib import Path

from solverkit.formats.files import Refused, read

MAX_NAMES_BYTES = 200_000_000


def read_names(path: Path, suffix: str, counts: tuple[int, ...], what: str) -> tuple[str, ...]:
    """The names in the file beside `path`, one a line; empty where there is none.

    counts : how many there may be. A file of other length belongs to another problem: `Refused`
    """
    beside = path.with_suffix(suffix)
    if not beside.exists():
        return ()
    text = read(beside, MAX_NAMES_BYTES, f"a {suffix} file").decode("utf-8", "replace")
    names = tuple(line.strip() for line in text.splitlines() if line.strip())
    if len(names) not in counts:
        raise Refused(f"'{beside.name}' has {len(names)} names, and the problem {counts[0]} {what}: write or delete it")
    return names[: counts[0]]
