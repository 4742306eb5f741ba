"""An audit hook that notes what reading a file must never do: write, leave the folder, run, connect."""

from __future__ import annotations

import os
import sys
from pathlib import Path

FORBIDDEN = (
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "os.startfile", "subprocess.Popen",
    "socket.", "urllib.Request", "http.client", "ftplib.", "smtplib.", "webbrowser.open", "pickle.find_class",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.chown",
    "os.truncate", "shutil.", "ctypes.dlopen", "builtins.input", "code.__new__", "pty.spawn", "sys.settrace",
)  # fmt: skip
OURS = tuple(str(Path(place).resolve()) for place in {sys.prefix, sys.base_prefix, *filter(None, sys.path)})
"""Where installed code lies, which may be imported and run."""


class Audit:
    """What was seen since `begin`. A hook cannot be taken away: it does nothing while there is no folder."""

    def __init__(self) -> None:
        self.folder = ""
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def begin(self, folder: Path) -> None:
        """From now on a file of `folder` is read."""
        self.seen, self.folder = [], str(folder.resolve())

    def end(self) -> list[str]:
        """What was forbidden among what happened."""
        self.folder = ""
        return self.seen

    def _hook(self, event: str, arguments: tuple) -> None:
        if not self.folder:
            return
        folder, self.folder = self.folder, ""  # what the hook does itself is not looked at
        try:
            if event == "open":
                self._opened(folder, *arguments)
            elif event == "exec":
                name = getattr(arguments[0], "co_filename", "")
                if not name.startswith((*OURS, "<frozen")):
                    self.seen.append(f"exec of {name}")
            elif event.startswith(FORBIDDEN):
                self.seen.append(f"{event} {arguments!r:.200}")
        finally:
            self.folder = folder

    def _opened(self, folder: str, path: object, mode: object, flags: object) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return  # a descriptor that is open already
        place = os.path.realpath(os.fsdecode(path))
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        inside = place.startswith((folder + os.sep, folder))
        if writes or not (inside or place.startswith(OURS)):
            self.seen.append(f"open of {place}{' for writing' if writes else ''}")
