"""Opening a file that is named by somebody else: once, regular files only, inside one folder, up to a size.

The bytes that are checked (size, sha256) are the bytes that are parsed: nothing is opened twice.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_DATA_BYTES = 2 << 30
"""Largest data file, and the largest total that an archive may unfold to."""

MAX_FILES = 200_000
"""Most matrices in one folder."""

_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


class Refused(Exception):
    """A file that cannot be used: the sentence, and the place inside the file where there is one."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def resolve(folder: Path, name: str) -> Path:
    """Where `name` leads from `folder`; `Refused` where that is not a file below `folder`, links followed."""
    if not name or "\0" in name:
        raise Refused("a file name is needed")
    if Path(name).is_absolute() or (len(name) > 1 and name[1] == ":"):
        raise Refused(f"'{name}' is an absolute path; name a file in the problem's folder")
    root = folder.resolve()
    try:
        path = (root / name).resolve()
        inside = path.is_relative_to(root)
        there = path.exists()
        loop = path.is_symlink()  # still: Python up to 3.12 raises RuntimeError for it
    except (OSError, RuntimeError, ValueError):
        loop = True
    if loop:
        raise Refused(f"'{name}' is not a path that can be followed")
    if not inside:
        raise Refused(f"'{name}' leads out of the problem's folder")
    if not there:
        raise Refused(f"no such file: '{name}'")
    return path


def matrix_files(root: Path, folder: str) -> list[str]:
    """Names of the `.mtx` files of a folder below `root`, ascending; `Refused` where it is no folder, or too full."""
    path = resolve(root, folder)
    if not path.is_dir():
        raise Refused(f"'{folder}' is not a folder")
    names = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.endswith(".mtx"):
                    names.append(entry.name)
                    if len(names) > MAX_FILES:
                        raise Refused(f"'{folder}' holds more than {MAX_FILES} matrices")
    except OSError as error:
        raise Refused(f"'{folder}' cannot be opened: {error.strerror or 'not a usable path'}") from None
    return sorted(names)


UNKNOWN = 1 << 20  # bytes read of a file that says it is smaller, as those of /proc do


def read(path: Path, limit: int, what: str = "the file") -> bytes:
    """The bytes of a regular file; a pipe, a device or a folder is refused without waiting for it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_WAIT)
    except FileNotFoundError:
        raise Refused("no such file") from None
    except (OSError, ValueError) as error:
        raise Refused(f"cannot be opened: {getattr(error, 'strerror', None) or 'not a usable path'}") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise Refused("not a regular file")
    with os.fdopen(descriptor, "rb") as stream:
        if status.st_size > limit:
            raise Refused(f"{status.st_size} bytes; {what} may have at most {limit}")
        # a read takes the memory that it is asked for: the file's size, with room for those that do not know theirs
        content = stream.read(min(limit, max(status.st_size, UNKNOWN)) + 1)
    if len(content) > limit:
        raise Refused(f"more than {limit} bytes, the most that {what} may have")
    return content
