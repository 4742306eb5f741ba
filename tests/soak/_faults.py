"""A disk that fails: calls of the system on one folder raise OSError, from a chosen call on or at that call alone."""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOM = frozenset({"open", "write", "fsync", "link", "mkdir", "close"})
"""What needs room on the disk: renaming, removing and reading go on where it is full."""
CALLS = ROOM | {"read", "rename", "unlink", "chmod"}


class Fault:
    """Which call fails, how, and whether the disk recovers."""

    def __init__(self, number: int, error: int, once: bool) -> None:
        self.number = number  # from 0; negative: none fails
        self.error = error
        self.once = once
        self.affects = ROOM if error == errno.ENOSPC else CALLS

    def __str__(self) -> str:
        where = "at" if self.once else "from"
        return f"{errno.errorcode[self.error]} {where} call {self.number}"


class Disk(AbstractContextManager["Disk"]):
    """While it is entered, calls of this process on files below `folder` are counted, and fail as `fault` says."""

    def __init__(self, folder: Path, fault: Fault) -> None:
        self._folder, self._fault = str(folder), fault
        self._stack = ExitStack()
        self._known: set[int] = set()  # handles of files below the folder
        self.calls = 0
        self.failed = 0
        self.names: Counter[str] = Counter()

    def __enter__(self) -> Disk:
        real = {name: getattr(os, name) for name in ("open", "write", "fsync", "close")}
        for name, word in {
            "replace": "rename",
            "link": "link",
            "unlink": "unlink",
            "chmod": "chmod",
            "mkdir": "mkdir",
        }.items():
            self._stack.enter_context(patch.object(os, name, self._by_path(getattr(os, name), word)))

        def opened(path: Any, flags: int, *rest: Any, **more: Any) -> int:
            mine = self._is_mine(path)
            if mine:
                self.touch("open" if flags & (os.O_WRONLY | os.O_RDWR) else "read")
            handle = real["open"](path, flags, *rest, **more)
            (self._known.add if mine else self._known.discard)(handle)
            return handle

        def synced(handle: int) -> None:
            if handle in self._known:
                self.touch("fsync")
            real["fsync"](handle)

        def written(handle: int, content: bytes) -> int:
            if handle in self._known:
                self._half(lambda half: real["write"](handle, half), content)
            return real["write"](handle, content)

        for name, replacement in {"open": opened, "fsync": synced, "write": written}.items():
            self._stack.enter_context(patch.object(os, name, replacement))
        real_open = io.open
        for module in (io, builtins):
            self._stack.enter_context(patch.object(module, "open", self._file(real_open)))
        return self

    def __exit__(self, *details: object) -> None:
        self._stack.close()

    def touch(self, word: str) -> None:
        """One more call; OSError where it fails."""
        if word not in self._fault.affects:
            return
        number, self.calls = self.calls, self.calls + 1
        self.names[word] += 1
        begun = number >= self._fault.number >= 0
        if begun and (number == self._fault.number or not self._fault.once):
            self.failed += 1
            raise OSError(self._fault.error, os.strerror(self._fault.error))

    def _half(self, write: Callable[[bytes], object], content: bytes) -> None:
        """Count a write; where it fails, half of it is on the disk, but for an interrupted one, which wrote nothing."""
        try:
            self.touch("write")
        except InterruptedError:
            raise
        except OSError:
            write(content[: len(content) // 2])
            raise

    def _is_mine(self, path: Any) -> bool:
        return isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(self._folder)

    def _by_path(self, real: Callable[..., Any], word: str) -> Callable[..., Any]:
        def call(path: Any, *rest: Any, **more: Any) -> Any:
            if self._is_mine(path):
                self.touch(word)
            return real(path, *rest, **more)

        return call

    def _file(self, real: Callable[..., Any]) -> Callable[..., Any]:
        disk = self

        class Raw(io.FileIO):
            """An open file of the folder: each write that reaches the system is counted."""

            def write(self, content: Any) -> int:
                disk._half(super().write, bytes(content))
                return super().write(content) or 0

            def close(self) -> None:
                if self.closed:
                    return
                number = self.fileno()
                super().close()
                disk._known.discard(number)
                disk.touch("close")

        def opened(
            file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, *rest: Any, **more: Any
        ) -> Any:
            given = file in disk._known if isinstance(file, int) else disk._is_mine(file)
            if not given:
                return real(file, mode, buffering, encoding, *rest, **more)
            writes = bool(set(mode) & set("wax+"))
            if not isinstance(file, int):
                disk.touch("open" if writes else "read")
            if not writes:
                return real(file, mode, buffering, encoding, *rest, **more)
            raw = Raw(file, mode.replace("b", "").replace("t", ""))
            disk._known.add(raw.fileno())
            buffer = io.BufferedWriter(raw)
            return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding)

        return opened
